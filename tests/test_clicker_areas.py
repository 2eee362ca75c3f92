"""Where `Clicker` looks, and that clicks, boxes and last answers are in the right place there.

The pictures say where each of their pixels is: red is its column, green its row. So the network's stand-in knows what
part of the picture it sees, and finds a given rectangle in it without a fault.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from livos.clicks import clicker as clicker_module
from livos.clicks.clicker import Clicker, ClickNetwork
from livos.clicks.head import INSIDE, NO_CLICK, OUTSIDE, prompt_maps

HEIGHT, WIDTH = 200, 250


class FaultlessHead:
    """Finds the rectangle x0, y0, x1, y1 of the picture, and notes what it is asked."""

    def __init__(self, rectangle):
        self.rectangle, self.looks, self.asked = rectangle, 0, []

    def look(self, images, pyramid):
        self.looks += 1
        return images * 255

    def truth(self, images):
        """Logits of the rectangle, at half of the size."""
        x0, y0, x1, y1 = self.rectangle
        columns, rows = F.avg_pool2d(images, 2)[:, :2].unbind(1)
        inside = (columns >= x0 - 0.5) & (columns < x1 - 0.5) & (rows >= y0 - 0.5) & (rows < y1 - 0.5)
        return inside[:, None].float() * 16 - 8

    def __call__(self, images, clicks, boxes, last):
        self.asked.append((images, clicks, boxes, last))
        return self.truth(images)


@pytest.fixture
def image():
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return np.stack([columns, rows, np.zeros_like(rows)], axis=2).astype(np.uint8)


def clicker_for(image, rectangle):
    head = FaultlessHead(rectangle)
    return Clicker(image, ClickNetwork(lambda images: images, nn.Identity(), head)), head


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def shown_at(images, x, y):
    """The place in the picture that the network sees at x and y."""
    height, width = images.shape[-2:]
    column, row = min(int(x), width - 1), min(int(y), height - 1)
    return images[0, 0, row, column].item() + 0.5, images[0, 1, row, column].item() + 0.5


@pytest.mark.parametrize(
    "rectangle", [(100, 60, 160, 140), (0, 0, 30, 20), (230, 180, 250, 200), (3, 90, 247, 110), (120, 80, 128, 90)]
)
@pytest.mark.parametrize("start", ["click", "box"])
def test_what_the_network_finds_is_the_mask_wherever_it_looks(image, rectangle, start):
    x0, y0, x1, y1 = rectangle
    truth = np.zeros((HEIGHT, WIDTH), bool)
    truth[y0:y1, x0:x1] = True
    middle = ((x0 + x1) / 2, (y0 + y1) / 2, 1)
    clicker, head = clicker_for(image, rectangle)
    found = clicker.mask([middle]) if start == "click" else clicker.mask([], rectangle)
    assert iou(found, truth) > 0.85
    assert len(head.asked) == 2 and head.asked[1][0][0, 0].max() < 255
    found = clicker.mask([middle, (x0 + 1.0, y0 + 1.0, 1)], None if start == "click" else rectangle)
    assert iou(found, truth) > 0.85


def test_clicks_are_where_the_picture_shows_them_and_those_out_of_sight_are_left_out(image):
    clicker, head = clicker_for(image, (40, 30, 80, 60))
    clicks = [(60.5, 45.5, 1), (70.5, 35.5, 1), (90.5, 62.5, 0), (240.5, 190.5, 0)]
    clicker.mask(clicks)
    images, rows, _, _ = head.asked[-1]
    assert images[0, 0].max() < 200, "it looks at the object's surroundings"
    for (x, y, inside), (column, row, label) in zip(clicks[:3], rows[0].tolist(), strict=False):
        assert label == (INSIDE if inside else OUTSIDE)
        assert shown_at(images, column, row) == pytest.approx((x, y), abs=1)
    assert rows[0, 3, 2] == NO_CLICK
    assert head.asked[0][1][0, 0].tolist() == pytest.approx([60.5 * 256 / WIDTH, 45.5 * 208 / HEIGHT, INSIDE])


def test_the_box_is_where_the_picture_shows_it(image):
    clicker, head = clicker_for(image, (100, 60, 160, 140))
    clicker.mask([], (100, 60, 160, 140))
    for images, rows, boxes, _ in head.asked:
        assert rows[..., 2].eq(NO_CLICK).all()
        assert shown_at(images, *boxes[0, :2]) == pytest.approx((100, 60), abs=1.5)
        assert shown_at(images, *boxes[0, 2:]) == pytest.approx((160, 140), abs=1.5)


def test_a_box_may_be_drawn_from_any_corner(image):
    clicker, head = clicker_for(image, (100, 60, 160, 140))
    expected = clicker.mask([], (98, 58, 162, 142))
    for box in ((162, 142, 98, 58), (98, 142, 162, 58), (162, 58, 98, 142)):
        assert np.array_equal(clicker.mask([], box), expected)
    assert len(head.asked) == 2, "they are the same box"


def test_the_last_answer_goes_in_again_where_it_was(image):
    clicker, head = clicker_for(image, (100, 60, 160, 140))
    clicker.mask([(130, 100, 1), (110, 70, 1), (20, 20, 1), (20, 180, 0)])
    first, *others = head.asked
    assert not first[3].any(), "nothing was answered before"
    for images, _, _, last in others:
        assert iou((last > 0).numpy(), (head.truth(images) > 0).numpy()) > 0.9
    assert len({(*images.shape, images.min().item()) for images, *_ in head.asked}) > 2


def test_few_views_are_kept_and_the_whole_picture_always_is(image, monkeypatch):
    monkeypatch.setattr(clicker_module, "_KEPT_AREAS", 3)
    clicker, head = clicker_for(image, (0, 0, 0, 0))
    for number in range(10):
        head.rectangle = (20 * number, 10 * number, 20 * number + 40, 10 * number + 40)
        clicker.mask([(20 * number + 20.5, 10 * number + 20.5, 1)])
        assert len(clicker._features) <= 3
    assert head.looks == 11, "once at the whole picture, and once about each object"


def test_no_box_leaves_its_map_empty_and_a_box_does_not():
    boxes = torch.tensor([[torch.nan] * 4, [8.0, 8.0, 24.0, 24.0]])
    maps = prompt_maps(torch.full((2, 1, 3), float(NO_CLICK)), boxes, torch.zeros(2, 1, 16, 16), (8, 8))
    assert not maps[0].any()
    assert set(maps[1, 6].unique().tolist()) == {-1.0, 1.0}
