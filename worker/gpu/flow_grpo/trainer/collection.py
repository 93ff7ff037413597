"""Garbage collection of a run's checkpoints and policies, after a commit.

Whoever needs a policy writes a row that says so, a claim, then looks whether the policy stands, and commits (for
example api/submissions/known-policies.ts). No lock is held while files are touched. Instead

1. what seems superfluous is withdrawn: taken away from its name, by a rename, so that whoever looks later is refused;
2. who has looked before is waited for, and the claims are read again;
3. what they name is given back, by a rename, and the rest deleted.

A worker that dies anywhere leaves nothing that the next collection does not finish, or give back. Rows of checkpoints
are marked before, so none names what is gone; rows of policies stay, they are the log of commits.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from flow_grpo.policy import parse_policy_name
from flow_grpo.trainer.checkpoints import RunArtifacts
from flow_grpo.trainer.contract import Keep
from flow_grpo.trainer.records import Records
from flow_grpo.trainer.retention import Claims, kept_checkpoints, needed_policies

Progress = Callable[[str, int, int], None]

log = logging.getLogger(__name__)


class Collector:
    """Removes of one run what no rollout, replay, fork, question or evaluation needs, nor the policy of retention."""

    def __init__(self, artifacts: RunArtifacts, records: Records) -> None:
        self._artifacts = artifacts
        self._records = records

    def collect(self, keep: Keep, progress: Progress) -> None:
        """Remove what is superfluous; `progress` is called between any two changes and may raise."""
        self._withdraw(keep, progress)
        self.finish(keep, progress)
        progress("collect", 2, 3)
        self._artifacts.delete_discarded()

    def finish(self, keep: Keep, progress: Progress) -> None:
        """Decide about what was withdrawn, also by a collection that died."""
        withdrawn = self._artifacts.withdrawn()
        if not withdrawn:
            return
        progress("collect", 1, 3)
        try:
            self._records.await_claimants()
            superfluous = self._superfluous({*withdrawn.values()}, keep)
        except psycopg.errors.LockNotAvailable:
            log.warning("%s: a transaction that may need a policy lasts: collected at another step", self._run_id)
            superfluous = []
        for path, directory in withdrawn.items():
            progress("collect", 1, 3)
            if directory in superfluous:
                self._artifacts.discard(path)
            else:
                self._give_back(path, directory)

    def needs(self, step: int, keep: Keep) -> "Needs":
        """What is needed of a committed step."""
        facts, standing = read_facts(self._records, self._artifacts.run_id), self._artifacts.checkpoint_steps()
        return Needs(
            policy=step in facts.needed(facts.kept(standing, keep), keep),
            checkpoint=step in facts.kept({*standing, step}, keep),
        )

    def _withdraw(self, keep: Keep, progress: Progress) -> None:
        artifacts = self._artifacts
        standing = {artifacts.checkpoint(step) for step in artifacts.checkpoint_steps()}
        policies = {artifacts.policy(step) for step in artifacts.policy_steps()}
        superfluous = self._superfluous(standing | policies, keep)
        checkpoints = {int(path.name) for path in standing}
        removed = {int(path.name) for path in standing.intersection(superfluous)}
        if removed:
            self._records.mark_checkpoints_removed(self._run_id, sorted(removed))
        # One that died after it had marked them may have meant others, which are claimed by now.
        self._records.mark_checkpoints_standing(self._run_id, sorted(checkpoints - removed))
        for directory in superfluous:
            progress("collect", 0, 3)
            artifacts.withdraw(directory)

    def _superfluous(self, directories: Collection[Path], keep: Keep) -> list[Path]:
        """Those of some policies and checkpoints that nothing needs as the rows are now, checkpoints first."""
        artifacts, facts = self._artifacts, read_facts(self._records, self._run_id)
        checkpoints, policies = artifacts.checkpoint(0).parent, artifacts.policy(0).parent
        mine = {int(path.name) for path in directories if path.parent == checkpoints}
        standing = mine | set(artifacts.checkpoint_steps())
        kept = facts.kept(standing, keep)
        needed = facts.needed(kept, keep)
        superseded = [artifacts.checkpoint(step) for step in sorted(mine - kept)]
        # Policies after the newest committed one are being written.
        steps = sorted(int(path.name) for path in directories if path.parent == policies)
        unneeded = [artifacts.policy(step) for step in steps if step < facts.newest and step not in needed]
        return superseded + unneeded

    def _give_back(self, path: Path, directory: Path) -> None:
        self._artifacts.give_back(path, directory)
        if directory.parent == self._artifacts.checkpoint(0).parent:
            self._records.mark_checkpoints_standing(self._run_id, [int(directory.name)])

    @property
    def _run_id(self) -> str:
        return self._artifacts.run_id


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
    claims = claims_on(run_id, records.unfinished_configurations(), records.claimed_policies())
    return Facts(records.newest_step(run_id) or 0, records.accuracies(run_id), claims)


def claims_on(run_id: str, configurations: Iterable[Mapping[str, Any]], named: Iterable[str]) -> Claims:
    """What others need of the run: references of KL terms, where forks start, and the policies that are `named`.

    `configurations` are those of unfinished training runs.
    """
    policies = {step for name in named for step in _steps_of(run_id, name)}
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
