"""Heartbeats of work that has no place for them: reading or writing tens of gigabytes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

BEAT_S = 1.0

T = TypeVar("T")


def while_beating(work: Callable[[], T], beat: Callable[[], None]) -> T:
    """Do the work in a thread, call `beat` about every second, and return what the work returns or raises.

    When `beat` raises, that is raised once the work is done: nothing goes on behind the caller's back.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="beating") as pool:
        working = pool.submit(work)
        while not wait([working], timeout=BEAT_S).done:
            beat()
        return working.result()
