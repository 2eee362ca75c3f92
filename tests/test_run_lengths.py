"""Run-length codes and polygons are checked against their image before native code reads them."""

import numpy as np
import pytest

from livos.masks.polygons import box, checked_polygon, fill
from livos.masks.run_lengths import decode_mask, encode_mask

SIZE = (20, 30)


def test_codes_agree_with_pycocotools_as_text_and_as_lists():
    generator = np.random.default_rng(0)
    for share in (0.0, 0.02, 0.5, 1.0):
        mask = generator.random(SIZE) < share
        np.testing.assert_array_equal(decode_mask(encode_mask(mask), SIZE, ""), mask)
        flat = mask.T.ravel()
        edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [not flat[-1]]]).astype(int)))
        runs = np.diff(np.concatenate([[0], edges])).tolist()
        np.testing.assert_array_equal(decode_mask(runs, SIZE, ""), mask)


@pytest.mark.parametrize(
    "code",
    [
        [16], [600, 1], [0, -600], [600.0], [True] * 600, [2**70], ["600"], [None], [[600]], [0] * 10_000, [],
        "", "0", "zz~~~", "o" * 10_000, "\ud800", "P" * 50, "/", "o" * 30 + "0", "0" * 100_000, None, 600, {"a": 1},
    ],
)  # fmt: skip
def test_codes_of_another_image_or_none_are_refused(code):
    with pytest.raises(ValueError, match=r"a\.json: annotations\[2\]"):
        decode_mask(code, SIZE, "a.json: annotations[2]")


def test_polygons_far_outside_or_endless_are_refused():
    inside = box(2, 3, 12, 13)
    assert fill([checked_polygon(inside, SIZE, "")], SIZE).sum() == 100
    assert fill([checked_polygon(box(-5, -5, 50, 30), SIZE, "")], SIZE).all()
    for corners in (inside[:2], box(0, 0, 1e8, 5), box(0, 0, float("nan"), 5), box(float("-inf"), 0, 1, 5)):
        with pytest.raises(ValueError, match=r"b\.json: "):
            checked_polygon(corners, SIZE, "b.json")
    with pytest.raises(ValueError, match="100000 corners whose outline is longer than its image allows"):
        checked_polygon([(0.0, 0.0), (29.0, 19.0)] * 50_000, SIZE, "b.json")
