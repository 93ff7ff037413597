"""Who has done a command, and whether it is of use to wait for those who have not."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from flow_grpo.failures import Failure
from flow_grpo.trainer.memory import is_out_of_memory
from flow_grpo.trainer.ranks.messages import Broken, Done, Ready, Report

# Time for the others to meet the failure that rank 0 met, or for its reason to become known.
AFTERMATH_S = 20.0


class RankLost(Exception):
    """A rank ended, failed or hangs. Retried: the next attempt starts new ones."""


class RankOutOfMemory(RankLost):
    """Memory ran out on a rank."""


@dataclass(frozen=True)
class Told:
    """A follower told something."""

    rank: int
    report: Report


@dataclass(frozen=True)
class Ended:
    """A follower is gone."""

    rank: int


@dataclass(frozen=True)
class Progressed:
    """Rank 0 has computed something."""

    phase: str
    done: int
    total: int


@dataclass(frozen=True)
class Finished:
    """Rank 0's own part has ended."""

    error: BaseException | None


Event = Told | Ended | Progressed | Finished


class Attendance:
    """Of one command."""

    def __init__(self, ranks: Iterable[int], silence_s: float) -> None:
        """`ranks`: those that take part. When none has advanced for `silence_s`, one of them hangs."""
        self.waiting = set(ranks)
        """Ranks that have not done it yet."""
        self._silence_s = silence_s
        self._heard = time.monotonic()
        self._error: BaseException | None = None
        self._refusals: dict[int, str] = {}

    def note(self, event: Event) -> None:
        """Take an event in. Raises RankLost or RankOutOfMemory when a rank can not be waited for any more."""
        self._heard = time.monotonic()
        if isinstance(event, Finished):
            self._note_own_end(event.error)
        elif isinstance(event, Ended):
            self._lose(RankLost(f"rank {event.rank} ended while it was needed"))
        elif isinstance(event, Told):
            self._note_report(event.rank, event.report)

    def check(self) -> None:
        """Raise what rank 0 raised when nobody else will explain it, and RankLost when nobody advances any more."""
        silence = time.monotonic() - self._heard
        if self._error is not None and silence > AFTERMATH_S:
            raise self._error
        if silence > self._silence_s:
            waiting = ", ".join(map(str, sorted(self.waiting)))
            raise RankLost(f"no rank has advanced for {silence:.0f} s; not done yet: rank {waiting}")

    def conclude(self) -> None:
        """Call it when nobody is waited for. Raises what rank 0 raised, and RankLost where another refused alone."""
        if self._error is not None:
            raise self._error
        if self._refusals:
            raise RankLost(f"refused by some ranks only: {self._refusals}")

    def _note_own_end(self, error: BaseException | None) -> None:
        self.waiting.discard(0)
        self._error = error
        if error is not None and is_out_of_memory(error):
            raise RankOutOfMemory(f"rank 0: {error}") from error

    def _note_report(self, rank: int, report: Report) -> None:
        if isinstance(report, Broken):
            kind = RankOutOfMemory if report.out_of_memory else RankLost
            self._lose(kind(f"rank {rank}: {report.message}"))
        elif isinstance(report, Done | Ready):
            self.waiting.discard(rank)
            if isinstance(report, Done) and report.failure is not None:
                self._refusals[rank] = report.failure

    def _lose(self, reason: RankLost) -> None:
        # A failure of the closed list is the reason, not a consequence.
        raise self._error if isinstance(self._error, Failure) else reason
