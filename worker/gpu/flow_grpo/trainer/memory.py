"""How much memory a step needed, and what running out of it looks like."""

import re
from pathlib import Path

import torch

CLEAR_REFS = Path("/proc/self/clear_refs")
STATUS = Path("/proc/self/status")


class PeakMemory:
    """Peak memory since it was made: of the accelerator where there is one, else of this process (Linux)."""

    def __init__(self) -> None:
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        elif CLEAR_REFS.exists():
            # "5" sets the high-water mark of the resident size back to the present size.
            CLEAR_REFS.write_text("5")

    def read(self) -> int:
        """The peak, in bytes; 0 where the system does not tell."""
        if torch.cuda.is_available():
            return torch.cuda.max_memory_allocated()
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()) if STATUS.exists() else None
        return int(found.group(1)) * 1024 if found else 0


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed: PyTorch has a type for it on accelerators, and only a message on CPUs."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
