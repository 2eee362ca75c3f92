"""The magnetic polygon: paths that follow edges of the picture (OpenCV's intelligent scissors)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

REACH = 256
"""A path is searched within this many pixels of its start; to points beyond, it is a straight line."""


@dataclass(frozen=True)
class _Anchor:
    """The start of a path, and what was computed for it."""

    frame: int
    x: int
    y: int
    left: int
    top: int
    width: int
    height: int
    scissors: Any


class Magnet:
    """Finds paths along edges. What was computed for the last start is kept."""

    def __init__(self) -> None:
        self._anchor: _Anchor | None = None
        self._lock = threading.Lock()

    def path(
        self, frame: int, image: npt.NDArray[np.uint8], begin: tuple[float, float], end: tuple[float, float]
    ) -> list[tuple[float, float]]:
        """Corners (x, y) of the path from `begin` to `end`, both in pixels of the (H, W, 3) RGB image.

        frame: a number that identifies the image.
        """
        height, width = image.shape[:2]
        x, y = (int(np.clip(value, 0, side - 1)) for value, side in zip(begin, (width, height), strict=True))
        with self._lock:
            anchor = self._anchor
            if anchor is None or (anchor.frame, anchor.x, anchor.y) != (frame, x, y):
                anchor = self._anchor = _anchored(frame, image, x, y)
            to_x, to_y = int(end[0]) - anchor.left, int(end[1]) - anchor.top
            if not (0 <= to_x < anchor.width and 0 <= to_y < anchor.height):
                return [begin, end]
            found = anchor.scissors.getContour((to_x, to_y))
        if found is None or len(found) < 2:
            return [begin, end]
        corners = cv2.approxPolyDP(found, 0.7, closed=False).reshape(-1, 2)
        inner = [(float(cx + anchor.left) + 0.5, float(cy + anchor.top) + 0.5) for cx, cy in corners[1:-1]]
        return [begin, *inner, end]


def _anchored(frame: int, image: npt.NDArray[np.uint8], x: int, y: int) -> _Anchor:
    left, top = max(0, x - REACH), max(0, y - REACH)
    window = image[top : y + REACH + 1, left : x + REACH + 1]
    scissors = cv2.segmentation.IntelligentScissorsMB()
    scissors.setEdgeFeatureCannyParameters(32, 100)
    scissors.setGradientMagnitudeMaxLimit(200)
    scissors.applyImage(np.ascontiguousarray(window))
    scissors.buildMap((x - left, y - top))
    return _Anchor(frame, x, y, left, top, window.shape[1], window.shape[0], scissors)
