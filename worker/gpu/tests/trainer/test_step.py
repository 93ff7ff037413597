"""A step is a pure, bitwise deterministic function of state and batch."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer import step as step_module
from flow_grpo.trainer.actions import make_actions
from flow_grpo.trainer.gradient import Given
from flow_grpo.trainer.hyper_parameters import Lora
from flow_grpo.trainer.lora import initial_adapter
from flow_grpo.trainer.mini_batches import plan_updates
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.state import TrainerState, initial_state, optimiser_of, optimiser_tensors
from flow_grpo.trainer.step import StepInputs, Work, accumulate, rule_of, take_step
from tests.trainer.run import no_progress
from tests.trainer.samples import LORA, MODEL, in_memory, kl, random_samples, sample, sft, training

PACKAGE = Path(__file__).parents[2]


def fresh_state(planner: Planner) -> TrainerState:
    return initial_state("run", planner.weights, initial_adapter(planner.shapes(), run_seed=3))


def fingerprint(state: TrainerState) -> tuple[str, str, str]:
    """Policy sha256, and sha256 of both files' bytes."""
    weights, optimiser = save(dict(state.tensors)), save(optimiser_tensors(state.optimiser))
    return state.sha256, hashlib.sha256(weights).hexdigest(), hashlib.sha256(optimiser).hexdigest()


def three_steps(planner: Planner) -> TrainerState:
    state = fresh_state(planner)
    for seed in range(3):
        state, _ = take_step(planner, state, StepInputs(in_memory(random_samples(seed))), no_progress)
    return state


def test_same_state_and_batch_give_the_same_bytes_and_leave_the_state_alone(planner: Planner) -> None:
    state = fresh_state(planner)
    before = fingerprint(state)
    batch = in_memory(random_samples(1))
    one, _ = take_step(planner, state, StepInputs(batch), no_progress)
    # Something else in between: nothing of it may remain in the planner.
    take_step(planner, one, StepInputs(in_memory(random_samples(2))), no_progress)
    two, _ = take_step(planner, state, StepInputs(batch), no_progress)
    assert fingerprint(one) == fingerprint(two)
    assert fingerprint(state) == before != fingerprint(one)
    assert (one.step, one.optimiser.updates) == (1, 1)


def test_saving_and_loading_changes_nothing(planner: Planner) -> None:
    state, _ = take_step(planner, fresh_state(planner), StepInputs(in_memory(random_samples(1))), no_progress)
    tensors = load(save(dict(state.tensors)))
    optimiser = optimiser_of(load(save(optimiser_tensors(state.optimiser))))
    loaded = TrainerState("run", state.step, state.sha256, state.weights, tensors, optimiser)
    batch = in_memory(random_samples(2))
    straight, _ = take_step(planner, state, StepInputs(batch), no_progress)
    resumed, _ = take_step(planner, loaded, StepInputs(batch), no_progress)
    assert fingerprint(straight) == fingerprint(resumed)


def test_another_process_gives_the_same_bytes(planner: Planner, tiny_model: Path) -> None:
    command = [sys.executable, "-m", "tests.trainer.test_step", str(tiny_model)]
    output = subprocess.run(command, cwd=PACKAGE, env=os.environ, check=True, capture_output=True, text=True).stdout
    assert tuple(output.split()) == fingerprint(three_steps(planner))


def test_micro_batches_change_rounding_only(planner: Planner) -> None:
    samples, state = random_samples(1, groups=3), fresh_state(planner)
    whole, metrics = take_step(planner, state, StepInputs(in_memory(samples)), no_progress)
    cut, cut_metrics = take_step(
        planner, state, StepInputs(in_memory(samples, training(micro_batch_tokens=40))), no_progress
    )
    assert metrics["gradient_norm"] == pytest.approx(cut_metrics["gradient_norm"], rel=1e-4)
    assert cut_metrics["tokens_in_tree"] > metrics["tokens_in_tree"]
    for name, moment in whole.optimiser.exp_avg.items():
        torch.testing.assert_close(moment, cut.optimiser.exp_avg[name], rtol=1e-3, atol=1e-6)


def test_the_step_prefers_what_was_rewarded(planner: Planner) -> None:
    good, bad = sample(0, 0, 1, [1, 2, 3], [5], 1.0), sample(0, 1, 1, [1, 2, 3], [6], 0.0)
    state = fresh_state(planner)

    def margin() -> float:
        planner.set_tensors(state.tensors)
        with torch.no_grad():
            planner.model.config._attn_implementation = "sdpa"
            logits = planner.model(input_ids=torch.tensor([[1, 2, 3]])).logits[0, -1]
            planner.model.config._attn_implementation = "prefix_tree"
        return float(logits[5] - logits[6])

    before = margin()
    for _ in range(3):
        state, _ = take_step(planner, state, StepInputs(in_memory([good, bad])), no_progress)
    assert margin() > before + 0.01


@pytest.mark.parametrize("kind", ["empty", "dropped"])
def test_a_step_without_groups_is_no_update(planner: Planner, kind: str) -> None:
    flat = [sample(0, r, 1, [1, 2], [3], 1.0) for r in range(2)]
    batch = in_memory([] if kind == "empty" else flat, training(groups="drop-zero-variance"))
    state, _ = take_step(planner, fresh_state(planner), StepInputs(in_memory(random_samples(1))), no_progress)
    after, metrics = take_step(planner, state, StepInputs(batch), no_progress)
    assert fingerprint(after) == fingerprint(state)
    assert after.step == state.step + 1
    assert metrics["gradient_norm"] == 0
    assert metrics["groups_without_variance"] == (0 if kind == "empty" else 1)


def test_metrics(planner: Planner) -> None:
    samples = random_samples(1)
    _, metrics = take_step(planner, fresh_state(planner), StepInputs(in_memory(samples)), no_progress)
    contract = (PACKAGE.parents[1] / "contracts" / "trainer-activities.ts").read_text()
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
    take_step(planner, fresh_state(planner), StepInputs(batch), lambda *details: seen.append(details))
    micros = seen[0][2]
    assert micros > 1
    for k in range(micros):
        assert seen.count(("reference pass", k, micros)) >= 2
        assert seen.count(("update 1 of 1", k, micros)) >= 4


def test_a_non_finite_loss_names_its_group(planner: Planner) -> None:
    samples = random_samples(1) + [sample(7, r, 1, [1, 2], [3], float("nan")) for r in range(2)]
    with pytest.raises(Failure) as caught:
        take_step(planner, fresh_state(planner), StepInputs(in_memory(samples)), no_progress)
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
        take_step(planner, fresh_state(planner), StepInputs(in_memory(samples)), no_progress)
    assert caught.value.type is FailureType.NonFiniteLoss
    assert caught.value.details == {"groups": [1]}


@pytest.mark.parametrize("token", [-1, 49152])
def test_token_ids_outside_of_the_vocabulary_are_refused(planner: Planner, token: int) -> None:
    samples = [sample(0, 0, 1, [1], [2], 0.0), sample(0, 1, 1, [1], [token], 1.0)]
    with pytest.raises(Failure, match="rollout 1, turn 1") as caught:
        take_step(planner, fresh_state(planner), StepInputs(in_memory(samples)), no_progress)
    assert caught.value.type is FailureType.BatchInvalid


def test_another_adapter_shape_is_refused(planner: Planner) -> None:
    batch = in_memory(random_samples(1), training(weights={"kind": "lora", "rank": 8, "alpha": 8.0}))
    with pytest.raises(Failure) as caught:
        take_step(planner, fresh_state(planner), StepInputs(batch), no_progress)
    assert caught.value.type is FailureType.WrongIdentity


def test_several_updates_per_batch_are_deterministic_and_leave_ratio_one(planner: Planner) -> None:
    hyper = training(epochs=3, mini_batches=2, queries_per_step=4)
    inputs = StepInputs(in_memory(random_samples(1, groups=4), hyper))
    one, metrics = take_step(planner, fresh_state(planner), inputs, no_progress)
    two, _ = take_step(planner, fresh_state(planner), inputs, no_progress)
    assert fingerprint(one) == fingerprint(two)
    assert one.optimiser.updates == metrics["updates"] == 6
    assert (one.step, metrics["micro_batches"]) == (1, 6)


def test_mini_batches_are_dealt_by_seed_step_and_pass() -> None:
    samples, hyper = random_samples(1, groups=8), training(epochs=2, mini_batches=4, queries_per_step=8)
    plan = plan_updates(samples, hyper, seed=1, step=2)
    assert plan == plan_updates(samples, hyper, seed=1, step=2)
    assert len(plan) == 8
    for epoch in (plan[:4], plan[4:]):
        assert sorted(index for update in epoch for index in update) == list(range(len(samples)))
        groups = [{samples[index].group for index in update} for update in epoch]
        assert [len(part) for part in groups] == [2] * 4
    others = [plan_updates(samples, hyper, seed, step) for seed, step in ((1, 3), (2, 2))]
    assert plan[:4] != plan[4:]
    assert all(other != plan for other in others)


def test_mini_batch_gradients_add_up_to_the_steps(planner: Planner) -> None:
    samples = random_samples(1, groups=4)
    hyper = training(mini_batches=2, queries_per_step=4, kl=kl(0.0))
    batch = in_memory(samples, hyper)
    planner.set_tensors(fresh_state(planner).tensors)
    taught, actions = make_actions(samples, hyper, 8)
    work = Work(planner, taught, actions, rule_of(batch), 4096, no_progress)

    def gradient(members: list[int]) -> torch.Tensor:
        accumulate(work, work.micro_batches(members), Given(actions, None, None))
        return torch.cat([p.grad.flatten() for p in planner.parameters.values() if p.grad is not None])

    parts = sum(gradient(update) for update in plan_updates(taught, hyper, 1, 1))
    torch.testing.assert_close(parts, gradient(list(range(len(taught)))), rtol=1e-4, atol=1e-7)


def one_group_with_variance(groups: int) -> list[Sample]:
    """Groups of which `drop-zero-variance` leaves the first."""
    return [s if s.group == 0 else replace(s, reward=1.0) for s in random_samples(1, groups=groups)]


def test_mini_batches_that_are_empty_scale_nothing(planner: Planner) -> None:
    """4 parts configured and one group left: the step is that of one part."""
    samples, state = one_group_with_variance(4), fresh_state(planner)

    def step(mini_batches: int, **changes: Any) -> tuple[TrainerState, dict[str, float]]:
        hyper = training(mini_batches=mini_batches, queries_per_step=4, groups="drop-zero-variance")
        return take_step(planner, state, StepInputs(in_memory(samples, hyper, **changes)), no_progress)

    (whole, expected), (parts, metrics) = step(1), step(4)
    assert fingerprint(parts) == fingerprint(whole)
    for name in ("loss", "gradient_norm", "updates"):
        assert metrics[name] == expected[name] != 0
    # What was frozen for the version before is computed as it was then: four times as much.
    old, old_metrics = step(4, trainer_version="flow-grpo-3")
    assert old_metrics["loss"] == pytest.approx(4 * expected["loss"], rel=1e-6)
    assert fingerprint(old) != fingerprint(whole)
    assert fingerprint(step(1, trainer_version="flow-grpo-3")[0]) == fingerprint(whole)


@pytest.mark.parametrize("groups", [1, 2, 3, 5, 8])
def test_the_mean_of_a_passes_parts_is_the_steps_loss(planner: Planner, groups: int) -> None:
    """However many of the 5 configured parts are empty. At a learning rate of nothing the parts see one policy."""
    samples, state = random_samples(1, groups=groups), fresh_state(planner)
    still = {"learning_rate": 1e-30, "weight_decay": 0.0, "samples_per_step": 8}
    losses = [
        take_step(planner, state, StepInputs(in_memory(samples, sft(mini_batches=n, **still))), no_progress)[1]
        for n in (1, 5)
    ]
    assert losses[1]["updates"] == min(5, groups)
    assert losses[1]["loss"] == pytest.approx(losses[0]["loss"], rel=1e-4)


def test_the_decision_of_a_person_is_part_of_the_batch(planner: Planner) -> None:
    samples = random_samples(1)
    without = [s for s in samples if s.group != 0]
    skipped, metrics = take_step(
        planner, fresh_state(planner), StepInputs(in_memory(samples, decision={"skip_groups": [0]})), no_progress
    )
    alone, _ = take_step(planner, fresh_state(planner), StepInputs(in_memory(without)), no_progress)
    assert fingerprint(skipped) == fingerprint(alone)
    assert metrics["groups_skipped"] == 1
    nothing, _ = take_step(
        planner, fresh_state(planner), StepInputs(in_memory(samples, decision={"skip_step": True})), no_progress
    )
    assert nothing.sha256 == fresh_state(planner).sha256


def test_the_kl_reference_may_be_another_policy(planner: Planner) -> None:
    state = fresh_state(planner)
    other, _ = take_step(planner, state, StepInputs(in_memory(random_samples(5))), no_progress)
    batch = in_memory(random_samples(1), training(kl=kl(1.0)))
    _, to_base = take_step(planner, other, StepInputs(batch), no_progress)
    _, to_itself = take_step(planner, other, StepInputs(batch, reference=other.tensors), no_progress)
    assert to_base["kl"] > 1e-6
    assert abs(to_itself["kl"]) < 1e-9


def test_out_of_memory_once_splits_and_goes_on(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, state = in_memory(random_samples(1, groups=3), training(micro_batch_tokens=256)), fresh_state(planner)
    accumulate_once = step_module.accumulate_gradient
    calls: list[int] = []

    def greedy(planner: Planner, micro: Any, *arguments: Any) -> Any:
        calls.append(micro.tree.size)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("no memory left")
        return accumulate_once(planner, micro, *arguments)

    monkeypatch.setattr(step_module, "accumulate_gradient", greedy)
    after, metrics = take_step(planner, state, StepInputs(batch), no_progress)
    assert metrics["micro_batch_tokens"] == 128
    # A replay takes the size that the step was committed with, and so gives the same bytes.
    replayed, _ = take_step(planner, state, StepInputs(batch, micro_batch_tokens=128), no_progress)
    assert fingerprint(replayed) == fingerprint(after)


def test_memory_that_never_suffices_is_an_error(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")

    monkeypatch.setattr(step_module, "accumulate_gradient", never)
    with pytest.raises(RuntimeError, match="can't allocate"):
        take_step(planner, fresh_state(planner), StepInputs(in_memory(random_samples(1))), no_progress)


def test_responses_of_no_tokens_are_counted_and_teach_nothing(planner: Planner) -> None:
    samples = [sample(0, 0, 1, [1, 2], [], 1.0), sample(0, 1, 1, [1, 2], [3], 0.0)]
    state, metrics = take_step(planner, fresh_state(planner), StepInputs(in_memory(samples)), no_progress)
    assert (metrics["empty_responses"], metrics["tokens_sampled"]) == (1, 1)
    assert state.optimiser.updates == 1
    silent = [sample(0, r, 1, [1, 2], [], float(r)) for r in range(2)]
    unchanged, _ = take_step(planner, fresh_state(planner), StepInputs(in_memory(silent)), no_progress)
    assert unchanged.sha256 == fresh_state(planner).sha256


def test_supervised_fine_tuning_raises_the_likelihood_of_what_was_recorded(planner: Planner) -> None:
    samples = [sample(0, 0, 1, [1, 2, 3], [5, 6], 1.0), sample(1, 0, 1, [1, 2, 4], [7], 1.0)]
    state, losses = fresh_state(planner), []
    for _ in range(3):
        state, metrics = take_step(planner, state, StepInputs(in_memory(samples, sft())), no_progress)
        losses.append(metrics["loss"])
    assert losses[0] > losses[1] > losses[2] > 0


def main() -> None:
    """Print the fingerprint of three steps: what another process computes."""
    step_module.use_deterministic_arithmetic(threads=2)
    print(*fingerprint(three_steps(Planner.load(Path(sys.argv[1]), MODEL, Lora.model_validate(LORA)))))


if __name__ == "__main__":
    main()
