"""Clicks as a patient person would place them: in the middle of the largest error, as RITM and others are scored."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from livos.clicks.head import INSIDE, OUTSIDE

Mask = npt.NDArray[np.bool_]


def next_click(
    truth: Mask, answer: Mask, generator: np.random.Generator | None = None
) -> tuple[float, float, int] | None:
    """Where to click next to bring an answer closer to the true mask.

    Args:
        truth: (H, W), the true mask.
        answer: (H, W), the current answer; empty before the first click.
        generator: If given, the click is on a random pixel of this kind of error (missing or surplus) that is at least
            half as far from its border as the farthest one. Otherwise it is on the farthest one.

    Returns:
        x and y in pixels, and `INSIDE` or `OUTSIDE`; None if the answer equals the true mask.
    """
    missing, surplus = (_depth(error) for error in (truth & ~answer, answer & ~truth))
    depth, label = (missing, INSIDE) if missing.max() >= surplus.max() else (surplus, OUTSIDE)
    deepest = depth.max()
    if deepest <= 0:
        return None
    if generator is None:
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    else:
        row, column = generator.choice(np.argwhere(depth >= deepest / 2))
    return float(column) + 0.5, float(row) + 0.5, label


def _depth(area: Mask) -> npt.NDArray[np.float32]:
    """How far each pixel of an area is from the nearest one outside it; beyond the edge of the picture is outside."""
    padded = np.pad(area.astype(np.uint8), 1)
    return cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1].astype(np.float32)
