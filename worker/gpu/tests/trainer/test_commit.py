"""One step, one update (I4): commits, second workers, checkpoints and their retention."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from temporalio.exceptions import CancelledError

from flow_grpo import artifacts
from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import Adapter, read_policy
from flow_grpo.trainer import step as step_module
from flow_grpo.trainer.contract import TrainStepRequest, TrainStepResult
from flow_grpo.trainer.records import Records
from tests.trainer.kills import Killed
from tests.trainer.run import RUN_ID, Run, no_progress
from tests.trainer.samples import LORA, MODEL, random_samples, training


def test_the_committed_policy_is_what_the_policy_server_reads(run: Run) -> None:
    run.init(run.trainer())
    result = run.step(run.trainer(), 1)
    adapter = read_policy(artifacts.uri_path(result.uri))
    assert isinstance(adapter, Adapter)
    assert adapter.sha256 == result.policy.sha256
    assert adapter.base_model == MODEL
    assert adapter.scale == LORA["alpha"] / LORA["rank"]
    ((sha256, parent, uri),) = run.execute("SELECT sha256, parent_sha256, uri FROM policies WHERE step = 1")
    assert (sha256, parent, uri) == (result.policy.sha256, run.policies[0], result.uri)


def test_a_committed_step_is_returned_without_work(run: Run) -> None:
    trainer = run.trainer()
    run.train(trainer, 1)
    phases: list[str] = []
    result = run.trainer().train_step(run.request(1, run.freeze(1)), lambda phase, *_: phases.append(phase))
    assert result.recovered_from == "committed"
    assert result.metrics["gradient_norm"] > 0
    assert phases == []


def test_a_committed_step_with_another_batch_is_refused(run: Run) -> None:
    run.train(run.trainer(), 1)
    request = run.request(1, run.freeze(1, samples=random_samples(99)))
    with pytest.raises(Failure, match="is committed from batch") as caught:
        run.trainer().train_step(request, no_progress)
    assert caught.value.type is FailureType.BatchInvalid


@pytest.mark.parametrize("damage", ["lost", "truncated"])
def test_a_committed_policy_whose_directory_is_damaged_is_made_again(run: Run, damage: str) -> None:
    run.train(run.trainer(), 2)
    directory = run.directory / "policies" / "000001"
    if damage == "lost":
        shutil.rmtree(directory)
    else:
        (directory / "adapter_model.safetensors").write_bytes(b"")
    result = run.step(run.trainer(), 1)
    assert result.policy.sha256 == run.policies[1]
    assert read_policy(directory).sha256 == run.policies[1]


def test_a_zombie_finds_the_winner(run: Run) -> None:
    """A worker that is stopped before its commit goes on after another has committed the step."""
    run.train(run.trainer(), 1)
    request, winner = run.request(2, run.freeze(2)), list[TrainStepResult]()

    def overtaken(phase: str, _done: int, _total: int) -> None:
        if phase == "write" and not winner:
            winner.append(run.trainer().train_step(request, no_progress))

    late = run.trainer().train_step(request, overtaken)
    assert late.policy == winner[0].policy
    assert late.metrics == winner[0].metrics
    assert late.uri == winner[0].uri
    ((rows,),) = run.execute("SELECT count(*) FROM policies WHERE step = 2")
    assert rows == 1


def test_another_sha_for_a_committed_step_is_divergence(run: Run) -> None:
    run.train(run.trainer(), 1)
    request = run.request(2, run.freeze(2, samples=random_samples(2)))

    def overtaken(phase: str, _done: int, _total: int) -> None:
        if phase == "write":
            run.execute(
                "INSERT INTO policies (run_id, step, uri, sha256, metrics) VALUES (%s, 2, 'file:///x', %s, '{}') "
                "ON CONFLICT DO NOTHING",
                (RUN_ID, "f" * 64),
            )

    with pytest.raises(Failure, match=f"committed is {'f' * 64}") as caught:
        run.trainer().train_step(request, overtaken)
    assert caught.value.type is FailureType.StepDiverged


def test_a_policy_directory_that_no_row_names_is_moved_aside_and_kept(run: Run) -> None:
    """The row is the commit."""
    run.train(run.trainer(), 1)
    for kind in ("policies", "checkpoints"):
        shutil.copytree(run.directory / kind / "000000", run.directory / kind / "000002")
    result = run.step(run.trainer(), 2)
    assert read_policy(artifacts.uri_path(result.uri)).sha256 == result.policy.sha256
    for kind in ("policies", "checkpoints"):
        assert sha256_of(run.directory / kind / "000002") == result.policy.sha256
        (aside,) = (run.directory / kind).glob(".uncommitted-000002-*")
        assert sha256_of(aside) == run.policies[0]
    assert run.execute("SELECT sha256 FROM policies WHERE step = 2") == [(result.policy.sha256,)]


def sha256_of(directory: Path) -> str:
    """Of a whole policy or checkpoint."""
    return str(artifacts.check_directory(directory)["policy_sha256"])


class ShortOfMemory:
    """The first pass that is too large for this machine; afterwards, and on other machines, memory suffices."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._accumulate = step_module.accumulate_gradient
        self._met = False
        monkeypatch.setattr(step_module, "accumulate_gradient", self)

    def __call__(self, *arguments: Any) -> Any:
        if not self._met:
            self._met = True
            raise torch.OutOfMemoryError("no memory left")
        return self._accumulate(*arguments)


SMALL = {"training": training(micro_batch_tokens=128).model_dump()}


def second_step(run: Run) -> TrainStepRequest:
    """A step whose memory may not suffice."""
    return run.request(2, run.freeze(2, samples=random_samples(2, groups=4), **SMALL))


def attempt_that_dies(run: Run, monkeypatch: pytest.MonkeyPatch, at: int) -> bool:
    """An attempt at step 2 that halves its budget and dies at a point of its writing; whether it got so far."""
    run.train(run.trainer(), 1)
    left = at

    def die(phase: str, _done: int, _total: int) -> None:
        nonlocal left
        if phase == "write":
            left -= 1
        if left < 0:
            raise Killed

    with monkeypatch.context() as patch:
        ShortOfMemory(patch)
        try:
            run.trainer().train_step(second_step(run), die)
        except Killed:
            return True
    return False


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_retry_of_an_attempt_that_died_before_its_commit_has_its_bits(
    run: Run, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Attempt 1 halves its token budget and dies before, between and after its directories; attempt 2 need not."""
    assert attempt_that_dies(run, monkeypatch, at)
    assert run.execute("SELECT 1 FROM policies WHERE step = 2") == []
    left_behind = run.directory / "policies" / "000002"
    written = sha256_of(left_behind) if at > 0 else None
    optimiser = run.optimiser_bytes(2) if at > 1 else None
    result = run.trainer().train_step(second_step(run), no_progress)
    assert result.metrics["micro_batch_tokens"] == (64 if written else 128)
    assert sha256_of(left_behind) == result.policy.sha256 == (written or result.policy.sha256)
    assert sha256_of(run.directory / "checkpoints" / "000002") == result.policy.sha256
    assert run.optimiser_bytes(2) == (optimiser or run.optimiser_bytes(2))
    assert not list((run.directory / "policies").glob(".uncommitted-*"))
    # And it is the same again, for whoever comes later.
    shutil.rmtree(left_behind)
    assert run.trainer().train_step(second_step(run), no_progress).policy == result.policy
    assert sha256_of(left_behind) == result.policy.sha256


def test_an_attempt_is_not_written_further_than_that(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The points of the kills above are all there are before the commit."""
    assert not attempt_that_dies(run, monkeypatch, 3)
    assert run.execute("SELECT count(*) FROM policies WHERE step = 2") == [(1,)]


def test_a_kill_right_after_the_commit_leaves_a_step_that_is_whole_when_asked_for_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.train(run.trainer(), 1)
    request = run.request(2, run.freeze(2))
    commit = Records.commit_policy

    def killed(*arguments: Any) -> Any:
        commit(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Records, "commit_policy", killed)
        with pytest.raises(Killed):
            run.trainer().train_step(request, no_progress)
    assert run.execute("SELECT 1 FROM checkpoints WHERE step = 2") == []
    result = run.step(run.trainer(), 2)
    assert result.recovered_from == "committed"
    assert run.execute("SELECT sha256 FROM checkpoints WHERE step = 2") == [(result.policy.sha256,)]


def test_another_number_of_ranks_moves_what_was_never_committed_aside(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would round differently, so it does not take the budget over."""
    assert attempt_that_dies(run, monkeypatch, 1)
    manifest = run.directory / "policies" / "000002" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"ranks": 1', '"ranks": 2'))
    result = run.trainer().train_step(second_step(run), no_progress)
    assert result.metrics["micro_batch_tokens"] == 128
    assert len(list((run.directory / "policies").glob(".uncommitted-000002-*"))) == 1


def test_a_worker_that_loses_the_race_for_the_commit_gives_the_winners_files_back(run: Run) -> None:
    """Its bits differ, and it has moved the winner's directories aside before their row was there."""
    run.train(run.trainer(), 1)
    request, other = run.request(2, run.freeze(2)), run.directory / "policies" / "000000"
    begun: list[str] = []

    def winner_commits(phase: str, done: int, _total: int) -> None:
        if phase != "write" or done not in (0, 2):
            return
        begun.append(phase)
        if done == 0:
            for kind in ("policies", "checkpoints"):
                shutil.copytree(other if kind == "policies" else run.directory / kind / "000000", place(kind))
        else:
            run.execute(
                "INSERT INTO policies (run_id, step, uri, sha256, metrics) VALUES (%s, 2, %s, %s, '{}')",
                (RUN_ID, artifacts.file_uri(place("policies")), run.policies[0]),
            )

    def place(kind: str) -> Path:
        return run.directory / kind / "000002"

    with pytest.raises(Failure) as caught:
        run.trainer().train_step(request, winner_commits)
    assert caught.value.type is FailureType.StepDiverged
    assert len(begun) == 2
    for kind in ("policies", "checkpoints"):
        assert sha256_of(place(kind)) == run.policies[0]
        (mine,) = (run.directory / kind).glob(".uncommitted-000002-*")
        assert sha256_of(mine) != run.policies[0]


def test_a_winner_whose_files_were_moved_aside_puts_them_back(run: Run) -> None:
    run.train(run.trainer(), 1)
    request, mine = run.request(2, run.freeze(2)), run.directory / "policies" / "000002"

    def displaced(phase: str, done: int, _total: int) -> None:
        if (phase, done) == ("write", 2):
            artifacts.move_aside(mine, "uncommitted")
            shutil.copytree(run.directory / "policies" / "000000", mine)

    result = run.trainer().train_step(request, displaced)
    assert sha256_of(mine) == result.policy.sha256


def test_a_committed_step_is_made_again_with_the_budget_of_its_row_or_not_at_all(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not attempt_that_dies(run, monkeypatch, 3)
    row = run.execute("SELECT sha256, metrics -> 'micro_batch_tokens' FROM policies WHERE step = 2")
    run.policies[2] = row[0][0]
    assert row[0][1] == 64
    for kind in ("policies", "checkpoints"):
        shutil.rmtree(run.directory / kind / "000002")
    with monkeypatch.context() as patch:
        ShortOfMemory(patch)
        # Half of it would be other bits, and no outage: it is tried again with what the row says.
        with pytest.raises(torch.OutOfMemoryError):
            run.trainer().train_step(second_step(run), no_progress)
    run.trainer().train_step(second_step(run), no_progress)
    assert sha256_of(run.directory / "policies" / "000002") == row[0][0]


@pytest.mark.parametrize("damage", ["none", "lost", "truncated", "aside", "all checkpoints"])
def test_a_committed_policy_whose_files_are_gone_is_had_again_on_request(run: Run, damage: str) -> None:
    run.train(run.trainer(), 4)
    directory = run.directory / "policies" / "000003"
    if damage == "truncated":
        (directory / "adapter_model.safetensors").write_bytes(b"")
    elif damage == "aside":
        artifacts.move_aside(directory, "uncommitted")
    elif damage != "none":
        shutil.rmtree(directory)
    if damage == "all checkpoints":
        shutil.rmtree(run.directory / "checkpoints")
    request = run.checkpoint_request(3)
    trainer = run.trainer()
    result = trainer.ensure_policy(request, no_progress)
    assert result.rebuilt is (damage not in ("none", "aside"))
    assert artifacts.uri_path(result.uri) == directory
    assert read_policy(directory).sha256 == run.policies[3]
    assert not trainer.ensure_policy(request, no_progress).rebuilt
    # The run goes on from there.
    assert run.step(trainer, 5).policy.name == f"{RUN_ID}@5"


def test_a_policy_that_was_never_committed_is_not_made_on_request(run: Run) -> None:
    run.train(run.trainer(), 1)
    for step, sha256 in ((1, "0" * 64), (2, run.policies[1])):
        run.policies[step] = sha256
        request = run.checkpoint_request(step)
        with pytest.raises(Failure, match="is not committed") as caught:
            run.trainer().ensure_policy(request, no_progress)
        assert caught.value.type is FailureType.NotFound


def test_the_newest_checkpoints_and_the_first_are_kept(run: Run) -> None:
    run.train(run.trainer(), 5)
    assert run.checkpoints() == ["000000", "000003", "000004", "000005"]
    rows = run.execute("SELECT step, removed_at IS NULL, bytes > 0 FROM checkpoints ORDER BY step")
    assert rows == [(n, n not in (1, 2), True) for n in range(6)]


def test_checkpoints_are_saved_when_asked_for(run: Run) -> None:
    trainer = run.trainer()
    run.init(trainer)
    run.step(trainer, 1, save=False)
    run.step(trainer, 2, save=True)
    assert run.checkpoints() == ["000000", "000002"]


def test_a_checkpoint_of_a_committed_step_can_be_asked_for_later(run: Run) -> None:
    trainer = run.trainer()
    run.train(trainer, 2, save=False)
    assert run.step(trainer, 2, save=True).recovered_from == "committed"
    assert run.checkpoints() == ["000000", "000002"]
    from_memory = run.optimiser_bytes(2)
    shutil.rmtree(run.directory / "checkpoints" / "000002")
    run.step(run.trainer(), 2, save=True)
    assert run.optimiser_bytes(2) == from_memory


def test_the_state_after_a_cancelled_run_becomes_a_checkpoint(run: Run) -> None:
    run.train(run.trainer(), 2, save=False)
    before = run.checkpoints()
    result = run.trainer().save_checkpoint(run.checkpoint_request(2), no_progress)
    assert before == ["000000"]
    assert run.checkpoints() == ["000000", "000002"]
    assert result.uri.endswith("/checkpoints/000002")
    assert run.trainer().save_checkpoint(run.checkpoint_request(2), no_progress) == result


def test_a_checkpoint_of_a_step_that_is_not_committed_is_refused(run: Run) -> None:
    run.train(run.trainer(), 1, save=False)
    run.policies[2] = "0" * 64
    with pytest.raises(Failure) as error:
        run.trainer().save_checkpoint(run.checkpoint_request(2), no_progress)
    assert error.value.type is FailureType.NotFound


def test_leftovers_of_dead_attempts_are_removed(run: Run) -> None:
    run.train(run.trainer(), 1)
    dead = [run.directory / "policies" / "000001.tmp-1-ab", run.directory / "checkpoints" / "000002.tmp-1-ab"]
    later = run.directory / "policies" / "000003.tmp-1-ab"
    for path in (*dead, later):
        path.mkdir()
    run.step(run.trainer(), 2)
    assert not any(path.exists() for path in dead)
    assert later.exists()


def test_a_full_disk_leaves_the_old_checkpoint_and_a_retry_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.train(run.trainer(), 1)
    request, write = run.request(2, run.freeze(2)), artifacts._write

    def full(path: Path, content: artifacts.Content) -> None:
        write(path, content)
        if path.name == "optimizer.safetensors":
            os.truncate(path, 100)
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

    trainer = run.trainer()
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "_write", full)
        with pytest.raises(OSError, match="No space left"):
            trainer.train_step(request, no_progress)
    assert run.checkpoints() == ["000000", "000001"]
    assert run.execute("SELECT 1 FROM policies WHERE step = 2") == []
    result = trainer.train_step(request, no_progress)
    assert result.recovered_from == "checkpoint"
    assert run.checkpoints() == ["000000", "000001", "000002"]


def test_cancellation_goes_through(run: Run) -> None:
    run.train(run.trainer(), 1)
    request = run.request(2, run.freeze(2))

    def cancelled(phase: str, _done: int, _total: int) -> None:
        if phase.startswith("update"):
            raise CancelledError("cancelled")

    with pytest.raises(CancelledError):
        run.trainer().train_step(request, cancelled)
    assert run.execute("SELECT 1 FROM policies WHERE step = 2") == []


def test_a_model_that_is_not_registered_is_bad_configuration(run: Run) -> None:
    run.init(run.trainer())
    run.operator_file.write_text("models:\n  another: { source: tiny-random, context: 2048 }\n")
    with pytest.raises(Failure, match="not registered") as caught:
        run.step(run.trainer(), 1)
    assert caught.value.type is FailureType.BadConfiguration
