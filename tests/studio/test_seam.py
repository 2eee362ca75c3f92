import numpy as np
import pytest

from livos.studio.seam import agreement, backward_shares, choose_seam, joined, signed_distance


def square(left, top=8, side=8, size=(24, 40)):
    mask = np.zeros(size, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def labels_of(**masks):
    labels = np.zeros((24, 40), np.uint8)
    for name, mask in masks.items():
        labels[mask] = int(name[1:])
    return labels


def test_seam_lies_where_the_sides_agree():
    agreements = [0.1] * 4 + [0.9, 0.95] + [0.1] * 10
    assert choose_seam(agreements, [0.9] * 16, [0.9] * 16) == 5


def test_seam_gives_the_more_confident_side_more_frames():
    falling, rising = list(np.linspace(1, 0, 20)), list(np.linspace(0, 1, 20))
    late = choose_seam([0.8] * 20, [0.9] * 20, rising)
    early = choose_seam([0.8] * 20, falling, [0.9] * 20)
    assert early < 10 < late


def test_seam_of_sides_that_are_alike_is_in_the_middle():
    assert choose_seam([0.8] * 9, [0.9] * 9, [0.9] * 9) in (4, 5)


@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_each_side_wins_near_its_own_given_mask(count):
    rng = np.random.default_rng(count)
    for _ in range(20):
        agreements = rng.random(count).tolist()
        shares = backward_shares(agreements, choose_seam(agreements, rng.random(count), rng.random(count)))
        assert sorted(shares) == shares
        if count > 1:
            assert shares[0] < 0.5 < shares[-1]


def test_sides_that_do_not_agree_are_not_blended():
    assert backward_shares([0.4] * 8, 4) == [0, 0, 0, 0, 1, 1, 1, 1]
    assert 0 < backward_shares([0.6] * 8, 4)[3] < 0.5


def test_blend_ends_where_the_sides_stop_agreeing():
    assert backward_shares([0.9, 0.4, 0.9, 0.9, 0.9, 0.4], 3)[:2] == [0, 0]


def test_object_is_taken_whole_from_one_side():
    forward, backward = labels_of(_1=square(2)), labels_of(_1=square(20))
    assert np.array_equal(joined(forward, backward, {1: 0.0}), forward)
    assert np.array_equal(joined(forward, backward, {1: 1.0}), backward)


def test_object_between_the_sides_is_one_shape_between_theirs():
    found = joined(labels_of(_1=square(10)), labels_of(_1=square(14)), {1: 0.5}) == 1
    columns = np.flatnonzero(found.any(axis=0))
    assert 10 <= columns[0] <= 12 and 19 <= columns[-1] <= 21
    assert abs(columns.mean() - 15.5) < 0.6
    assert np.array_equal(columns, np.arange(columns[0], columns[-1] + 1))


def test_objects_of_different_sides_do_not_share_pixels():
    forward, backward = labels_of(_1=square(8), _2=square(24)), labels_of(_1=square(30), _2=square(12))
    found = joined(forward, backward, {1: 0.0, 2: 1.0})
    assert (found[12, 8:13] == 1).all() and (found[12, 15:20] == 2).all()
    assert (found > 0).sum() == 96 and min((found == 1).sum(), (found == 2).sum()) > 40  # what both claimed is halved


def test_other_objects_are_not_taken():
    assert not joined(labels_of(_3=square(8)), labels_of(_3=square(8)), {1: 0.5}).any()


def test_object_that_one_side_has_lost_is_not_half_there():
    assert np.array_equal(backward_shares([0.0, 0.0], 1), [0, 1])
    assert agreement(square(2), square(30)) == 0 and agreement(square(2) & False, square(2) & False) == 1


def test_distance_is_positive_inside_only():
    distance = signed_distance(square(10))
    assert np.array_equal(distance > 0, square(10)) and (distance[~square(10)] < 0).all()
    assert (signed_distance(np.zeros((4, 4), bool)) < 0).all() and (signed_distance(np.ones((4, 4), bool)) > 0).all()


def test_blend_takes_three_frames_on_each_side():
    shares = backward_shares([1.0] * 12, 6)
    assert shares == pytest.approx([0, 0, 0, *(k / 12 for k in (1, 3, 5, 7, 9, 11)), 1, 1, 1])
