"""Measures the network's time and memory: the numbers that the published code reports, and end to end."""

import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch


@dataclass
class StepTimer:
    """Adds up the time of network steps without waiting for the GPU."""

    device: torch.device
    steps: int = 0
    _seconds: float = 0.0
    _events: deque = field(default_factory=deque)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Measures the time of the block."""
        if self.device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            yield
            end.record()
            self._events.append((start, end))
            self._add_finished()
        else:
            begun = time.perf_counter()
            yield
            self._synchronize()
            self._seconds += time.perf_counter() - begun
        self.steps += 1

    def seconds(self) -> float:
        """Time of all steps so far. Waits for the device."""
        self._synchronize()
        self._seconds += sum(start.elapsed_time(end) for start, end in self._events) / 1000
        self._events.clear()
        return self._seconds

    def _add_finished(self) -> None:
        """Adds the times of steps that the GPU has finished, without waiting for it, so that events do not pile up."""
        while self._events and self._events[0][1].query():
            start, end = self._events.popleft()
            self._seconds += start.elapsed_time(end) / 1000

    def _synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()


def peak_memory(device: torch.device) -> int | None:
    """Peak bytes so far: of the GPU's memory on CUDA, otherwise of this process. None if it cannot be measured."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux kilobytes
