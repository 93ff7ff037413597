"""The heartbeat of a trainer's activity: its progress for Temporal, and Temporal's cancellation for it."""

from temporalio import activity
from temporalio.exceptions import CancelledError


def heartbeat(phase: str, done: int, total: int) -> None:
    """The progress as heartbeat details; Temporal's client throttles them. Raises CancelledError once cancelled."""
    if activity.is_cancelled():
        raise CancelledError("cancelled")
    activity.heartbeat({"phase": phase, "done": done, "total": total})
