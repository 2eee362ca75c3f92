"""A submission contains exactly the masks that the server expects, in its layout, or there is none."""

import json
import zipfile

import pytest
from test_burst import ANNOTATED
from test_burst import root as burst_root  # noqa: F401  (a fixture)
from test_evaluation_sets import write_davis, write_youtube
from tiny_sets import labels_with, numbered, settings_of, write_video

from livos.evaluation.sets import open_test_set
from livos.evaluation.submission import write_submission
from livos.masks.label_maps import write_labels


def segment_all(settings, output_dir):
    """Writes a mask for every frame, requested or not; returns the videos."""
    videos = open_test_set(settings)
    for video in videos:
        for name in video.frame_names:
            folder = output_dir / "Annotations" / video.name
            folder.mkdir(parents=True, exist_ok=True)
            write_labels(folder / f"{name}.png", labels_with(1), video.coding)
    return videos


def test_davis_wants_the_inside_of_the_folder(tmp_path):
    write_davis(tmp_path / "DAVIS/2017/test-dev", "2017/test-dev.txt", "bear")
    settings = settings_of("d17-test-dev", tmp_path)
    path = write_submission(settings, segment_all(settings, tmp_path / "out"), tmp_path / "out")
    assert path == tmp_path / "out" / "d17-test-dev.zip"
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == [f"bear/{frame}.png" for frame in numbered(3)]
        assert archive.read("bear/00001.png") == (tmp_path / "out/Annotations/bear/00001.png").read_bytes()
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["Annotations", "d17-test-dev.zip"]


def test_mose_wants_the_inside_and_lvos_the_folder(tmp_path):
    for name, folder, inside in (("mose-val", "MOSE", ""), ("lvos-test", "LVOS/test", "Annotations/")):
        write_video(tmp_path / folder / "JPEGImages", tmp_path / folder / "Annotations", "a", ["00000"], {"00000": [1]})
        settings = settings_of(name, tmp_path)
        path = write_submission(settings, segment_all(settings, tmp_path / name), tmp_path / name)
        with zipfile.ZipFile(path) as archive:
            assert archive.namelist() == [f"{inside}a/00000.png"]


def test_youtube_wants_the_folder_with_the_frames_of_meta_json_alone(tmp_path):
    write_youtube(tmp_path, "YouTube/all_frames/valid_all_frames/JPEGImages", "YouTube/valid")
    for save_all in ("false", "true"):
        settings = settings_of("y19-val", tmp_path, save_all=save_all)
        path = write_submission(settings, segment_all(settings, tmp_path / "out"), tmp_path / "out")
        with zipfile.ZipFile(path) as archive:
            assert sorted(archive.namelist()) == [
                "Annotations/empty/00003.png", "Annotations/late/00000.png", "Annotations/late/00003.png",
            ]  # fmt: skip


def test_burst_wants_json(burst_root, tmp_path):  # noqa: F811
    settings = settings_of("burst-val", burst_root)
    path = write_submission(settings, segment_all(settings, tmp_path / "out"), tmp_path / "out")
    assert path == tmp_path / "out" / "burst-val.json"
    (sequence,) = json.loads(path.read_text())["sequences"]
    assert [list(objects) for objects in sequence["segmentations"]] == [["1"]] * len(ANNOTATED)


def test_nothing_is_packed_without_a_server_or_with_masks_missing(tmp_path):
    write_davis(tmp_path / "DAVIS/2017/test-dev", "2017/test-dev.txt", "bear")
    write_davis(tmp_path / "DAVIS/2017/trainval", "2017/val.txt", "bear")
    settings = settings_of("d17-val", tmp_path)
    assert write_submission(settings, segment_all(settings, tmp_path / "out"), tmp_path / "out") is None
    (tmp_path / "out/Annotations/bear/00001.png").unlink()
    settings = settings_of("d17-test-dev", tmp_path)
    with pytest.raises(ValueError, match="bear lacks the masks of 00001: nothing to submit yet"):
        write_submission(settings, open_test_set(settings), tmp_path / "out")
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["Annotations"]
