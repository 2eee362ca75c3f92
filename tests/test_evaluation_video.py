"""A video gives its frames in order with the given masks, and reports its problems by name."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_sets import generic, labels_with, numbered, write_frame, write_mask, write_video

from livos.evaluation.sets import open_test_set
from livos.evaluation.video import TestVideo
from livos.files.names import natural_order


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Three frames; objects 1 and 2 on the first, 3 on the last."""
    write_video(tmp_path / "images", tmp_path / "masks", "clip", numbered(3), {"00000": [1, 2], "00002": [3]})
    return tmp_path


def open_clip(root: Path, **overrides: object) -> TestVideo:
    (video,) = open_test_set(generic(root, **overrides))
    return video


def test_frames_come_in_order_with_the_first_mask(clip):
    video = open_clip(clip)
    frames = list(video)
    assert (video.name, len(video), video.problems()) == ("clip", 3, [])
    assert [frame.frame.name for frame in frames] == video.frame_names == ["00000", "00001", "00002"]
    np.testing.assert_array_equal(frames[0].labels, labels_with(1, 2))
    assert frames[0].labels.dtype == np.int32
    assert [frame.labels is None for frame in frames] == [False, True, True]
    assert all(frame.wanted for frame in frames)
    assert frames[1].frame.image.shape == (24, 32, 3)
    assert int(np.median(frames[1].frame.image)) == 21


def test_all_masks_are_given_on_request(clip, caplog):
    assert [frame.labels is None for frame in open_clip(clip, use_all_masks=True)] == [False, True, False]
    assert caplog.text == ""
    list(open_clip(clip))
    assert "only the first of 2 masks is used (use_all_masks=true)" in caplog.text


def test_names_need_not_be_numbers_and_numbers_need_no_zeros(tmp_path):
    names = ["b", "a", "10", "9", "frame 2", "frame 11", "x.y"]
    write_video(tmp_path / "images", tmp_path / "masks", "clip", names, {"9": [1]})
    assert open_clip(tmp_path).frame_names == ["9", "10", "a", "b", "frame 2", "frame 11", "x.y"]
    assert sorted(["x10", "x9", "x09", "²"], key=natural_order) == ["x09", "x9", "x10", "²"]


def test_png_frames_hidden_files_and_other_files(tmp_path):
    write_video(tmp_path / "images", tmp_path / "masks", "clip", numbered(2), {"00000": [1]}, suffix=".PNG")
    for folder in (tmp_path / "images" / "clip", tmp_path / "masks" / "clip"):
        for name in (".DS_Store", "Thumbs.db", "._00000.png", ".00000.1.part.png", "notes.txt"):
            (folder / name).write_text("x")
    for folder in (tmp_path / "images", tmp_path / "masks"):
        (folder / ".hidden").mkdir()
        (folder / "readme.txt").write_text("x")
    assert [frame.frame.name for frame in open_clip(tmp_path)] == numbered(2)


def test_one_frame_is_a_video(tmp_path):
    write_video(tmp_path / "images", tmp_path / "masks", "clip", ["only"], {"only": [1]})
    assert [frame.labels.max() for frame in open_clip(tmp_path)] == [1]


def test_a_video_without_a_first_mask_is_refused(clip):
    (clip / "masks" / "clip" / "00000.png").unlink()
    video = open_clip(clip)
    (problem,) = video.problems()
    assert "no mask for the first frame" in problem
    assert "00000.jpg; masks found: 00002 (use_all_masks=true" in problem
    with pytest.raises(ValueError, match="no mask for the first frame"):
        next(iter(video))
    later = list(open_clip(clip, use_all_masks=True))
    assert [frame.labels is None for frame in later] == [True, True, False]


def test_a_video_without_any_mask_is_refused(clip):
    for path in (clip / "masks" / "clip").iterdir():
        path.unlink()
    for use_all_masks in (False, True):
        (problem,) = open_clip(clip, use_all_masks=use_all_masks).problems()
        assert f"{clip / 'masks' / 'clip'}: contains no masks" in problem
    (clip / "masks" / "clip").rmdir()
    (problem,) = open_clip(clip).problems()
    assert f"{clip / 'masks' / 'clip'}: no such folder" in problem


def test_an_empty_first_mask_is_refused_unless_later_ones_count(clip, caplog):
    write_mask(clip / "masks" / "clip" / "00000.png", labels_with())
    with pytest.raises(ValueError, match=r"00000\.png: the only mask given is empty"):
        list(open_clip(clip))
    assert [frame.frame.name for frame in open_clip(clip, use_all_masks=True)] == numbered(3)
    write_mask(clip / "masks" / "clip" / "00002.png", labels_with())
    with caplog.at_level(logging.WARNING):
        assert len(list(open_clip(clip, use_all_masks=True))) == 3
    assert "clip: no given mask shows an object" in caplog.text


def test_a_mask_of_another_size_is_reported_before_reading(clip):
    write_mask(clip / "masks" / "clip" / "00002.png", labels_with(3, size=(30, 32)))
    (problem,) = open_clip(clip, use_all_masks=True).problems()
    assert problem.endswith(f"00002.png: 32 x 30 pixels, expected 32 x 24 as in {clip}/images/clip/00000.jpg")
    with pytest.raises(ValueError, match="32 x 30 pixels"):
        list(open_clip(clip, use_all_masks=True))
    assert open_clip(clip).problems() == []  # that mask is not given then


def test_frames_of_different_sizes_are_refused_by_name(clip):
    write_frame(clip / "images" / "clip" / "00001.jpg", (24, 40))
    video = open_clip(clip)
    assert video.problems() == []
    (problem,) = video.problems(every_frame=True)
    assert "00001.jpg: 40 x 24 pixels, expected 32 x 24 as" in problem
    with pytest.raises(ValueError, match=r"00001\.jpg: 40 x 24 pixels"):
        list(video)


def test_a_damaged_frame_is_named_when_it_is_reached(clip):
    path = clip / "images" / "clip" / "00001.jpg"
    path.write_bytes(path.read_bytes()[:-200])
    frames = iter(open_clip(clip))
    assert next(frames).frame.name == "00000"
    with pytest.raises(ValueError, match=r"00001\.jpg.*truncated"):
        next(frames)


def test_a_damaged_first_frame_is_reported_before_reading(clip):
    (clip / "images" / "clip" / "00000.jpg").write_bytes(b"nothing")
    (problem,) = open_clip(clip).problems()
    assert "00000.jpg: not a readable image" in problem


def test_masks_without_a_frame_are_refused_where_all_count(clip):
    write_mask(clip / "masks" / "clip" / "00007.png", labels_with(4))
    (problem,) = open_clip(clip, use_all_masks=True).problems()
    assert "clip: masks without a frame in" in problem
    assert "00007.png" in problem
    assert open_clip(clip).problems() == []


def test_two_files_for_one_frame_are_refused(clip):
    write_frame(clip / "images" / "clip" / "00001.png")
    (problem,) = open_clip(clip).problems()
    assert f"{clip / 'images' / 'clip'}: two files for one frame, 00001.jpg and 00001.png" == problem


def test_unreadable_masks_are_named(clip):
    path = clip / "masks" / "clip" / "00000.png"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"00000\.png.*truncated"):
        list(open_clip(clip))


def test_void_becomes_background(clip):
    write_mask(clip / "masks" / "clip" / "00000.png", labels_with(1, 255))
    assert next(iter(open_clip(clip, void_id=255))).labels.max() == 1
    assert next(iter(open_clip(clip))).labels.max() == 255


@pytest.mark.parametrize("kind", ["palette", "grey", "grey16", "binary", "bilevel", "colours", "rgb_ids"])
def test_predictions_are_coded_as_the_given_mask(clip, kind):
    write_mask(clip / "masks" / "clip" / "00000.png", labels_with(1), kind)
    assert open_clip(clip).coding.kind == kind


def test_a_custom_palette_is_kept(clip):
    image = Image.fromarray(labels_with(1).astype(np.uint8))
    image.putpalette(bytes(range(256)) * 3)
    image.save(clip / "masks" / "clip" / "00000.png")
    assert open_clip(clip, use_all_masks=True).coding.palette == bytes(range(256)) * 3


def test_the_coding_is_wide_enough_for_every_mask_of_the_video(clip, caplog):
    write_mask(clip / "masks" / "clip" / "00002.png", labels_with(300, 4), "grey16")
    assert open_clip(clip).coding.kind == "palette"
    assert caplog.text == ""
    assert open_clip(clip, use_all_masks=True).coding.kind == "rgb_ids"
    assert "cannot hold object 300 of a later mask" in caplog.text


def test_more_than_255_objects_arrive_with_their_ids(tmp_path):
    labels = np.arange(1, 24 * 32 + 1, dtype=np.int32).reshape(24, 32)
    write_video(tmp_path / "images", tmp_path / "masks", "clip", numbered(1), {})
    write_mask(tmp_path / "masks" / "clip" / "00000.png", labels, "rgb_ids")
    video = open_clip(tmp_path)
    (frame,) = video
    np.testing.assert_array_equal(frame.labels, labels)
    assert video.coding.kind == "rgb_ids"


def test_an_empty_first_mask_leaves_the_coding_to_the_next(clip):
    write_mask(clip / "masks" / "clip" / "00000.png", labels_with(), "grey")
    write_mask(clip / "masks" / "clip" / "00002.png", labels_with(1), "binary")
    assert open_clip(clip, use_all_masks=True).coding.kind == "binary"


def test_masks_that_contradict_each_other_are_refused_by_name(clip):
    write_mask(clip / "masks" / "clip" / "00002.png", labels_with(1), "binary")
    with pytest.raises(ValueError, match=r"00002\.png is black and white .*00000\.png of the same video has ids"):
        _ = open_clip(clip, use_all_masks=True).coding
    write_mask(clip / "masks" / "clip" / "00000.png", labels_with(1, 2), "colours")
    write_mask(clip / "masks" / "clip" / "00002.png", labels_with(7, 300), "rgb_ids")
    with pytest.raises(ValueError, match="colour_masks=palette or colour_masks=ids"):
        _ = open_clip(clip, use_all_masks=True).coding
    with pytest.raises(ValueError, match="colour_masks=palette or colour_masks=ids"):
        next(iter(open_clip(clip, use_all_masks=True)))
    assert open_clip(clip, use_all_masks=True, colour_masks="ids").coding.kind == "rgb_ids"


def test_an_orientation_that_is_ignored_is_said_once(clip, caplog):
    for path in sorted((clip / "images/clip").glob("*.jpg"))[1:]:
        exif = Image.Exif()
        exif[0x0112] = 3
        with Image.open(path) as image:
            image.save(path, exif=exif)
    frames = list(open_clip(clip))
    assert len(frames) == 3 and caplog.text.count("has an orientation (EXIF), which is ignored") == 1
    assert "00001.jpg" in caplog.text
