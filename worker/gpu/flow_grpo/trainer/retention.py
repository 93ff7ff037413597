"""Which checkpoints and policies of a run must stay: pure functions of what stands, what was measured and who asks.

Steps are numbers >= 0. `accuracies` maps the evaluated steps to their accuracy on the held-out questions.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from flow_grpo.trainer.contract import Keep


@dataclass(frozen=True)
class Claims:
    """What unfinished runs, questions and evaluations need of a run, by step. A run may claim something of itself."""

    policies: frozenset[int] = field(default_factory=frozenset)
    """References of KL terms, policies that forks start from, and those that questions and evaluations use."""
    checkpoints: frozenset[int] = field(default_factory=frozenset)
    """Those whose optimiser state a fork carries over."""


def kept_checkpoints(
    steps: Collection[int], accuracies: Mapping[int, float], keep: Keep, claims: Claims = Claims()
) -> set[int]:
    """Those of the standing checkpoints that stay: checkpoint 0, and what `keep` or a claim keeps.

    `keep.last` counts the newest without checkpoint 0. `keep.best` counts the evaluated ones among `steps`.
    """
    standing = set(steps)
    newest = sorted(standing - {0})[-keep.last :]
    best = best_steps({step: accuracies[step] for step in standing & accuracies.keys()}, keep.best)
    periodic = {step for step in standing if keep.every and step % keep.every == 0}
    return standing & {0, *newest, *best, *periodic, *claims.checkpoints}


def needed_policies(
    newest: int, checkpoints: Collection[int], accuracies: Mapping[int, float], keep: Keep, claims: Claims = Claims()
) -> set[int]:
    """Steps whose policies must stand, given the newest committed step and the checkpoints that are kept.

    Rollouts of step n use policy n-1 and evaluations after it use policy n, so the newest two are in use. Replay starts
    from a checkpoint or from policy 0. The best evaluated policy stays whatever `keep.best` says: it is what a run is
    for.
    """
    best = best_steps(accuracies, max(keep.best, 1))
    return {0, max(newest - 1, 0), newest, *checkpoints, *best, *claims.policies, *claims.checkpoints}


def best_steps(accuracies: Mapping[int, float], count: int) -> list[int]:
    """The `count` most accurate steps, best first; of equal ones the later."""
    return sorted(accuracies, key=lambda step: (accuracies[step], step), reverse=True)[:count]
