"""Polygons: checked against the image, then filled by COCO's rule for which pixels are inside."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_masks

Polygon = tuple[tuple[float, float], ...]  # (x, y) of each corner, in pixels

CIRCLE_CORNERS = 64


def checked_polygon(corners: Sequence[tuple[float, float]], size: tuple[int, int], where: str) -> Polygon:
    """Returns the corners if they enclose an area in or near the image.

    Args:
        corners: (x, y) in pixels, finite.
        size: (H, W) of the image.
        where: File and place, for messages.

    Raises:
        ValueError: If there are fewer than three corners, or one is further from the image than its own size, or the
            outline is longer than any drawing could be.
    """
    if len(corners) < 3:
        raise ValueError(f"{where}: a polygon of {len(corners)} corners, expected at least 3")
    height, width = size
    for x, y in corners:
        if not (-width <= x <= 2 * width and -height <= y <= 2 * height):
            raise ValueError(f"{where}: the corner ({x:g}, {y:g}) is far outside the image, {width} x {height}")
    points = np.array(corners, float)
    steps = np.abs(points - np.roll(points, 1, axis=0)).max(axis=1)
    if steps.sum() + len(points) > 4 * (height + 1) * (width + 1) + 1000:
        raise ValueError(f"{where}: a polygon of {len(corners)} corners whose outline is longer than its image allows")
    return tuple((float(x), float(y)) for x, y in corners)


def fill(polygons: Sequence[Polygon], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """(H, W), True in the pixels of any of the polygons, which `checked_polygon` returned."""
    flat = [[value for corner in polygon for value in corner] for polygon in polygons]
    return coco_masks.decode(coco_masks.merge(coco_masks.frPyObjects(flat, *size))).astype(bool)


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    """The corners of an upright rectangle."""
    return (left, top), (right, top), (right, bottom), (left, bottom)


def ellipse(centre: tuple[float, float], radius_x: float, radius_y: float) -> Polygon:
    """Corners on an upright ellipse."""
    angles = (2 * math.pi * corner / CIRCLE_CORNERS for corner in range(CIRCLE_CORNERS))
    return tuple((centre[0] + radius_x * math.cos(a), centre[1] + radius_y * math.sin(a)) for a in angles)
