"""The append-only log of accepted requests: what was ever asked for, whatever died since."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path


class RequestLog:
    """One JSON object a line. A line is one write to a file opened for appending, so it is whole or absent, and
    survives the process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def append(
        self,
        model: str,
        policy_sha256: str,
        flow_id: str | None,
        turn: int | None,
        seed: int,
        prompt_tokens: int,
    ) -> None:
        """Write a request down. Raises OSError when the disk does not take it: then it is not served."""
        entry = {
            "time": datetime.now(UTC).isoformat(),
            "model": model,
            "policy_sha256": policy_sha256,
            "flow_id": flow_id,
            "turn": turn,
            "seed": str(seed),
            "prompt_tokens": prompt_tokens,
        }
        os.write(self._file, (json.dumps(entry) + "\n").encode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
