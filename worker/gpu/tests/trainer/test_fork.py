"""A fork copies its parent's policy, and depends on nothing of the parent afterwards."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from flow_grpo import artifacts
from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.contract import InitPolicyRequest, InitPolicyResult
from tests.directories import load_directory
from tests.trainer.kills import KillAfter, Killed
from tests.trainer.run import RUN_ID, Run, no_progress
from tests.trainer.samples import IDENTITY, LORA

FORK_ID = "fork-1"
PARENT_STEPS = 6
STEP = 5


@pytest.fixture
def parent(run: Run) -> Run:
    """A run of six steps, of which the newest three checkpoints stand."""
    run.train(run.trainer(), PARENT_STEPS)
    return run


@pytest.fixture
def fork(parent: Run, tmp_path: Path, database_url: str, models_cache: Path) -> Run:
    """A run in the same store, of which nothing has happened."""
    return Run(tmp_path, database_url, models_cache, FORK_ID)


def request(parent: Run, step: int = STEP, optimizer: bool = False, **changes: Any) -> InitPolicyRequest:
    start = {"policy": {"name": f"{RUN_ID}@{step}", "sha256": parent.policies[step]}, "optimizer": optimizer}
    identity = {**IDENTITY, "dataset": "another", "seed": "9"}
    values = {
        "run_id": FORK_ID,
        "model": "tiny-random",
        "seed": 9,
        "weights": LORA,
        "dtype": "float32",
        "identity": identity,
        "start": start,
    }
    return InitPolicyRequest.model_validate({**values, **changes})


def begin(fork: Run, parent: Run, **options: Any) -> InitPolicyResult:
    result = fork.trainer().init_policy(request(parent, **options), no_progress)
    fork.policies[0] = result.policy.sha256
    return result


def remove(parent: Run) -> None:
    """Files and rows: as if the parent had never been."""
    shutil.rmtree(parent.directory)
    for table in ("policies", "checkpoints", "batches"):
        parent.execute(f"DELETE FROM {table} WHERE run_id = '{RUN_ID}'")


def take(fork: Run, step: int, save: bool = True) -> str:
    """A step of the fork by a trainer that has just started. Returns how it came by the state."""
    identity = {**IDENTITY, "dataset": "another", "seed": "9"}
    batch = fork.freeze(step, identity=identity)
    result = fork.trainer().train_step(fork.request(step, batch, save, identity=identity), no_progress)
    fork.policies[step] = result.policy.sha256
    return result.recovered_from


def refusal(fork: Run, parent: Run, **options: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        begin(fork, parent, **options)
    assert not (fork.directory / "policies").exists()
    return caught.value


def test_policy_zero_of_a_fork_is_its_parents_policy_with_a_fresh_optimiser(fork: Run, parent: Run) -> None:
    result = begin(fork, parent)
    assert (result.policy.name, result.policy.sha256) == (f"{FORK_ID}@0", parent.policies[STEP])
    manifest, files = load_directory(artifacts.uri_path(result.uri))
    noted = {"policy_name": f"{RUN_ID}@{STEP}", "policy_sha256": parent.policies[STEP], "optimizer": False}
    assert (manifest["forked_from"], manifest["parent_sha256"], manifest["run_id"]) == (noted, None, FORK_ID)
    assert "optimizer.safetensors" not in files
    assert fork.optimiser_bytes(0) == parent.optimiser_bytes(0)


def test_the_optimiser_is_carried_over_when_asked_for(fork: Run, parent: Run) -> None:
    begin(fork, parent, optimizer=True)
    assert fork.optimiser_bytes(0) == parent.optimiser_bytes(STEP) != parent.optimiser_bytes(0)


@pytest.mark.parametrize("optimizer", [False, True])
def test_without_its_parent_a_fork_trains_on_and_replays_from_nothing(fork: Run, parent: Run, optimizer: bool) -> None:
    first = begin(fork, parent, optimizer=optimizer)
    remove(parent)
    assert begin(fork, parent, optimizer=optimizer) == first
    for step in (1, 2, 3):
        take(fork, step)
    undisturbed = fork.optimiser_bytes(3)
    fork.execute(f"DELETE FROM policies WHERE run_id = '{FORK_ID}' AND step = 3")
    shutil.rmtree(fork.directory / "checkpoints")
    shutil.rmtree(fork.directory / "policies" / "000003")
    sha256 = fork.policies[3]
    assert take(fork, 3) == "replay"
    assert (fork.policies[3], fork.optimiser_bytes(3)) == (sha256, undisturbed)


def test_a_kill_anywhere_in_the_beginning_changes_nothing(fork: Run, parent: Run) -> None:
    trainer = fork.trainer()
    for calls in range(1, 20):
        try:
            result = trainer.init_policy(request(parent, optimizer=True), KillAfter(calls))
            break
        except Killed:
            continue
    else:
        pytest.fail("never finished")
    assert calls > 2
    assert result.policy.sha256 == parent.policies[STEP]
    assert fork.optimiser_bytes(0) == parent.optimiser_bytes(STEP)


def test_a_policy_that_was_collected_is_refused_with_those_that_stand(fork: Run, parent: Run) -> None:
    failure = refusal(fork, parent, step=2)
    assert failure.type is FailureType.NotFound
    assert "run-1@2 was collected" in str(failure)
    assert "of steps 0, 4, 5, 6" in str(failure)


def test_an_optimiser_without_checkpoint_is_refused_with_the_checkpoints_that_stand(fork: Run, parent: Run) -> None:
    shutil.rmtree(parent.directory / "checkpoints" / f"{STEP:06d}")
    failure = refusal(fork, parent, optimizer=True)
    assert failure.type is FailureType.NotFound
    assert "no checkpoint of that step" in str(failure)
    assert "of steps 0, 4, 6" in str(failure)
    begin(fork, parent, optimizer=False)


def test_a_lost_parent_is_retried(fork: Run, parent: Run) -> None:
    away = parent.directory.rename(parent.directory.with_name("away"))
    with pytest.raises(artifacts.ArtifactMissing):
        begin(fork, parent)
    away.rename(parent.directory)
    begin(fork, parent)


def test_another_adapter_shape_is_refused(fork: Run, parent: Run) -> None:
    failure = refusal(fork, parent, weights={**LORA, "rank": 8})
    assert (failure.type, failure.details) == (FailureType.WrongIdentity, {"differs": ["weights"]})


def test_another_base_model_is_refused(fork: Run, parent: Run) -> None:
    fork.operator_file.write_text("models:\n  other: { source: tiny-random, context: 2048 }\n")
    failure = refusal(fork, parent, model="other")
    assert (failure.type, failure.details) == (FailureType.WrongIdentity, {"differs": ["base model"]})


def test_an_unknown_part_of_the_identity_may_not_differ(fork: Run, parent: Run) -> None:
    failure = refusal(fork, parent, identity={**IDENTITY, "dataset": "another", "prompt": "another"})
    assert (failure.type, failure.details) == (FailureType.WrongIdentity, {"differs": ["prompt"]})


def test_another_sha256_is_refused(fork: Run, parent: Run) -> None:
    start = {"policy": {"name": f"{RUN_ID}@{STEP}", "sha256": "f" * 64}, "optimizer": False}
    assert refusal(fork, parent, start=start).type is FailureType.WrongIdentity


def test_what_is_not_the_name_of_a_policy_is_refused(fork: Run, parent: Run) -> None:
    start = {"policy": {"name": "../run-1@5", "sha256": "f" * 64}, "optimizer": False}
    assert refusal(fork, parent, start=start).type is FailureType.BadConfiguration
