"""Clicks and boxes: what must hold whatever the weights are, and what the weights that come with LiVOS can do."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import livos
from livos.clicks.areas import LEAST_SHARE, LEAST_SIDE, Area, area_about
from livos.clicks.clicker import Clicker, load_click_network
from livos.clicks.head import INSIDE, NO_CLICK, OUTSIDE, ClickHead, prompt_maps
from livos.clicks.simulation import next_click
from livos.files.bundled import bundled_dir
from livos.files.images import read_image
from livos.masks.label_maps import read_labels

NONE = (0.0, 0.0, float(NO_CLICK))


@pytest.fixture(scope="module")
def clip():
    """A frame of the bundled clip and its given labels."""
    frame = sorted((bundled_dir() / "examples" / "demo").rglob("*.jpg"))[0]
    mask = next(path for path in (bundled_dir() / "examples" / "demo").rglob("*.png") if path.stem == frame.stem)
    return read_image(frame), read_labels(mask).labels


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_a_click_finds_a_disc(disc):
    image, truth = disc
    found = livos.click(image, [(70, 60, 1)])
    assert found.shape == truth.shape and found.dtype == bool
    assert iou(found, truth) > 0.8


def test_a_box_alone_finds_a_disc(disc):
    image, truth = disc
    assert iou(livos.click(image, box=(38, 28, 102, 92)), truth) > 0.8


def test_three_clicks_on_the_bundled_clip_find_its_objects(clip):
    image, labels = clip
    for number in np.unique(labels)[1:]:
        clicker, truth = Clicker(image), labels == number
        clicks, found = [], np.zeros_like(truth)
        for _ in range(3):
            clicks.append(next_click(truth, found))
            found = clicker.mask(clicks)
        assert iou(found, truth) > 0.6, number


def test_probabilities_are_probabilities(disc):
    probabilities = Clicker(disc[0]).probabilities([(70, 60, 1), (5, 5, 0)])
    assert probabilities.dtype == np.float32
    assert probabilities.min() >= 0 and probabilities.max() <= 1


def test_taking_a_click_back_gives_the_mask_of_before(disc):
    clicker = Clicker(disc[0])
    before = clicker.probabilities([(70, 60, 1)])
    clicker.probabilities([(70, 60, 1), (90, 60, 0)])
    assert np.array_equal(clicker.probabilities([(70, 60, 1)]), before)


def test_a_kept_clicker_answers_as_a_new_one(disc):
    clicks = [(70, 60, 1), (90, 60, 0), (75, 50, 1)]
    clicker = Clicker(disc[0])
    for count in (1, 2):
        clicker.mask(clicks[:count])
    assert np.allclose(clicker.probabilities(clicks), Clicker(disc[0]).probabilities(clicks), atol=1e-4)


def test_further_clicks_do_not_encode_the_same_area_again(disc):
    clicker = Clicker(disc[0])
    looked = []
    encoder = clicker.network.encoder
    hook = encoder.register_forward_hook(lambda *_: looked.append(1))
    try:
        clicker.mask([(70, 60, 1)])
        first = len(looked)
        clicker.mask([(70, 60, 1)])
        clicker.mask([(70, 60, 1), (72, 62, 1)])
    finally:
        hook.remove()
    assert first == 2, "the whole image, then the surroundings"
    assert len(looked) == first


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (97, 33)])
def test_images_of_any_size_are_answered(shape):
    image = np.zeros((*shape, 3), np.uint8)
    assert livos.click(image, [(shape[1] / 2, shape[0] / 2, 1), (0, 0, 0)]).shape == shape


@pytest.mark.parametrize(
    "clicks, box, said",
    [
        ([], None, "found neither"),
        ([(5, 5, 0)], None, "click on the object or a box"),
        ([(5, 5, 1), (161, 5, 1)], None, "click 2 .* outside the image, 160 x 120"),
        ([(-1, 5, 1)], None, "outside"),
        ([(float("nan"), 5, 1)], None, "outside"),
        ([(5, 5)], None, "click 1: expected x, y, and 1"),
        ([(5, 5, 2)], None, "click 1: expected x, y, and 1"),
        ([], (1, 2, 3), "box: expected"),
        ([], (1, 2, float("inf"), 3), "box: expected"),
        ([], (200, 2, 300, 50), "covers no pixel of the image"),
    ],
)
def test_wrong_clicks_and_boxes_are_named(disc, clicks, box, said):
    with pytest.raises(ValueError, match=said):
        livos.click(disc[0], clicks, box)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), "u1")]
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(ValueError, match=r"\(H, W, 3\) of uint8"):
        Clicker(image)


def test_the_head_has_at_most_two_million_parameters():
    assert sum(p.numel() for p in load_click_network().head.parameters()) <= 2_000_000


def test_unused_places_in_the_list_of_clicks_change_nothing():
    torch.manual_seed(0)
    head = ClickHead((24, 40, 112)).eval()
    pyramid = [torch.randn(1, c, 64 // s, 96 // s) for c, s in ((24, 4), (40, 8), (112, 16))]
    boxes, last = torch.full((1, 4), torch.nan), torch.zeros(1, 1, 32, 48)
    clicks = torch.tensor([[(20.0, 30.0, INSIDE), (60.0, 9.0, OUTSIDE)]])
    padded = F.pad(clicks, (0, 0, 0, 2), value=NO_CLICK)
    with torch.no_grad():
        features = head.look(torch.randn(1, 3, 64, 96), pyramid)
        assert torch.allclose(head(features, clicks, boxes, last), head(features, padded, boxes, last), atol=1e-5)


def test_prompt_maps_peak_at_the_clicks_and_fill_the_box():
    clicks = torch.tensor([[(10.0, 22.0, INSIDE), NONE]])
    maps = prompt_maps(clicks, torch.tensor([[8.0, 0.0, 16.0, 32.0]]), torch.zeros(1, 1, 16, 32), (8, 16))
    assert maps.shape == (1, 8, 8, 16)
    assert maps[0, 0].argmax() == 5 * 16 + 2
    assert not maps[0, 3:6].any(), "nothing was clicked outside"
    assert (maps[0, 6, :, 2:4] == 1).all() and (maps[0, 6] == 1).sum() == 16


def test_the_next_click_is_in_the_middle_of_the_largest_error(disc):
    _, truth = disc
    x, y, label = next_click(truth, np.zeros_like(truth))
    assert label == INSIDE and abs(x - 70.5) < 2 and abs(y - 60.5) < 2
    surplus = truth.copy()
    surplus[:, 120:] = True
    x, y, label = next_click(truth, surplus)
    assert label == OUTSIDE and x > 120
    assert next_click(truth, truth) is None


def test_the_rest_of_an_object_stays_in_view_however_small_the_part_that_was_found():
    near = area_about(np.array([[300, 200], [304, 204]]), (400, 600))
    assert near.long_side >= LEAST_SHARE * 600
    assert near.left < 300 and near.top < 200 and near.right > 304 and near.bottom > 204
    assert area_about(np.array([[30, 30], [31, 31]]), (60, 60)).long_side >= LEAST_SIDE
    assert area_about(np.array([[0, 0], [600, 400]]), (400, 600)) == Area(0, 0, 600, 400)
