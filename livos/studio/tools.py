"""Tools that use the picture or the shape of a mask: GrabCut, smoothing, filling holes. All return full-size masks.

Each takes an object's current mask as (H, W) bool and returns the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Image = npt.NDArray[np.uint8]

GRABCUT_ROUNDS = 4
MOST_PIXELS = 100_000
"""GrabCut works on at most this many pixels; a larger area is scaled down, and the border is smoothed."""

BOX_MARGIN = 0.5
"""The margin around a box, as a fraction of its longer side, which shows what the object is not."""

SHORTEST_REACH = 24
"""Scribbles find what is at most this many pixels away, or three quarters of their extent if that is more."""

SPECK = 0.1
"""Pieces below this fraction of the largest one are specks."""

MOST_POINTS = 20_000


@dataclass(frozen=True)
class Stroke:
    """What a person painted to say "this is it" or "this is not"."""

    points: tuple[tuple[float, float], ...]
    radius: float
    add: bool


def from_box(image: Image, box: Sequence[float]) -> Mask:
    """The object inside a box (x0, y0, x1, y1). Raises ValueError for a box without pixels."""
    height, width = image.shape[:2]
    x0, x1 = (int(np.clip(round(x), 0, width)) for x in (min(box[0], box[2]), max(box[0], box[2])))
    y0, y1 = (int(np.clip(round(y), 0, height)) for y in (min(box[1], box[3]), max(box[1], box[3])))
    if x1 - x0 < 2 or y1 - y0 < 2:
        raise ValueError("The box is too small: draw it around the object.")
    trimap = np.full((height, width), cv2.GC_BGD, np.uint8)
    trimap[y0:y1, x0:x1] = cv2.GC_PR_FGD
    margin = round(BOX_MARGIN * max(x1 - x0, y1 - y0)) + 2
    return _grabcut(image, trimap, _part((y0, x0, y1, x1), margin, (height, width)))


def from_strokes(image: Image, mask: Mask, strokes: Sequence[Stroke]) -> Mask:
    """The object that strokes mark. Starts from the current mask, if there is one.

    Raises ValueError if there is no mask and no stroke marks the object.
    """
    hints = np.zeros(mask.shape, np.uint8)
    for stroke in strokes:
        _paint(hints, stroke, cv2.GC_FGD + 1 if stroke.add else cv2.GC_BGD + 1)
    if not mask.any() and not (hints == cv2.GC_FGD + 1).any():
        raise ValueError("Paint over the object first.")
    wanted = mask | (hints == cv2.GC_FGD + 1)
    top, left, bottom, right = _extent(wanted)
    reach = max(SHORTEST_REACH, (bottom - top) * 3 // 4, (right - left) * 3 // 4)
    part = _part((top, left, bottom, right), reach, mask.shape)
    trimap = np.where(mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    if not mask.any():
        trimap[_grown(wanted, 12)] = cv2.GC_PR_FGD
    trimap[cv2.distanceTransform(1 - wanted.view(np.uint8), cv2.DIST_L2, 5) > reach] = cv2.GC_BGD
    trimap[hints == cv2.GC_FGD + 1], trimap[hints == cv2.GC_BGD + 1] = cv2.GC_FGD, cv2.GC_BGD
    return _touching(_grabcut(image, trimap, part), wanted)


def snapped(image: Image, mask: Mask, radius: int) -> Mask:
    """The mask with its border moved to edges of the picture, by at most `radius` pixels."""
    if not mask.any():
        raise ValueError("The object has no mask on this frame that could be snapped to an edge.")
    inside, outside = ~_grown(~mask, radius), ~_grown(mask, radius)
    if not inside.any():  # the mask is thinner than the radius: keep its middle
        distance = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 5)
        inside = distance >= 0.8 * distance.max()
    trimap = np.where(mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[inside], trimap[outside] = cv2.GC_FGD, cv2.GC_BGD
    return _grabcut(image, trimap, _part(_extent(mask), 3 * radius + 4, mask.shape))


def smoothed(mask: Mask, radius: int) -> Mask:
    """The mask without bumps and notches smaller than `radius` pixels."""
    sigma = max(0.5, radius / 2)
    blurred = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return blurred > 0.5


def without_holes(mask: Mask) -> Mask:
    """The mask with all holes filled: parts of the background that do not reach the edge of the picture."""
    return mask | _holes(mask)


def without_specks(mask: Mask) -> Mask:
    """The mask without pieces that are much smaller than its largest one."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return (areas >= SPECK * areas.max())[pieces] & mask


def filled_at(mask: Mask, point: Sequence[float], add: bool) -> Mask:
    """The mask with the hole at a point filled, or (not `add`) without the piece there.

    Raises ValueError if there is no hole or piece at the point.
    """
    x, y = int(point[0]), int(point[1])
    if not (0 <= y < mask.shape[0] and 0 <= x < mask.shape[1]):
        raise ValueError("The point is outside the frame.")
    area = _holes(mask) if add else mask
    if not area[y, x]:
        raise ValueError("There is no hole here." if add else "The object has no pixels here.")
    pieces = cv2.connectedComponents(area.astype(np.uint8), connectivity=4 if add else 8)[1]
    here = pieces == pieces[y, x]
    return mask | here if add else mask & ~here


def suggest(image: Image, mask: Mask, request: Mapping[str, Any]) -> Mask:
    """The mask that the requested tool makes from an object's mask. Raises ValueError for an invalid request."""
    tool = request.get("tool")
    if tool == "box":
        return from_box(image, checked_numbers(request.get("box"), 4, "box"))
    if tool == "scribble":
        start = np.zeros_like(mask) if request.get("fresh") else mask
        return from_strokes(image, start, _strokes(request.get("strokes")))
    if tool == "snap":
        return snapped(image, mask, int(_number(request.get("radius", 8), "radius", 1, 100)))
    if tool == "smooth":
        return smoothed(mask, int(_number(request.get("radius", 3), "radius", 1, 100)))
    if tool == "holes":
        return without_holes(mask)
    if tool == "specks":
        return without_specks(mask)
    if tool == "fill":
        return filled_at(mask, checked_numbers(request.get("point"), 2, "point"), bool(request.get("add", True)))
    raise ValueError(f"There is no tool {tool!r}.")


def _grabcut(image: Image, trimap: npt.NDArray[np.uint8], part: tuple[slice, slice]) -> Mask:
    """The object of a trimap (cv2.GC_*), found in a part of the picture. Outside this part, the trimap decides."""
    result = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
    colours, known = cv2.cvtColor(image[part], cv2.COLOR_RGB2BGR), trimap[part]
    scale = min(1.0, (MOST_PIXELS / known.size) ** 0.5)
    small, labels = colours, known.copy()
    if scale < 1:
        size = (max(2, round(known.shape[1] * scale)), max(2, round(known.shape[0] * scale)))
        small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
        labels = cv2.resize(known, size, interpolation=cv2.INTER_NEAREST)
    if not _both_sides(labels):
        return result
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # makes the same strokes give the same mask
    cv2.grabCut(small, labels, (0, 0, 1, 1), *models, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = (labels & 1).astype(np.float32)  # GC_FGD and GC_PR_FGD are odd
    if scale < 1:
        found = cv2.resize(found, known.shape[::-1], interpolation=cv2.INTER_LINEAR)
    found = found > 0.5
    found[known == cv2.GC_FGD], found[known == cv2.GC_BGD] = True, False
    result[part] = found
    return result


def _both_sides(labels: npt.NDArray[np.uint8]) -> bool:
    return bool((labels & 1).any() and (labels & 1 == 0).any())


def _holes(mask: Mask) -> Mask:
    padded = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    pieces = cv2.connectedComponents(padded, connectivity=4)[1]
    return ~mask & (pieces[1:-1, 1:-1] != pieces[0, 0])


def _grown(mask: Mask, radius: int) -> Mask:
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), window).astype(bool)


def _touching(mask: Mask, wanted: Mask) -> Mask:
    """The pieces of a mask that share a pixel with `wanted`."""
    pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[1]
    kept = np.unique(pieces[wanted & mask])
    return mask & np.isin(pieces, kept)


def _extent(mask: Mask) -> tuple[int, int, int, int]:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return top, left, top + height, left + width


def _part(extent: tuple[int, int, int, int], margin: int, size: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns of a box with a margin, clipped to the picture."""
    top, left, bottom, right = extent
    rows = slice(max(0, top - margin), min(size[0], bottom + margin))
    return rows, slice(max(0, left - margin), min(size[1], right + margin))


def _paint(hints: npt.NDArray[np.uint8], stroke: Stroke, value: int) -> None:
    shift = 4  # fractional bits of OpenCV's coordinates, whose whole numbers are centres of pixels
    points = np.round((np.asarray(stroke.points) - 0.5) * 2**shift).astype(np.int32)
    for begin, end in pairwise(points):
        cv2.line(hints, begin.tolist(), end.tolist(), value, max(1, round(2 * stroke.radius)), cv2.LINE_8, shift)
    for point in points:
        cv2.circle(hints, point.tolist(), round(stroke.radius * 2**shift), value, -1, cv2.LINE_8, shift)


def _strokes(given: Any) -> list[Stroke]:
    if not isinstance(given, list) or not given:
        raise ValueError("strokes: expected a list of strokes.")
    strokes = []
    for stroke in given:
        points = stroke.get("points") if isinstance(stroke, dict) else None
        if not isinstance(points, list) or not 0 < len(points) <= MOST_POINTS:
            raise ValueError(f"A stroke has 1 to {MOST_POINTS} points.")
        corners = tuple((x, y) for x, y in (checked_numbers(point, 2, "point") for point in points))
        strokes.append(Stroke(corners, _number(stroke.get("radius"), "radius", 0.5, 1000), bool(stroke.get("add"))))
    return strokes


def checked_numbers(given: Any, count: int, name: str) -> list[float]:
    """A list of `count` numbers from a request. Raises ValueError, with the name, for anything else."""
    if not isinstance(given, list) or len(given) != count:
        raise ValueError(f"{name}: expected {count} numbers.")
    return [_number(value, name, -100_000, 100_000) for value in given]


def _number(given: Any, name: str, least: float, most: float) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not least <= given <= most:
        raise ValueError(f"{name}: expected a number from {least:g} to {most:g}.")
    return float(given)
