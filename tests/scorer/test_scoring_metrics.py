"""J and F of frames: against their definitions, and what must hold for any masks."""

import math

import numpy as np
import pytest
from slow_matching import METHODS, slow_boundary_accuracy, slow_match_counts
from vos_benchmark import boundary_accuracy, region_similarity, score_frame
from vos_benchmark.contours import contours_by_id
from vos_benchmark.matching import disk, match_counts
from vos_benchmark.metrics import matching_radius

SEEDS = range(25)


def random_labels(rng: np.random.Generator, num_ids: int, shape: tuple[int, int], dtype=np.uint8) -> np.ndarray:
    """Rectangles of random ids on top of each other, some of them cut by the border, with a little noise."""
    labels = np.zeros(shape, dtype)
    for id in rng.permutation(num_ids) + 1:
        top, left = rng.integers(-5, shape[0]), rng.integers(-5, shape[1])
        bottom, right = top + rng.integers(1, 20), left + rng.integers(1, 20)
        labels[max(top, 0) : bottom, max(left, 0) : right] = id
    noisy = rng.random(shape) < 0.02
    labels[noisy] = rng.integers(0, num_ids + 1, noisy.sum())
    return labels


def random_pair(seed: int, num_ids: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 40, 2))
    truth = random_labels(rng, num_ids, shape)
    prediction = np.roll(truth, rng.integers(-3, 4, 2), axis=(0, 1)) if seed % 2 else random_labels(rng, num_ids, shape)
    return truth, prediction


def contour_by_definition(mask: np.ndarray) -> list[tuple[int, int]]:
    height, width = mask.shape
    contour = []
    for y in range(height):
        for x in range(width):
            right, lower = x + 1 < width, y + 1 < height
            neighbours = [mask[y, x + 1]] if right else []
            neighbours += [mask[y + 1, x]] if lower else []
            neighbours += [mask[y + 1, x + 1]] if right and lower else []
            if any(neighbour != mask[y, x] for neighbour in neighbours):
                contour.append((y, x))
    return contour


def boundary_by_definition(truth: np.ndarray, prediction: np.ndarray) -> float:
    radius = math.ceil(0.008 * math.hypot(*truth.shape))
    true, predicted = contour_by_definition(truth), contour_by_definition(prediction)
    if not true or not predicted:
        return float(not true and not predicted)

    def share_near(points, others):
        near = [any((y - v) ** 2 + (x - u) ** 2 <= radius**2 for v, u in others) for y, x in points]
        return sum(near) / len(near)

    precision, recall = share_near(predicted, true), share_near(true, predicted)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_all_objects_of_a_frame_agree_with_the_definitions(seed):
    truth, prediction = random_pair(seed)
    scores = score_frame(truth, prediction)
    assert set(scores.ids) == (set(np.unique(truth)) | set(np.unique(prediction))) - {0}
    for index, id in enumerate(scores.ids):
        true, predicted = truth == id, prediction == id
        assert scores.truth_pixels[index] == true.sum()
        assert scores.predicted_pixels[index] == predicted.sum()
        assert scores.region[index] == (true & predicted).sum() / (true | predicted).sum()
        assert scores.boundary[index] == pytest.approx(boundary_by_definition(true, predicted), rel=0, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_functions_of_two_masks_agree_with_the_frame(seed):
    truth, prediction = random_pair(seed)
    scores = score_frame(truth, prediction)
    for id, region, boundary in zip(scores.ids, scores.region, scores.boundary, strict=True):
        assert region_similarity(truth == id, prediction == id) == region
        assert boundary_accuracy(truth == id, prediction == id) == boundary


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("radius", [0, 1, 2, 3, 8, 19])
def test_slower_ways_of_matching_count_the_same_pixels(method, radius):
    for seed in range(30):
        truth, prediction = (mask > 0 for mask in random_pair(seed))
        contours = [contours_by_id(mask).get(1) for mask in (truth, prediction)]
        if None in contours:
            continue
        slow = slow_match_counts(*contours, radius, truth.shape, method)
        assert match_counts(*contours, radius, truth.shape[1]) == slow, seed


@pytest.mark.parametrize("method", METHODS)
def test_slower_ways_of_matching_agree_bit_for_bit_on_a_large_frame(method):
    y, x = np.mgrid[:480, :854]
    truth = (x - 400) ** 2 / 4 + (y - 200) ** 2 < 120**2
    prediction = (x - 412) ** 2 / 5 + (y - 205) ** 2 + 900 * np.sin(x / 9) < 118**2
    contours = [contours_by_id(mask)[1] for mask in (truth, prediction)]
    value = boundary_accuracy(truth, prediction)
    assert value == slow_boundary_accuracy(contours, matching_radius(480, 854), truth.shape, method)
    assert 0.1 < value < 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_perfect_prediction_scores_one(seed):
    truth, _ = random_pair(seed)
    scores = score_frame(truth, truth.copy())
    assert set(scores.region) <= {1.0}
    assert set(scores.boundary) <= {1.0}


@pytest.mark.parametrize("seed", SEEDS)
def test_shifting_both_masks_changes_nothing(seed):
    truth, prediction = (np.pad(labels, 8) for labels in random_pair(seed))
    shift = tuple(np.random.default_rng(seed).integers(-6, 7, 2))
    moved = score_frame(np.roll(truth, shift, axis=(0, 1)), np.roll(prediction, shift, axis=(0, 1)))
    assert moved == score_frame(truth, prediction)


@pytest.mark.parametrize("seed", SEEDS)
def test_swapping_truth_and_prediction_keeps_j_and_f(seed):
    truth, prediction = random_pair(seed)
    one, other = score_frame(truth, prediction), score_frame(prediction, truth)
    assert one.region == other.region
    assert one.boundary == pytest.approx(other.boundary, rel=0, abs=1e-15)


def test_renaming_objects_renames_their_scores():
    truth, prediction = random_pair(1)
    names = np.array([0, 70_000, 3, 256], np.int32)
    one, other = score_frame(truth, prediction), score_frame(names[truth], names[prediction])
    assert [int(names[id]) for id in one.ids] == [70_000, 3, 256]
    renamed = dict(zip(other.ids, zip(other.region, other.boundary, strict=True), strict=True))
    for id, region, boundary in zip(one.ids, one.region, one.boundary, strict=True):
        assert renamed[int(names[id])] == (region, boundary)


def test_empty_masks_agree_and_one_empty_mask_does_not():
    empty, full = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    full[3:6, 3:6] = True
    assert (region_similarity(empty, empty), boundary_accuracy(empty, empty)) == (1, 1)
    assert (region_similarity(full, empty), boundary_accuracy(full, empty)) == (0, 0)


def test_object_that_fills_the_frame_has_no_contour():
    full, half = np.ones((9, 9), np.uint8), np.ones((9, 9), np.uint8)
    half[:, :4] = 0
    assert score_frame(full, full).boundary == (1.0,)
    assert score_frame(full, half).boundary == (0.0,)
    assert score_frame(full, half).region == (5 / 9,)


def test_matching_radius_is_that_of_the_definition():
    assert [matching_radius(*size) for size in ((480, 854), (1080, 1920), (24, 40), (75, 100))] == [8, 18, 1, 1]


def test_disk_holds_the_pixels_of_the_definition():
    assert disk(2).tolist() == [[0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]


def test_masks_of_two_sizes_are_refused_with_both():
    with pytest.raises(ValueError, match=r"truth \(4, 5\) and prediction \(5, 4\)"):
        region_similarity(np.zeros((4, 5)), np.zeros((5, 4)))
