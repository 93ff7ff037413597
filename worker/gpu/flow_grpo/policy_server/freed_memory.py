"""Gives memory that Python has freed back to the system."""

import ctypes
import gc
import sys


def return_freed_memory() -> None:
    """Policies are merged in whichever thread asks first, and glibc keeps what each thread's arena has freed: after
    some policies that is many times their size. Elsewhere than on Linux with glibc there is nothing to do."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)
