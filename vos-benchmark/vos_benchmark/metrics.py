"""J and F of the objects of one frame.

Region similarity J and contour accuracy F as defined by Perazzi et al., "A benchmark dataset and evaluation methodology
for video object segmentation", CVPR 2016, with the contours and the matching disk of the DAVIS programs.
"""

from dataclasses import dataclass

import numpy as np

from .contours import contours_by_id, joint_box
from .matching import Contour, match_counts


@dataclass(frozen=True)
class FrameScore:
    """J and F of each object that truth or prediction shows on a frame; all fields have one entry per object."""

    ids: tuple[int, ...]
    region: tuple[float, ...]
    boundary: tuple[float, ...]
    truth_pixels: tuple[int, ...]
    predicted_pixels: tuple[int, ...]

    @property
    def truth_ids(self) -> set[int]:
        return {id for id, pixels in zip(self.ids, self.truth_pixels, strict=True) if pixels}

    @property
    def predicted_ids(self) -> set[int]:
        return {id for id, pixels in zip(self.ids, self.predicted_pixels, strict=True) if pixels}


def matching_radius(height: int, width: int) -> int:
    """Radius in pixels within which contour pixels match: 0.8 % of the diagonal, rounded up."""
    return int(np.ceil(0.008 * np.linalg.norm((height, width))))


def region_similarity(truth: np.ndarray, prediction: np.ndarray) -> float:
    """J: intersection over union of two masks (H, W), where anything non-zero is object; 1 if both are empty."""
    truth, prediction = _binary(truth, prediction)
    true, predicted, common = _areas(truth, prediction)
    return common / (true + predicted - common) if true + predicted else 1.0


def boundary_accuracy(truth: np.ndarray, prediction: np.ndarray, radius: int | None = None) -> float:
    """F: harmonic mean of precision and recall of the contour pixels of two masks (H, W); non-zero means object.

    Args:
        truth, prediction: Masks of the same size.
        radius: Matching radius in pixels; by default 0.8 % of the diagonal, rounded up.

    Raises:
        ValueError: If the masks differ in size.
    """
    truth, prediction = _binary(truth, prediction)
    radius = matching_radius(*truth.shape) if radius is None else radius
    contours = [contours_by_id(mask).get(1) for mask in (truth, prediction)]
    return _contour_score(contours[0], contours[1], radius, truth.shape[1])


def score_frame(truth: np.ndarray, prediction: np.ndarray) -> FrameScore:
    """J and F of all objects of a frame, from one search for contours in each map.

    Args:
        truth, prediction: Ids (H, W), non-negative integers, 0 for background.
    """
    check_shapes(truth, prediction)
    (height, width), box = truth.shape, joint_box(truth, prediction)
    truth, prediction = np.ascontiguousarray(truth[box]), np.ascontiguousarray(prediction[box])
    contours = contours_by_id(truth), contours_by_id(prediction)
    # A label either fills the map, and so is in its corner, or has a contour.
    ids = sorted({*contours[0], *contours[1], *truth[:1, :1].flat, *prediction[:1, :1].flat} - {0})
    areas = [_areas(truth == id, prediction == id) for id in ids]
    radius = matching_radius(height, width)
    return FrameScore(
        ids=tuple(int(id) for id in ids),
        region=tuple(common / (true + predicted - common) for true, predicted, common in areas),
        boundary=tuple(_contour_score(contours[0].get(id), contours[1].get(id), radius, width) for id in ids),
        truth_pixels=tuple(true for true, _, _ in areas),
        predicted_pixels=tuple(predicted for _, predicted, _ in areas),
    )


def _areas(truth: np.ndarray, prediction: np.ndarray) -> tuple[int, ...]:
    """Pixels of two masks (H, W) bool, and pixels that they share."""
    return tuple(int(np.count_nonzero(mask)) for mask in (truth, prediction, truth & prediction))


def check_shapes(truth: np.ndarray, prediction: np.ndarray) -> None:
    if truth.ndim != 2 or truth.shape != prediction.shape:
        raise ValueError(
            f"expected two (H, W) masks of one size, found truth {truth.shape} and prediction {prediction.shape}"
        )


def _binary(truth: np.ndarray, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    check_shapes(truth, prediction)
    return truth != 0, prediction != 0


def _contour_score(truth: Contour | None, prediction: Contour | None, radius: int, width: int) -> float:
    if truth is None or prediction is None:
        return 1.0 if truth is prediction else 0.0
    matched_truth, matched_prediction = match_counts(truth, prediction, radius, width)
    precision, recall = matched_prediction / len(prediction[0]), matched_truth / len(truth[0])
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
