"""The environment variables that a torch process of this package needs, set before torch is imported.

Bits must not depend on how a process was started. The matrix library's conditional-bitwise-reproducibility mode and
the number of threads are part of what is computed; passive waiting keeps two torch processes on the same cores from
spinning against each other.
"""

import os
from pathlib import Path

THREADS = "2"


def prepare_torch_environment() -> None:
    """Set what is unset. Call it before the first import of torch: the libraries read it once, when they load."""
    os.environ.setdefault("OMP_NUM_THREADS", THREADS)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("MKL_CBWR", "AVX512,STRICT" if _has_avx512() else "AVX2,STRICT")
    # Without a workspace of its own, cuBLAS may sum in another order each time; torch then refuses to compute.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Models come from the cache directory or an installed package, never from the network.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


def _has_avx512() -> bool:
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and " avx512f " in cpuinfo.read_text()
