"""Garbage collection of a run's checkpoints and policies, after a commit.

What is removed is first taken away from its name, all at once by a rename, then deleted: a reader finds it whole or not
at all, and a worker that dies anywhere leaves nothing that the next collection does not finish. Rows of checkpoints are
marked before, so none names what is gone; rows of policies stay, they are the log of commits.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flow_grpo.policy import parse_policy_name
from flow_grpo.trainer.checkpoints import RunArtifacts
from flow_grpo.trainer.contract import Keep
from flow_grpo.trainer.records import Records
from flow_grpo.trainer.retention import Claims, kept_checkpoints, needed_policies

Progress = Callable[[str, int, int], None]


class Collector:
    """Removes of one run what no rollout, replay, fork, question or evaluation needs, nor the policy of retention."""

    def __init__(self, artifacts: RunArtifacts, records: Records) -> None:
        self._artifacts = artifacts
        self._records = records

    def collect(self, keep: Keep, progress: Progress) -> None:
        """Remove what is superfluous; `progress` is called between any two changes and may raise."""
        # A fork or a question that is submitted meanwhile waits for the end of the block, and then finds what stands.
        with self._records.no_new_claims():
            self._discard(keep, progress)
        progress("collect", 1, 2)
        self._artifacts.delete_discarded()

    def needs(self, step: int, keep: Keep) -> "Needs":
        """What is needed of a committed step."""
        facts, standing = read_facts(self._records, self._artifacts.run_id), self._artifacts.checkpoint_steps()
        return Needs(
            policy=step in facts.needed(facts.kept(standing, keep), keep),
            checkpoint=step in facts.kept({*standing, step}, keep),
        )

    def _discard(self, keep: Keep, progress: Progress) -> None:
        artifacts, facts = self._artifacts, read_facts(self._records, self._artifacts.run_id)
        standing = artifacts.checkpoint_steps()
        kept = facts.kept(standing, keep)
        superseded = [step for step in standing if step not in kept]
        if superseded:
            self._records.mark_checkpoints_removed(artifacts.run_id, superseded)
        needed = facts.needed(kept, keep)
        # Policies after the newest committed one are being written.
        unneeded = [step for step in artifacts.policy_steps() if step < facts.newest and step not in needed]
        doomed = [artifacts.checkpoint(step) for step in superseded] + [artifacts.policy(step) for step in unneeded]
        for directory in doomed:
            progress("collect", 0, 2)
            artifacts.discard(directory)


@dataclass(frozen=True)
class Needs:
    """What is needed of a step; what is not may have been collected."""

    policy: bool
    checkpoint: bool
    """Whether one would stay if it stood."""


@dataclass(frozen=True)
class Facts:
    """What the database says about a run."""

    newest: int
    """The last committed step."""
    accuracies: Mapping[int, float]
    """Of the evaluated steps."""
    claims: Claims

    def kept(self, standing: Collection[int], keep: Keep) -> set[int]:
        """Those of the standing checkpoints that stay."""
        return kept_checkpoints(standing, self.accuracies, keep, self.claims)

    def needed(self, kept: Collection[int], keep: Keep) -> set[int]:
        """Policies that must stand beside the kept checkpoints."""
        return needed_policies(self.newest, kept, self.accuracies, keep, self.claims)


def read_facts(records: Records, run_id: str) -> Facts:
    """What the database says now."""
    claims = claims_on(run_id, records.unfinished_configurations(), records.policies_asked())
    return Facts(records.newest_step(run_id) or 0, records.accuracies(run_id), claims)


def claims_on(run_id: str, configurations: Iterable[Mapping[str, Any]], asked: Iterable[str]) -> Claims:
    """What others need of the run: references of KL terms, where forks start, and the policies that are `asked`.

    `configurations` are those of unfinished training runs.
    """
    policies = {step for name in asked for step in _steps_of(run_id, name)}
    checkpoints: set[int] = set()
    for configuration in configurations:
        reference = configuration.get("training", {}).get("kl", {}).get("reference", "base")
        policies |= _steps_of(run_id, reference)
        start = configuration.get("from") or {}
        begun = _steps_of(run_id, start.get("policy", ""))
        policies |= begun
        if start.get("optimizer"):
            checkpoints |= begun
    return Claims(frozenset(policies), frozenset(checkpoints))


def _steps_of(run_id: str, policy: str) -> set[int]:
    name = parse_policy_name(policy)
    return {name.step} if name and name.run == run_id else set()
