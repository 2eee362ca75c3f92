from fractions import Fraction

import cv2
import numpy as np
import pytest
from video_makers import make_video, number_shown

from livos.studio.frames import Cache, FrameReader, FrameStore
from livos.video.sources import OneVideoFile
from livos.video.video_file import Frame


class Numbers:
    """A source whose frames are as bright as their number; counts which were decoded."""

    size = (40, 400)
    num_frames = 200
    first_number = 0
    frame_rate = time_base = Fraction(1)

    def __init__(self, damaged=()):
        self.damaged, self.decoded = damaged, []

    def frames(self, start=None, stop=None, backward=False):
        for number in range(start or 0, min(stop, self.num_frames)):
            self.decoded.append(number)
            image = None if number in self.damaged else np.full((*self.size, 3), number, np.uint8)
            yield Frame(number, str(number), number, image)


def shown_at(jpeg):
    return number_shown(cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1), cv2.COLOR_BGR2RGB))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """100 frames with a key frame at every fiftieth."""
    return OneVideoFile(make_video(tmp_path_factory.mktemp("film") / "film.mp4", 100, codec="mpeg4", gop=50))


def test_frames_of_a_video_come_in_any_order(film):
    store = FrameStore(film)
    for number in (5, 6, 33, 20, 2, 34):
        assert shown_at(store.picture(number, None).jpeg) == number


def test_far_frame_shows_its_key_frame_first_and_a_near_one_itself(film):
    store, index = FrameStore(film), film.video.index()
    store.near = near = 12
    keys = {number: next(key.number for key in index.keys_before(number)) for number in range(100)}
    far = next(number for number in range(100) if number - keys[number] > near)
    number, picture = store.quick(far, None)
    assert number == keys[far] and shown_at(picture.jpeg) == number
    assert store.quick(keys[far] + near, None)[0] == keys[far] + near
    store.picture(far, None)
    assert store.quick(far, None)[0] == far


def test_larger_frames_must_be_nearer_to_their_key_frame_to_be_shown_at_once():
    def near(height, width):
        source = Numbers()
        source.size = height, width
        return FrameStore(source).near

    assert near(1080, 1920) == 4
    assert near(2160, 3840) == 1


def test_thumbnail_is_of_a_key_frame_that_it_stands_for_if_there_is_one(film):
    store, index = FrameStore(film), film.video.index()
    keys = {next(key.number for key in index.keys_before(number)) for number in range(100)}
    key = min(keys - {0})
    assert store.thumbnail(key - 5, 6)[0] == key
    shown, picture = store.thumbnail(key - 5, 5)
    assert shown == key - 5 == shown_at(picture.jpeg) % 35


def test_frame_that_tracking_has_decoded_is_not_decoded_again_to_be_shown():
    source = Numbers()
    store = FrameStore(source)
    frames = list(source.frames(20, 30))
    source.decoded.clear()
    for frame in frames:
        store.take(frame)
    store.take(Frame(7, "7", 7, None))
    assert (
        np.median(cv2.imdecode(np.frombuffer(store.picture(25, None).jpeg, np.uint8), 0)) == 25 and source.decoded == []
    )
    store.picture(7, None)
    assert source.decoded == [7]


def test_jump_waits_for_no_frame_that_takes_long(film):
    store = FrameStore(film)
    with store._stage._lock, store._beside._lock:  # as while they decode
        number, picture = store.quick(20, None)
    assert number == 20 == shown_at(picture.jpeg)


def test_damaged_frame_shows_the_previous_one():
    reader = FrameReader(Numbers(damaged=(7, 8)))
    image, damaged = reader.read(8)
    assert damaged and image[0, 0, 0] == 6
    image, damaged = reader.read(9)
    assert not damaged and image[0, 0, 0] == 9


def test_damaged_beginning_is_black():
    image, damaged = FrameReader(Numbers(damaged=(0, 1))).read(1)
    assert damaged and not image.any()


def test_frame_beyond_the_end_is_refused():
    with pytest.raises(LookupError, match="no frame 200"):
        FrameReader(Numbers()).read(200)


def test_picture_is_the_next_larger_width_but_never_larger_than_the_frame():
    store = FrameStore(Numbers())
    widths = [cv2.imdecode(np.frombuffer(store.picture(9, w).jpeg, np.uint8), 1).shape[1] for w in (50, 300, 330, None)]
    assert widths == [96, 320, 400, 400]


def test_picture_is_kept():
    source = Numbers()
    store = FrameStore(source)
    assert store.picture(50, 96) is store.picture(50, 96)
    store.picture(2, None)
    store.picture(2, 96)
    assert source.decoded == [50, 2]


def test_cache_holds_so_many_bytes_and_forgets_the_oldest():
    cache: Cache[bytes] = Cache(10, len)
    for key in "abc":
        cache.put(key, b"1234")
    assert cache.get("a") is None and cache.get("b") and cache.get("c")


def test_cache_keeps_what_was_used_last():
    cache = Cache(2, lambda thing: 1)
    cache.put("a", 1), cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)
