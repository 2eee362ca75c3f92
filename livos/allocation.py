"""How this process gets memory from the system. Programs choose it, never an import."""

import ctypes
import platform

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_KEPT = 1 << 30  # bytes that may stay with the process after they were freed
# Bytes from which an array is mapped by itself and given back when freed. Some versions take no more than 32 MiB.
_MAPPED_ALONE = (256 << 20, 32 << 20)


def reuse_freed_memory() -> None:
    """Have glibc keep the memory of arrays that are freed, up to 1 GiB, for the next frame's. Does nothing elsewhere.

    By default glibc gives large arrays back to the system, which then maps others for each frame, page by page: a sixth
    of the time that `lite` takes on a CPU (benchmarks/inference.py --memory system reused).
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_TRIM_THRESHOLD, _KEPT)
    any(mallopt(_M_MMAP_THRESHOLD, size) for size in _MAPPED_ALONE)  # until one is accepted
