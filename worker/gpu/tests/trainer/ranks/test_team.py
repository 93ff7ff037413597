"""Two ranks over gloo, each a process on the CPU: one process's gradient, equal bytes each time, and clean losses."""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import tensors_sha256
from flow_grpo.trainer import step as step_module
from flow_grpo.trainer.base_models import BaseModels
from flow_grpo.trainer.objectives.flow_grpo import FlowGrpo
from flow_grpo.trainer.objectives.sft import Sft
from flow_grpo.trainer.rank import Rank
from flow_grpo.trainer.ranks.attendance import RankLost
from flow_grpo.trainer.ranks.team import Team
from flow_grpo.trainer.state import TrainerState, initial_state, optimiser_tensors
from flow_grpo.trainer.step import StepInputs, use_deterministic_arithmetic
from tests.trainer.kills import KillAfter, Killed
from tests.trainer.ranks.conftest import MODEL, registered
from tests.trainer.run import no_progress
from tests.trainer.samples import LORA, in_memory, kl, random_samples, sample, sft, training

GPU_WORKER = Path(__file__).parents[3]
# Fewer rows than ranks where rank is 1, an uneven share where it is 3: a rank may have none, or fewer.
ODD_LORA = {**LORA, "rank": 3}
# Relative L2 distance between gradients in fp32: what another order of summation may change.
SAME_GRADIENT = 1e-5
# And of what an update did, which AdamW blows up where a gradient is hardly there.
SAME_UPDATE = 1e-3


@pytest.fixture(scope="module")
def team(models: BaseModels) -> Iterator[Team]:
    """Two ranks, started once for the tests of this file, and again where a test has ended them."""
    team = Team(models, 4, 2)
    yield team
    team.close()


@pytest.fixture(scope="module")
def alone(models: BaseModels) -> Rank:
    """One process."""
    return Rank(models, 4)


def first_state(alone: Rank, hyper: FlowGrpo | Sft) -> TrainerState:
    """A state that is not the base model."""
    planner = alone.planner(MODEL, hyper.weights, "float32", no_progress)
    generator = torch.Generator().manual_seed(6)

    def moved(tensor: torch.Tensor) -> torch.Tensor:
        return tensor + torch.randn(tensor.shape, generator=generator) * 0.1

    tensors = {name: moved(tensor) for name, tensor in sorted(planner.initial_tensors(3).items())}
    return initial_state("run", hyper.weights, tensors)


def step_inputs(hyper: FlowGrpo | Sft, seed: int = 1) -> StepInputs:
    return StepInputs(in_memory(random_samples(seed, groups=4, vocabulary=40), hyper))


def fingerprint(state: TrainerState) -> tuple[str, str]:
    """The sha256s of the policy and of the optimiser's state."""
    return state.sha256, tensors_sha256(optimiser_tensors(state.optimiser))


def distance(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Relative L2 distance of two sets of tensors."""
    assert one.keys() == other.keys()
    whole = torch.cat([tensor.flatten() for tensor in one.values()])
    return float((whole - torch.cat([other[name].flatten() for name in one])).norm() / whole.norm())


def moved(before: TrainerState, after: TrainerState) -> dict[str, torch.Tensor]:
    return {name: tensor - before.tensors[name] for name, tensor in after.tensors.items()}


ONE_UPDATE: list[dict[str, Any]] = [
    {"kl": kl(0.1), "entropy_coefficient": 0.05},
    {"micro_batch_tokens": 40, "gradient_checkpointing": True},
    {"weights": ODD_LORA, "micro_batch_tokens": 64},
    {"weights": {"kind": "full"}, "kl": kl(0.1), "entropy_coefficient": 0.05},
]


@pytest.mark.parametrize("changes", ONE_UPDATE)
def test_two_ranks_make_the_gradient_of_one(team: Team, alone: Rank, changes: dict[str, Any]) -> None:
    hyper = training(queries_per_step=4, max_grad_norm=1e9, **changes)
    state = first_state(alone, hyper)
    expected, metrics = alone.take_step(MODEL, state, step_inputs(hyper), no_progress)
    made, theirs = team.take_step(MODEL, state, step_inputs(hyper), no_progress)
    assert (metrics["ranks"], theirs["ranks"]) == (1, 2)
    # The first moment is a tenth of the gradient.
    assert distance(expected.optimiser.exp_avg, made.optimiser.exp_avg) < SAME_GRADIENT
    assert distance(moved(state, expected), moved(state, made)) < SAME_UPDATE
    same = ("loss", "kl", "entropy", "gradient_norm", "clip_fraction", "logprob_mismatch_max", "tokens_sampled")
    assert {name: theirs[name] for name in same} == pytest.approx(
        {name: metrics[name] for name in same}, rel=1e-4, abs=1e-6
    )


@pytest.mark.parametrize("weights", [LORA, {"kind": "full"}])
def test_several_clipped_updates_and_another_reference_are_those_of_one_process(
    team: Team, alone: Rank, weights: dict[str, Any]
) -> None:
    hyper = training(queries_per_step=4, epochs=2, mini_batches=2, max_grad_norm=0.01, kl=kl(0.1), weights=weights)
    state = first_state(alone, hyper)
    reference = {name: tensor * 0.5 for name, tensor in state.tensors.items()}
    inputs = StepInputs(step_inputs(hyper).batch, reference)
    expected, metrics = alone.take_step(MODEL, state, inputs, no_progress)
    made, theirs = team.take_step(MODEL, state, inputs, no_progress)
    assert theirs["updates"] == metrics["updates"] == 4
    assert theirs["clip_fraction"] == pytest.approx(metrics["clip_fraction"])
    assert distance(moved(state, expected), moved(state, made)) < SAME_UPDATE


def test_supervised_fine_tuning_too(team: Team, alone: Rank) -> None:
    hyper = sft()
    state = first_state(alone, hyper)
    expected, _ = alone.take_step(MODEL, state, step_inputs(hyper), no_progress)
    made, _ = team.take_step(MODEL, state, step_inputs(hyper), no_progress)
    assert distance(expected.optimiser.exp_avg, made.optimiser.exp_avg) < SAME_GRADIENT


def test_a_loss_that_is_not_finite_names_its_group_and_ends_no_rank(team: Team, alone: Rank) -> None:
    hyper = training()
    state = first_state(alone, hyper)
    team.take_step(MODEL, state, step_inputs(hyper), no_progress)
    ranks = team.pids
    bad = [sample(7, r, 1, [1, 2], [3], float("nan")) for r in range(2)]
    inputs = StepInputs(in_memory(random_samples(1, vocabulary=40) + bad, hyper))
    with pytest.raises(Failure) as caught:
        team.take_step(MODEL, state, inputs, no_progress)
    assert (caught.value.type, caught.value.details) == (FailureType.NonFiniteLoss, {"groups": [7]})
    team.take_step(MODEL, state, step_inputs(hyper), no_progress)
    assert team.pids == ranks


def at_update(act: Callable[[], None]) -> Callable[[str, int, int], None]:
    """Progress that acts once, in the middle of the second update."""
    acted = False

    def progress(phase: str, _done: int, _total: int) -> None:
        nonlocal acted
        if phase.startswith("update 2") and not acted:
            acted = True
            act()

    return progress


def test_a_killed_rank_fails_the_step_and_the_retry_gives_the_bytes_of_the_undisturbed_one(
    team: Team, alone: Rank
) -> None:
    """I5."""
    hyper = training(queries_per_step=4, epochs=3, mini_batches=2)
    state = first_state(alone, hyper)
    undisturbed, _ = team.take_step(MODEL, state, step_inputs(hyper), no_progress)
    (follower,) = team.pids
    with pytest.raises(RankLost, match="rank 1"):
        team.take_step(MODEL, state, step_inputs(hyper), at_update(lambda: os.kill(follower, signal.SIGKILL)))
    assert team.pids == []
    retried, _ = team.take_step(MODEL, state, step_inputs(hyper), no_progress)
    assert team.pids != [follower]
    assert fingerprint(retried) == fingerprint(undisturbed)


def test_a_rank_that_died_between_steps_is_replaced_unnoticed(team: Team, alone: Rank) -> None:
    hyper = training()
    state = first_state(alone, hyper)
    before, _ = team.take_step(MODEL, state, step_inputs(hyper), no_progress)
    (follower,) = team.pids
    os.kill(follower, signal.SIGKILL)
    os.waitid(os.P_PID, follower, os.WEXITED | os.WNOWAIT)
    after, _ = team.take_step(MODEL, state, step_inputs(hyper), no_progress)
    assert fingerprint(after) == fingerprint(before)


def test_out_of_memory_once_begins_anew_with_half_the_budget(
    team: Team, alone: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    hyper = training(queries_per_step=4, micro_batch_tokens=256)
    state = first_state(alone, hyper)
    accumulate, calls = step_module.accumulate_gradient, list[int]()

    def greedy(*arguments: Any) -> Any:
        calls.append(len(calls))
        if len(calls) == 1:
            raise torch.OutOfMemoryError("no memory left")
        return accumulate(*arguments)

    # Of rank 0 only: the other is in the middle of a layer then.
    monkeypatch.setattr(step_module, "accumulate_gradient", greedy)
    made, metrics = team.take_step(MODEL, state, step_inputs(hyper), no_progress)
    assert metrics["micro_batch_tokens"] == 128
    # A replay takes the size that the step was committed with.
    inputs = StepInputs(step_inputs(hyper).batch, micro_batch_tokens=128)
    replayed, _ = team.take_step(MODEL, state, inputs, no_progress)
    assert fingerprint(replayed) == fingerprint(made)


def test_a_cancelled_step_ends_its_ranks(team: Team, alone: Rank) -> None:
    hyper = training(queries_per_step=4, epochs=2)
    state = first_state(alone, hyper)
    team.planner(MODEL, hyper.weights, "float32", no_progress)
    (follower,) = team.pids
    with pytest.raises(Killed):
        team.take_step(MODEL, state, step_inputs(hyper), KillAfter(5))
    assert team.pids == []
    with pytest.raises(ProcessLookupError):
        os.kill(follower, 0)


def test_a_rank_that_hangs_is_given_up(models: BaseModels, alone: Rank) -> None:
    hyper = training(queries_per_step=4, epochs=2)
    state = first_state(alone, hyper)
    team = Team(models, 4, 2, silence_s=15)
    team.planner(MODEL, hyper.weights, "float32", no_progress)
    (follower,) = team.pids
    stop, beats = at_update(lambda: os.kill(follower, signal.SIGSTOP)), list[str]()

    def progress(phase: str, done: int, total: int) -> None:
        stop(phase, done, total)
        beats.append(phase)

    with pytest.raises(RankLost, match="no rank has advanced"):
        team.take_step(MODEL, state, step_inputs(hyper), progress)
    # Rank 0 waits in a collective. Nobody says that the work advances; the activity's heartbeats are its ticker's.
    assert beats[-1].startswith("update 2")
    with pytest.raises(ProcessLookupError):
        os.kill(follower, 0)


def test_followers_do_not_outlive_rank_0(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.trainer.ranks.test_team", str(tmp_path)]
    rank_0 = subprocess.Popen(command, cwd=GPU_WORKER, stdout=subprocess.PIPE, text=True)
    assert rank_0.stdout is not None
    assert next(line for line in rank_0.stdout if line.startswith("step")) == "step 3\n"
    rank_0.kill()
    # The followers hold the other end of the pipe too: it is closed when all of them have ended.
    rank_0.communicate(timeout=120)


def main(directory: Path) -> None:
    """Take steps with two ranks for ever; say when the third begins."""
    use_deterministic_arithmetic(threads=2)
    models = registered(directory)
    hyper = training()
    team, state = Team(models, 1, 2), first_state(Rank(models, 1), hyper)
    for step in itertools.count(1):
        if step == 3:
            print("step 3", flush=True)
        team.take_step(MODEL, state, step_inputs(hyper), no_progress)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
