"""Time by two clocks."""

import time
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Seconds:
    """How long something took."""

    wall: float
    processor: float
    """What this process had of the cores, divided by its threads: what the wall clock would show if nobody else were
    there and all threads were busy. On a machine that is shared it varies less."""


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        _finish()
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> Seconds:
        """Time since then."""
        _finish()
        processor = (time.process_time() - self._processor) / torch.get_num_threads()
        return Seconds(time.perf_counter() - self._wall, processor)


def _finish() -> None:
    """Wait until a GPU has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
