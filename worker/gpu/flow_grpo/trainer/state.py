"""The trainer's state after a step. Its tensors are the CPU's, wherever a step is computed."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from flow_grpo.policy import tensors_sha256
from flow_grpo.trainer.hyper_parameters import Weights


@dataclass(frozen=True)
class OptimiserState:
    """AdamW's state: updates made so far, and the moments by parameter name."""

    updates: int
    exp_avg: dict[str, torch.Tensor]
    exp_avg_sq: dict[str, torch.Tensor]


@dataclass(frozen=True)
class TrainerState:
    """Everything that the next step needs. Its tensors are never changed in place: a step makes a new state."""

    run_id: str
    step: int
    sha256: str
    """Of the policy: of `tensors`."""
    weights: Weights
    tensors: Mapping[str, torch.Tensor]
    """What trains, in fp32: an adapter's by PEFT's names, else a whole model's by transformers'."""
    optimiser: OptimiserState

    @property
    def policy_name(self) -> str:
        """`<training run>@<step>`."""
        return f"{self.run_id}@{self.step}"


def initial_state(run_id: str, weights: Weights, tensors: Mapping[str, torch.Tensor]) -> TrainerState:
    """State 0: the given policy and an optimiser that has seen nothing."""

    def zeros() -> dict[str, torch.Tensor]:
        return {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}

    return TrainerState(run_id, 0, tensors_sha256(tensors), weights, tensors, OptimiserState(0, zeros(), zeros()))


def optimiser_tensors(optimiser: OptimiserState) -> dict[str, torch.Tensor]:
    """Those of optimizer.safetensors: `step`, `exp_avg.<name>` and `exp_avg_sq.<name>`."""
    tensors = {"step": torch.tensor(optimiser.updates, dtype=torch.int64)}
    tensors |= {f"exp_avg.{name}": tensor for name, tensor in optimiser.exp_avg.items()}
    tensors |= {f"exp_avg_sq.{name}": tensor for name, tensor in optimiser.exp_avg_sq.items()}
    return tensors


def optimiser_of(tensors: Mapping[str, torch.Tensor]) -> OptimiserState:
    """The optimiser from the tensors of `optimiser_tensors`."""

    def moments(kind: str) -> dict[str, torch.Tensor]:
        prefix = f"{kind}."
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

    return OptimiserState(int(tensors["step"]), moments("exp_avg"), moments("exp_avg_sq"))
