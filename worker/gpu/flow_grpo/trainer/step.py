"""One training step: a pure function of state n-1 and batch n (I4).

Bitwise deterministic on one machine type: samples in the batch's order, threads fixed, the optimiser's kernels fixed,
every normaliser taken from the whole step.
"""

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import tensors_sha256
from flow_grpo.trainer.batch import Batch, Sample, Training
from flow_grpo.trainer.gradient import MicroBatch, TokenResult, accumulate_gradient, reference_logprobs
from flow_grpo.trainer.objective import Actions, advantages, groups_without_variance, kept_samples, make_actions
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.prefix_tree import build_tree, split_micro_batches
from flow_grpo.trainer.state import OptimiserState, TrainerState

Progress = Callable[[str, int, int], None]
"""Called from inside the work with (phase, done, total): the step's heartbeat. May raise to cancel the step."""

Metrics = dict[str, float]


@dataclass(frozen=True)
class Gradient:
    """Outcome of the passes over a step: per-token values in the order of the step's actions, and the norm."""

    tokens: TokenResult
    norm: float
    tree_tokens: int


def use_deterministic_arithmetic(threads: int) -> None:
    """Fix what decides the bits of a step in this process. Call once, before any arithmetic."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # Filling fresh memory would make reads of uninitialised memory repeatable; there are none, and it costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]


def take_step(planner: Planner, state: TrainerState, batch: Batch, progress: Progress) -> tuple[TrainerState, Metrics]:
    """Make state n from state n-1 and batch n, with the step's metrics. `state` is not changed.

    A batch in which no group is left makes no update: the policy and the optimiser stay as they are.
    Raises NonFiniteLoss, naming the groups, when the loss or the gradient is not finite, BatchInvalid for token ids
    that the model does not have, WrongIdentity when the batch is for another adapter shape.
    """
    started = time.monotonic()
    training = batch.metadata.training
    if training.lora != state.lora:
        message = f"the batch asks for an adapter of {training.lora}, the policy has {state.lora}"
        raise Failure(FailureType.WrongIdentity, message)
    _refuse_unknown_tokens(batch, planner.vocabulary)
    samples = kept_samples(batch.samples, training)
    metrics = batch_metrics(batch.samples, training)
    if samples:
        actions = make_actions(samples, training, planner.dtype)
        planner.set_adapter(state.adapter)
        gradient = compute_gradient(planner, samples, actions, batch, progress)
        metrics |= gradient_metrics(gradient, actions)
        progress("update", 0, 1)
        state = update(planner, state, training)
    else:
        state = replace(state, step=state.step + 1)
    metrics["seconds"] = time.monotonic() - started
    # Of the whole process, so far: Linux counts it in KiB.
    metrics["peak_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return state, metrics


def compute_gradient(
    planner: Planner, samples: Sequence[Sample], actions: Actions, batch: Batch, progress: Progress
) -> Gradient:
    """Leave the loss's gradient in the adapter's parameters, not yet clipped."""
    training, temperature = batch.metadata.training, batch.metadata.temperature
    micros = make_micro_batches(planner, samples, actions, training.micro_batch_tokens)
    total = len(micros)
    references = [
        reference_logprobs(planner, micro, temperature, lambda k=k: progress("reference pass", k, total))
        for k, micro in enumerate(micros)
    ]
    clear_gradient(planner)
    results: list[TokenResult] = []
    for k, (micro, reference) in enumerate(zip(micros, references, strict=True)):
        beat = lambda k=k: progress("gradient", k, total)  # noqa: E731
        results.append(accumulate_gradient(planner, micro, reference, temperature, training, beat))
        _refuse_non_finite(results[-1].objective, micro.actions, samples)
    norm = gradient_norm(planner)
    if not torch.isfinite(torch.tensor(norm)):
        raise _non_finite("gradient", _groups_with_bad_gradient(planner, samples, actions, batch, progress))
    fields = ("objective", "logprob", "entropy", "kl", "clipped")
    tokens = TokenResult(*(torch.cat([getattr(result, field) for result in results]) for field in fields))
    return Gradient(tokens, norm, sum(micro.tree.size for micro in micros))


def make_micro_batches(planner: Planner, samples: Sequence[Sample], actions: Actions, budget: int) -> list[MicroBatch]:
    """The step's micro-batches, each with its part of the actions; samples and actions keep their order."""
    micros: list[MicroBatch] = []
    done = 0
    for members in split_micro_batches(samples, budget):
        count = sum(len(sample.response) for sample in members)
        part = slice(done, done + count)
        tree = build_tree(members)
        selected = Actions(
            actions.sample[part], actions.advantage[part], actions.weight[part], actions.sampler_logprob[part]
        )
        micros.append(MicroBatch(tree, planner.blocks(tree), selected))
        done += count
    return micros


def update(planner: Planner, state: TrainerState, training: Training) -> TrainerState:
    """Clip the gradient and take one AdamW step from `state`; the moments are copied, never changed in place."""
    parameters = list(planner.parameters.values())
    torch.nn.utils.clip_grad_norm_(parameters, training.max_grad_norm, foreach=False)
    optimiser = torch.optim.AdamW(
        parameters,
        lr=training.learning_rate,
        betas=(training.adam_beta1, training.adam_beta2),
        eps=training.adam_epsilon,
        weight_decay=training.weight_decay,
        foreach=False,
        fused=False,
    )
    before = state.optimiser
    for name, parameter in planner.parameters.items():
        optimiser.state[parameter] = {
            "step": torch.tensor(float(before.updates)),
            "exp_avg": before.exp_avg[name].clone(),
            "exp_avg_sq": before.exp_avg_sq[name].clone(),
        }
    optimiser.step()
    clear_gradient(planner)
    adapter = {name: parameter.detach().clone() for name, parameter in planner.parameters.items()}
    moments = OptimiserState(
        before.updates + 1,
        {name: optimiser.state[parameter]["exp_avg"] for name, parameter in planner.parameters.items()},
        {name: optimiser.state[parameter]["exp_avg_sq"] for name, parameter in planner.parameters.items()},
    )
    return replace(state, step=state.step + 1, sha256=tensors_sha256(adapter), adapter=adapter, optimiser=moments)


def clear_gradient(planner: Planner) -> None:
    """Forget accumulated gradients."""
    for parameter in planner.parameters.values():
        parameter.grad = None


def gradient_norm(planner: Planner) -> float:
    """L2 norm of the gradient over all adapter parameters."""
    gradients = [parameter.grad for parameter in planner.parameters.values() if parameter.grad is not None]
    return float(torch.nn.utils.get_total_norm(gradients, foreach=False))


def batch_metrics(samples: Sequence[Sample], training: Training) -> Metrics:
    """Metrics that the batch alone decides; those of the gradient are zero, as for a step that makes no update."""
    rewards = {(s.group, s.rollout): s.reward for s in samples}
    values = torch.tensor(list(advantages(samples, training.advantage).values()), dtype=torch.float32)
    return {
        "loss": 0.0,
        "reward_mean": sum(rewards.values()) / len(rewards) if rewards else 0.0,
        "advantage_mean": float(values.mean()) if len(values) else 0.0,
        "advantage_std": float(values.std(correction=1)) if len(values) > 1 else 0.0,
        "groups": len({s.group for s in samples}),
        "groups_without_variance": len(groups_without_variance(samples)),
        "entropy": 0.0,
        "kl": 0.0,
        "gradient_norm": 0.0,
        "clip_fraction": 0.0,
        "learning_rate": training.learning_rate,
        "tokens_sampled": sum(len(s.response) for s in samples),
        "tokens_in_samples": sum(len(s.tokens) for s in samples),
        "tokens_in_tree": 0,
        "logprob_mismatch_mean": 0.0,
        "logprob_mismatch_max": 0.0,
    }


def gradient_metrics(gradient: Gradient, actions: Actions) -> Metrics:
    """Metrics of the passes; means are over sampled tokens."""
    tokens = gradient.tokens
    mismatch = (tokens.logprob - actions.sampler_logprob).abs()
    return {
        "loss": -float(tokens.objective.sum()),
        "entropy": float(tokens.entropy.mean()),
        "kl": float(tokens.kl.mean()),
        "gradient_norm": gradient.norm,
        "clip_fraction": float(tokens.clipped.mean()),
        "tokens_in_tree": gradient.tree_tokens,
        "logprob_mismatch_mean": float(mismatch.mean()),
        "logprob_mismatch_max": float(mismatch.max()),
    }


def _refuse_unknown_tokens(batch: Batch, vocabulary: int) -> None:
    for sample in batch.samples:
        if not 0 <= min(sample.tokens) <= max(sample.tokens) < vocabulary:
            raise Failure(
                FailureType.BatchInvalid,
                f"group {sample.group}, rollout {sample.rollout}, turn {sample.turn} has a token id outside of "
                f"the model's vocabulary of {vocabulary}",
            )


def _refuse_non_finite(objective: torch.Tensor, actions: Actions, samples: Sequence[Sample]) -> None:
    bad = actions.sample[~torch.isfinite(objective)].unique().tolist()
    if bad:
        raise _non_finite("loss", sorted({samples[index].group for index in bad}))


def _groups_with_bad_gradient(
    planner: Planner, samples: Sequence[Sample], actions: Actions, batch: Batch, progress: Progress
) -> list[int]:
    """Find the groups whose gradient alone is not finite; all of them if it is only their sum that overflows."""
    training, temperature = batch.metadata.training, batch.metadata.temperature
    groups = sorted({sample.group for sample in samples})
    bad: list[int] = []
    for k, group in enumerate(groups):
        mine = torch.tensor([sample.group == group for sample in samples])[actions.sample]
        selected = Actions(*(getattr(actions, name)[mine] for name in Actions.__dataclass_fields__))
        members = [sample for sample in samples if sample.group == group]
        clear_gradient(planner)
        for micro in make_micro_batches(planner, members, selected, training.micro_batch_tokens):
            beat = lambda k=k: progress("search of the non-finite group", k, len(groups))  # noqa: E731
            reference = reference_logprobs(planner, micro, temperature, beat)
            accumulate_gradient(planner, micro, reference, temperature, training, beat)
        if not torch.isfinite(torch.tensor(gradient_norm(planner))):
            bad.append(group)
    return bad or groups


def _non_finite(what: str, groups: list[int]) -> Failure:
    return Failure(FailureType.NonFiniteLoss, f"the {what} is not finite in groups {groups}", groups=groups)
