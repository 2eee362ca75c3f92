import numpy as np
import pytest

from livos.studio.clicking import MOST_CLICKS, ClickedFrame


def overlap(found, truth):
    return (found & truth).sum() / (found | truth).sum()


def test_clicks_and_boxes_of_a_request_find_the_object(disc):
    image, truth = disc
    clicked = ClickedFrame()
    assert overlap(clicked.mask(0, image, {"clicks": [[70.0, 60.0, 1]]}), truth) > 0.8
    assert overlap(clicked.mask(0, image, {"clicks": [], "box": [38, 28, 102, 92]}), truth) > 0.8


def test_another_frame_is_looked_at_anew(disc):
    image, truth = disc
    clicked, request = ClickedFrame(), {"clicks": [[70.0, 60.0, 1]]}
    clicked.mask(0, np.zeros_like(image), request)
    assert overlap(clicked.mask(1, image, request), truth) > 0.8


@pytest.mark.parametrize(
    "request_, said",
    [
        ({}, "Click on the object first"),
        ({"clicks": [[5, 5, 0]]}, "Click on the object first"),
        ({"clicks": 4}, "expected a list"),
        ({"clicks": [[5, 5, 1]] * (MOST_CLICKS + 1)}, "at most"),
        ({"clicks": [[5, 5]]}, "click: expected 3 numbers"),
        ({"clicks": [[5, 5, 7]]}, "Click on the object first"),
        ({"clicks": [[500, 5, 1]]}, "outside the image"),
        ({"clicks": [], "box": [1, 2, 3]}, "box: expected 4 numbers"),
    ],
)
def test_wrong_requests_are_refused_with_a_sentence(disc, request_, said):
    with pytest.raises(ValueError, match=said):
        ClickedFrame().mask(0, disc[0], request_)
