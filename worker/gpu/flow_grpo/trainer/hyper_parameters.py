"""Effective hyper-parameters of a step: the Python side of workflows/contracts/training-config.ts.

What belongs to one choice lies inside that choice, and unknown keys are refused: an option that would do nothing
cannot be written down.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

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


class Clip(Strict):
    """PPO's clipped ratio per token; `dual` bounds the term of a token with a negative advantage (dual clip)."""

    kind: Literal["clip"]
    low: float = Field(gt=0)
    high: float = Field(gt=0)
    dual: float | None = Field(gt=1)


class Gspo(Strict):
    """One ratio per response: the geometric mean of its tokens' ratios."""

    kind: Literal["gspo"]
    low: float = Field(gt=0)
    high: float = Field(gt=0)


class Cispo(Strict):
    """Log-probs weighted by a ratio that is capped and carries no gradient."""

    kind: Literal["cispo"]
    high: float = Field(gt=0)


PolicyLoss = Annotated[Clip | Gspo | Cispo, Field(discriminator="kind")]


class Kl(Strict):
    """Divergence from the reference policy. With coefficient 0 there is no term and no pass of the reference."""

    coefficient: float = Field(ge=0)
    estimator: Literal["k1", "k2", "k3"]
    reference: str
    """`base`, or the name of a policy of the same kind of weights."""
    unbiased: bool


class NoImportanceSampling(Strict):
    """The sampler's log-probs are compared with the trainer's, and weigh nothing."""

    level: Literal["none"]


class TruncatedImportanceSampling(Strict):
    """Terms are weighted by min(pi_old / pi_sampler, cap), of each token or of the whole response."""

    level: Literal["token", "sequence"]
    cap: float = Field(ge=1)


ImportanceSampling = Annotated[NoImportanceSampling | TruncatedImportanceSampling, Field(discriminator="level")]


class OverSample(Strict):
    """Groups without variance were left out, further queries drawn in their place, up to so many times as many."""

    over_sample: float = Field(gt=1)


class FlowGrpo(Optimisation):
    """Training by Flow-GRPO."""

    objective: Literal["flow-grpo"]
    queries_per_step: int = Field(ge=1)
    group_size: int = Field(ge=2)
    advantage: Literal["trajectory", "turn-rows", "no-std", "leave-one-out"]
    aggregation: Literal["paper", "token-mean", "dr-grpo"]
    groups: Literal["keep", "drop-zero-variance"] | OverSample
    policy_loss: PolicyLoss
    kl: Kl
    entropy_coefficient: float = Field(ge=0)
    importance_sampling: ImportanceSampling
    truncated_responses: Literal["keep", "mask"]

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> "FlowGrpo":
        if self.mini_batches > self.queries_per_step:
            raise ValueError(f"mini_batches is more than queries_per_step ({self.queries_per_step})")
        if self.kl.coefficient == 0 and (self.kl.unbiased or self.kl.reference != "base"):
            raise ValueError("kl.coefficient is 0, so a reference or an unbiased gradient has no effect")
        if self.weights.kind == "lora" and self.weights.base == "nf4" and self.importance_sampling.level == "none":
            raise ValueError("weights.base is nf4, not what is sampled from: importance_sampling must not be none")
        return self


class Trajectories(Strict):
    """Where the samples of supervised fine-tuning came from."""

    run: str
    from_step: int = Field(ge=1)
    to_step: int = Field(ge=1)
    minimum_reward: float


class Sft(Optimisation):
    """Supervised fine-tuning on recorded trajectories."""

    objective: Literal["sft"]
    samples_per_step: int = Field(ge=1)
    trajectories: Trajectories

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> "Sft":
        if self.mini_batches > self.samples_per_step:
            raise ValueError(f"mini_batches is more than samples_per_step ({self.samples_per_step})")
        return self


Training = Annotated[FlowGrpo | Sft, Field(discriminator="objective")]
