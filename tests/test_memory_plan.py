"""Settings that stay within a memory limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from livos.pipeline.memory_plan import PeakMeter, candidate_sides, measure_peak, parse_bytes, plan_memory

MIB = 2**20


@dataclass(frozen=True)
class Settings:
    """Stands for a segmenter with these."""

    side: int
    chunk_size: int | None

    def peak(self) -> int:
        """100 MiB, and 400 or 3000 bytes a pixel."""
        return 100 * MIB + self.side**2 * (400 if self.chunk_size == 1 else 3000)


class Bench:
    """Measures such settings and remembers what was tried."""

    def __init__(self) -> None:
        self.tried: list[Settings] = []

    def __call__(self, settings: Settings) -> int:
        self.tried.append(settings)
        return settings.peak()


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(2000 * MIB, (480, None)), (300 * MIB, (480, 1)), (180 * MIB, (384, 1)), (130 * MIB, (272, 1))],
)
def test_objects_are_parted_before_the_size_is_lowered(limit, expected):
    bench = Bench()
    plan = plan_memory(limit, 480, Settings, bench)
    assert (plan.size, plan.chunk_size) == expected
    assert plan.measured_bytes == Settings(*expected).peak() <= limit


def test_nothing_much_above_the_limit_is_tried():
    bench = Bench()
    plan_memory(300 * MIB, 2160, Settings, bench)
    assert max(settings.peak() for settings in bench.tried) <= 300 * MIB


def test_what_cannot_fit_is_refused_with_numbers():
    with pytest.raises(ValueError, match=r"90 MiB are left for the network, but it used 104 MiB.* size, 96"):
        plan_memory(90 * MIB, 480, Settings, Bench())


def test_sizes_grow_to_the_wanted_one():
    sides = list(candidate_sides(480))
    assert sides[0] == 96 and sides[-1] == 480 and sides == sorted(sides) and all(side % 16 == 0 for side in sides)
    assert list(candidate_sides(90)) == [90]


@pytest.mark.parametrize(
    ("text", "expected"), [("4GB", 2**32), ("500 MB", 500 * MIB), ("1.5g", 3 * 2**29), ("7", 7), ("2GiB", 2**31)]
)
def test_amounts_of_memory_are_understood(text, expected):
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "lots", "-4GB", "0", "4TB"])
def test_other_amounts_are_refused(text):
    with pytest.raises(ValueError, match="expected an amount of memory"):
        parse_bytes(text)


class Hungry:
    """A segmenter that takes 64 MiB for a moment."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.given: list[np.ndarray | None] = []

    def reset(self) -> None:
        pass

    def step(self, image, labels=None, last=False, absent=()):
        self.given.append(labels)
        np.ones(64 * MIB, np.uint8)

        class Result:
            labels, object_ids, confidence = None, (), {}

        return Result()


def test_the_peak_of_a_moment_is_measured():
    before = PeakMeter(torch.device("cpu")).peak()
    segmenter = Hungry()
    after = measure_peak(segmenter, (32, 40), num_objects=3)
    assert after - before > 50 * MIB
    assert np.unique(segmenter.given[0]).tolist() == [1, 2, 3] and segmenter.given[1:] == [None, None]
