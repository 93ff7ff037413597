"""A run that is interrupted anywhere ends with the bytes of the undisturbed run."""

import random
import shutil
from pathlib import Path

import pytest

from flow_grpo import artifacts
from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.contract import TrainStepRequest
from flow_grpo.trainer.recovery import StateUnavailable
from tests.directories import load_directory
from tests.trainer.again import remove_checkpoints, uncommit
from tests.trainer.kills import KillAfter, Killed
from tests.trainer.run import KEEP, RUN_ID, Run, no_progress
from tests.trainer.samples import IDENTITY

STEPS = 5
KEEP_ALL = {**KEEP, "last": 100}


@pytest.fixture
def trained(run: Run) -> Run:
    """A run of STEPS steps, checkpointed at every one, with all checkpoints kept."""
    trainer = run.trainer()
    run.init(trainer)
    for step in range(1, STEPS + 1):
        run.step(trainer, step, checkpoint={"save": True, "keep": KEEP_ALL})
    return run


def forget(run: Run, step: int) -> tuple[TrainStepRequest, str, bytes]:
    """Take the commit of a step back; returns its request, its policy's sha256 and its optimiser's bytes."""
    (batch,) = run.execute("SELECT uri, sha256 FROM batches WHERE step = %s", (step,))
    optimiser = run.optimiser_bytes(step)
    uncommit(run, step)
    request = run.request(step, {"uri": batch[0], "sha256": batch[1]}, checkpoint={"save": True, "keep": KEEP_ALL})
    return request, run.policies[step], optimiser


@pytest.mark.parametrize(
    ("step", "checkpoints", "how"),
    [
        (5, [0, 4], "checkpoint"),
        (5, [0, 2], "replay"),
        (5, [0], "replay"),
        (5, [], "replay"),
        (3, [0, 1], "replay"),
        (1, [0], "checkpoint"),
        (1, [], "checkpoint"),
    ],
)
def test_a_cold_start_gives_equal_bytes_from_any_checkpoint(
    trained: Run, step: int, checkpoints: list[int], how: str
) -> None:
    request, sha256, optimiser = forget(trained, step)
    remove_checkpoints(trained, but=checkpoints)
    result = trained.trainer().train_step(request, no_progress)
    assert result.recovered_from == how
    assert result.policy.sha256 == sha256
    assert trained.optimiser_bytes(step) == optimiser


def test_the_next_step_comes_from_memory(run: Run) -> None:
    trainer = run.trainer()
    run.init(trainer)
    assert run.step(trainer, 1).recovered_from == "memory"
    assert run.step(trainer, 2).recovered_from == "memory"
    assert run.step(run.trainer(), 3).recovered_from == "checkpoint"


def test_memory_of_another_policy_is_not_used(run: Run) -> None:
    trainer = run.trainer()
    run.train(trainer, 1)
    stale = run.trainer()
    run.init(stale)
    assert run.step(stale, 2).recovered_from == "checkpoint"


def test_an_exception_drops_the_state_in_memory(run: Run) -> None:
    trainer = run.trainer()
    run.train(trainer, 1)
    request = run.request(2, run.freeze(2))
    with pytest.raises(Killed):
        trainer.train_step(request, KillAfter(3))
    assert trainer.train_step(request, no_progress).recovered_from == "checkpoint"


def test_repeated_kills_still_advance_and_end_with_equal_bytes(trained: Run) -> None:
    request, sha256, optimiser = forget(trained, STEPS)
    remove_checkpoints(trained, but=[0])
    rng = random.Random(1)
    # Loading reports about ten times, a replayed step forty times, for each parameter of the optimiser once: each life
    # gets one step done, and its checkpoint.
    for kills in range(100):  # noqa: B007
        try:
            trainer = trained.trainer(replay_checkpoint_seconds=0)
            result = trainer.train_step(request, KillAfter(rng.randint(60, 80)))
            break
        except Killed:
            continue
    else:
        pytest.fail("never finished")
    assert kills > 2
    assert result.policy.sha256 == sha256
    assert trained.optimiser_bytes(STEPS) == optimiser


def test_a_kill_at_every_point_of_a_step_changes_nothing(run: Run) -> None:
    run.train(run.trainer(), 2)
    request, expected = run.request(2, run.freeze(2)), run.policies[2]
    optimiser = run.optimiser_bytes(2)
    uncommit(run, 2)
    trainer, calls = run.trainer(), 1
    while True:
        try:
            result = trainer.train_step(request, KillAfter(calls))
            break
        except Killed:
            calls += 1
    assert calls > 10
    assert result.policy.sha256 == expected
    assert run.optimiser_bytes(2) == optimiser


@pytest.mark.parametrize("file", ["optimizer.safetensors", "adapter_model.safetensors", "manifest.json"])
def test_a_truncated_checkpoint_falls_back_to_the_one_before(
    trained: Run, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    request, sha256, optimiser = forget(trained, STEPS)
    path = trained.directory / "checkpoints" / f"{STEPS - 1:06d}" / file
    path.write_bytes(path.read_bytes()[:-7])
    result = trained.trainer().train_step(request, no_progress)
    assert result.recovered_from == "replay"
    assert result.policy.sha256 == sha256
    assert trained.optimiser_bytes(STEPS) == optimiser
    assert f"checkpoint {STEPS - 1} of {RUN_ID} is not whole" in caplog.text


def test_a_checkpoint_of_an_uncommitted_policy_is_skipped(trained: Run) -> None:
    request, sha256, _ = forget(trained, STEPS)
    last = trained.directory / "checkpoints" / f"{STEPS - 1:06d}"
    # Whole, but of another policy than the committed one.
    manifest, files = load_directory(trained.directory / "checkpoints" / "000001")
    shutil.rmtree(last)
    del manifest["files"]
    artifacts.commit_directory(last, files, {**manifest, "step": STEPS - 1})
    result = trained.trainer().train_step(request, no_progress)
    assert (result.recovered_from, result.policy.sha256) == ("replay", sha256)


def test_another_identity_is_refused_and_named(trained: Run) -> None:
    request, _, _ = forget(trained, STEPS)
    changed = request.model_copy(update={"identity": {**IDENTITY, "prompt": "other"}})
    with pytest.raises(Failure, match="prompt: ") as caught:
        trained.trainer().train_step(changed, no_progress)
    assert caught.value.type is FailureType.WrongIdentity


def test_a_checkpoint_of_another_identity_is_refused(trained: Run) -> None:
    request, _, _ = forget(trained, STEPS)
    last = trained.directory / "checkpoints" / f"{STEPS - 1:06d}"
    manifest, files = load_directory(last)
    shutil.rmtree(last)
    del manifest["files"]
    manifest["identity"]["dataset"] = "other"
    artifacts.commit_directory(last, files, manifest)
    with pytest.raises(Failure, match=r"checkpoints/000004 .*dataset: other there") as caught:
        trained.trainer().train_step(request, no_progress)
    assert caught.value.type is FailureType.WrongIdentity
    assert caught.value.details == {"differs": ["dataset"]}


def test_a_replay_that_differs_stops(trained: Run) -> None:
    request, _, _ = forget(trained, STEPS)
    remove_checkpoints(trained, but=[0])
    trained.execute("UPDATE policies SET sha256 = %s WHERE step = 2", ("f" * 64,))
    with pytest.raises(Failure, match="replay of step 2") as caught:
        trained.trainer().train_step(request, no_progress)
    assert caught.value.type is FailureType.ReplayDiverged


def test_a_missing_batch_stops_the_replay(trained: Run) -> None:
    request, _, _ = forget(trained, STEPS)
    remove_checkpoints(trained, but=[0])
    (trained.directory / "batches" / "000002.arrow").unlink()
    with pytest.raises(Failure, match="the file is missing") as caught:
        trained.trainer().train_step(request, no_progress)
    assert caught.value.type is FailureType.BatchInvalid


def test_without_policy_zero_recovery_waits_for_the_operator(trained: Run) -> None:
    request, _, _ = forget(trained, STEPS)
    remove_checkpoints(trained, but=[])
    shutil.rmtree(trained.directory / "policies" / "000000")
    with pytest.raises(StateUnavailable, match="restore"):
        trained.trainer().train_step(request, no_progress)


def test_a_step_without_update_survives_a_restart(run: Run) -> None:
    trainer = run.trainer()
    run.train(trainer, 1)
    request = run.request(2, run.freeze(2, samples=[]))
    result = trainer.train_step(request, no_progress)
    run.policies[2] = result.policy.sha256
    assert result.policy.sha256 == run.policies[1]
    assert result.policy.name == f"{RUN_ID}@2"
    assert (Path(artifacts.uri_path(result.uri)) / "manifest.json").exists()
    assert run.optimiser_bytes(2) == run.optimiser_bytes(1)
    remove_checkpoints(run, but=[0])
    request = run.request(3, run.freeze(3))
    cold = run.trainer().train_step(request, no_progress)
    assert cold.recovered_from == "replay"


def test_policy_zero_depends_on_the_seed_alone(run: Run) -> None:
    first = run.init(run.trainer())
    assert run.init(run.trainer()) == first
    with pytest.raises(Failure) as caught:
        run.init(run.trainer(), seed=4)
    assert caught.value.type is FailureType.StepDiverged
