"""How many pixels of a contour lie within a radius of another contour.

Four ways that give the same integers:

- `rows`, the one that is used: for every pixel and every row of the disk, a binary search among the sorted pixels of
  the other contour. Pixels that found a neighbour drop out, so that two similar contours take little more than one
  search per pixel, and the cost depends neither on the size of the frame nor on the area of the disk.
- `box`: dilation by the disk inside the joint bounding box of the contours (needs OpenCV).
- `tree`: nearest neighbours in a k-d tree (needs SciPy).
- `whole`: dilation of the whole frame, as the common tools do it (needs OpenCV).

The last three are there to be compared with. A contour is a pair of integer arrays (rows, columns) in raster order.
"""

from functools import lru_cache

import numpy as np

Contour = tuple[np.ndarray, np.ndarray]

METHODS = ("rows", "box", "tree", "whole")


def match_counts(
    first: Contour, second: Contour, radius: int, frame_size: tuple[int, int], method: str = "rows"
) -> tuple[int, int]:
    """Pixels of `first` within `radius` of `second`, and pixels of `second` within `radius` of `first`.

    Args:
        first, second: contours, neither of them empty.
        radius: in pixels; the disk is x^2 + y^2 <= radius^2.
        frame_size: (height, width).
        method: one of METHODS.
    """
    if method == "rows":
        return _match_by_rows(first, second, radius, frame_size[1])
    if method == "box":
        return _match_by_dilation(first, second, radius, *_joint_box(first, second))
    if method == "tree":
        return _match_by_tree(first, second, radius)
    if method == "whole":
        return _match_by_dilation(first, second, radius, (0, 0), frame_size)
    raise ValueError(f"method={method!r}: expected one of {', '.join(METHODS)}")


@lru_cache(maxsize=64)
def disk(radius: int) -> np.ndarray:
    """Structuring element (2 r + 1, 2 r + 1), uint8: 1 where x^2 + y^2 <= r^2."""
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


def _match_by_rows(first: Contour, second: Contour, radius: int, width: int) -> tuple[int, int]:
    # Raster positions with so wide a margin that no row of a disk runs into the next row of pixels.
    stride = width + 2 * radius + 1
    one, other = (contour[0].astype(np.int64) * stride + contour[1] for contour in (first, second))
    return _count_by_rows(one, other, radius, stride), _count_by_rows(other, one, radius, stride)


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


def _joint_box(first: Contour, second: Contour) -> tuple[tuple[int, int], tuple[int, int]]:
    """(top, left) and (height, width) of the smallest box around both contours."""
    corners = [min(axis[0].min(), axis[1].min()) for axis in zip(first, second, strict=True)]
    ends = [max(axis[0].max(), axis[1].max()) for axis in zip(first, second, strict=True)]
    top, left = int(corners[0]), int(corners[1])
    return (top, left), (int(ends[0]) + 1 - top, int(ends[1]) + 1 - left)


def _match_by_dilation(
    first: Contour, second: Contour, radius: int, corner: tuple[int, int], size: tuple[int, int]
) -> tuple[int, int]:
    import cv2

    one, other = ((contour[0] - corner[0], contour[1] - corner[1]) for contour in (first, second))

    def near(contour: Contour) -> np.ndarray:
        canvas = np.zeros(size, np.uint8)
        canvas[contour] = 1
        return cv2.dilate(canvas, disk(radius), borderType=cv2.BORDER_CONSTANT, borderValue=0)

    return int(np.count_nonzero(near(other)[one])), int(np.count_nonzero(near(one)[other]))


def _match_by_tree(first: Contour, second: Contour, radius: int) -> tuple[int, int]:
    from scipy.spatial import cKDTree

    one, other = (np.stack(contour, axis=1).astype(np.float64) for contour in (first, second))

    def count(points: np.ndarray, others: np.ndarray) -> int:
        # Squared distances are integers: a bound between r^2 and r^2 + 1 parts them safely.
        distances, _ = cKDTree(others).query(points, distance_upper_bound=np.sqrt(radius**2 + 0.5))
        return int(np.count_nonzero(np.isfinite(distances)))

    return count(one, other), count(other, one)
