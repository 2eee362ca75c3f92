"""Freed memory is used again."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from livos.allocation import reuse_freed_memory
if sys.argv[1] == "reused":
    reuse_freed_memory()
def new_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(40 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print([new_pages() for _ in range(5)][-1])
"""


def new_pages(memory: str) -> int:
    """Pages that the system gives a process for an array like those that it has just freed."""
    run = subprocess.run([sys.executable, "-c", PROGRAM, memory], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return int(run.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries are left as they are")
def test_arrays_take_the_memory_of_those_that_were_freed():
    assert new_pages("reused") < 100


def test_other_systems_are_left_alone(monkeypatch):
    from livos import allocation

    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda name: pytest.fail("asked the C library"))
    allocation.reuse_freed_memory()
