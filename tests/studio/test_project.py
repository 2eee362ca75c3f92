import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from livos.studio.document import VideoNote, read_document
from livos.studio.mask_files import Track, given_note
from livos.studio.project import Project
from livos.studio.state_files import StateFile


@pytest.fixture
def project(tmp_path):
    made = Project.create(tmp_path / "clip.livos", VideoNote("/clip.mp4", 6, 4, 10))
    made.add_object("cup")
    made.add_object("hand")
    yield made
    made.close()


def labels_of(**places):
    labels = np.zeros((4, 6), np.uint8)
    for name, column in places.items():
        labels[:, column] = int(name[1:])
    return labels


def files_of(project):
    """Every file that must stay, apart from project.json, and the content of project.json except its revision."""
    files = {
        path.relative_to(project.folder): path.read_bytes()
        for path in project.folder.glob("*/*")
        if not path.parent.name.startswith(".")
    }
    content = json.loads((project.folder / "project.json").read_text())
    return files, {key: value for key, value in content.items() if key not in ("revision", "next_id")}


def track(project, numbers, title="tracked", by="forward", **places):
    step = project.begin_tracking(title, (min(numbers), max(numbers)))
    for number in numbers:
        objects = {int(name[1:]): Track(by, 0.9) for name in places}
        project.write_tracked(step, number, labels_of(**places), objects)
    return step


class Remembered:
    """In place of a SegmenterState."""

    def __init__(self, content):
        self.content = content

    def save(self, path):
        path.write_text(self.content)


def test_given_masks_are_seen_over_tracked_ones(project):
    track(project, [3], _1=0, _2=1)
    project.put(3, labels_of(_1=4), [1], "stroke")
    seen = project.labels(3)
    assert (seen[:, 4] == 1).all() and (seen[:, 1] == 2).all() and (seen[:, 0] == 0).all()


def test_tracking_never_changes_given_masks(project):
    project.put(3, labels_of(_1=4), [1], "stroke")
    before = project.given_path(3).read_bytes()
    track(project, [3], _1=0)
    assert project.given_path(3).read_bytes() == before
    assert (project.labels(3) == labels_of(_1=4)).all()


def test_tracking_one_object_leaves_the_others(project):
    track(project, [3], _1=0, _2=1)
    track(project, [3], by="backward", _2=5)
    assert (project.labels(3) == labels_of(_1=0, _2=5)).all()
    tracked = project.tracked(3)
    assert tracked.objects[1].by == "forward" and tracked.objects[2].by == "backward"


def test_object_given_without_pixels_counts_as_absent(project):
    track(project, [3], _1=0, _2=1)
    project.put(3, labels_of(_2=1), [1], "erased")
    assert project.given_ids(3) == (1,)
    assert not (project.labels(3) == 1).any()


def test_undo_of_a_propagation_brings_masks_and_states_back_bit_for_bit(project):
    step = track(project, range(3, 6), _1=0)
    project.write_state(step, StateFile("forward", 3, 5), Remembered("old"))
    before = files_of(project)
    step = track(project, range(4, 9), _1=2, _2=1)
    project.drop_states(step, "forward", range(4, 9))
    project.write_state(step, StateFile("forward", 3, 8), Remembered("new"))
    after = files_of(project)
    assert after != before
    project.undo()
    assert files_of(project) == before
    assert project.states == {StateFile("forward", 3, 5)}
    project.redo()
    assert files_of(project) == after


def test_undo_goes_back_to_the_beginning_and_redo_to_the_end(project):
    steps = [
        lambda: project.put(0, labels_of(_1=1), [1], "stroke"),
        lambda: track(project, range(1, 5), _1=1, _2=2),
        lambda: project.put(2, labels_of(_1=3, _2=2), [1], "stroke"),
        lambda: project.merge_objects(2, 1),
        lambda: project.delete_object(1, 3),
        lambda: project.ungive(2, None),
        lambda: project.clear_tracked(0, 9, None),
        lambda: project.change_object(1, name="mug"),
    ]
    seen = [files_of(project)]
    for step in steps:
        step()
        seen.append(files_of(project))
    for expected in reversed(seen[:-1]):
        project.undo()
        assert files_of(project) == expected
    for expected in seen[1:]:
        project.redo()
        assert files_of(project) == expected


def test_something_new_ends_what_could_be_redone(project):
    project.put(0, labels_of(_1=1), [1], "stroke")
    project.undo()
    project.put(0, labels_of(_1=2), [1], "stroke")
    with pytest.raises(IndexError):
        project.redo()


def test_object_deleted_from_a_frame_on_can_be_given_again_later(project):
    track(project, range(10), _1=0, _2=1)
    project.delete_object(2, 4)
    assert (project.labels(3) == 2).any() and not (project.labels(4) == 2).any()
    project.put(7, labels_of(_1=0, _2=3), [2], "stroke")
    assert (project.labels(7) == labels_of(_1=0, _2=3)).all() and not (project.labels(8) == 2).any()
    assert project.timeline()["objects"][1]["by"] == "ffff......"


def test_merged_objects_are_one(project):
    track(project, [3], _1=0, _2=1)
    project.put(3, labels_of(_1=0, _2=5), [2], "stroke")
    project.put(4, labels_of(_1=0), [1], "stroke")
    track(project, [4, 5], _2=1)
    project.merge_objects(2, 1)
    assert (project.labels(3) == labels_of(_1=0) + labels_of(_1=5)).all()
    assert (project.labels(4) == labels_of(_1=0) + labels_of(_1=1)).all()
    assert (project.labels(5) == labels_of(_1=1)).all()
    timeline = project.timeline()
    assert [entry["id"] for entry in timeline["objects"]] == [1] and timeline["objects"][0]["by"] == "...fff...."


def test_clearing_tracked_masks_leaves_given_ones(project):
    project.put(3, labels_of(_1=4), [1], "stroke")
    track(project, range(2, 6), _1=0)
    project.clear_tracked(3, 4, None)
    assert [int((project.labels(number) == 1).sum()) for number in range(2, 6)] == [4, 4, 0, 4]
    assert project.timeline()["objects"][0]["by"] == "..f..f...."


def test_correction_forgets_what_trackers_remembered_of_it(project):
    step = track(project, range(10), _1=0)
    for start, number in ((0, 2), (0, 6), (5, 9)):
        project.write_state(step, StateFile("forward", start, number), Remembered(""))
    project.write_state(step, StateFile("backward", 8, 1), Remembered(""))
    project.put(3, labels_of(_1=4), [1], "stroke")
    assert project.states == {StateFile("forward", 0, 2), StateFile("forward", 5, 9)}


def test_reopened_project_is_the_same(project):
    project.put(0, labels_of(_1=1), [1], "stroke")
    track(project, range(1, 5), _1=1, _2=2)
    project.delete_object(2, 3)
    timeline, document = project.timeline(), project.document
    seen = [project.labels(number).tobytes() for number in range(10)]
    project.close()
    again = Project.open(project.folder)
    assert again.timeline() == timeline and again.document == document
    assert [again.labels(number).tobytes() for number in range(10)] == seen
    again.close()


def test_project_holds_nothing_else_when_it_is_closed(project):
    project.put(0, labels_of(_1=1), [1], "stroke")
    project.undo()
    project.close()
    assert sorted(path.name for path in project.folder.iterdir()) == ["given", "project.json", "states", "tracked"]


def test_second_program_is_told(project):
    with pytest.raises(BlockingIOError, match="in use by LiVOS Studio"):
        Project.open(project.folder)


def test_killed_program_loses_nothing_that_was_done(tmp_path):
    folder = tmp_path / "clip.livos"
    program = textwrap.dedent(f"""
        import os, pathlib, signal
        import numpy as np
        from livos.files.atomic import path_aside
        from livos.studio.document import VideoNote
        from livos.studio.project import Project
        project = Project.create(pathlib.Path({str(folder)!r}), VideoNote("/clip.mp4", 6, 4, 10))
        project.add_object("cup")
        for number in range(10):
            labels = np.zeros((4, 6), np.uint8)
            labels[:, number % 6] = 1
            project.put(number, labels, [1], "stroke")
        project.undo()
        path_aside(project.given_path(3)).write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    project = Project.open(folder)
    assert sorted(project.marks()) == list(range(9))
    assert all((project.labels(number)[:, number % 6] == 1).all() for number in range(9))
    assert not list(folder.glob("*/.*")) and len(list(folder.glob(".undo*"))) == 1
    project.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a LiVOS Studio project"),
        ('{"livos_project": 2}', "version 2"),
        ('{"livos_project": 1}', "damaged"),
        ('{"livos_project": 1, "range": [0, "a"]}', "damaged"),
    ],
)
def test_damaged_documents_are_refused_by_name(tmp_path, content, said):
    path = tmp_path / "project.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=said) as raised:
        read_document(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("field", ["id", "name", "color", "hidden"])
def test_fields_of_other_types_are_refused(project, field):
    content = json.loads((project.folder / "project.json").read_text())
    content["objects"][0][field] = [1]
    (project.folder / "project.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="damaged"):
        read_document(project.folder / "project.json")


def test_masks_of_unknown_objects_are_refused(project):
    with pytest.raises(ValueError, match="expected some of"):
        project.put(0, labels_of(_3=1), [3], "stroke")
    assert project.history.undo_title == "object added"


def test_undo_works_on_a_file_system_without_hard_links(project, monkeypatch):
    def refused(*_):
        raise OSError("no hard links here")

    monkeypatch.setattr("os.link", refused)
    project.put(0, labels_of(_1=1), [1], "stroke")
    before = files_of(project)
    project.put(0, labels_of(_1=4), [1], "stroke")
    after = files_of(project)
    project.undo()
    assert files_of(project) == before
    project.redo()
    assert files_of(project) == after


def test_files_of_steps_that_can_no_longer_be_redone_are_removed(project):
    project.put(0, labels_of(_1=1), [1], "stroke")
    for _ in range(5):
        project.put(0, labels_of(_1=2), [1], "stroke")
        project.undo()
    project.put(0, labels_of(_1=3), [1], "stroke")
    assert len(list(project.history.folder.iterdir())) == 1, "the mask that the last step replaced"


def test_missing_mask_is_told_from_a_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        given_note(tmp_path / "missing.png")
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"damaged\.png: expected a mask that LiVOS Studio wrote"):
        given_note(tmp_path / "damaged.png")
