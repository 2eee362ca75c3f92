"""What the tracker remembered after some of the frames, so that it can go on from there, or from a little later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EVERY = 32
"""A state is kept after each so many frames of a pass, so a correction recomputes at most so many before it."""

NEAR = 512
"""So many frames back from the end of a pass, all of those are kept; farther back, at most FAR of them."""

FAR = 64

_NAME = re.compile(r"(forward|backward)-([0-9]{6,})-([0-9]{6,})\.pt")


@dataclass(frozen=True, order=True)
class StateFile:
    """A file of a state: what is remembered after `number` by a tracker whose memory began at `start`."""

    direction: str  # forward, backward
    start: int
    number: int

    @property
    def name(self) -> str:
        """Of the file."""
        return f"{self.direction}-{self.start:06d}-{self.number:06d}.pt"

    def has_seen(self, number: int) -> bool:
        """Whether the tracker had passed a frame."""
        return min(self.start, self.number) <= number <= max(self.start, self.number)


def state_files(folder: Path) -> Iterator[StateFile]:
    """Those in a folder, in order."""
    for path in sorted(folder.glob("*.pt")):
        match = _NAME.fullmatch(path.name)
        if match:
            yield StateFile(match[1], int(match[2]), int(match[3]))


def superfluous(numbers: list[int], newest: int) -> list[int]:
    """Which states of a pass, by the frame, can go so that there are not ever more of them.

    Those within NEAR frames of the newest stay. Of the others stay those at the multiples of the smallest power of two
    times EVERY that leaves at most FAR.
    """
    far = [number for number in numbers if abs(newest - number) > NEAR]
    spacing = EVERY
    kept = far
    while len(kept) > FAR:
        spacing *= 2
        kept = [number for number in kept if number % spacing == 0]
    return sorted(set(far) - set(kept))
