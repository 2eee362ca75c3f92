"""What is pasted into a clip in addition to its own objects."""

import numpy as np
import pytest

from livos.config.schema import DataConfig, FlightConfig
from livos.training.data.clips import Clip
from livos.training.data.merging import merge, with_occluder, with_twin

SETTINGS = DataConfig(
    flight=FlightConfig(probability=1.0, speed=[0.05, 0.1], spin=0.0, growth=1.0, return_probability=0.0)
)


def clip_with(name: str, grey: int, *squares: tuple[int, int]) -> Clip:
    """Five frames of 64 x 64 pixels, darker by 100 but for squares of 12 x 12 pixels with these corners (top, left)."""
    labels = np.zeros((5, 64, 64), dtype=np.uint8)
    for slot, (top, left) in enumerate(squares, start=1):
        labels[:, top : top + 12, left : left + 12] = slot
    images = np.where(labels[..., None] > 0, grey, grey - 100) * np.ones(3)
    return Clip(images.astype(np.uint8), labels, len(squares), name)


@pytest.mark.parametrize("seed", range(5))
def test_merged_objects_are_followed_and_move(seed):
    clip, other = clip_with("a", 120, (4, 4)), clip_with("b", 250, (40, 40))
    merged = merge(clip, other, 2, SETTINGS, np.random.default_rng(seed))
    assert merged.num_objects == 2 and merged.name == "a + b"
    np.testing.assert_array_equal(merged.labels[0] == 2, other.labels[0] == 1)
    assert not np.array_equal(merged.labels[4] == 2, other.labels[4] == 1)


@pytest.mark.parametrize("seed", range(10))
def test_a_twin_looks_like_an_object_and_is_background(seed):
    clip = clip_with("a", 240, (26, 26))
    twins = with_twin(clip, SETTINGS, np.random.default_rng(seed))
    assert twins.num_objects == 1
    alike = (twins.images[0, ..., 0] > 200) & (twins.labels[0] == 0)
    assert alike.any()
    assert not (twins.labels[0] > clip.labels[0]).any()


@pytest.mark.parametrize("seed", range(10))
def test_an_occluder_hides_an_object_in_some_frame_and_is_background(seed):
    clip, other = clip_with("a", 120, (26, 26)), clip_with("b", 250, (26, 26))
    covered = with_occluder(clip, other, SETTINGS, np.random.default_rng(seed))
    assert covered.num_objects == 1
    areas = np.count_nonzero(covered.labels, axis=(1, 2))
    assert areas.min() < 20 < areas[0]


def test_a_clip_keeps_its_last_object_where_an_occluder_would_hide_it_at_once():
    clip, other = clip_with("a", 120, (26, 26)), clip_with("b", 250, (26, 26))
    still = DataConfig(flight=FlightConfig(speed=[0.0, 0.0]))
    assert with_occluder(clip, other, still, np.random.default_rng(0)) is clip
