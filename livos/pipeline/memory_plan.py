"""Finds settings with which a video can be segmented within a memory limit, by measuring.

The network is run on a few frames of the video's size with as many objects as were given, at growing sizes. A size is
accepted only after it ran within the limit; the next one is tried only if the growth so far predicts that it will fit.
All objects at once are tried first, then, if the engine supports it, one at a time, which gives the same masks more
slowly; only then is the size lowered. On a GPU the limit applies to the GPU's memory, otherwise to that of the process.
"""

from __future__ import annotations

import ctypes
import logging
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from livos.pipeline.frames import InputFrame
from livos.pipeline.segment import segment
from livos.segmenter.segmenter import VideoSegmenter
from livos.video.video_file import BACKWARD_BYTES, Frame

logger = logging.getLogger(__name__)

Segmenter = TypeVar("Segmenter")

BYTES_IN_FLIGHT = 250
"""Bytes reserved per pixel of a frame for decoded frames, queues and encoders. With 1080p and every kind of output,
`benchmarks/video_files.py --no-network` measured 216."""

BYTES_BESIDES = 64 * 2**20
"""Reserved for encoders, threads and what the allocator does not return, whatever the size of frames."""

SMALLEST_SIDE = 96
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


@dataclass(frozen=True)
class MemoryPlan:
    """Settings for VideoSegmenter, and the peak memory measured with them."""

    size: int
    chunk_size: int | None
    measured_bytes: int


def parse_bytes(text: str) -> int:
    """Bytes of `4GB`, `500 MB` or `2g`. Raises ValueError for anything else."""
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([kmg]?)(i?b)?\s*", text.lower())
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"{text!r}: expected an amount of memory, such as 4GB or 500MB")
    return int(float(match[1]) * _UNITS[match[2]])


class PeakMeter:
    """The peak memory since it was created or `reset`."""

    def __init__(self, device: torch.device):
        """Raises ValueError if memory cannot be measured."""
        self.device = device
        if device.type != "cuda" and sys.platform == "win32":
            raise ValueError("a memory limit needs a CUDA GPU on Windows, where a process's memory is not measured")
        self.reset()

    def reset(self) -> None:
        """Starts again, except where the system cannot reset the peak (macOS): there it stays that of the process."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        elif sys.platform == "linux":
            if hasattr(ctypes.CDLL(None), "malloc_trim"):  # glibc keeps what was freed, unless asked
                ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")

    def peak(self) -> int:
        """Bytes."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_reserved(self.device)
        if sys.platform == "linux":
            status = Path("/proc/self/status").read_text()
            return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def plan_memory(
    budget: int,
    wanted_size: int,
    make_segmenter: Callable[[int, int | None], Segmenter],
    measure: Callable[[Segmenter], int],
    chunk_sizes: Sequence[int | None] = (None, 1),
) -> MemoryPlan:
    """The largest size up to `wanted_size` with which `measure` stays within the budget in bytes, and how.

    make_segmenter: takes size and chunk_size. measure: peak bytes of a running segmenter, see `measure_peak`.
    chunk_sizes: those to try, the fastest first; None is all objects at once.
    Raises ValueError if the smallest size does not fit.
    """
    best: MemoryPlan | None = None
    smallest_peak = 0
    for chunk_size in chunk_sizes:
        measured: list[tuple[int, int]] = []  # (pixels, peak)
        for side in candidate_sides(wanted_size):
            if measured and _expected_peak(measured, side * side) > budget:
                break
            peak = measure(make_segmenter(side, chunk_size))
            measured.append((side * side, peak))
            if peak > budget:
                break
            if best is None or side > best.size:
                best = MemoryPlan(side, chunk_size, peak)
            if side == wanted_size:
                return best
        smallest_peak = min(smallest_peak or measured[0][1], measured[0][1])
    if best is None:
        left = max(0, budget) / 2**20
        raise ValueError(
            f"not possible within the memory limit: {left:.0f} MiB are left for the network, but it used "
            f"{smallest_peak / 2**20:.0f} MiB in total at the smallest size, {SMALLEST_SIDE}"
        )
    return best


def bytes_in_flight(device: torch.device, frame_size: tuple[int, int], backward: bool = False) -> int:
    """How much of the limited memory decoded frames, queues and encoders use."""
    if device.type == "cuda":
        return 0
    turned_round = BACKWARD_BYTES if backward else 0
    return BYTES_IN_FLIGHT * frame_size[0] * frame_size[1] + BYTES_BESIDES + turned_round


def candidate_sides(wanted_size: int) -> Iterator[int]:
    """Sizes to try, each with about twice as many pixels as the previous one, and the wanted one last."""
    side = float(SMALLEST_SIDE)
    while side < wanted_size / 1.2:
        yield round(side / 16) * 16
        side *= 2**0.5
    yield wanted_size


def _expected_peak(measured: Sequence[tuple[int, int]], pixels: int) -> float:
    """The peak at this number of pixels, extrapolated linearly."""
    if len(measured) < 2:
        return 0.0
    (pixels_before, peak_before), (pixels_now, peak_now) = measured[-2:]
    return peak_now + max(0, peak_now - peak_before) / (pixels_now - pixels_before) * (pixels - pixels_now)


def within_memory(
    segmenter: VideoSegmenter, limit: int, frame_size: tuple[int, int], num_objects: int, backward: bool = False
) -> VideoSegmenter:
    """A segmenter like this one that stays within the limit in bytes on a video of this frame size (H, W).

    Raises:
        ValueError: If that is not possible.
    """
    wanted = segmenter.size or min(frame_size)
    budget = limit - bytes_in_flight(segmenter.device, frame_size, backward)
    chunk_sizes = (None, 1) if segmenter.computes_chunks else (None,)
    plan = plan_memory(
        budget, wanted, segmenter.with_limits, lambda s: measure_peak(s, frame_size, num_objects), chunk_sizes
    )
    objects = "one object at a time" if plan.chunk_size == 1 else "all objects at once"
    logger.info("memory: size %d (requested: %d), %s", plan.size, wanted, objects)
    return segmenter.with_limits(plan.size, plan.chunk_size)


@contextmanager
def watched_memory(segmenter: VideoSegmenter, limit: int | None) -> Iterator[None]:
    """Logs how much memory was used, if there is a limit, with a warning if it was exceeded."""
    if limit is None:
        yield
        return
    meter = PeakMeter(segmenter.device)
    yield
    level = logging.WARNING if meter.peak() > limit else logging.INFO
    logger.log(level, "memory: the peak was %d MiB, the limit is %d", meter.peak() / 2**20, limit / 2**20)


def measure_peak(segmenter: VideoSegmenter, frame_size: tuple[int, int], num_objects: int, num_frames: int = 3) -> int:
    """Peak bytes while a segmenter works on noise of size (H, W) with `num_objects` stripes as objects."""
    height, width = frame_size
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    stripes = np.tile(np.arange(width) * num_objects // width + 1, (height, 1)).astype(np.int32)
    frames = [
        InputFrame(Frame(number, "", number, noise), stripes if number == 0 else None) for number in range(num_frames)
    ]
    meter = PeakMeter(segmenter.device)
    segmenter.reset()
    for _ in segment(frames, segmenter, frame_size):
        pass
    segmenter.reset()
    return meter.peak()
