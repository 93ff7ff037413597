"""Spread the rows of a kernel over threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Below this many rows another thread costs more than it saves.
_MIN_ROWS = 4


class RowThreads:
    """Runs row kernels (start, stop, *arguments) on a fixed number of threads. Kernels release the GIL."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(max(1, threads - 1), thread_name_prefix="rows")

    def run(self, kernel: Callable[..., Any], rows: int, *arguments: Any) -> None:
        """Compute rows 0..rows-1. The split changes no bit: a row does not see its span."""
        if rows < _MIN_ROWS or self._threads == 1:
            kernel(0, rows, *arguments)
            return
        bounds = [rows * i // self._threads for i in range(self._threads + 1)]
        others = [self._pool.submit(kernel, bounds[i], bounds[i + 1], *arguments) for i in range(1, self._threads)]
        kernel(bounds[0], bounds[1], *arguments)
        for other in others:
            other.result()

    def close(self) -> None:
        self._pool.shutdown()
