"""Verification finds what is wrong, names it, and finds nothing else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flow_grpo import artifacts
from flow_grpo.verify.__main__ import main
from tests.directories import load_directory
from tests.trainer.rows import evaluate, fork_of, submit
from tests.trainer.run import RUN_ID, Run

STEPS = 5


@pytest.fixture
def run(
    tmp_path: Path, database_url: str, models_cache: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """A run of five steps: policies 1 and 2 were collected, checkpoints 0, 3, 4 and 5 stand."""
    run = Run(tmp_path, database_url, models_cache)
    run.train(run.trainer(), STEPS)
    environment = {
        "DATABASE_URL": database_url,
        "AGENTFLOW_ARTIFACTS": run.root.as_uri(),
        "AGENTFLOW_MODELS_CACHE": str(models_cache),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return run


def replace_in(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def damage(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b"?")


def swap_policy(run: Run) -> None:
    """Whole by its manifest, but with the tensors of another policy."""
    directory = run.directory / "policies" / "000005"
    manifest, files = load_directory(directory)
    _, others = load_directory(run.directory / "policies" / "000004")
    shutil.rmtree(directory)
    artifacts.commit_directory(directory, {**files, **others}, manifest)


def test_a_run_as_its_trainer_leaves_it_has_no_problem(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == "4 policies, 4 checkpoints and 5 batches of 1 runs: no problems\n"


@pytest.mark.parametrize(
    ("artifact", "problem", "break_it"),
    [
        ("policies/000005", "the directory is missing", lambda r: shutil.rmtree(r.directory / "policies/000005")),
        ("policies/000004", "no manifest.json", lambda r: (r.directory / "policies/000004/manifest.json").unlink()),
        ("policies/000003", "has sha256", lambda r: damage(r.directory / "policies/000003/adapter_model.safetensors")),
        ("policies/000005", "its tensors have sha256", swap_policy),
        (
            "policies/000000",
            "its manifest has run_id run-2",
            lambda r: replace_in(r.directory / "policies/000000/manifest.json", run_id="run-2"),
        ),
        ("policies/000002", "is a child of", lambda r: r.execute("UPDATE policies SET sha256 = 'x' WHERE step = 1")),
        ("policies/000001", "has no row", lambda r: r.execute("DELETE FROM batches WHERE step = 1")),
        ("policies/000001", "the directory is missing", lambda r: evaluate(r, 1, 0.9)),
        ("policies/000002", "is missing", lambda r: submit(r, "fork", fork_of(f"{RUN_ID}@2"), "queued")),
        (
            "checkpoints/000003",
            "has sha256",
            lambda r: damage(r.directory / "checkpoints/000003/optimizer.safetensors"),
        ),
        ("checkpoints/000000", "is missing", lambda r: shutil.rmtree(r.directory / "checkpoints/000000")),
        ("checkpoints/000004", "its row says", lambda r: r.execute("UPDATE checkpoints SET uri = 'file:///x'")),
        (
            "checkpoints/000009",
            "never committed",
            lambda r: shutil.copytree(r.directory / "checkpoints/000005", r.directory / "checkpoints/000009"),
        ),
        ("batches/000001", "the file is missing", lambda r: (r.directory / "batches/000001.arrow").unlink()),
        ("batches/000002", "but its row says", lambda r: damage(r.directory / "batches/000002.arrow")),
    ],
)
def test_what_is_wrong_is_named(
    run: Run, capsys: pytest.CaptureFixture[str], artifact: str, problem: str, break_it: Callable[[Run], object]
) -> None:
    break_it(run)
    assert main(["--run", RUN_ID]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"{RUN_ID} {artifact}") and problem in line for line in lines), lines


def test_problems_are_also_told_as_json(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    damage(run.directory / "checkpoints/000003/optimizer.safetensors")
    assert main(["--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    (problem,) = report.pop("problems")
    assert report == {"runs": 1, "policies": 4, "checkpoints": 4, "batches": 5}
    assert (problem["run"], problem["artifact"]) == (RUN_ID, "checkpoints/000003")


def test_a_step_under_way_is_no_problem(run: Run) -> None:
    run.execute("DELETE FROM policies WHERE step = 5")
    assert main([]) == 0


def test_a_run_that_does_not_exist_is_said_so(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--run", "run-9"]) == 2
    assert "run-9" in capsys.readouterr().err


def test_a_bad_environment_is_said_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert main([]) == 2
