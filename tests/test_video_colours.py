"""HDR on screens that are not made for it."""

from __future__ import annotations

import numpy as np
import pytest

from livos.video.colours import tone_mapped

GREYS = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)


@pytest.mark.parametrize("is_pq", [True, False])
def test_greys_stay_grey_and_in_order(is_pq):
    mapped = tone_mapped(GREYS, is_pq)[0].astype(int)
    assert np.ptp(mapped, axis=1).max() <= 1
    assert (np.diff(mapped[:, 1]) >= 0).all() and mapped[0, 1] == 0 and mapped[-1, 1] == 255


@pytest.mark.parametrize(("is_pq", "code"), [(True, 0.58), (False, 0.75)])
def test_paper_is_bright_but_not_the_brightest(is_pq, code):
    mapped = tone_mapped(GREYS, is_pq)[0, round(255 * code), 1]
    assert 215 <= mapped <= 240  # the codes of reference white, 203 cd/m2, in BT.2408


def test_a_grey_of_a_fifth_of_white_is_kept():
    """18 % grey has the code 0.38 in PQ, and 119 in sRGB."""
    assert abs(int(tone_mapped(GREYS, True)[0, round(255 * 0.383), 1]) - 106) <= 8


def test_colours_of_the_wider_space_become_more_saturated():
    red = tone_mapped(np.full((1, 1, 3), (130, 60, 60), np.uint8), True)[0, 0].astype(int)
    assert red[0] > 130 and red[1] < 60
