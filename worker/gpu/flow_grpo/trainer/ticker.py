"""The heartbeat of a trainer's activity: one thread that beats for it as long as its work advances.

Work says when it has advanced, and need not do so often: reading, writing and digesting tens of gigabytes are silent
for minutes. Whatever is silent for longer than anything may be, hangs.
"""

import contextvars
import faulthandler
import logging
import os
import time
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType

from temporalio import activity
from temporalio.exceptions import CancelledError

from flow_grpo.trainer.tries import beat

BEAT_S = 1.0
# The longest silence of work that goes on: one file of 56 GB, the moments of a model of 7B, at 50 MB/s.
STALL_S = 1200.0

log = logging.getLogger(__name__)

Stalled = Callable[[str, float], None]
"""Takes the phase in which nothing advances any more, and for how many seconds it has not."""


def end_process(phase: str, silence_s: float) -> None:
    """Nothing can be computed beside a thread that hangs, and nothing ends it: whoever restarts the process goes on."""
    log.critical(
        "nothing has advanced for %.0f s in phase %r: this process ends. Where its threads are:", silence_s, phase
    )
    faulthandler.dump_traceback(all_threads=True)
    os._exit(1)


class Ticker:
    """Within the block the current activity heartbeats. The ticker is the work's progress: call it, see step.Progress.

    A cancellation that Temporal tells arrives at the next call, as CancelledError. After `stall_s` without a call there
    are no heartbeats any more, and `stalled` is called.
    """

    def __init__(self, stall_s: float = STALL_S, stalled: Stalled = end_process) -> None:
        self._stall_s = stall_s
        self._stalled = stalled
        self._latest = ("begin", 0, 1)
        self._advanced = time.monotonic()
        self._over = Event()
        self._cancelled: CancelledError | None = None
        # The thread belongs to this activity too.
        context = contextvars.copy_context()
        self._thread = Thread(target=lambda: context.run(self._tick), name="heartbeat", daemon=True)

    def __enter__(self) -> "Ticker":
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def __call__(self, phase: str, done: int, total: int) -> None:
        """The work has advanced. Raises CancelledError once the activity is cancelled."""
        begun = phase != self._latest[0]
        self._latest, self._advanced = (phase, done, total), time.monotonic()
        if self._cancelled is not None:
            raise self._cancelled
        if activity.is_cancelled():
            raise CancelledError("cancelled")
        if begun:
            self._beat()

    def _tick(self) -> None:
        while not self._over.wait(BEAT_S):
            silence = time.monotonic() - self._advanced
            if silence > self._stall_s:
                self._stalled(self._latest[0], silence)
                return
            try:
                self._beat()
            except CancelledError as error:
                self._cancelled = error
            except Exception as error:
                # The next one may get through; without any, Temporal gives the activity to another attempt.
                log.warning("a heartbeat could not be sent: %s", error)

    def _beat(self) -> None:
        phase, done, total = self._latest
        beat(phase, done, total)
