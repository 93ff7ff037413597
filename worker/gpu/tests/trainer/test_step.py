"""A step is a pure, bitwise deterministic function of state and batch."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer import step as step_module
from flow_grpo.trainer.batch import Lora
from flow_grpo.trainer.lora import initial_adapter
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.state import (
    TrainerState,
    adapter_bytes,
    initial_state,
    optimiser_bytes,
    read_adapter,
    read_optimiser,
)
from flow_grpo.trainer.step import take_step
from tests.trainer.run import no_progress
from tests.trainer.samples import LORA, MODEL, in_memory, random_samples, sample, training

PACKAGE = Path(__file__).parents[2]


def fresh_state(planner: Planner) -> TrainerState:
    return initial_state("run", planner.lora, initial_adapter(planner.shapes(), run_seed=3))


def fingerprint(state: TrainerState) -> tuple[str, str, str]:
    """Policy sha256, and sha256 of both files' bytes."""
    adapter, optimiser = adapter_bytes(state), optimiser_bytes(state.optimiser)
    return state.sha256, hashlib.sha256(adapter).hexdigest(), hashlib.sha256(optimiser).hexdigest()


def three_steps(planner: Planner) -> TrainerState:
    state = fresh_state(planner)
    for seed in range(3):
        state, _ = take_step(planner, state, in_memory(random_samples(seed)), no_progress)
    return state


def test_same_state_and_batch_give_the_same_bytes_and_leave_the_state_alone(planner: Planner) -> None:
    state = fresh_state(planner)
    before = fingerprint(state)
    batch = in_memory(random_samples(1))
    one, _ = take_step(planner, state, batch, no_progress)
    # Something else in between: nothing of it may remain in the planner.
    take_step(planner, one, in_memory(random_samples(2)), no_progress)
    two, _ = take_step(planner, state, batch, no_progress)
    assert fingerprint(one) == fingerprint(two)
    assert fingerprint(state) == before != fingerprint(one)
    assert (one.step, one.optimiser.updates) == (1, 1)


def test_saving_and_loading_changes_nothing(planner: Planner) -> None:
    state, _ = take_step(planner, fresh_state(planner), in_memory(random_samples(1)), no_progress)
    adapter, optimiser = read_adapter(adapter_bytes(state)), read_optimiser(optimiser_bytes(state.optimiser))
    loaded = TrainerState("run", state.step, state.sha256, state.lora, adapter, optimiser)
    batch = in_memory(random_samples(2))
    straight, _ = take_step(planner, state, batch, no_progress)
    resumed, _ = take_step(planner, loaded, batch, no_progress)
    assert fingerprint(straight) == fingerprint(resumed)


def test_another_process_gives_the_same_bytes(planner: Planner, tiny_model: Path) -> None:
    command = [sys.executable, "-m", "tests.trainer.test_step", str(tiny_model)]
    output = subprocess.run(command, cwd=PACKAGE, env=os.environ, check=True, capture_output=True, text=True).stdout
    assert tuple(output.split()) == fingerprint(three_steps(planner))


def test_micro_batches_change_rounding_only(planner: Planner) -> None:
    samples, state = random_samples(1, groups=3), fresh_state(planner)
    whole, metrics = take_step(planner, state, in_memory(samples), no_progress)
    cut, cut_metrics = take_step(planner, state, in_memory(samples, training(micro_batch_tokens=40)), no_progress)
    assert metrics["gradient_norm"] == pytest.approx(cut_metrics["gradient_norm"], rel=1e-4)
    assert cut_metrics["tokens_in_tree"] > metrics["tokens_in_tree"]
    for name, moment in whole.optimiser.exp_avg.items():
        torch.testing.assert_close(moment, cut.optimiser.exp_avg[name], rtol=1e-3, atol=1e-6)


def test_the_step_prefers_what_was_rewarded(planner: Planner) -> None:
    good, bad = sample(0, 0, 1, [1, 2, 3], [5], 1.0), sample(0, 1, 1, [1, 2, 3], [6], 0.0)
    state = fresh_state(planner)

    def margin() -> float:
        planner.set_adapter(state.adapter)
        with torch.no_grad():
            planner.model.config._attn_implementation = "sdpa"
            logits = planner.model(input_ids=torch.tensor([[1, 2, 3]])).logits[0, -1]
            planner.model.config._attn_implementation = "prefix_tree"
        return float(logits[5] - logits[6])

    before = margin()
    for _ in range(3):
        state, _ = take_step(planner, state, in_memory([good, bad]), no_progress)
    assert margin() > before + 0.01


@pytest.mark.parametrize("kind", ["empty", "dropped"])
def test_a_step_without_groups_is_no_update(planner: Planner, kind: str) -> None:
    flat = [sample(0, r, 1, [1, 2], [3], 1.0) for r in range(2)]
    batch = in_memory([] if kind == "empty" else flat, training(groups="drop-zero-variance"))
    state, _ = take_step(planner, fresh_state(planner), in_memory(random_samples(1)), no_progress)
    after, metrics = take_step(planner, state, batch, no_progress)
    assert fingerprint(after) == fingerprint(state)
    assert after.step == state.step + 1
    assert metrics["gradient_norm"] == 0
    assert metrics["groups_without_variance"] == (0 if kind == "empty" else 1)


def test_metrics(planner: Planner) -> None:
    samples = random_samples(1)
    _, metrics = take_step(planner, fresh_state(planner), in_memory(samples), no_progress)
    contract = (PACKAGE.parents[1] / "workflows" / "contracts" / "trainer-activities.ts").read_text()
    names = contract.split("interface StepMetrics {")[1].split("}")[0].replace(": number;", "").split()
    assert set(names) <= set(metrics)
    assert metrics["tokens_sampled"] == sum(len(s.response) for s in samples)
    assert metrics["tokens_in_tree"] < metrics["tokens_in_samples"] == sum(len(s.tokens) for s in samples)
    assert metrics["clip_fraction"] == 0
    assert metrics["entropy"] > 0
    assert metrics["logprob_mismatch_max"] >= metrics["logprob_mismatch_mean"] > 0
    assert all(isinstance(value, int | float) for value in metrics.values())


def test_progress_comes_from_every_layer_of_every_pass(planner: Planner) -> None:
    seen: list[tuple[str, int, int]] = []
    batch = in_memory(random_samples(1, groups=3), training(micro_batch_tokens=40))
    take_step(planner, fresh_state(planner), batch, lambda *details: seen.append(details))
    micros = seen[0][2]
    assert micros > 1
    for k in range(micros):
        assert seen.count(("reference pass", k, micros)) >= 2
        assert seen.count(("gradient", k, micros)) >= 4


def test_a_non_finite_loss_names_its_group(planner: Planner) -> None:
    samples = random_samples(1) + [sample(7, r, 1, [1, 2], [3], float("nan")) for r in range(2)]
    with pytest.raises(Failure) as caught:
        take_step(planner, fresh_state(planner), in_memory(samples), no_progress)
    assert caught.value.type is FailureType.NonFiniteLoss
    assert caught.value.details == {"groups": [7]}


def test_a_non_finite_gradient_names_its_group(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = random_samples(1)
    poison = samples[-1].tokens[14]
    accumulate = step_module.accumulate_gradient

    def overflowing(planner: Planner, micro: Any, *arguments: Any) -> Any:
        result = accumulate(planner, micro, *arguments)
        if poison in micro.tree.tokens:
            parameter = next(iter(planner.parameters.values()))
            parameter.grad = torch.full_like(parameter, float("inf"))
        return result

    monkeypatch.setattr(step_module, "accumulate_gradient", overflowing)
    with pytest.raises(Failure) as caught:
        take_step(planner, fresh_state(planner), in_memory(samples), no_progress)
    assert caught.value.type is FailureType.NonFiniteLoss
    assert caught.value.details == {"groups": [1]}


@pytest.mark.parametrize("token", [-1, 49152])
def test_token_ids_outside_of_the_vocabulary_are_refused(planner: Planner, token: int) -> None:
    samples = [sample(0, 0, 1, [1], [2], 0.0), sample(0, 1, 1, [1], [token], 1.0)]
    with pytest.raises(Failure, match="rollout 1, turn 1") as caught:
        take_step(planner, fresh_state(planner), in_memory(samples), no_progress)
    assert caught.value.type is FailureType.BatchInvalid


def test_another_adapter_shape_is_refused(planner: Planner) -> None:
    batch = in_memory(random_samples(1), training(lora={"rank": 8, "alpha": 8.0}))
    with pytest.raises(Failure) as caught:
        take_step(planner, fresh_state(planner), batch, no_progress)
    assert caught.value.type is FailureType.WrongIdentity


def main() -> None:
    """Print the fingerprint of three steps: what another process computes."""
    step_module.use_deterministic_arithmetic(threads=2)
    print(*fingerprint(three_steps(Planner.load(Path(sys.argv[1]), MODEL, Lora.model_validate(LORA)))))


if __name__ == "__main__":
    main()
