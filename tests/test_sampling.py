import numpy as np
import pytest

from livos.training.data.sampling import (
    EndlessOrder,
    check_max_skip,
    choose_frames,
    choose_objects,
    generator_for,
    grow_frames,
    max_skip_at,
    slot_table,
    visible_objects,
)

SKIPS, STARTS = [5, 10, 15, 5], [0.0, 0.1, 0.3, 0.8]


@pytest.mark.parametrize("max_skip", [1, 3, 7])
def test_frames_are_different_ordered_and_within_max_skip_of_each_other(max_skip):
    forwards = 0
    for index in range(50):
        frames = grow_frames(index % 20, 20, 8, max_skip, generator_for(0, index))
        steps = np.diff(frames)
        assert len(frames) == 8 and min(frames) >= 0 and max(frames) < 20 and index % 20 in frames
        assert (steps > 0).all() or (steps < 0).all()
        assert np.abs(steps).max() <= max_skip
        forwards += int(steps[0] > 0)
    assert 10 < forwards < 40


def test_a_clip_may_take_all_frames_of_a_video():
    assert sorted(grow_frames(0, 5, 5, 1, generator_for(0, 0))) == [0, 1, 2, 3, 4]


def test_the_first_frame_shows_an_object():
    for index in range(30):
        frames = choose_frames(30, 4, 3, lambda frame: frame % 5 == 0, generator_for(1, index))
        assert frames is not None and frames[0] % 5 == 0


def test_a_video_without_objects_is_given_up():
    looked_at = []
    frames = choose_frames(10, 4, 3, looked_at.append, generator_for(0, 0), seed_frames=2, tries_per_seed=7)
    assert frames is None and len(looked_at) == 14


def test_max_skip_follows_the_schedule_in_frames_that_are_kept():
    at = [0.0, 0.0999, 0.1, 0.29, 0.3, 0.79, 0.8, 0.999]
    assert [max_skip_at(progress, SKIPS, STARTS, 1) for progress in at] == [5, 5, 10, 10, 15, 15, 5, 5]
    assert [max_skip_at(progress, SKIPS, STARTS, 2) for progress in at] == [2, 2, 5, 5, 7, 7, 2, 2]
    assert [max_skip_at(progress, SKIPS, STARTS, 5) for progress in at] == [1, 1, 2, 2, 3, 3, 1, 1]
    assert max_skip_at(0.0, SKIPS, STARTS, 30) == 1


@pytest.mark.parametrize("skips, starts", [([5], [0.0, 0.5]), ([], []), ([5], [0.1]), ([5, 6, 7], [0.0, 0.5, 0.2])])
def test_an_invalid_schedule_is_refused(skips, starts):
    with pytest.raises(ValueError, match="max_skip"):
        check_max_skip(skips, starts)


def test_each_pass_has_every_item_once_in_another_order():
    order = EndlessOrder(seed=3, num_items=10)
    passes = [[order[index] for index in range(start, start + 10)] for start in (0, 10, 20)]
    assert all(sorted(items) == list(range(10)) for items in passes)
    assert len({tuple(items) for items in passes}) == 3
    assert order[7] == passes[0][7], "going back gives the same item again"


def test_a_sample_has_the_same_generator_whoever_asks_and_whenever():
    draws = [generator_for(5, index).random() for index in range(20)]
    assert [generator_for(5, index).random() for index in reversed(range(20))] == draws[::-1]
    assert len(set(draws)) == 20
    assert generator_for(6, 0).random() != draws[0]


def test_objects_are_chosen_from_those_that_show_enough():
    labels = np.zeros((10, 10), dtype=np.uint8)
    labels[0, :3], labels[1], labels[2], labels[3], labels[4], labels[5] = 9, 4, 250, 7, 30, 255
    assert visible_objects(labels).tolist() == [4, 7, 9, 30, 250]
    assert visible_objects(labels, min_pixels=4).tolist() == [4, 7, 30, 250]
    chosen = [tuple(choose_objects(labels, 3, 4, generator_for(0, index))) for index in range(40)]
    assert all(len(set(ids)) == 3 and set(ids) <= {4, 7, 30, 250} for ids in chosen)
    assert len(set(chosen)) > 10


def test_slots_are_in_the_order_of_choice_and_the_rest_is_background():
    table = slot_table([30, 4])
    assert table[[0, 4, 7, 30, 255]].tolist() == [0, 2, 0, 1, 0]
