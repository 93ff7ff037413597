"""The trainer's state after a step, and its bytes: safetensors, never pickle (I12)."""

from dataclasses import dataclass

import torch
from safetensors.torch import load, save

from flow_grpo.policy import tensors_sha256
from flow_grpo.trainer.hyper_parameters import Lora


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
    """Of the policy: of the adapter's tensors."""
    lora: Lora
    adapter: dict[str, torch.Tensor]
    optimiser: OptimiserState

    @property
    def policy_name(self) -> str:
        """`<training run>@<step>`."""
        return f"{self.run_id}@{self.step}"


def initial_state(run_id: str, lora: Lora, adapter: dict[str, torch.Tensor]) -> TrainerState:
    """State 0: the given adapter and an optimiser that has seen nothing."""

    def zeros() -> dict[str, torch.Tensor]:
        return {name: torch.zeros_like(tensor) for name, tensor in adapter.items()}

    return TrainerState(run_id, 0, tensors_sha256(adapter), lora, adapter, OptimiserState(0, zeros(), zeros()))


def adapter_bytes(state: TrainerState) -> bytes:
    """adapter_model.safetensors in PEFT's format."""
    return save(state.adapter, metadata={"format": "pt"})


def optimiser_bytes(optimiser: OptimiserState) -> bytes:
    """optimizer.safetensors: `step`, `exp_avg.<name>` and `exp_avg_sq.<name>`."""
    tensors = {"step": torch.tensor(optimiser.updates, dtype=torch.int64)}
    tensors |= {f"exp_avg.{name}": tensor for name, tensor in optimiser.exp_avg.items()}
    tensors |= {f"exp_avg_sq.{name}": tensor for name, tensor in optimiser.exp_avg_sq.items()}
    return save(tensors, metadata={"format": "pt"})


def read_optimiser(data: bytes) -> OptimiserState:
    """The optimiser from the bytes of `optimiser_bytes`."""
    tensors = load(data)

    def moments(kind: str) -> dict[str, torch.Tensor]:
        prefix = f"{kind}."
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

    return OptimiserState(int(tensors["step"]), moments("exp_avg"), moments("exp_avg_sq"))


def read_adapter(data: bytes) -> dict[str, torch.Tensor]:
    """The adapter from the bytes of `adapter_bytes`, sorted by name."""
    return dict(sorted(load(data).items()))
