"""How many pixels of a contour lie within a radius of another contour.

For every pixel and every row of the disk, a binary search among the sorted pixels of the other contour determines
whether that row contains one. Pixels that found a neighbour drop out, so that two similar contours need little more
than one search per pixel, and the cost depends neither on the size of the frame nor on the area of the disk.

A contour is a pair of integer arrays (rows, columns) in raster order.
"""

from functools import lru_cache

import numpy as np

Contour = tuple[np.ndarray, np.ndarray]


def match_counts(first: Contour, second: Contour, radius: int, width: int) -> tuple[int, int]:
    """Pixels of `first` within `radius` of `second`, and pixels of `second` within `radius` of `first`.

    Args:
        first, second: contours, neither of them empty.
        radius: in pixels; the disk is x^2 + y^2 <= radius^2.
        width: of the frame, in pixels.
    """
    # Raster positions with a margin wide enough that no row of a disk runs into the next row of pixels.
    stride = width + 2 * radius + 1
    one, other = (contour[0].astype(np.int64) * stride + contour[1] for contour in (first, second))
    return _count_by_rows(one, other, radius, stride), _count_by_rows(other, one, radius, stride)


@lru_cache(maxsize=64)
def disk(radius: int) -> np.ndarray:
    """The pixels (2 r + 1, 2 r + 1), uint8, that match the central one: 1 where x^2 + y^2 <= r^2."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (x**2 + y**2 <= radius**2).astype(np.uint8)


@lru_cache(maxsize=64)
def _disk_rows(radius: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of the disk as columns of (offsets, half widths): the middle one, then groups twice as large each."""
    half_widths = (disk(radius).sum(axis=1, dtype=np.int64) - 1) // 2
    offsets = np.array(sorted(range(-radius, radius + 1), key=abs))
    ends = [1, *(2 ** np.arange(2, 32) * 2 - 3)]
    groups = [offsets[start:end, None] for start, end in zip([0, *ends], ends, strict=False)]
    return [(group, half_widths[group + radius]) for group in groups if group.size]


def _count_by_rows(positions: np.ndarray, others: np.ndarray, radius: int, stride: int) -> int:
    others = np.append(others, np.iinfo(np.int64).max)
    unmatched = positions
    for offsets, half_widths in _disk_rows(radius):
        centres = unmatched + offsets * stride  # (rows of the disk, pixels)
        nearest = others[others.searchsorted(centres - half_widths)]
        unmatched = unmatched[(nearest > centres + half_widths).all(axis=0)]
        if not unmatched.size:
            break
    return int(positions.size - unmatched.size)
