"""Advantages of trajectories from the rewards of their group, and which groups teach at all.

G scored rollouts of a query have rewards R_1..R_G; one advantage per trajectory is broadcast to all its tokens.
"""

from collections.abc import Callable, Sequence

import torch

from flow_grpo.trainer.sample import Sample

ADVANTAGE_EPSILON = 1e-6


def group_rewards(samples: Sequence[Sample]) -> dict[int, dict[int, float]]:
    """group -> rollout -> reward."""
    rewards: dict[int, dict[int, float]] = {}
    for sample in samples:
        rewards.setdefault(sample.group, {})[sample.rollout] = sample.reward
    return rewards


def groups_without_variance(samples: Sequence[Sample]) -> set[int]:
    """Groups whose scored rollouts all have the same reward: they teach nothing but the KL term."""
    return {group for group, rewards in group_rewards(samples).items() if len(set(rewards.values())) == 1}


def normalised(rewards: torch.Tensor, pool: torch.Tensor) -> torch.Tensor:
    """(R - mean) / (std + 1e-6), the statistics over `pool`, std with m - 1 (GRPO, arXiv 2402.03300, eq. 3).

    rewards: (n,); pool: (m,), m >= 2; fp32 -> (n,).
    """
    return (rewards - pool.mean()) / (pool.std(correction=1) + ADVANTAGE_EPSILON)


def centred(rewards: torch.Tensor) -> torch.Tensor:
    """R - mean, without the deviation, which weighs easy and hard queries up (Dr. GRPO, arXiv 2503.20783). (n,)"""
    return rewards - rewards.mean()


def leave_one_out(rewards: torch.Tensor) -> torch.Tensor:
    """R_i - mean of the other n - 1 (RLOO, arXiv 2402.14740). (n,), n >= 2."""
    others = (rewards.sum() - rewards) / (len(rewards) - 1)
    return rewards - others


Estimator = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# From the rewards of a group's trajectories, and the same once per turn.
ESTIMATORS: dict[str, Estimator] = {
    "trajectory": lambda rewards, _rows: normalised(rewards, rewards),
    "turn-rows": lambda rewards, rows: normalised(rewards, rows),
    "no-std": lambda rewards, _rows: centred(rewards),
    "leave-one-out": lambda rewards, _rows: leave_one_out(rewards),
}


def advantages(samples: Sequence[Sample], mode: str) -> dict[tuple[int, int], float]:
    """(group, rollout) -> advantage, computed in fp32; exactly zero in a group without variance.

    `trajectory`: statistics over the scored trajectories of the group, as in the AgentFlow paper (arXiv 2510.05592).
    `turn-rows`: over the rows of the group, so that a trajectory counts once per turn, as in the original code.
    `no-std`: centred only. `leave-one-out`: against the mean of the group's other trajectories.
    """
    result: dict[tuple[int, int], float] = {}
    for group, by_rollout in group_rewards(samples).items():
        rewards = torch.tensor(list(by_rollout.values()), dtype=torch.float32)
        rows = torch.tensor([s.reward for s in samples if s.group == group], dtype=torch.float32)
        # Whatever rounding would make of the mean of equal numbers.
        flat = bool((rewards == rewards[0]).all())
        values = torch.zeros_like(rewards) if flat else ESTIMATORS[mode](rewards, rows)
        result |= {(group, rollout): value for rollout, value in zip(by_rollout, values.tolist(), strict=True)}
    return result
