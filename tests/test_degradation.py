"""Each kind of degradation does what it says, and nothing happens unless requested."""

import cv2
import numpy as np
import pytest

from livos.config.schema import DegradationConfig
from livos.training.data.clips import Clip, smear_kernel
from livos.training.data.degradation import degraded


def noisy_clip() -> Clip:
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    images = np.stack([cv2.GaussianBlur(image, (5, 5), 1.0) for image in images])
    return Clip(images, np.ones((3, 64, 64), dtype=np.uint8), 1, "noise")


def sharpness(clip: Clip) -> float:
    return sum(float(np.abs(np.diff(clip.images.astype(float), axis=axis)).mean()) for axis in (1, 2))


def test_by_default_nothing_happens_and_nothing_is_drawn():
    clip, generator = noisy_clip(), np.random.default_rng(0)
    assert degraded(clip, DegradationConfig(), generator) is clip
    assert generator.bit_generator.state == np.random.default_rng(0).bit_generator.state


def test_blur_takes_detail_away():
    clip = noisy_clip()
    blurred = degraded(clip, DegradationConfig(blur_probability=1.0, blur=[0.1, 0.2]), np.random.default_rng(0))
    assert sharpness(blurred) < 0.7 * sharpness(clip)


def test_dark_clips_are_darker():
    clip = noisy_clip()
    settings = DegradationConfig(dark_probability=1.0, darkness=[0.2, 0.4], noise=[0.0, 0.0])
    dark = degraded(clip, settings, np.random.default_rng(0))
    assert 0.15 < dark.images.mean() / clip.images.mean() < 0.42


def test_strong_compression_shows_and_keeps_the_frame_recognisable():
    clip = noisy_clip()
    settings = DegradationConfig(jpeg_probability=1.0, jpeg_quality=[5, 5])
    change = np.abs(degraded(clip, settings, np.random.default_rng(0)).images.astype(int) - clip.images)
    assert 5 < change.mean() < 60


def test_labels_stay():
    settings = DegradationConfig(blur_probability=1.0, dark_probability=1.0, jpeg_probability=1.0)
    clip = noisy_clip()
    np.testing.assert_array_equal(degraded(clip, settings, np.random.default_rng(0)).labels, clip.labels)


@pytest.mark.parametrize("smear", [(0.0, 0.0), (9.0, 0.0), (3.0, -4.0)])
def test_a_smear_spreads_a_pixel_along_the_motion_and_loses_nothing(smear):
    kernel = smear_kernel(np.array(smear))
    rows, columns = np.nonzero(kernel)
    assert kernel.sum() == pytest.approx(1)
    assert np.hypot(np.ptp(rows), np.ptp(columns)) == pytest.approx(np.hypot(*smear), abs=1.5)
