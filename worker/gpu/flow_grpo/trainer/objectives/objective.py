"""What an objective decides about a step.

An objective is one file: its hyper-parameters, as the batch holds them, and these decisions. The rest of the step
asks them and never for the objective's name.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from flow_grpo.trainer.actions import Actions, Taught
from flow_grpo.trainer.hyper_parameters import Optimisation
from flow_grpo.trainer.sample import Sample


@dataclass(frozen=True)
class LogProbs:
    """Log-probabilities of the actions at the sampling temperature, each of shape (M,)."""

    policy: torch.Tensor
    """Of the policy that is trained: what the objective is differentiated by."""
    old: torch.Tensor
    """Of the policy before the first update on this batch, without gradient."""
    reference: torch.Tensor | None
    """Of the reference policy, without gradient; None where there is no KL term."""


@dataclass(frozen=True)
class Terms:
    """The objective's parts per token, each of shape (M,)."""

    objective: torch.Tensor
    """Weighted: J is the sum."""
    kl: torch.Tensor
    clipped: torch.Tensor
    """Whether a clip took the token's gradient away, bool."""
    importance_capped: torch.Tensor
    """Whether the importance weight met its cap, bool."""


class Objective(Optimisation):
    """Hyper-parameters of a step, and what they make of its samples."""

    @property
    @abstractmethod
    def compares_rollouts(self) -> bool:
        """Whether the samples are rollouts of the input policy, compared inside their groups."""

    @property
    @abstractmethod
    def needs_entropy(self) -> bool:
        """Whether the terms use the entropy of each token's distribution."""

    @property
    @abstractmethod
    def needs_reference(self) -> bool:
        """Whether the terms use log-probs of the reference policy."""

    @abstractmethod
    def entering(self, samples: Sequence[Sample]) -> list[Sample]:
        """The samples that enter the step; the others leave its normalisers too."""

    @abstractmethod
    def advantages(self, samples: Sequence[Sample]) -> Mapping[tuple[int, int], float]:
        """(group, rollout) -> advantage; empty if the objective has none."""

    @abstractmethod
    def taught(self, samples: Sequence[Sample], response_limit: int) -> Taught:
        """The samples that teach, with what each brings. `response_limit`: tokens a response could have had."""

    @abstractmethod
    def terms(self, logprobs: LogProbs, entropy: torch.Tensor, actions: Actions) -> Terms:
        """Terms of the objective, per token. entropy: (M,), of each token's distribution."""
