"""Scorers of several processes add up to one that received everything."""

import pytest
from mask_folders import square
from vos_benchmark import Scorer, ScoringError


def add_frames(scorer: Scorer, video: str, frames: range) -> Scorer:
    for frame in frames:
        scorer.add(video, frame, square(10 + frame, 20), square(12, 20 + frame))
    return scorer


def test_merged_scorers_give_what_one_alone_gives():
    alone = add_frames(add_frames(Scorer(), "one", range(6)), "two", range(4))
    merged = add_frames(Scorer(), "one", range(3))
    merged.merge(add_frames(add_frames(Scorer(), "two", range(4)), "one", range(3, 6)))
    merged.merge(Scorer())
    assert merged.result() == alone.result()
    assert 0 < alone.result().J_and_F < 1


def test_a_frame_given_to_both_and_other_settings_are_refused():
    scorer = add_frames(Scorer(), "one", range(3))
    with pytest.raises(ScoringError, match="one, frame 1: given twice"):
        scorer.merge(add_frames(Scorer(), "one", range(1, 2)))
    with pytest.raises(ScoringError, match="different settings"):
        scorer.merge(Scorer(all_frames=True))
