import numpy as np
import pytest

from livos.training.data.clips import Clip, moved, paste, without_hidden_objects


def clip_with(name: str, grey: int, *boxes) -> Clip:
    """Two frames of 20 x 20 pixels with boxes (top, bottom, left, right) for objects, one pixel lower in the second."""
    labels = np.zeros((2, 20, 20), dtype=np.uint8)
    for slot, (top, bottom, left, right) in enumerate(boxes, start=1):
        for t in range(2):
            labels[t, top + t : bottom + t, left:right] = slot
    return Clip(np.full((2, 20, 20, 3), grey, dtype=np.uint8), labels, len(boxes), name)


def pasted(clip: Clip, other: Clip, room: int, min_pixels: int = 1) -> Clip:
    return paste(clip, other, room, blur_size=5, blur_sigma=1.0, min_pixels=min_pixels)


def test_pasted_objects_come_in_front_with_the_next_slots():
    result = pasted(clip_with("a", 0, (2, 12, 2, 12)), clip_with("b", 200, (8, 16, 8, 16), (2, 5, 14, 18)), room=2)
    assert result.num_objects == 3 and result.name == "a + b"
    assert [result.labels[0, y, x] for y, x in ((3, 3), (9, 9), (3, 15), (19, 19))] == [1, 2, 3, 0]
    assert [result.labels[1, y, x] for y, x in ((4, 3), (10, 9), (4, 15), (2, 2))] == [1, 2, 3, 0]


def test_the_edge_is_soft_and_two_pixels_wide_either_way():
    result = pasted(clip_with("a", 0, (0, 2, 0, 2)), clip_with("b", 200, (6, 16, 6, 16)), room=2)
    row = result.images[0, 10, :, 0].astype(int)
    np.testing.assert_array_equal(row[:4], 0)
    np.testing.assert_array_equal(row[8:14], 200)
    assert row[4] < row[5] < 100 < row[6] < row[7] < 200
    assert row[4] == pytest.approx(200 * 0.0545, abs=1)  # the outermost weight of a 5-tap Gaussian with sigma 1


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (-3, 2), (5, -8), (-19, 19), (20, 0), (0, -50)])
def test_a_moved_clip_shows_background_where_something_came_in(shift):
    clip = clip_with("a", 50, (2, 12, 4, 10))
    result = moved(clip, np.array([(0, 0), shift]))
    np.testing.assert_array_equal(result.images[0], clip.images[0])
    np.testing.assert_array_equal(result.labels[0], clip.labels[0])
    rows, columns = slice(60 - shift[1], 80 - shift[1]), slice(60 - shift[0], 80 - shift[0])
    np.testing.assert_array_equal(result.images[1], np.pad(clip.images[1], ((60, 60), (60, 60), (0, 0)))[rows, columns])
    np.testing.assert_array_equal(result.labels[1], np.pad(clip.labels[1], 60)[rows, columns])


def test_objects_beyond_the_room_are_left_out():
    result = pasted(clip_with("a", 0, (2, 6, 2, 6)), clip_with("b", 200, (8, 12, 8, 12), (14, 18, 14, 18)), room=1)
    assert result.num_objects == 2
    assert result.images[0, 16, 16, 0] == 0 and result.labels[0, 16, 16] == 0


def test_a_hidden_object_gives_its_slot_to_the_next():
    clip = clip_with("a", 0, (4, 6, 4, 6), (14, 18, 14, 18))
    result = pasted(clip, clip_with("b", 200, (2, 9, 2, 9)), room=1)
    assert result.num_objects == 2
    assert result.labels[0, 16, 16] == 1 and result.labels[0, 5, 5] == 2
    assert set(np.unique(result.labels)) == {0, 1, 2}


def test_objects_that_show_too_little_become_background():
    clip = clip_with("a", 0, (0, 2, 0, 2), (10, 14, 10, 14))
    result = without_hidden_objects(clip, min_pixels=5)
    assert result.num_objects == 1 and result.labels[0, 1, 1] == 0 and result.labels[1, 12, 12] == 1


def test_pasting_leaves_the_clips_as_they_were():
    clip, other = clip_with("a", 0, (2, 6, 2, 6)), clip_with("b", 200, (4, 12, 4, 12))
    before = clip.images.copy(), clip.labels.copy(), other.images.copy(), other.labels.copy()
    pasted(clip, other, room=2)
    for kept, now in zip(before, (clip.images, clip.labels, other.images, other.labels), strict=True):
        np.testing.assert_array_equal(kept, now)
