from itertools import pairwise

from livos.studio.state_files import EVERY, FAR, NEAR, StateFile, superfluous


def test_states_near_the_newest_all_stay():
    assert superfluous(list(range(0, NEAR, EVERY)), NEAR) == []


def test_states_of_a_long_video_do_not_grow_without_end():
    kept: list[int] = []
    for number in range(0, 108_000, EVERY):
        kept.append(number)
        kept = sorted(set(kept) - set(superfluous(kept, number)))
    assert len(kept) <= FAR + NEAR // EVERY + 1
    assert max(later - earlier for earlier, later in pairwise(kept)) <= 108_000 / FAR * 4


def test_tracker_has_seen_the_frames_between_its_start_and_its_state():
    assert StateFile("backward", 8, 2).has_seen(5)
    assert not StateFile("forward", 2, 8).has_seen(9)
