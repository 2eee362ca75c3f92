"""Parts of an image at which the network for clicks looks, and what it answered about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

LONG_SIDE = 256
"""The long side, in pixels, of what the network sees: first the whole image, then the surroundings of the object."""

MARGIN = 0.25
"""The surroundings extend this far beyond the object on each side, as a fraction of its longer side."""

LEAST_SIDE = 48
LEAST_SHARE = 0.35
"""The surroundings' longer side has at least LEAST_SIDE pixels of the image and LEAST_SHARE of its longer side.

A closer view of a part that was found first would hide the rest of the object.
"""

SURELY_NOT = -16.0
"""The logits outside the surroundings."""


@dataclass(frozen=True)
class Area:
    """A part of the image, in whole pixels, and the size at which the network sees it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what the network sees, multiples of 16."""
        width, height = self.right - self.left, self.bottom - self.top
        scale = LONG_SIDE / max(width, height)
        return tuple(max(16, round(side * scale / 16) * 16) for side in (width, height))  # type: ignore[return-value]

    def placed(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Points of the image, converted to pixels of what the network sees."""
        width, height = self.size
        across, along = width / (self.right - self.left), height / (self.bottom - self.top)
        return [((x - self.left) * across, (y - self.top) * along) for x, y in points]

    def contains(self, other: Area) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    @property
    def long_side(self) -> int:
        return max(self.right - self.left, self.bottom - self.top)


@dataclass(frozen=True)
class Answer:
    """Logits (1, 1, h, w) of an area, at half the size at which the network sees it."""

    area: Area
    logits: Tensor

    def extent(self) -> npt.NDArray | None:
        """Upper left and lower right corner of what was found, (2, 2) in pixels of the image; None if nothing was."""
        found = self.logits[0, 0].numpy() > 0
        if not found.any():
            return None
        area = self.area
        scale = np.array([area.right - area.left, area.bottom - area.top]) / found.shape[::-1]
        return corners_of(found) * scale + [area.left, area.top]

    def seen_in(self, area: Area) -> Tensor:
        """The same logits resampled for another area; SURELY_NOT where they are unknown."""
        if area == self.area:
            return self.logits
        width, height = (side // 2 for side in area.size)
        own, (own_height, own_width) = self.area, self.logits.shape[-2:]
        x = area.left + (np.arange(width) + 0.5) * (area.right - area.left) / width  # centres, in pixels of the image
        y = area.top + (np.arange(height) + 0.5) * (area.bottom - area.top) / height
        x = (x - own.left) * own_width / (own.right - own.left) - 0.5  # in pixels of the logits
        y = (y - own.top) * own_height / (own.bottom - own.top) - 0.5
        maps = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        source = self.logits[0, 0].numpy()
        there = cv2.remap(source, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=SURELY_NOT)
        return torch.from_numpy(there)[None, None]


def corners_of(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Upper left and lower right corner, (2, 2) in pixels, x before y, of a mask (H, W) that is not empty."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return np.array([[left, top], [left + width, top + height]])


def area_about(points: npt.NDArray, size: tuple[int, ...], margin: float = MARGIN) -> Area:
    """The part of an image that contains some points, with a margin.

    Args:
        points: (N, 2), x and y in pixels of the image.
        size: Height and width of the image.
        margin: On each side, as a fraction of the longer side of what the points span.
    """
    low, high, most = points.min(0), points.max(0), np.array(size[::-1])
    side = (high - low).max()
    added = max(margin * side, (max(LEAST_SIDE, LEAST_SHARE * most.max()) - side) / 2)
    low = np.clip(np.floor(low - added), 0, most - 1).astype(int)
    high = np.clip(np.ceil(high + added), low + 1, most).astype(int)
    return Area(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
