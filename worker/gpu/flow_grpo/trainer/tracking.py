"""Reports the metrics of committed steps to trackers. It never fails a step and never holds one up.

Each tracker has a thread of its own. A step is reported at most once: by the process that committed it. What a tracker
misses while it is out of order, or when the process dies, stays in the database alone.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Full, Queue
from threading import Thread
from time import monotonic

from accelerate import PartialState
from accelerate.tracking import GeneralTracker

from flow_grpo.trainer.redaction import redact, secrets_in
from flow_grpo.trainer.trackers import KINDS, Kind

# Steps that wait for a tracker at most; later ones are not reported.
WAITING = 1_000
CLOSE_S = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepReport:
    """A committed step."""

    run_id: str
    step: int
    metrics: Mapping[str, float]


class Tracking:
    """The trackers of a process."""

    def __init__(self, names: Sequence[str], directory: Path | None) -> None:
        """`names`: of `KINDS`. `directory`: where trackers keep files; needed when there is a name."""
        self._reporters: list[_Reporter] = []
        if names and directory is not None:
            # accelerate's trackers ask it which process may report.
            PartialState(cpu=True)
            self._reporters = [_Reporter(name, KINDS[name], directory) for name in names]

    def report(self, run_id: str, step: int, metrics: Mapping[str, float]) -> None:
        """Have a committed step reported. Returns at once, and raises nothing."""
        for reporter in self._reporters:
            reporter.put(StepReport(run_id, step, metrics))

    def close(self) -> None:
        """Report what is left and finish the trackers, as far as CLOSE_S seconds allow."""
        for reporter in self._reporters:
            reporter.put(None)
        until = monotonic() + CLOSE_S
        for reporter in self._reporters:
            reporter.join(max(0.0, until - monotonic()))


class _Reporter(Thread):
    """Reports to one tracker, in order."""

    def __init__(self, name: str, kind: Kind, directory: Path) -> None:
        super().__init__(name=f"tracker {name}", daemon=True)
        self._tracker, self._kind, self._directory = name, kind, directory
        self._reports: Queue[StepReport | None] = Queue(WAITING)
        self._open: dict[str, GeneralTracker] = {}
        self._works = True
        self.start()

    def put(self, report: StepReport | None) -> None:
        """None ends the thread."""
        with suppress(Full):
            self._reports.put_nowait(report)

    def run(self) -> None:
        """The thread."""
        while (report := self._reports.get()) is not None:
            try:
                self._of(report.run_id).log(dict(report.metrics), step=report.step)
                self._works = True
            except Exception as error:
                self._finish(report.run_id)
                self._complain(report, error)
        for run_id in list(self._open):
            self._finish(run_id)

    def _of(self, run_id: str) -> GeneralTracker:
        """The run's tracker, the latest used: opened, or still open."""
        tracker = self._open.pop(run_id, None)
        if tracker is None:
            while len(self._open) >= self._kind.at_once:
                self._finish(next(iter(self._open)))
            self._directory.mkdir(parents=True, exist_ok=True)
            tracker = self._kind.open(run_id, self._directory)
            tracker.start()
        self._open[run_id] = tracker
        return tracker

    def _finish(self, run_id: str) -> None:
        tracker = self._open.pop(run_id, None)
        if tracker is not None:
            # It is given up: whatever is wrong with it was or will be said when a report fails.
            with suppress(Exception):
                tracker.finish()

    def _complain(self, report: StepReport, error: Exception) -> None:
        """Once, until it works again."""
        if self._works:
            what = redact(f"{type(error).__name__}: {error}", secrets_in(os.environ))
            log.warning("%s did not take step %d of %s (%s)", self._tracker, report.step, report.run_id, what)
        self._works = False
