"""The living ranks: the followers' processes, and rank 0's computation in a thread of its own.

Whoever asks for work keeps the time meanwhile: it passes progress on, of whichever rank, as the activity's, and
notices when a follower ends or nobody advances any more. Then the followers are killed, and what rank 0 still computes
with them fails instead of waiting for ever.
"""

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import torch

from flow_grpo.failures import Failure
from flow_grpo.trainer.base_models import BaseModels
from flow_grpo.trainer.rank import Rank
from flow_grpo.trainer.ranks.attendance import Attendance, Event, Finished, Progressed
from flow_grpo.trainer.ranks.messages import Command, Join
from flow_grpo.trainer.ranks.process import FollowerProcess
from flow_grpo.trainer.ranks.process_group import abort_group, join_group, leave_group, open_store
from flow_grpo.trainer.step import Progress

WAKE_S = 1.0
# A process that starts says nothing until its libraries are loaded.
START_S = 600.0
# Time for rank 0 to meet the absence of its followers: up to the end of what it computes alone.
RELEASE_S = 120.0

log = logging.getLogger(__name__)

T = TypeVar("T")


class Crew:
    """All ranks of a machine, from their start to their end."""

    def __init__(self, models: BaseModels, planners: int, count: int, silence_s: float) -> None:
        """Start the followers. `planners`: how many each rank holds. `silence_s`: see Attendance."""
        self._models = models
        self._planners = planners
        self._silence_s = silence_s
        self._events = SimpleQueue[Event]()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rank-0")
        self._work: Future[Any] | None = None
        self._rank: Rank | None = None
        self._idle = False
        self._followers = [FollowerProcess(rank, self._events) for rank in range(1, count)]

    @property
    def usable(self) -> bool:
        """Whether every rank lives and waits for a command."""
        return self._idle and all(follower.alive for follower in self._followers)

    @property
    def pids(self) -> list[int]:
        """The followers' process ids."""
        return [follower.pid for follower in self._followers]

    def join(self, progress: Progress) -> None:
        """Bring the ranks together, once. Raises as `together` does."""
        self._attend(None, progress, START_S)
        store, count, threads = open_store(), len(self._followers) + 1, torch.get_num_threads()
        for follower in self._followers:
            follower.send(Join(follower.rank, count, store.port, threads, self._models, self._planners))

        def work() -> None:
            self._rank = Rank(self._models, self._planners, join_group(store, 0, count))

        self._attend(self._begin(work), progress, START_S)

    def together(self, command: Command, work: Callable[[Rank, Progress], T], progress: Progress) -> T:
        """Have every rank do its part: rank 0 `work`, the others `command`.

        Raises RankLost when a rank is gone, fails or hangs, RankOutOfMemory, and what `work` or `progress` raises.
        """
        rank = self._rank
        assert rank is not None
        for follower in self._followers:
            follower.send(command)
        mine = self._begin(lambda: work(rank, self._progressed))
        self._attend(mine, progress, self._silence_s)
        return mine.result()

    def stop(self) -> None:
        """End the followers, and with them what rank 0 computes."""
        self._idle = False
        for follower in self._followers:
            follower.kill()
        abort_group()
        if self._work is not None and wait_for([self._work], RELEASE_S).not_done:
            # No signal reaches that thread, and nothing can be computed beside it.
            log.critical("what rank 0 computed with ranks that are gone does not end: this process ends instead")
            os._exit(1)
        self._rank = None
        self._thread.shutdown()
        leave_group()

    def _begin(self, work: Callable[[], T]) -> Future[T]:
        self._work = begun = self._thread.submit(work)
        begun.add_done_callback(lambda ended: self._events.put(Finished(ended.exception())))
        return begun

    def _progressed(self, phase: str, done: int, total: int) -> None:
        self._events.put(Progressed(phase, done, total))

    def _attend(self, mine: Future[Any] | None, progress: Progress, silence_s: float) -> None:
        """Wait until every follower has answered and rank 0's work, where there is any, has ended."""
        self._idle = False
        latest = Progressed("waiting for the other ranks", 0, 1)
        attendance = Attendance(range(0 if mine else 1, len(self._followers) + 1), silence_s)
        while attendance.waiting:
            try:
                event = self._events.get(timeout=WAKE_S)
            except Empty:
                attendance.check()
                continue
            attendance.note(event)
            latest = event if isinstance(event, Progressed) else latest
            progress(latest.phase, latest.done, latest.total)
        try:
            attendance.conclude()
        except Failure:
            # All ranks met it, and all of them are ready for the next command.
            self._idle = True
            raise
        self._idle = True
