"""The notes of tracked masks, as the page's timeline shows them after objects were deleted and merged."""

import pytest

from livos.studio.document import LabelChange
from livos.studio.mask_files import Track
from livos.studio.tracked_index import TrackedIndex


@pytest.fixture
def index():
    """Six frames: object 1 tracked forwards on 1 to 3, object 2 backwards on 2 to 4."""
    made = TrackedIndex(6)
    for number in range(1, 5):
        objects = {1: Track("forward", 0.5)} if number < 4 else {}
        made.set(number, objects | ({2: Track("backward", 0.9)} if number > 1 else {}), revision=10)
    return made


def shown(index, *changes, ids=(1, 2)):
    return {entry["id"]: (entry["by"], entry["confidence"]) for entry in index.timeline(ids, changes)}


def test_letters_and_per_cents_say_how_each_frame_was_tracked(index):
    assert shown(index, ids=(1, 2, 3)) == {
        1: (".fff..", [-1, 50, 50, 50, -1, -1]),
        2: ("..bbb.", [-1, -1, 90, 90, 90, -1]),
        3: ("......", [-1] * 6),
    }


def test_merged_object_keeps_its_own_notes_where_it_has_some(index):
    merged = LabelChange(11, 2, 1)
    assert shown(index, merged, ids=(1,)) == {1: (".fffb.", [-1, 50, 50, 50, 90, -1])}


def test_merging_into_an_object_that_was_never_tracked_moves_the_notes(index):
    assert shown(index, LabelChange(11, 2, 3), ids=(3,)) == {3: ("..bbb.", [-1, -1, 90, 90, 90, -1])}


def test_changes_count_only_in_their_frames_and_for_earlier_masks(index):
    index.set(3, {1: Track("seam", 1.0), 2: Track("seam", 1.0)}, revision=12)
    assert shown(index, LabelChange(11, 2, 0, first=3, last=4))[2] == ("..bs..", [-1, -1, 90, 100, -1, -1])
    assert shown(index)[2] == ("..bsb.", [-1, -1, 90, 100, 90, -1]), "asking changes nothing"


def test_forgotten_and_rewritten_masks_leave_no_old_notes(index):
    index.forget(2)
    index.set(3, {2: Track("forward", 1.7)}, revision=13)
    assert shown(index) == {1: (".f....", [-1, 50, -1, -1, -1, -1]), 2: ("...fb.", [-1, -1, -1, 100, 90, -1])}
    assert (index.revision(2), index.revision(3), index.is_there(2), index.is_there(3)) == (-1, 13, False, True)
