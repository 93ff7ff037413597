"""Flow-GRPO's objective (AgentFlow, arXiv 2510.05592).

G rollouts of a query with rewards R_1..R_G give one advantage per trajectory, broadcast to every planner token of
every turn of rollout i. Each turn t is a single-turn sample with its own prompt and response a_it. The objective is

    J = 1/B sum_groups 1/G sum_i 1/T_i sum_t 1/|a_it| sum_j
            [ min(r A_i, clip(r, 1 - eps_low, 1 + eps_high) A_i) - beta k3(pi, pi_ref) + c H ]

with r = pi / pi_old of token j, k3 the estimator exp(d) - d - 1 of the KL divergence from the reference policy
(d = log pi_ref - log pi) and H the entropy of the token's distribution. The loss is -J.

How this differs from the paper: the clipped term of a token with A < 0 is bounded by `dual_clip` A (dual clip,
arXiv 1912.09729); with one update per batch r = 1, so neither clip acts.

Letters of shapes: N samples, M sampled tokens of the step (its *actions*), in the order of the samples.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from flow_grpo.trainer.batch import Sample, Training

ADVANTAGE_EPSILON = 1e-6


@dataclass(frozen=True)
class Actions:
    """What each sampled token of the step brings into the objective: all of shape (M,), fp32 but `sample`."""

    sample: torch.Tensor
    """Index of the token's sample, int64."""
    advantage: torch.Tensor
    weight: torch.Tensor
    """The token's factor in the aggregation: J is the sum of weight times term."""
    sampler_logprob: torch.Tensor
    """What the sampler recorded."""


@dataclass(frozen=True)
class Terms:
    """The objective's parts per token, each of shape (M,)."""

    objective: torch.Tensor
    """Policy term - beta KL + c entropy, before its weight."""
    kl: torch.Tensor
    clipped: torch.Tensor
    """Whether a clip made the token's gradient zero, bool."""


def group_rewards(samples: Sequence[Sample]) -> dict[int, dict[int, float]]:
    """group -> rollout -> reward."""
    rewards: dict[int, dict[int, float]] = {}
    for sample in samples:
        rewards.setdefault(sample.group, {})[sample.rollout] = sample.reward
    return rewards


def groups_without_variance(samples: Sequence[Sample]) -> set[int]:
    """Groups whose scored rollouts all have the same reward: they teach nothing but the KL term."""
    return {group for group, rewards in group_rewards(samples).items() if len(set(rewards.values())) == 1}


def kept_samples(samples: Sequence[Sample], training: Training) -> list[Sample]:
    """The samples that enter the step: all, or without the groups that have no variance (they leave B too)."""
    dropped = groups_without_variance(samples) if training.groups == "drop-zero-variance" else set()
    return [sample for sample in samples if sample.group not in dropped]


def normalised(rewards: torch.Tensor, pool: torch.Tensor) -> torch.Tensor:
    """(R - mean) / (std + 1e-6) with mean and std (n - 1) over `pool`. rewards: (n,); pool: (m,), m >= 2; fp32."""
    if bool((pool == pool[0]).all()):
        # Exactly zero, whatever rounding would make of the mean.
        return torch.zeros_like(rewards)
    return (rewards - pool.mean()) / (pool.std(correction=1) + ADVANTAGE_EPSILON)


def advantages(samples: Sequence[Sample], mode: str) -> dict[tuple[int, int], float]:
    """(group, rollout) -> advantage.

    `trajectory`: statistics over the scored trajectories of the group, as in the paper.
    `turn-rows`: over the rows of the group, so that a trajectory counts once per turn, as in the original code.
    """
    result: dict[tuple[int, int], float] = {}
    for group, by_rollout in group_rewards(samples).items():
        rewards = torch.tensor(list(by_rollout.values()), dtype=torch.float32)
        rows = torch.tensor([s.reward for s in samples if s.group == group], dtype=torch.float32)
        values = normalised(rewards, rewards if mode == "trajectory" else rows)
        result |= {(group, rollout): value for rollout, value in zip(by_rollout, values.tolist(), strict=True)}
    return result


def sample_weights(samples: Sequence[Sample], training: Training) -> list[float]:
    """Factor of each token of a sample in the aggregation; the normaliser is the whole step's, never a micro-batch's.

    `paper`: 1/B 1/G 1/T_i 1/|a_it| with G the scored rollouts of the group.
    `token-mean`: 1 / sampled tokens of the step.
    `dr-grpo`: 1/B 1/G 1/L, a constant instead of each response's own length (Dr. GRPO, arXiv 2503.20783), with G the
    configured group size and L the longest response of the step in place of the generation budget.
    """
    rollouts = {group: len(rewards) for group, rewards in group_rewards(samples).items()}
    turns = Counter((s.group, s.rollout) for s in samples)
    total = sum(len(s.response) for s in samples)
    longest = max((len(s.response) for s in samples), default=1)
    groups = len(rollouts)

    def weight(s: Sample) -> float:
        match training.aggregation:
            case "paper":
                return 1 / (groups * rollouts[s.group] * turns[s.group, s.rollout] * len(s.response))
            case "token-mean":
                return 1 / total
            case "dr-grpo":
                return 1 / (groups * training.group_size * longest)

    return [weight(s) for s in samples]


def make_actions(samples: Sequence[Sample], training: Training, dtype: torch.dtype = torch.float32) -> Actions:
    """The step's sampled tokens, sample by sample, with their advantages and weights."""
    by_rollout = advantages(samples, training.advantage)
    lengths = torch.tensor([len(s.response) for s in samples], dtype=torch.int64)

    def per_token(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=dtype).repeat_interleave(lengths)

    return Actions(
        sample=torch.arange(len(samples)).repeat_interleave(lengths),
        advantage=per_token([by_rollout[s.group, s.rollout] for s in samples]),
        weight=per_token(sample_weights(samples, training)),
        sampler_logprob=torch.tensor([p for s in samples for p in s.logprobs], dtype=dtype),
    )


def policy_term(ratio: torch.Tensor, advantage: torch.Tensor, training: Training) -> tuple[torch.Tensor, torch.Tensor]:
    """Clipped policy-gradient term and whether a clip took the gradient away. All of shape (M,)."""
    free = ratio * advantage
    bounded = ratio.clamp(1 - training.clip_low, 1 + training.clip_high) * advantage
    term = torch.minimum(free, bounded)
    floor = training.dual_clip * advantage
    dual = (advantage < 0) & (floor > term)
    return torch.where(dual, floor, term), (bounded < free) | dual


def k3(logprob: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Estimator of KL(pi, pi_ref) per token, never negative: exp(d) - d - 1 with d = log pi_ref - log pi. (M,)"""
    difference = reference - logprob
    return difference.exp() - difference - 1


def terms(
    logprob: torch.Tensor,
    old_logprob: torch.Tensor,
    reference: torch.Tensor,
    entropy: torch.Tensor,
    advantage: torch.Tensor,
    training: Training,
) -> Terms:
    """The objective's parts per token from log-probs under the policy, the sampling policy and the base. All (M,)."""
    policy, clipped = policy_term((logprob - old_logprob).exp(), advantage, training)
    kl = k3(logprob, reference)
    objective = policy - training.kl_coefficient * kl + training.entropy_coefficient * entropy
    return Terms(objective=objective, kl=kl, clipped=clipped)
