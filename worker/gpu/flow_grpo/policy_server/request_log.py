"""The log of accepted requests: what was asked for, whatever died since."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

FILE_BYTES = 64 * 2**20
"""A file that would grow beyond it is set aside as `<name>.1`, the one before as `<name>.2`, and so on."""

FILES_KEPT = 4
"""Files set aside that are kept: with the present one some million requests, the log of weeks."""


class RequestLog:
    """One JSON object a line. A line is whole or absent, and survives the process.

    Not thread-safe: one event loop appends.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._open()
        _cut_unfinished_line(self._file, self._size)
        self._size = os.fstat(self._file).st_size

    def append(
        self,
        model: str,
        policy_sha256: str,
        flow_id: str | None,
        turn: int | None,
        seed: int,
        prompt_tokens: int,
    ) -> None:
        """Write a request down. Raises OSError when the disk does not take all of it: then it is not served."""
        entry = {
            "time": datetime.now(UTC).isoformat(),
            "model": model,
            "policy_sha256": policy_sha256,
            "flow_id": flow_id,
            "turn": turn,
            "seed": str(seed),
            "prompt_tokens": prompt_tokens,
        }
        line = (json.dumps(entry) + "\n").encode()
        if self._size > 0 and self._size + len(line) > FILE_BYTES:
            self._set_aside()
        self._write(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        try:
            while rest:
                # A disk that fills up takes the beginning of a line, and refuses the rest at the next write.
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(line)

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._file).st_size

    def _set_aside(self) -> None:
        for number in range(FILES_KEPT - 1, 0, -1):
            with suppress(FileNotFoundError):
                os.replace(self._aside(number), self._aside(number + 1))
        os.replace(self._path, self._aside(1))
        os.close(self._file)
        self._open()

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _cut_unfinished_line(file: int, size: int) -> None:
    """Remove what a process that was killed in the middle of a line has left: that request was not served."""
    end = size
    while end > 0:
        start = max(0, end - 4096)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(file, end)
