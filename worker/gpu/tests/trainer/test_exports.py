"""Exports in processes of their own: whole or absent, the same bytes whoever dies, no half directory on a full disk."""

import asyncio
import errno
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydantic import SecretStr
from safetensors import SafetensorError
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import ActivityEnvironment
from transformers import AutoModelForCausalLM

from flow_grpo.export import export as exporting
from flow_grpo.export.__main__ import main
from flow_grpo.export.job import export_files
from flow_grpo.failures import Failure
from flow_grpo.policy import file_sha256
from flow_grpo.trainer import exports
from flow_grpo.trainer.contract import ExportedFile, ExportPolicyRequest
from flow_grpo.trainer.exports import ExportActivities, ExportProcessLost, export_apart, tell_workflow
from flow_grpo.trainer.settings import NAMES, Settings
from flow_grpo.trainer.step import Progress
from flow_grpo.trainer.worker import EXPORT_QUEUE, export_worker
from tests.trainer.rows import export, submit
from tests.trainer.run import RUN_ID, Run
from tests.trainer.temporal import Call, CallOptions, start_call, temporal

EXPORT = "export-abc"


@pytest.fixture
def trained(run: Run) -> Run:
    """A run of one step."""
    run.train(run.trainer(), 1)
    submit(run, RUN_ID, {"name": "to be exported", "dataset": {"name": "atlas", "seed": 7}})
    return run


def settings_of(run: Run) -> Settings:
    values = {
        "database_url": run.database_url,
        "artifacts": run.root.as_uri(),
        "models_cache": str(run.models_cache),
        "operator_file": str(run.operator_file),
    }
    return Settings.model_validate({NAMES[name]: value for name, value in values.items()})


def asked(**changes: Any) -> ExportPolicyRequest:
    given = {"export_id": EXPORT, "policy": f"{RUN_ID}@1", "merged": False}
    return ExportPolicyRequest.model_validate({**given, **changes})


def directory_of(run: Run) -> Path:
    return run.root / "exports" / EXPORT / "files"


def contents(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory_of(run).iterdir()}


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()] if directory.exists() else []


@pytest.mark.parametrize("merged", [False, True])
def test_the_files_are_those_of_the_command(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, merged: bool
) -> None:
    environment = ActivityEnvironment()
    beats: list[Any] = []
    environment.on_heartbeat = lambda *details: beats.append(details[0])
    begun: list[str] = []
    activities = ExportActivities(settings_of(trained), (), lambda: begun.append(EXPORT))
    files = environment.run(activities.export_policy, asked(merged=merged).model_dump())["files"]
    assert begun == [EXPORT]
    assert "export" in [beat["phase"] for beat in beats]
    found = {path.name: (path.stat().st_size, file_sha256(path)) for path in directory_of(trained).iterdir()}
    assert {file["name"]: (file["bytes"], file["sha256"]) for file in files} == found
    for name, value in {
        "DATABASE_URL": trained.database_url,
        "AGENTFLOW_ARTIFACTS": trained.root.as_uri(),
        "AGENTFLOW_MODELS_CACHE": str(trained.models_cache),
        "AGENTFLOW_OPERATOR_FILE": str(trained.operator_file),
    }.items():
        monkeypatch.setenv(name, value)
    target = tmp_path / "command"
    assert main([f"{RUN_ID}@1", "--to", str(target), *(["--merged"] if merged else [])]) == 0
    here = {path.name: path.read_bytes() for path in target.iterdir()}
    there = contents(trained)
    assert here.keys() == there.keys()
    # What tells where the base model lies is not for those who download it.
    local = set[str]() if merged else {"adapter_config.json", "README.md", "manifest.json"}
    assert {name for name in here if here[name] != there[name]} == local
    assert all(str(trained.models_cache).encode() not in content for content in there.values())
    if merged:
        assert AutoModelForCausalLM.from_pretrained(directory_of(trained)).dtype is not None
    else:
        assert json.loads(there["adapter_config.json"])["base_model_name_or_path"] == "tiny-random"


def test_a_retry_gives_what_stands_and_makes_what_is_broken_anew(trained: Run) -> None:
    first = export_files(settings_of(trained), asked())
    before = contents(trained)
    # Something that is measured later is in no file of an export that stands.
    trained.execute("UPDATE training_runs SET config = '{}'")
    assert export_files(settings_of(trained), asked()) == first
    assert contents(trained) == before
    (directory_of(trained) / "adapter_model.safetensors").write_bytes(b"damaged")
    export_files(settings_of(trained), asked())
    assert contents(trained)["adapter_model.safetensors"] == before["adapter_model.safetensors"]


@pytest.mark.parametrize("point", ["*", ".files.tmp-*", ".files.tmp-*/model.safetensors"])
def test_a_killed_export_leaves_nothing_that_counts_and_its_successor_the_same_bytes(
    trained: Run, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Killed while its libraries load, as soon as it writes, and while it writes a large file."""
    other = asked(merged=True, export_id="export-other")
    export_files(settings_of(trained), other)
    whole = {path.name: path.read_bytes() for path in (trained.root / "exports" / "export-other" / "files").iterdir()}
    directory = directory_of(trained).parent
    if point == "*":
        (directory / ".files.tmp-1-aa").mkdir(parents=True)
    monkeypatch.setattr(exports, "WAKE_S", 0.005)

    def kill(_phase: str, _done: int, _total: int) -> None:
        if any(directory.glob(point)):
            for child in active_children():
                child.kill()

    with pytest.raises(ExportProcessLost, match="-9"):
        export_apart(settings_of(trained), asked(merged=True), kill)
    assert "files" not in names(directory)
    assert export_files(settings_of(trained), asked(merged=True))
    assert names(directory) == ["files"]
    assert contents(trained) == whole


@pytest.mark.parametrize("point", ["", ".files.tmp-*/model.safetensors"])
def test_the_process_ends_with_its_cancellation_and_leaves_nothing(
    trained: Run, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Cancelled at once, and while it writes a large file; another attempt, of another trainer, keeps its own."""
    directory = directory_of(trained).parent
    monkeypatch.setattr(exports, "WAKE_S", 0.005)

    def cancel(*_: Any) -> None:
        if point == "" or any(directory.glob(point)):
            for child in active_children():
                os.kill(child.pid or 0, signal.SIGSTOP)
            (directory / ".files.tmp-1-aa").mkdir(parents=True)
            raise CancelledError("cancelled")

    with pytest.raises(CancelledError):
        export_apart(settings_of(trained), asked(merged=True), cancel)
    assert active_children() == []
    assert names(directory) == [".files.tmp-1-aa"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
    ids=["disk", "quota", "safetensors"],
)
def test_a_full_disk_is_said_in_one_sentence_and_leaves_nothing(
    trained: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> str:
        raise error

    monkeypatch.setattr(exporting, "model_card", fail)
    with pytest.raises(Failure, match=f"no room for the files of {RUN_ID}@1") as caught:
        export_files(settings_of(trained), asked())
    assert caught.value.type == "DiskFull"
    assert f"agentflow exports revive {EXPORT}" in str(caught.value)
    assert names(directory_of(trained).parent) == []
    monkeypatch.undo()
    assert export_files(settings_of(trained), asked())


@pytest.mark.parametrize(
    ("change", "type", "words"),
    [
        ({"policy": f"{RUN_ID}@9"}, "PolicyUnusable", "was never committed"),
        ({"policy": "elsewhere"}, "BadConfiguration", "not the name of a policy"),
        ({"export_id": "../x"}, "BadConfiguration", "export_id"),
    ],
)
def test_what_no_retry_mends_is_final(trained: Run, change: dict[str, str], type: str, words: str) -> None:
    activities = ExportActivities(settings_of(trained), (), lambda: None)
    with pytest.raises(ApplicationError, match=words) as caught:
        ActivityEnvironment().run(activities.export_policy, {**asked().model_dump(), **change})
    assert (caught.value.type, caught.value.non_retryable) == (type, True)
    assert names(trained.root / "exports" / EXPORT) == []


def test_only_the_export_that_has_begun_is_told_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = Event()

    def held(_settings: Settings, _request: ExportPolicyRequest, _progress: Progress) -> list[ExportedFile]:
        let_go.wait()
        return []

    monkeypatch.setattr(exports, "export_apart", held)

    async def scenario() -> None:
        with ThreadPoolExecutor(max_workers=1) as executor:
            async with temporal() as client:
                activities = ExportActivities(settings_of(run), (), tell_workflow(client))
                async with export_worker(client, activities, executor):
                    options = CallOptions("exportPolicy", asked().model_dump(), EXPORT_QUEUE)
                    calls = [await start_call(client, options) for _ in range(2)]
                    told = [0, 0]
                    while sum(told) == 0:
                        told = [await one.query(Call.begun) for one in calls]
                    assert sorted(told) == [0, 1]
                    let_go.set()
                    assert [await one.result() for one in calls] == [{"files": []}, {"files": []}]
                    assert [await one.query(Call.begun) for one in calls] == [1, 1]

    asyncio.run(scenario())


def test_an_outage_in_the_process_is_retried_and_keeps_its_secrets(trained: Run) -> None:
    url = "postgres://user:sehr-geheim@127.0.0.1:1/agentflow"
    away = settings_of(trained).model_copy(update={"database_url": SecretStr(url)})
    with pytest.raises(ApplicationError, match="ExportOutage") as caught:
        ActivityEnvironment().run(
            ExportActivities(away, ("sehr-geheim",), lambda: None).export_policy, asked().model_dump()
        )
    assert not caught.value.non_retryable
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(("status", "stands"), [("queued", True), ("running", True), ("completed", False)])
def test_retention_keeps_a_policy_while_it_is_exported(run: Run, status: str, stands: bool) -> None:
    trainer = run.trainer()
    run.train(trainer, 2)
    export(run, EXPORT, f"{RUN_ID}@1", status)
    for step in range(3, 7):
        run.step(trainer, step)
    assert (run.directory / "policies" / "000001").exists() == stands
