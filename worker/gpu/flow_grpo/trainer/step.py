"""One training step: a pure function of state n-1 and batch n (I4).

Bitwise deterministic on one machine type: samples in the batch's order, threads fixed, the optimiser's kernels fixed,
every normaliser taken from the whole step.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import tensors_sha256
from flow_grpo.trainer.actions import Actions, make_actions
from flow_grpo.trainer.batch import Batch
from flow_grpo.trainer.gradient import (
    Given,
    MicroBatch,
    Rule,
    TokenResult,
    accumulate_gradient,
    accumulate_nothing,
    policy_logprobs,
)
from flow_grpo.trainer.memory import PeakMemory, is_out_of_memory
from flow_grpo.trainer.metrics import Metrics, batch_metrics, mismatch_metrics, token_metrics
from flow_grpo.trainer.mini_batches import plan_updates, updates_of_a_pass
from flow_grpo.trainer.objectives.objective import Objective
from flow_grpo.trainer.optimiser import adamw_update, clear_gradient, gradient_norm
from flow_grpo.trainer.planner import Beat, Planner
from flow_grpo.trainer.prefix_tree import build_tree, split_micro_batches
from flow_grpo.trainer.ranks.shares import all_results, balanced_budget
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.state import OptimiserState, TrainerState

Progress = Callable[[str, int, int], None]
"""Called from inside the work with (phase, done, total) whenever it has advanced. May raise to cancel the step."""

Tensors = Mapping[str, torch.Tensor]

# A tree of so few tokens is not the reason why memory ran out.
SMALLEST_BUDGET = 64

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepInputs:
    """What a step takes beside the state: all of it frozen or committed."""

    batch: Batch
    reference: Tensors | None = None
    """What trains in the KL term's reference policy; None is the base model."""
    micro_batch_tokens: int | None = None
    """The budget that the step was computed with before, if it was: it decides the rounding. None: as configured."""
    committed: bool = False
    """Whether it was committed with that budget: then no other will do."""


@dataclass(frozen=True)
class Work:
    """A step in the making: what its passes share."""

    planner: Planner
    samples: Sequence[Sample]
    """Those that teach."""
    actions: Actions
    rule: Rule
    budget: int
    progress: Progress

    def micro_batches(self, members: Sequence[int]) -> list[MicroBatch]:
        """Micro-batches of the samples at `members`, ascending, each with the places of its actions."""
        return make_micro_batches(self.planner, self.samples, members, self.budget)


def use_deterministic_arithmetic(threads: int) -> None:
    """Fix what decides the bits of a step in this process. Call once, before any arithmetic."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # Products of bf16 add up in fp32 from end to end.
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    # Filling fresh memory would make reads of uninitialised memory repeatable; there are none, and it costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]


def take_step(
    planner: Planner, state: TrainerState, inputs: StepInputs, progress: Progress
) -> tuple[TrainerState, Metrics]:
    """Make state n from state n-1 and batch n, with the step's metrics. `state` is not changed.

    A step to which no sample is left makes no update: the policy and the optimiser stay as they are. When memory runs
    out, the step begins anew with micro-batches of half the size; the metrics name the size that it was made with.
    Raises NonFiniteLoss, naming the groups, when the loss or the gradient is not finite, BatchInvalid for token ids
    that the model does not have, WrongIdentity when the batch is for other weights.
    """
    started, memory = time.monotonic(), PeakMemory()
    batch, training = inputs.batch, inputs.batch.metadata.training
    if training.weights != state.weights:
        message = f"the batch asks for weights of {training.weights}, the policy has {state.weights}"
        raise Failure(FailureType.WrongIdentity, message)
    _refuse_unknown_tokens(batch, planner.vocabulary)
    planner.compute_as(training)
    metrics = batch_metrics(batch)
    samples, actions = make_actions(entering_samples(batch), training, batch.metadata.response_limit, planner.dtype)
    budget = inputs.micro_batch_tokens or training.micro_batch_tokens
    if samples:
        work = Work(planner, samples, actions.to(planner.device), rule_of(batch), budget, progress)
        state, found = _split_until_it_fits(work, state, inputs)
        metrics |= found
    else:
        state = replace(state, step=state.step + 1)
        metrics["micro_batch_tokens"] = budget
    metrics["ranks"] = planner.ranks.count
    metrics["seconds"] = time.monotonic() - started
    metrics["peak_memory_bytes"] = memory.read()
    return state, metrics


def entering_samples(batch: Batch) -> list[Sample]:
    """The samples of the batch that enter the step."""
    training, decision = batch.metadata.training, batch.metadata.decision
    if decision.skip_step:
        return []
    samples = [sample for sample in batch.samples if sample.group not in decision.skip_groups]
    return training.entering(samples)


def make_micro_batches(
    planner: Planner, samples: Sequence[Sample], members: Sequence[int], budget: int
) -> list[MicroBatch]:
    """Micro-batches of the samples at `members`, ascending, each with the places of its actions among the step's."""
    lengths = torch.tensor([len(sample.response) for sample in samples])
    ends = lengths.cumsum(0)
    micros: list[MicroBatch] = []
    chosen = [samples[index] for index in members]
    for part in split_micro_batches(chosen, balanced_budget(chosen, budget, planner.ranks.count)):
        places = [members[position] for position in part]
        tree = build_tree([samples[index] for index in places]).to(planner.device)
        index = torch.cat([torch.arange(int(ends[i] - lengths[i]), int(ends[i])) for i in places])
        micros.append(MicroBatch(tree, planner.attention(tree), index.to(planner.device)))
    return micros


def rule_of(batch: Batch) -> Rule:
    """The objective that the batch's hyper-parameters name."""
    training, temperature = batch.metadata.training, batch.metadata.temperature
    return Rule(training.terms, temperature, training.needs_entropy)


def accumulate(work: Work, micros: Sequence[MicroBatch], given: Given, phase: str = "gradient") -> list[TokenResult]:
    """Leave the gradient of the micro-batches' loss in the planner's parameters, not yet clipped. `given`: all.

    Returns what was found at the actions of each micro-batch, whichever rank computed it.
    """
    clear_gradient(work.planner)
    found: dict[int, TokenResult] = {}
    for k, beat in _rounds(work, micros, phase):
        if k is None:
            accumulate_nothing(work.planner, _smallest(micros), beat)
        else:
            given_here = given.select(micros[k].index)
            found[k] = accumulate_gradient(work.planner, micros[k], given_here, work.rule, beat)
    work.planner.settle_gradient()
    return all_results(work.planner.ranks, [len(micro.index) for micro in micros], found, work.actions.weight)


def _split_until_it_fits(work: Work, state: TrainerState, inputs: StepInputs) -> tuple[TrainerState, Metrics]:
    """Make the updates; when memory runs out begin anew, from the same state, with half the budget."""
    while True:
        try:
            after, metrics = _make_updates(work, state, inputs)
            return after, metrics | {"micro_batch_tokens": work.budget}
        except (RuntimeError, MemoryError) as error:
            # Other ranks would wait for this one: it is for their team to begin anew.
            if not is_out_of_memory(error) or work.planner.ranks.count > 1:
                raise
            budget = half_budget(work.budget, inputs, error)
        clear_gradient(work.planner)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        work = replace(work, budget=budget)


def half_budget(budget: int, inputs: StepInputs, error: Exception) -> int:
    """The budget to try when memory ran out with `budget`. Raises `error` where that would be of no use."""
    if inputs.committed or budget // 2 < SMALLEST_BUDGET:
        raise error
    log.warning("out of memory with micro-batches of %d tokens: trying half of that", budget)
    return budget // 2


def _make_updates(work: Work, state: TrainerState, inputs: StepInputs) -> tuple[TrainerState, Metrics]:
    metadata = inputs.batch.metadata
    training = metadata.training
    plan = plan_updates(work.samples, training, metadata.seed, metadata.step)
    whole = work.micro_batches(range(len(work.samples)))
    reference = _reference_logprobs(work, whole, training, inputs.reference)
    work.planner.set_tensors(state.tensors)
    # A single update needs no pass for pi_old: its own gives it.
    old = _logprobs(work, whole, "old log-probs") if len(plan) > 1 else None
    # The parts of a pass add up to the step's gradient times their number: each is scaled as if it were a step.
    scaled = replace(work.actions, weight=work.actions.weight * _parts(work.samples, inputs.batch))
    given = Given(scaled, old, reference)
    moments, results, norms, tree_tokens, first = state.optimiser, [], [], 0, old
    for number, members in enumerate(plan):
        micros = whole if len(members) == len(work.samples) else work.micro_batches(members)
        made = accumulate(work, micros, given, f"update {number + 1} of {len(plan)}")
        norms.append(_finite_norm(work, micros, given, made))
        moments = adamw_update(work.planner, moments, norms[-1], training, lambda: work.progress("optimiser", 0, 1))
        results += made
        tree_tokens += sum(micro.tree.size for micro in micros)
        first = _in_order(work, micros, torch.cat([result.logprob for result in made])) if first is None else first
    metrics = token_metrics(results, len(plan)) | {"gradient_norm": max(norms), "tokens_in_tree": tree_tokens}
    if training.compares_rollouts and first is not None:
        metrics |= mismatch_metrics(first, work.actions)
    return _state_after(work, state, moments), metrics


def _parts(samples: Sequence[Sample], batch: Batch) -> int:
    """Into how many parts a pass is divided. Batches of before flow-grpo-4 are replayed as they were computed."""
    training = batch.metadata.training
    return (
        training.mini_batches
        if batch.metadata.trainer_version == "flow-grpo-3"
        else updates_of_a_pass(samples, training)
    )


def _reference_logprobs(
    work: Work, micros: Sequence[MicroBatch], training: Objective, reference: Tensors | None
) -> torch.Tensor | None:
    """Log-probs (M,) of the step's actions under the reference policy; None where nothing needs them."""
    if not training.needs_reference:
        return None
    if reference is None:
        with work.planner.as_base(lambda: work.progress("reference policy", 0, 1)):
            return _logprobs(work, micros, "reference pass")
    work.planner.set_tensors(reference)
    return _logprobs(work, micros, "reference pass")


def _logprobs(work: Work, micros: Sequence[MicroBatch], phase: str) -> torch.Tensor:
    """Log-probs (M,) of the step's actions under the planner as it is. `micros` hold every action once."""
    found: dict[int, torch.Tensor] = {}
    for k, beat in _rounds(work, micros, phase):
        micro = _smallest(micros) if k is None else micros[k]
        logprobs = policy_logprobs(work.planner, micro, work.rule.temperature, beat)
        if k is not None:
            found[k] = logprobs
    sizes = [len(micro.index) for micro in micros]
    return _in_order(work, micros, work.planner.ranks.everywhere(sizes, found, work.actions.weight))


def _rounds(work: Work, micros: Sequence[MicroBatch], phase: str) -> Iterator[tuple[int | None, Beat]]:
    """The micro-batches that are this rank's, each with its beat; None where it only keeps the others company."""
    for number, k in enumerate(work.planner.ranks.deal(len(micros))):
        place = number if k is None else k
        yield k, lambda place=place: work.progress(phase, place, len(micros))


def _smallest(micros: Sequence[MicroBatch]) -> MicroBatch:
    return min(micros, key=lambda micro: micro.tree.size)


def _in_order(work: Work, micros: Sequence[MicroBatch], values: torch.Tensor) -> torch.Tensor:
    """Values (M,) of the actions in the order of micro-batches that hold each once, in the step's order: (M,)."""
    result = torch.empty_like(work.actions.weight)
    result[torch.cat([micro.index for micro in micros])] = values
    return result


def _state_after(work: Work, state: TrainerState, moments: OptimiserState) -> TrainerState:
    tensors = work.planner.values()
    work.progress("digest of the policy", 0, 1)
    return replace(state, step=state.step + 1, sha256=tensors_sha256(tensors), tensors=tensors, optimiser=moments)


def _refuse_unknown_tokens(batch: Batch, vocabulary: int) -> None:
    for sample in batch.samples:
        if not 0 <= min(sample.tokens) <= max(sample.tokens) < vocabulary:
            raise Failure(
                FailureType.BatchInvalid,
                f"group {sample.group}, rollout {sample.rollout}, turn {sample.turn} has a token id outside of "
                f"the model's vocabulary of {vocabulary}",
            )


def _finite_norm(work: Work, micros: Sequence[MicroBatch], given: Given, made: Sequence[TokenResult]) -> float:
    """L2 norm of the gradient that was accumulated. Raises NonFiniteLoss where it or the loss is not finite."""
    bad_samples: set[int] = set()
    for micro, result in zip(micros, made, strict=True):
        bad = ~torch.isfinite(result.terms.objective)
        bad_samples |= set(work.actions.sample[micro.index[bad]].tolist())
    if bad_samples:
        raise _non_finite("loss", sorted({work.samples[index].group for index in bad_samples}))
    norm = gradient_norm(work.planner)
    if not math.isfinite(norm):
        raise _non_finite("gradient", _groups_with_bad_gradient(work, micros, given))
    return norm


def _groups_with_bad_gradient(work: Work, micros: Sequence[MicroBatch], given: Given) -> list[int]:
    """Find the groups whose gradient alone is not finite; all of them if it is only their sum that overflows."""
    members = sorted({index for micro in micros for index in work.actions.sample[micro.index].tolist()})
    groups = sorted({work.samples[index].group for index in members})
    bad: list[int] = []
    for group in groups:
        mine = work.micro_batches([index for index in members if work.samples[index].group == group])
        accumulate(work, mine, given, "search of the non-finite group")
        if not math.isfinite(gradient_norm(work.planner)):
            bad.append(group)
    return bad or groups


def _non_finite(what: str, groups: list[int]) -> Failure:
    return Failure(FailureType.NonFiniteLoss, f"the {what} is not finite in groups {groups}", groups=groups)
