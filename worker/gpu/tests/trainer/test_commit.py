"""One step, one update (I4): commits, second workers, checkpoints and their retention."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from temporalio.exceptions import CancelledError

from flow_grpo import artifacts
from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import Adapter, read_policy
from flow_grpo.trainer.contract import TrainStepResult
from tests.trainer.run import RUN_ID, Run, no_progress
from tests.trainer.samples import LORA, MODEL, random_samples


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


def test_another_policy_directory_for_a_step_is_divergence(run: Run) -> None:
    run.train(run.trainer(), 1)
    shutil.copytree(run.directory / "policies" / "000000", run.directory / "policies" / "000002")
    with pytest.raises(Failure, match="already holds") as caught:
        run.step(run.trainer(), 2)
    assert caught.value.type is FailureType.StepDiverged
    assert run.execute("SELECT 1 FROM policies WHERE step = 2") == []


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
