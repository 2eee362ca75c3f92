import numpy as np
import pytest
from tiny_network import tiny_network
from video_makers import make_video

from livos.commands import track as command
from livos.segmenter.segmenter import VideoSegmenter
from livos.studio import headless
from livos.studio.headless import Wanted, track_project, what_is_left
from livos.studio.mask_files import Track
from livos.studio.opening import open_path

SIZE, NUM_FRAMES = (48, 64), 8


@pytest.fixture(scope="module")
def network():
    return tiny_network()


@pytest.fixture
def project(tmp_path):
    made = open_path(make_video(tmp_path / "clip.mp4", NUM_FRAMES)).project
    made.add_object("cup")
    made.add_object("hand")
    yield made
    made.close()


def square(object_id=1, left=10):
    labels = np.zeros(SIZE, np.uint8)
    labels[10:30, left : left + 16] = object_id
    return labels


def track(project, numbers, ids=(1,), by="forward"):
    step = project.begin_tracking("tracking", (min(numbers), max(numbers)))
    for number in numbers:
        project.write_tracked(step, number, square(), {i: Track(by, 1.0) for i in ids})


def test_everything_is_left_of_a_project_that_was_not_tracked(project):
    project.put(2, square(), [1], "stroke")
    project.put(5, square(2, 40), [2], "stroke")
    assert list(what_is_left(project)) == [
        Wanted(2, "forward", 7),
        Wanted(2, "backward", 0, (1,)),
        Wanted(5, "backward", 0, (2,)),
    ]


def test_what_was_tracked_is_not_tracked_again(project):
    project.put(0, square(), [1], "stroke")
    track(project, range(1, 5))
    assert list(what_is_left(project)) == [Wanted(4, "forward", 7)]
    track(project, range(5, 8))
    assert list(what_is_left(project)) == []


def test_frames_after_a_correction_are_left(project):
    project.put(0, square(), [1], "stroke")
    track(project, range(1, 8))
    project.put(4, square(1, 14), [1], "stroke")
    assert list(what_is_left(project)) == [Wanted(4, "forward", 7)]
    track(project, range(5, 8))
    assert list(what_is_left(project)) == []


def test_range_bounds_what_is_left(project):
    project.put(2, square(), [1], "stroke")
    project.set_range(1, 4)
    assert list(what_is_left(project)) == [Wanted(2, "forward", 4), Wanted(2, "backward", 1, (1,))]


def test_project_is_tracked_and_exported_without_the_page(project, network, tmp_path):
    project.put(2, square(), [1], "stroke")
    project.close()
    seen = []
    folder = track_project(
        project.folder,
        write=["masks"],
        output=tmp_path / "out",
        progress=seen.append,
        make_segmenter=lambda settings: VideoSegmenter(network, "cpu"),
    )
    assert folder == tmp_path / "out" and len(list((folder / "masks").iterdir())) == NUM_FRAMES
    assert {progress.kind for progress in seen} == {"track", "export"}
    again = open_path(project.folder).project
    assert again.timeline()["objects"][0]["by"] == "bb.fffff" and list(what_is_left(again)) == []
    again.close()


def test_command_tracks_a_project(project, network, tmp_path, monkeypatch, capsys):
    project.put(0, square(), [1], "stroke")
    project.close()
    monkeypatch.setattr(headless, "build_segmenter", lambda settings: VideoSegmenter(network, "cpu"))
    assert command.main(["--project", str(project.folder), "--write", "masks", "--output", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out")
    assert len(list((tmp_path / "out/masks").iterdir())) == NUM_FRAMES


def test_command_says_what_is_wrong_with_a_project(tmp_path, capsys):
    assert command.main([f"--project={tmp_path}"]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_project_without_a_mask_is_refused(project):
    project.close()
    with pytest.raises(ValueError, match="no mask has been given"):
        track_project(project.folder)


def test_existing_folder_is_not_written_to(project, tmp_path):
    project.close()
    with pytest.raises(ValueError, match="already exists"):
        track_project(project.folder, write=["masks"], output=tmp_path)
