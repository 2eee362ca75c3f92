"""The tracker's memory after some of the frames, so that it can continue from there or a little later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EVERY = 32
"""A pass saves a state at this interval in frames, so a correction recomputes at most this many before it."""

NEAR = 512
"""Within this many frames of the end of a pass, all states are kept; farther back, at most FAR of them."""

FAR = 64

_NAME = re.compile(r"(forward|backward)-([0-9]{6,})-([0-9]{6,})\.pt")


@dataclass(frozen=True, order=True)
class StateFile:
    """A saved state: the memory after frame `number` of a tracker that started at frame `start`."""

    direction: str  # forward, backward
    start: int
    number: int

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"{self.direction}-{self.start:06d}-{self.number:06d}.pt"

    def has_seen(self, number: int) -> bool:
        """Whether the tracker had processed a frame."""
        return min(self.start, self.number) <= number <= max(self.start, self.number)


def state_files(folder: Path) -> Iterator[StateFile]:
    """The saved states in a folder, in order."""
    for path in sorted(folder.glob("*.pt")):
        match = _NAME.fullmatch(path.name)
        if match:
            yield StateFile(match[1], int(match[2]), int(match[3]))


def superfluous(numbers: list[int], newest: int) -> list[int]:
    """Which states of a pass, by frame, can be removed so that their number stays limited.

    Those within NEAR frames of the newest stay. Of the others, those at multiples of EVERY times a power of two stay,
    the smallest that leaves at most FAR.
    """
    far = [number for number in numbers if abs(newest - number) > NEAR]
    spacing = EVERY
    kept = far
    while len(kept) > FAR:
        spacing *= 2
        kept = [number for number in kept if number % spacing == 0]
    return sorted(set(far) - set(kept))
