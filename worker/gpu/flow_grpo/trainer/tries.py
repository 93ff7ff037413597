"""What the attempts of a call came to so far. It travels from one attempt to the next in the heartbeat's details.

Temporal's own count would not do: it also counts attempts that failed for an outage. The TypeScript worker has the same
in worker/agent/tries.ts.
"""

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from temporalio import activity

# Attempts that fail by themselves: a few, over a minute and a half, for what only looks like a defect.
DEFECTS = 5
# Attempts in a row that are lost with their worker. Only an attempt that a worker has begun can be lost: while no
# worker or no server is there none begins, so that no outage, however long, makes more than one of them.
LOST = 20
_FIRST_DELAY_S = 1.0
_BACKOFF = 4


@dataclass(frozen=True)
class Tries:
    """Of the attempts before this one."""

    defects: int
    """Those that failed by themselves, and not for an outage."""

    ended: int
    """The last that came to an end of its own; those after it were lost with their worker."""

    def lost(self, attempt: int) -> int:
        """How many were lost in a row before this attempt."""
        return attempt - 1 - self.ended

    def after_outage(self, attempt: int) -> "Tries":
        """This attempt ended for an outage."""
        return replace(self, ended=attempt)

    def after_defect(self, attempt: int) -> "Tries":
        """This attempt failed by itself."""
        return Tries(self.defects + 1, attempt)

    def details(self) -> dict[str, int]:
        """As heartbeat details."""
        return asdict(self)


def tries_before(info: activity.Info) -> Tries:
    """What is known of the attempts before this one. If none left anything, none is held to be lost."""
    left: Any = info.heartbeat_details[0] if info.heartbeat_details else {}
    known = left if isinstance(left, dict) else {}
    return Tries(_count(known.get("defects"), 0), _count(known.get("ended"), info.attempt - 1))


def beat(phase: str, done: int, total: int) -> None:
    """Heartbeat with progress, and with what is carried from one attempt to the next."""
    progress = {"phase": phase, "done": done, "total": total}
    activity.heartbeat({**progress, **tries_before(activity.info()).details()})


def delay_after(defects: int) -> timedelta:
    """How long to wait after so many defects."""
    return timedelta(seconds=_FIRST_DELAY_S * _BACKOFF ** (defects - 1))


def _count(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default
