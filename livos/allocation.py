"""How this process gets memory from the system. Programs choose it, never an import."""

import ctypes
import platform

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_KEPT = 1 << 30  # bytes that may stay with the process after they were freed
_MAPPED_ALONE = (
    256 << 20,
    32 << 20,
)  # bytes from which a block is mapped by itself; older versions take 32 MiB at most


def reuse_freed_memory() -> None:
    """Have glibc keep the memory of large arrays that are freed, for the next frame's. Does nothing elsewhere.

    By default glibc gives them back to the system, which then maps others for each frame, page by page: a sixth of the
    time that `lite` takes on a CPU (benchmarks/inference.py --memory system reused).
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_TRIM_THRESHOLD, _KEPT)
    any(mallopt(_M_MMAP_THRESHOLD, size) for size in _MAPPED_ALONE)  # until one is accepted
