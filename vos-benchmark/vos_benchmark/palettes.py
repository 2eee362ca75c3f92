"""Whether the palettes of masks agree with the ids that are read from them.

Ids are palette indices. Programs that save "in as few colours as possible" renumber the colours in every file, so that
one colour has different ids, or the background is no longer index 0.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

PALETTE_POLICIES = ("check", "ignore")

Colour = tuple[int, int, int]
_BLACK = (0, 0, 0)
_HOW_TO_STORE = "store ids as indices of one palette for all masks, black background at index 0"
_OTHERWISE = "--palettes ignore scores the indices as they are"


def background_fault(labels: np.ndarray, palette: np.ndarray) -> str:
    """Why index 0 of a palette (N, 3) can hardly be the background of a mask (H, W); empty if it can.

    This is the case if a colour other than black is index 0, and black is an index that the mask uses.
    """
    first, black = _blacks(palette.tobytes())
    for index in black:
        if (labels == index).any():
            return (
                f"black is index {index} of its palette and {first} is index 0, so that background and objects "
                f"are mixed up; {_HOW_TO_STORE} ({_OTHERWISE})"
            )
    return ""


def telling_colours(palette: np.ndarray, ids: frozenset[int]) -> dict[int, Colour]:
    """The colours of those `ids` above 0 whose colour occurs only once in a palette (N, 3)."""
    single = _single_colours(palette.tobytes())
    return {id: single[id] for id in sorted(ids) if id in single}


@dataclass
class PaletteAgreement:
    """The meaning of each colour in the masks of a video so far."""

    _meanings: dict[Colour, tuple[int, str]] = field(default_factory=dict)

    def contradiction(self, path: str, colours: dict[int, Colour]) -> str:
        """Records the colours of a mask, by id; returns how they contradict earlier ones, or an empty string."""
        for id, colour in colours.items():
            other_id, other_path = self._meanings.setdefault(colour, (id, path))
            if other_id != id:
                return (
                    f"{path}: the colour {colour} is index {id}, but {other_id} in {other_path}, so that its objects "
                    f"are mixed up; {_HOW_TO_STORE} ({_OTHERWISE})"
                )
        return ""


@lru_cache(maxsize=64)
def _blacks(palette: bytes) -> tuple[Colour, tuple[int, ...]]:
    """The colour of index 0, and if it is not black, the indices of black."""
    first, *others = _colours_of(palette)
    if first == _BLACK:
        return first, ()
    return first, tuple(index for index, colour in enumerate(others, start=1) if colour == _BLACK)


@lru_cache(maxsize=64)
def _single_colours(palette: bytes) -> dict[int, Colour]:
    """Colours that a palette has at only one index, by index, without index 0."""
    colours = _colours_of(palette)
    return {index: colour for index, colour in enumerate(colours) if index and colours.count(colour) == 1}


def _colours_of(palette: bytes) -> list[Colour]:
    return list(zip(palette[::3], palette[1::3], palette[2::3], strict=True))
