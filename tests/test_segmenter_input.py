"""Which frames and masks are accepted or refused, and that probabilities sum to 1 after a correction."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_network import tiny_network

from livos import VideoSegmenter
from livos.segmenter.frame_input import inner_size
from livos.segmenter.object_ids import insert

SIZE = (34, 50)
FRAME = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
LABELS = np.zeros(SIZE, np.int32)
LABELS[5:25, 10:20] = 1


@pytest.fixture
def segmenter() -> VideoSegmenter:
    return VideoSegmenter(tiny_network(), device="cpu")


def test_arrays_tensors_and_pil_images_give_the_same(segmenter):
    results = []
    for image, labels in (
        (FRAME, LABELS),
        (torch.from_numpy(FRAME).permute(2, 0, 1) / 255, torch.from_numpy(LABELS)),
        (Image.fromarray(FRAME), Image.fromarray(LABELS.astype(np.uint8))),
        (Image.fromarray(FRAME), Image.fromarray(LABELS > 0)),
        (FRAME, LABELS > 0),
    ):
        segmenter.reset()
        segmenter.step(image, labels)
        results.append(segmenter.step(image))
    for result in results[1:]:
        assert result.object_ids == [1]
        torch.testing.assert_close(result.probabilities, results[0].probabilities)


@pytest.mark.parametrize("wrong", ["of 0 to 255", "with NaN", "normalised"])
def test_float_tensors_outside_of_0_to_1_are_refused(segmenter, wrong):
    image = torch.from_numpy(FRAME).permute(2, 0, 1).float()
    if wrong == "with NaN":
        image = image / 255
        image[0, 3, 4] = torch.nan
    elif wrong == "normalised":
        image = (image / 255 - 0.45) / 0.22
    with pytest.raises(ValueError, match=r"image has values from .* to .*, expected a float tensor in \[0, 1\]"):
        segmenter.step(image, LABELS)
    with pytest.raises(ValueError, match="image is a str"):
        segmenter.step("frame.png", LABELS)


def test_ids_that_results_cannot_hold_are_refused(segmenter):
    for labels in (LABELS.astype(np.int64) << 31, LABELS.astype(np.uint64) << np.uint64(63)):
        with pytest.raises(ValueError, match=r"labels contain the id \d+: expected ids up to 2147483647"):
            segmenter.step(FRAME, labels)
    assert segmenter.step(FRAME, LABELS.astype(np.int64) * (2**31 - 1)).object_ids == [2**31 - 1]


@pytest.mark.parametrize("remaining", [0.0, 1e-9, 1e-7, 9e-7, 1.1e-6, 0.3])
def test_probabilities_sum_to_1_however_little_a_correction_leaves(remaining):
    probabilities = torch.zeros(3, 1, 2)
    probabilities[:, 0] = torch.tensor([[remaining / 2], [1 - remaining], [remaining / 2]])
    corrected = insert(probabilities, torch.tensor([[[0.0, 1.0]]]), [0])
    torch.testing.assert_close(corrected.sum(dim=0), torch.ones(1, 2))
    assert corrected[1].tolist() == [[0.0, 1.0]]


def test_very_long_frames_are_not_enlarged_beyond_reason(segmenter):
    assert inner_size((1, 2000), 240) == (1, 2000)
    assert inner_size((120, 4000), 480) == (120, 4000)
    assert inner_size((120, 2000), 480) == (230, 3833)
    assert inner_size((60, 120), 480) == (480, 960)
    assert inner_size((2000, 20000), 240) == (240, 2400)
    assert inner_size((34, 50), None) == (34, 50)
    narrow = VideoSegmenter(tiny_network(), device="cpu", size=240)
    line = np.random.default_rng(0).integers(0, 256, (1, 2000, 3), dtype=np.uint8)
    narrow.step(line, np.arange(2000)[None] // 1000)
    assert narrow.step(line).labels.shape == (1, 2000)
