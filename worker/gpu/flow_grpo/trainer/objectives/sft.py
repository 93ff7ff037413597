"""Supervised fine-tuning: the mean log-likelihood of recorded tokens."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from pydantic import Field, model_validator

from flow_grpo.trainer.actions import Actions, Taught, token_mean_weights
from flow_grpo.trainer.hyper_parameters import Strict
from flow_grpo.trainer.objectives.objective import LogProbs, Objective, Terms
from flow_grpo.trainer.sample import Sample


class Trajectories(Strict):
    """Where the samples of supervised fine-tuning came from."""

    run: str
    from_step: int = Field(ge=1)
    to_step: int = Field(ge=1)
    minimum_reward: float


class Sft(Objective):
    """Supervised fine-tuning on recorded trajectories."""

    objective: Literal["sft"]
    samples_per_step: int = Field(ge=1)
    trajectories: Trajectories

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> "Sft":
        if self.mini_batches > self.samples_per_step:
            raise ValueError(f"mini_batches is more than samples_per_step ({self.samples_per_step})")
        return self

    @property
    def compares_rollouts(self) -> bool:
        """See Objective."""
        return False

    @property
    def needs_entropy(self) -> bool:
        """See Objective."""
        return False

    @property
    def needs_reference(self) -> bool:
        """See Objective."""
        return False

    def entering(self, samples: Sequence[Sample]) -> list[Sample]:
        """See Objective."""
        return list(samples)

    def advantages(self, samples: Sequence[Sample]) -> Mapping[tuple[int, int], float]:
        """See Objective."""
        return {}

    def taught(self, samples: Sequence[Sample], response_limit: int) -> Taught:
        """The samples that have tokens; every token of the step weighs the same."""
        taught = [sample for sample in samples if sample.response]
        return Taught(taught, [0.0] * len(taught), token_mean_weights(taught))

    def terms(self, logprobs: LogProbs, entropy: torch.Tensor, actions: Actions) -> Terms:
        """See Objective."""
        none = torch.zeros_like(actions.weight)
        never = torch.zeros_like(actions.sample, dtype=torch.bool)
        return Terms(actions.weight * logprobs.policy, none, never, never)
