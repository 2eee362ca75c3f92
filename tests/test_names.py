"""Names from files become folders and files only if they are valid names."""

import json
import os

import numpy as np
import pytest
from tiny_sets import SIZE, generic, numbered, settings_of, write_frame, write_mask, write_video
from training_data import tiny_settings, write_videos

from livos.evaluation.sets import open_test_set
from livos.files.names import checked_name, folders_in, read_video_list, shown
from livos.masks.run_lengths import encode_mask
from livos.training.data.video_sets import open_video_set

BAD = ["", "/", "/etc", "..", "../x", "a/../b", "a//b", "a/", ".", "./a", " ", "a/ /b", "a\0b", "a\nb", "\x1b[31mred"]
BAD += ["\ud800", "a\\b", "C:x", 'a"b', "a<b", "a|b", "a?b", "*", "x" * 300, "é" * 150]


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_a_name_is_refused_with_its_place(name):
    with pytest.raises(ValueError, match=r"^list\.json: videos\[3\]: ['\"]") as error:
        checked_name(name, "list.json: videos[3]", nested=True)
    str(error.value).encode()
    assert str(error.value).isprintable() and len(str(error.value)) < 250


def test_names_of_any_language_pass_and_slashes_where_they_are_meant():
    for name in ("a", "bear", "00000", "v_1 (2)", "日本 語", "naïve", "-x", "=1+1", "a.b", "100%"):
        assert checked_name(name, "") == name
    assert checked_name("YFCC100M/v_1", "", nested=True) == "YFCC100M/v_1"
    with pytest.raises(ValueError, match="contains a /"):
        checked_name("YFCC100M/v_1", "list")
    assert shown("x" * 500) == f"'{'x' * 69}…{'x' * 5}'"


def burst(root, **changes):
    sequence = {
        "dataset": "set", "seq_name": "seq", "height": SIZE[0], "width": SIZE[1],
        "annotated_image_paths": ["00000.jpg"], "segmentations": [{"1": {"rle": encode_mask(np.ones(SIZE, bool))}}],
    }  # fmt: skip
    write_frame(root / "BURST/frames/val/set/seq/00000.jpg")
    path = root / "BURST/val/first_frame_annotations.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"sequences": [{**sequence, **changes}]}))
    return settings_of("burst-val", root)


@pytest.mark.parametrize(
    "changes", [{"dataset": "", "seq_name": "/tmp"}, {"seq_name": "../../x"}, {"annotated_image_paths": ["a/.."]}]
)
def test_burst_names_lead_nowhere_else(tmp_path, changes):
    assert [video.name for video in open_test_set(burst(tmp_path))] == ["set/seq"]
    with pytest.raises(ValueError, match=r"first_frame_annotations\.json: sequences\[0\].* cannot be the name"):
        open_test_set(burst(tmp_path, **changes))


@pytest.mark.parametrize("what", ["video", "frame"])
def test_meta_json_names_lead_nowhere_else(tmp_path, what):
    write_video(tmp_path / "images", tmp_path / "masks", "a", numbered(2), {"00000": [1]})
    name, frame = ("../..", "00000") if what == "video" else ("a", "../00000")
    (tmp_path / "meta.json").write_text(json.dumps({"videos": {name: {"objects": {"1": {"frames": [frame]}}}}}))
    with pytest.raises(ValueError, match=r"meta\.json: videos.*cannot be the name of a video or frame"):
        open_test_set(generic(tmp_path, frame_list=str(tmp_path / "meta.json")))


def test_lists_may_have_blanks_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "val.txt"
    path.write_bytes("\ufeffmy first video\nbear \n\n bear\nnaïve\r\n".encode())
    assert read_video_list(path) == ["my first video", "bear", "naïve"]
    path.write_text("/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png\n")
    assert read_video_list(path) == ["bear"]
    path.write_text("../../etc\n")
    with pytest.raises(ValueError, match=r"val\.txt: '\.\./\.\./etc' cannot be the name"):
        read_video_list(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"val\.txt: not a UTF-8 text"):
        read_video_list(path)


def test_hidden_folders_are_not_videos(tmp_path):
    for name in (".ipynb_checkpoints", "v10", "v2"):
        write_video(tmp_path / "images", tmp_path / "masks", name, numbered(1), {"00000": [1]})
    assert [path.name for path in folders_in(tmp_path / "images")] == ["v2", "v10"]
    assert [video.name for video in open_test_set(generic(tmp_path))] == ["v2", "v10"]
    write_videos(tmp_path / "train", num_objects=(1,))
    for folder in ("JPEGImages", "Annotations"):
        (tmp_path / "train/videos" / folder / ".ipynb_checkpoints").mkdir()
    settings = tiny_settings(tmp_path / "train")
    videos, problems = open_video_set("videos", settings.video_sets["videos"], settings)
    assert problems == [] and len(videos) == 1


def test_masks_of_hidden_names_are_not_masks(tmp_path):
    write_video(tmp_path / "images", tmp_path / "masks", "v", numbered(1), {"00000": [1]})
    write_mask(tmp_path / "masks/v/._00000.png", np.zeros(SIZE, np.int32))
    (video,) = open_test_set(generic(tmp_path))
    assert list(video.masks) == ["00000"] and video.problems() == []


def test_folders_whose_names_no_report_can_hold_are_faults_of_their_videos(tmp_path):
    for name in ("good", "red\x1b[31m", os.fsdecode(b"latin\xe9")):
        write_video(tmp_path / "images", tmp_path / "masks", name, numbered(1), {"00000": [1]})
    problems = {video.name: video.problems() for video in open_test_set(generic(tmp_path))}
    assert [name for name, found in problems.items() if not found] == ["good"]
    assert all("rename it" in found[0] and found[0].isprintable() for found in problems.values() if found)
