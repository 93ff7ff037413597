"""How an update is made, whatever the objective: the Python side of contracts/objectives/parts.ts.

What belongs to one choice lies inside that choice, and unknown keys are refused: an option that would do nothing
cannot be written down.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

LoraTarget = Literal["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LORA_TARGETS: tuple[LoraTarget, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Strict(BaseModel):
    """A frozen record without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lora(Strict):
    """A LoRA adapter trains: rank r, scale alpha / r, and the linear layers that it is on."""

    kind: Literal["lora"]
    rank: int = Field(ge=1)
    alpha: float = Field(gt=0)
    targets: tuple[LoraTarget, ...] = LORA_TARGETS
    base: Literal["full-precision", "nf4"] = "full-precision"
    """How the frozen linear layers are held; as `nf4` they are another base model than the policy server's."""

    @field_validator("targets")
    @classmethod
    def _in_one_order(cls, targets: tuple[LoraTarget, ...]) -> tuple[LoraTarget, ...]:
        return tuple(name for name in LORA_TARGETS if name in targets)


class Full(Strict):
    """Every parameter of the model trains, embedding and head included."""

    kind: Literal["full"]


Weights = Annotated[Lora | Full, Field(discriminator="kind")]


class Optimisation(Strict):
    """How an update is made, whatever the objective."""

    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    max_grad_norm: float = Field(gt=0)
    adam_beta1: float = Field(ge=0, lt=1)
    adam_beta2: float = Field(ge=0, lt=1)
    adam_epsilon: float = Field(gt=0)
    weights: Weights
    """What trains."""
    epochs: int = Field(ge=1)
    """Passes over the batch."""
    mini_batches: int = Field(ge=1)
    """Updates of one pass."""
    micro_batch_tokens: int = Field(ge=1)
    """Prefix-tree tokens that go through the model at once."""
    gradient_checkpointing: bool
    dtype: Literal["float32", "bfloat16"]

    @property
    def updates(self) -> int:
        """Updates of one step at most; a mini-batch without samples makes none."""
        return self.epochs * self.mini_batches
