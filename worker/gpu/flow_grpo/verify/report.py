"""What a verification found."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """Something that is not as its manifest or row says."""

    run: str
    artifact: str
    """What it is about, as in `checkpoints/000003`."""
    problem: str

    def __str__(self) -> str:
        return f"{self.run} {self.artifact}: {self.problem}"


@dataclass(frozen=True)
class Report:
    """What was looked at, and what is wrong. Policies that were collected are not counted."""

    runs: int = 0
    policies: int = 0
    checkpoints: int = 0
    batches: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def summary(self) -> str:
        """One line."""
        seen = (
            f"{self.policies} policies, {self.checkpoints} checkpoints and {self.batches} batches of {self.runs} runs"
        )
        return f"{seen}: {len(self.problems) or 'no'} problem{'' if len(self.problems) == 1 else 's'}"

    def as_json(self) -> str:
        """The same as a JSON object."""
        return json.dumps(asdict(self), indent=1)


def total(reports: Iterable[Report]) -> Report:
    """The sum of reports."""
    every = list(reports)
    return Report(
        runs=sum(report.runs for report in every),
        policies=sum(report.policies for report in every),
        checkpoints=sum(report.checkpoints for report in every),
        batches=sum(report.batches for report in every),
        problems=tuple(problem for report in every for problem in report.problems),
    )
