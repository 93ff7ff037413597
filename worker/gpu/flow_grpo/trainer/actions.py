"""The sampled tokens of a step, its *actions*, with what each brings into the objective.

Letters of shapes: N samples, M sampled tokens of the step, in the order of the samples.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

from flow_grpo.trainer.advantage import advantages, group_rewards
from flow_grpo.trainer.batch import Sample
from flow_grpo.trainer.hyper_parameters import FlowGrpo, Sft


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


def make_actions(
    samples: Sequence[Sample], training: FlowGrpo | Sft, response_limit: int, dtype: torch.dtype = torch.float32
) -> tuple[list[Sample], Actions]:
    """The samples that teach, and their actions, sample by sample.

    Advantages and weights are taken over all samples of the step. `response_limit`: tokens a response could have had.
    """
    if training.objective == "sft":
        taught = [sample for sample in samples if sample.response]
        advantage, weight = [0.0] * len(taught), token_mean_weights(taught)
    else:
        taught = [sample for sample in samples if teaches(sample, training)]
        by_rollout = advantages(samples, training.advantage)
        advantage = [by_rollout[s.group, s.rollout] for s in taught]
        weight = sample_weights(samples, taught, training, response_limit)
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


def sample_weights(
    samples: Sequence[Sample], taught: Sequence[Sample], training: FlowGrpo, response_limit: int
) -> list[float]:
    """Factor of each token of a taught sample in the aggregation; the normaliser is the step's, never a part's.

    `paper`: 1/B 1/G 1/T_i 1/|a_it| with G the scored rollouts of the group (AgentFlow, arXiv 2510.05592).
    `token-mean`: 1 / sampled tokens of the step (DAPO, arXiv 2503.14476).
    `dr-grpo`: 1/B 1/G 1/L with G the configured group size and L the response limit: a constant instead of each
    response's own length (Dr. GRPO, arXiv 2503.20783).

    A sample that does not teach counts neither among the turns of its rollout nor among the tokens; its trajectory
    still counts in G, and its reward in the group's statistics.
    """
    if training.aggregation == "token-mean":
        return token_mean_weights(taught)
    rollouts = {group: len(rewards) for group, rewards in group_rewards(samples).items()}
    turns = Counter((s.group, s.rollout) for s in taught)

    def weight(s: Sample) -> float:
        if training.aggregation == "dr-grpo":
            return 1 / (len(rollouts) * training.group_size * response_limit)
        return 1 / (len(rollouts) * rollouts[s.group] * turns[s.group, s.rollout] * len(s.response))

    return [weight(s) for s in taught]


def token_mean_weights(taught: Sequence[Sample]) -> list[float]:
    """1 / tokens of the step."""
    tokens = sum(len(s.response) for s in taught)
    return [1 / tokens for _ in taught]


def teaches(sample: Sample, training: FlowGrpo) -> bool:
    """Whether the sample's tokens enter the objective: it has some, and is not masked."""
    return bool(sample.response) and not (training.truncated_responses == "mask" and sample.truncated)
