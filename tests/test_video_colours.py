"""HDR on standard displays."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from livos.video.colours import tone_mapped
from livos.video.video_file import VideoFile

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


@pytest.mark.parametrize(("transfer", "darkest"), [(16, 215), (1, 140)])
def test_hdr_is_recognised_by_the_stream(tmp_path, transfer, darkest):
    """White paper at 203 cd/m2 has the code 148 of 255 in PQ, and is bright on a usual screen."""
    if "libx265" not in av.codecs_available:
        pytest.skip("this build of PyAV has no encoder libx265")
    with av.open(str(tmp_path / "a.mp4"), "w") as made:
        stream = made.add_stream("libx265", rate=25)
        stream.height, stream.width, stream.pix_fmt = 64, 64, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = transfer, 9, 9
        stream.options = {"x265-params": "log-level=none:bframes=0"}
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 148, np.uint8), format="rgb24")
            frame = frame.reformat(format="yuv420p10le")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    image = next(VideoFile(tmp_path / "a.mp4").frames()).image
    assert darkest <= image[32, 32].min() and image[32, 32].max() <= darkest + 25
