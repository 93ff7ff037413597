"""The sampled tokens of a step, its *actions*, with what each brings into the objective.

Letters of shapes: N samples, M sampled tokens of the step, in the order of the samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Protocol

import torch

from flow_grpo.trainer.sample import Sample


@dataclass(frozen=True)
class Actions:
    """Some or all of the step's actions; all of shape (M,), floating point but `sample`."""

    sample: torch.Tensor
    """Index of the token's sample among those that teach, int64."""
    advantage: torch.Tensor
    weight: torch.Tensor
    """The token's factor in the aggregation: J is the sum of weight times term."""
    sampler_logprob: torch.Tensor
    """What the sampler recorded."""

    def select(self, index: torch.Tensor) -> "Actions":
        """The actions at `index`, int64 or bool."""
        return Actions(*(getattr(self, field.name)[index] for field in fields(self)))

    def to(self, device: torch.device) -> "Actions":
        """The same actions on another device."""
        return Actions(*(getattr(self, field.name).to(device) for field in fields(self)))


class Taught(NamedTuple):
    """The samples that teach, with the advantage and the weight of each one's tokens."""

    samples: list[Sample]
    advantage: list[float]
    weight: list[float]


class Teaching(Protocol):
    """What an objective makes of the samples of a step."""

    def taught(self, samples: Sequence[Sample], response_limit: int) -> Taught:
        """The samples that teach."""
        ...


def make_actions(
    samples: Sequence[Sample], training: Teaching, response_limit: int, dtype: torch.dtype = torch.float32
) -> tuple[list[Sample], Actions]:
    """The samples that teach, and their actions, sample by sample.

    Advantages and weights are taken over all samples of the step. `response_limit`: tokens a response could have had.
    """
    taught, advantage, weight = training.taught(samples, response_limit)
    lengths = torch.tensor([len(s.response) for s in taught], dtype=torch.int64)

    def per_token(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=dtype).repeat_interleave(lengths)

    actions = Actions(
        sample=torch.arange(len(taught)).repeat_interleave(lengths),
        advantage=per_token(advantage),
        weight=per_token(weight),
        sampler_logprob=torch.tensor([p for s in taught for p in s.logprobs], dtype=dtype),
    )
    return taught, actions


def token_mean_weights(taught: Sequence[Sample]) -> list[float]:
    """1 / tokens of the step."""
    tokens = sum(len(s.response) for s in taught)
    return [1 / tokens for _ in taught]
