"""The tracker's memory after some of the frames, from which it can continue there or a little later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EVERY = 32
"""A pass saves a state every so many frames, so after a correction at most this many have to be recomputed."""

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
    """The frames whose states can be removed, to limit the number of states of a pass.

    States within NEAR frames of the newest stay. Of the others, those at multiples of EVERY times a power of two stay,
    with the smallest power that leaves at most FAR.
    """
    far = [number for number in numbers if abs(newest - number) > NEAR]
    spacing = EVERY
    kept = far
    while len(kept) > FAR:
        spacing *= 2
        kept = [number for number in kept if number % spacing == 0]
    return sorted(set(far) - set(kept))
