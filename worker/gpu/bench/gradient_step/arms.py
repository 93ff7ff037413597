"""The contestants of the gradient-step benchmark: each takes the same step on the same samples.

A step is all that turns the old adapter into the new one: reference pass where there is a KL term, forward, backward,
clipping of the gradient, AdamW.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from bench.gradient_step.cases import RESPONSE_LIMIT, make_batch
from bench.gradient_step.naive import NaiveStep
from bench.gradient_step.trl import Rows, TrlStep, rows_by_turn
from flow_grpo.trainer.advantage import advantages
from flow_grpo.trainer.objectives.flow_grpo import FlowGrpo
from flow_grpo.trainer.placement import stored_dtype
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.state import TrainerState, initial_state
from flow_grpo.trainer.step import StepInputs, take_step

OURS, TRL_MASKED, TRL, NAIVE = "ours", "TRL, masked positions only", "TRL as shipped", "naive padded"
ARMS = (OURS, TRL_MASKED, TRL, NAIVE)

Tensors = dict[str, torch.Tensor]


class Arm(Protocol):
    """A contestant, made ready for one batch."""

    def step(self) -> None:
        """Take a whole step."""
        ...

    def gradient(self) -> Tensors:
        """The gradient of the step, not clipped, by PEFT's names."""
        ...


@dataclass(frozen=True)
class Task:
    """What all arms are given."""

    model: Path
    """Directory in transformers' format."""
    samples: tuple[Sample, ...]
    training: FlowGrpo
    batch_rows: int
    """Padded rows that go through the model at once; our arm goes by `training.micro_batch_tokens`."""
    device: torch.device


class Ours:
    """The trainer's own step, as its activity takes it: from the same state each time."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.planner = Planner.load(task.model, "bench", task.training.weights)
        self.planner.place(task.device, stored_dtype(task.device, task.training.dtype))
        self._state = initial_state("bench", task.training.weights, random_adapter(self.planner.shapes()))

    def step(self) -> None:
        self._after(self._task.training)

    def gradient(self) -> Tensors:
        # After a first update that did not clip, AdamW's first moment is the gradient times 1 - beta1.
        unclipped = self._task.training.model_copy(update={"max_grad_norm": 1e9})
        moments = self._after(unclipped).optimiser.exp_avg
        return {name: moment / (1 - unclipped.adam_beta1) for name, moment in moments.items()}

    def _after(self, training: FlowGrpo) -> TrainerState:
        inputs = StepInputs(make_batch(self._task.samples, training))
        return take_step(self.planner, self._state, inputs, lambda *_: None)[0]


class Theirs:
    """A PEFT model under another trainer; `accumulate` adds the gradient of the step."""

    def __init__(
        self, parameters: Mapping[str, nn.Parameter], training: FlowGrpo, accumulate: Callable[[], None]
    ) -> None:
        self._parameters, self._training, self._accumulate = parameters, training, accumulate
        self._optimiser = torch.optim.AdamW(
            parameters.values(), lr=training.learning_rate, weight_decay=training.weight_decay
        )

    def step(self) -> None:
        self._accumulate()
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), self._training.max_grad_norm)
        self._optimiser.step()
        self._optimiser.zero_grad()

    def gradient(self) -> Tensors:
        self._accumulate()
        gradients = {name: parameter.grad for name, parameter in self._parameters.items()}
        self._optimiser.zero_grad()
        return {name: gradient.float().cpu() for name, gradient in gradients.items() if gradient is not None}


def make_arm(name: str, task: Task) -> Arm:
    """Load the model for an arm of ARMS."""
    if name == OURS:
        return Ours(task)
    if name == NAIVE:
        return _naive(task)
    return _trl(task, masked_only=name == TRL_MASKED)


def random_adapter(shapes: Mapping[str, torch.Size]) -> Tensors:
    """An adapter that differs from the base, so that policy and reference differ; the same for every arm."""
    generator = torch.Generator().manual_seed(1)
    return {name: torch.randn(shapes[name], generator=generator) * 0.02 for name in sorted(shapes)}


def relative_l2(one: Tensors, other: Tensors) -> float:
    """|one - other| / |other| over all tensors, in fp64."""
    difference = sum(float((one[name] - other[name]).double().square().sum()) for name in other)
    return (difference / sum(float(tensor.double().square().sum()) for tensor in other.values())) ** 0.5


def _naive(task: Task) -> Arm:
    naive = NaiveStep(task.model, task.samples, task.training, random_adapter, task.batch_rows, task.device)
    return Theirs(naive.parameters, task.training, naive.accumulate_gradient)


def _trl(task: Task, *, masked_only: bool) -> Arm:
    rows = rows_by_turn(task.samples)
    # TRL divides by std + 1e-4, we by std + 1e-6: the same advantages, so that gradients can be compared.
    by_rollout = advantages(task.samples, task.training.advantage)
    given = Rows(rows, task.training.group_size, [by_rollout[row.group, row.rollout] for row in rows])
    options: dict[str, Any] = {
        "beta": task.training.kl.coefficient,
        "loss_type": "dapo",
        "epsilon": 0.2,
        "epsilon_high": 0.3,
        "temperature": 1.0,
        "max_completion_length": RESPONSE_LIMIT,
    }
    if task.device.type != "cpu":
        dtype = getattr(torch, task.training.dtype)
        options |= {"use_cpu": False, "bf16": dtype == torch.bfloat16}
        options["model_init_kwargs"] = {"dtype": dtype, "local_files_only": True}
    lora = task.training.weights
    assert lora.kind == "lora"
    trl = TrlStep(task.model, lora, random_adapter, given, task.batch_rows, **options)
    return Theirs(trl.parameters, task.training, lambda: trl.accumulate_gradient(masked_only))
