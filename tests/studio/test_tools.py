import numpy as np
import pytest

from livos.studio.magnet import REACH, Magnet
from livos.studio.tools import (
    SHORTEST_REACH,
    filled_at,
    from_box,
    from_strokes,
    smoothed,
    snapped,
    suggest,
    without_holes,
    without_specks,
)


@pytest.fixture
def scene():
    """A noisy red disc on noisy green, and where it is."""
    rows, columns = np.mgrid[:120, :160]
    disc = (rows - 60) ** 2 + (columns - 80) ** 2 < 30**2
    image = np.where(disc[..., None], (190, 60, 50), (60, 140, 70)) + np.random.default_rng(0).normal(
        0, 8, (120, 160, 3)
    )
    return image.clip(0, 255).astype(np.uint8), disc


def overlap(found, truth):
    return (found & truth).sum() / (found | truth).sum()


def test_box_finds_the_object_in_it(scene):
    image, disc = scene
    assert overlap(from_box(image, [40, 20, 120, 100]), disc) > 0.97


def test_box_without_pixels_is_refused(scene):
    with pytest.raises(ValueError, match="too small"):
        from_box(scene[0], [300, 20, 400, 100])


def test_strokes_select_nothing_far_from_them():
    rows, columns = np.mgrid[:120, :400]
    near, far = ((rows - 60) ** 2 + (columns - x) ** 2 < 20**2 for x in (60, 340))
    image = np.where((near | far)[..., None], (190, 60, 50), (60, 140, 70)).astype(np.uint8)
    strokes = [{"points": [[50, 60], [70, 60]], "radius": 4, "add": True}]
    found = suggest(image, np.zeros_like(near), {"tool": "scribble", "strokes": strokes})
    assert overlap(found, near) > 0.9
    assert not (found & far).any()


def test_fresh_strokes_forget_the_mask(scene):
    image, disc = scene
    request = {
        "tool": "scribble",
        "strokes": [{"points": [[70, 60], [90, 60]], "radius": 5, "add": True}],
        "fresh": True,
    }
    alone = suggest(image, np.zeros_like(disc), request)
    np.testing.assert_array_equal(suggest(image, np.ones_like(disc), request), alone)


def test_strokes_find_the_object(scene):
    image, disc = scene
    strokes = [
        {"points": [[70, 60], [90, 60]], "radius": 5, "add": True},
        {"points": [[10, 10], [150, 10]], "radius": 5, "add": False},
    ]
    found = suggest(image, np.zeros_like(disc), {"tool": "scribble", "strokes": strokes})
    assert overlap(found, disc) > 0.9


def test_strokes_that_mark_only_the_background_are_refused(scene):
    image, disc = scene
    with pytest.raises(ValueError, match="Paint over the object"):
        from_strokes(image, np.zeros_like(disc), [])


def test_snap_moves_a_rough_border_to_the_edge(scene):
    image, disc = scene
    rough = np.roll(disc, (3, -4), (0, 1))
    assert overlap(snapped(image, rough, 8), disc) > max(0.95, overlap(rough, disc))


def test_snap_moves_nothing_farther_than_its_radius(scene):
    image, disc = scene
    inner = np.zeros_like(disc)
    inner[58:62, 78:82] = True
    found = snapped(image, inner, 3)
    assert not found[:, :74].any() and not found[:, 87:].any()


def test_large_objects_are_found_in_full_resolution(scene):
    image, disc = (
        np.kron(thing, np.ones(shape, thing.dtype)) for thing, shape in zip(scene, [(8, 8, 1), (8, 8)], strict=True)
    )
    assert overlap(from_box(image, [320, 160, 960, 800]), disc) > 0.97


def test_holes_are_filled_but_not_bays():
    mask = np.ones((9, 9), bool)
    mask[3:5, 3:5] = mask[0:4, 7] = False
    filled = without_holes(mask)
    assert filled[3:5, 3:5].all() and not filled[0:4, 7].any()


def test_specks_go_and_the_large_stay():
    mask = np.zeros((20, 20), bool)
    mask[2:10, 2:10] = mask[12:16, 12:16] = mask[18, 1] = True
    assert np.array_equal(np.argwhere(mask & ~without_specks(mask)), [[18, 1]])


def test_smoothing_takes_bumps_and_keeps_the_rest():
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = mask[8:10, 20] = True
    found = smoothed(mask, 3)
    assert not found[:9].any() and found[12:28, 12:28].all()


def test_hole_or_piece_at_a_point():
    mask = np.zeros((12, 12), bool)
    mask[1:6, 1:6] = mask[8:11, 8:11] = True
    mask[3, 3] = mask[9, 9] = False
    assert filled_at(mask, [3.5, 3.5], add=True)[3, 3]
    assert not filled_at(mask, [3.5, 3.5], add=True)[9, 9]
    assert not filled_at(mask, [8.5, 8.5], add=False)[8:11, 8:11].any()
    with pytest.raises(ValueError, match="no hole"):
        filled_at(mask, [7, 7], add=True)


@pytest.mark.parametrize(
    "request_",
    [
        {"tool": "axe"},
        {"tool": "box", "box": [1, 2, 3]},
        {"tool": "box", "box": [1, 2, float("nan"), 4]},
        {"tool": "snap", "radius": "8"},
        {"tool": "snap", "radius": 1e9},
        {"tool": "scribble", "strokes": [{"points": [[1, 2, 3]]}]},
        {"tool": "scribble", "strokes": [4]},
    ],
)
def test_invalid_requests_are_refused(scene, request_):
    with pytest.raises(ValueError):
        suggest(scene[0], scene[1], request_)


def test_magnetic_path_keeps_to_the_edge(scene):
    image, _ = scene
    path = np.array(Magnet().path(0, image, (80, 30), (110, 60)))
    distance = np.hypot(path[:, 0] - 80.5, path[:, 1] - 60.5)
    assert len(path) > 3 and np.abs(distance - 30).max() < 3


def test_magnetic_path_beyond_its_reach_is_straight():
    image = np.zeros((8, 3 * REACH, 3), np.uint8)
    assert Magnet().path(0, image, (1, 1), (2 * REACH, 4)) == [(1, 1), (2 * REACH, 4)]


def test_magnetic_path_of_another_frame_follows_its_own_edges(scene):
    image, _ = scene
    magnet = Magnet()
    first = magnet.path(0, image, (80, 30), (110, 60))
    moved = np.roll(image, 12, axis=1)
    assert magnet.path(1, moved, (80, 30), (110, 60)) == Magnet().path(1, moved, (80, 30), (110, 60)) != first


def test_strokes_find_nothing_beyond_their_reach():
    image = np.full((60, 400, 3), (60, 140, 70), np.uint8)
    image[20:40, 10:390] = (190, 60, 50)
    strokes = [{"points": [[20, 30], [30, 30]], "radius": 4, "add": True}]
    found = suggest(image, np.zeros((60, 400), bool), {"tool": "scribble", "strokes": strokes})
    assert found[30, 20:34].all() and not found[:, 34 + SHORTEST_REACH + 2 :].any()
