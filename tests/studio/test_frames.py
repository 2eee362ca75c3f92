from fractions import Fraction

import cv2
import numpy as np
import pytest

from livos.studio.frames import Cache, FrameReader, FrameStore
from livos.video.video_file import Frame


class Numbers:
    """A source whose frames are as bright as their number; counts where decoding began."""

    size = (40, 400)
    num_frames = 200
    first_number = 0
    frame_rate = time_base = Fraction(1)

    def __init__(self, damaged=()):
        self.damaged, self.begun = damaged, []

    def frames(self, start=None, stop=None, backward=False):
        self.begun.append(start)
        for number in range(start or 0, self.num_frames):
            image = None if number in self.damaged else np.full((*self.size, 3), number, np.uint8)
            yield Frame(number, str(number), number, image)


def test_frames_that_follow_one_another_are_decoded_once():
    source = Numbers()
    reader = FrameReader(source)
    assert [int(reader.read(number)[0][0, 0, 0]) for number in (5, 6, 7, 10, 100, 101, 3)] == [5, 6, 7, 10, 100, 101, 3]
    assert source.begun == [5, 100, 3]


def test_damaged_frame_shows_the_one_before():
    reader = FrameReader(Numbers(damaged=(7, 8)))
    image, damaged = reader.read(8)
    assert damaged and image[0, 0, 0] == 6
    image, damaged = reader.read(9)
    assert not damaged and image[0, 0, 0] == 9


def test_damaged_beginning_is_black():
    image, damaged = FrameReader(Numbers(damaged=(0, 1))).read(1)
    assert damaged and not image.any()


def test_frame_beyond_the_end_is_refused():
    with pytest.raises(ValueError, match="no frame 200"):
        FrameReader(Numbers()).read(200)


def test_picture_is_the_next_larger_width_but_never_larger_than_the_frame():
    store = FrameStore(Numbers())
    widths = [cv2.imdecode(np.frombuffer(store.picture(9, w).jpeg, np.uint8), 1).shape[1] for w in (50, 300, 330, None)]
    assert widths == [96, 320, 400, 400]


def test_picture_is_kept():
    source = Numbers()
    store = FrameStore(source)
    assert store.picture(50, 96) is store.picture(50, 96)
    store.picture(2, 96)
    assert source.begun == [50, 2]


def test_thumbnails_leave_the_stage_where_it_is():
    source = Numbers()
    store = FrameStore(source)
    store.picture(50, None)
    store.picture(2, 96)
    store.picture(51, None)
    assert source.begun == [50, 2]


def test_cache_holds_so_many_bytes_and_forgets_the_oldest():
    cache: Cache[bytes] = Cache(10, len)
    for key in "abc":
        cache.put(key, b"1234")
    assert cache.get("a") is None and cache.get("b") and cache.get("c")
