"""Other ways to count the contour pixels within a radius of another contour, for the scorer to be compared with.

- `box`: dilation by the disk inside the joint bounding box of the contours (OpenCV).
- `tree`: nearest neighbours in a k-d tree (SciPy).
- `whole`: dilation of the whole frame, as the common tools do it (OpenCV).

A contour is a pair of integer arrays (rows, columns) in raster order.
"""

import numpy as np
import pytest
from vos_benchmark.matching import Contour, disk

METHODS = ("box", "tree", "whole")


def slow_match_counts(
    first: Contour, second: Contour, radius: int, frame_size: tuple[int, int], method: str
) -> tuple[int, int]:
    """What `matching.match_counts` gives, for a frame of `frame_size` (height, width), by one of METHODS."""
    if method == "box":
        return _match_by_dilation(first, second, radius, *_joint_box(first, second))
    if method == "tree":
        return _match_by_tree(first, second, radius)
    return _match_by_dilation(first, second, radius, (0, 0), frame_size)


def slow_boundary_accuracy(contours: list[Contour], radius: int, frame_size: tuple[int, int], method: str) -> float:
    """F of the contours of the truth and of the prediction, neither of them empty."""
    truth, prediction = contours
    matched_truth, matched_prediction = slow_match_counts(truth, prediction, radius, frame_size, method)
    precision, recall = matched_prediction / len(prediction[0]), matched_truth / len(truth[0])
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _joint_box(first: Contour, second: Contour) -> tuple[tuple[int, int], tuple[int, int]]:
    """(top, left) and (height, width) of the smallest box around both contours."""
    corners = [min(axis[0].min(), axis[1].min()) for axis in zip(first, second, strict=True)]
    ends = [max(axis[0].max(), axis[1].max()) for axis in zip(first, second, strict=True)]
    top, left = int(corners[0]), int(corners[1])
    return (top, left), (int(ends[0]) + 1 - top, int(ends[1]) + 1 - left)


def _match_by_dilation(
    first: Contour, second: Contour, radius: int, corner: tuple[int, int], size: tuple[int, int]
) -> tuple[int, int]:
    cv2 = pytest.importorskip("cv2")
    one, other = ((contour[0] - corner[0], contour[1] - corner[1]) for contour in (first, second))

    def near(contour: Contour) -> np.ndarray:
        canvas = np.zeros(size, np.uint8)
        canvas[contour] = 1
        return cv2.dilate(canvas, disk(radius), borderType=cv2.BORDER_CONSTANT, borderValue=0)

    return int(np.count_nonzero(near(other)[one])), int(np.count_nonzero(near(one)[other]))


def _match_by_tree(first: Contour, second: Contour, radius: int) -> tuple[int, int]:
    spatial = pytest.importorskip("scipy.spatial")
    one, other = (np.stack(contour, axis=1).astype(np.float64) for contour in (first, second))

    def count(points: np.ndarray, others: np.ndarray) -> int:
        # Squared distances are integers: a bound between r^2 and r^2 + 1 parts them safely.
        distances, _ = spatial.cKDTree(others).query(points, distance_upper_bound=np.sqrt(radius**2 + 0.5))
        return int(np.count_nonzero(np.isfinite(distances)))

    return count(one, other), count(other, one)
