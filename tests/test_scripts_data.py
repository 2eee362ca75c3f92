"""Programs in scripts/ that prepare folders of frames and masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from script_modules import load_script

from livos.masks.label_maps import LabelCoding, read_labels, write_labels

preprocess_lvos = load_script("scripts/data/preprocess_lvos.py")
find_empty_masks = load_script("scripts/data/find_empty_masks.py")
make_training_lists = load_script("scripts/data/make_training_lists.py")
expand_long_video = load_script("scripts/expand_long_video.py")


def mask_of(*ids: int) -> np.ndarray:
    """Labels (8, 12) with a block of each id."""
    labels = np.zeros((8, 12), np.int32)
    for place, object_id in enumerate(ids):
        labels[2:6, 3 * place : 3 * place + 3] = object_id
    return labels


def write_video(directory: Path, masks: list[np.ndarray], coding: LabelCoding | None = None) -> None:
    directory.mkdir(parents=True)
    for frame, labels in enumerate(masks):
        write_labels(directory / f"{frame:05d}.png", labels, coding)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


# First masks of LVOS


@pytest.fixture
def lvos(tmp_path):
    palette = bytes(range(256)) * 3
    masks = [mask_of(1), mask_of(1), mask_of(1, 2), mask_of(2), mask_of(0, 1, 5, 3), mask_of(1, 2)]
    write_video(tmp_path / "Annotations" / "late", masks, LabelCoding("palette", palette))
    write_video(tmp_path / "Annotations" / "many", [mask_of(0), mask_of(300, 2)], LabelCoding("rgb_ids"))
    return tmp_path


def test_lvos_masks_are_kept_where_objects_appear_and_show_only_those(lvos):
    source, target = lvos / "Annotations", lvos / "Annotations_first_only"
    assert preprocess_lvos.main([str(source), str(target)]) == 0
    kept = {path: read_labels(target / path).labels for path in contents(target)}
    assert sorted(kept) == ["late/00000.png", "late/00002.png", "late/00004.png", "many/00001.png"]
    np.testing.assert_array_equal(kept["late/00000.png"], mask_of(1))
    np.testing.assert_array_equal(kept["late/00002.png"], mask_of(0, 2))
    np.testing.assert_array_equal(kept["late/00004.png"], mask_of(0, 0, 5, 3))
    np.testing.assert_array_equal(kept["many/00001.png"], mask_of(300, 2))
    assert read_labels(target / "late/00002.png").coding == read_labels(source / "late/00002.png").coding


def test_lvos_twice_is_once(lvos):
    source, target = lvos / "Annotations", lvos / "first"
    preprocess_lvos.main([str(source), str(target)])
    once = contents(target)
    preprocess_lvos.main([str(source), str(target)])
    assert contents(target) == once


def test_lvos_refuses_to_overwrite_and_names_what_is_missing(lvos, capsys):
    assert preprocess_lvos.main([str(lvos / "Annotations"), str(lvos / "Annotations")]) == 1
    assert "overwritten" in capsys.readouterr().err
    assert preprocess_lvos.main([str(lvos / "nowhere"), str(lvos / "first")]) == 1
    assert "nowhere: expected a folder with a folder of masks" in capsys.readouterr().err


# Empty masks


def test_empty_masks_are_listed(tmp_path, capsys):
    write_video(tmp_path / "a", [mask_of(0), mask_of(1), mask_of(255, 3)])
    write_video(tmp_path / "b", [mask_of(255, 0), mask_of(0)])
    write_video(tmp_path / "binary", [mask_of(1)], LabelCoding("binary"))  # 0 and 255: an object, not void
    assert find_empty_masks.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == ["a/00000.png", "b/00000.png", "b/00001.png"]
    assert find_empty_masks.main([str(tmp_path), "--first-only", "--no-void"]) == 0
    assert capsys.readouterr().out.splitlines() == ["a/00000.png"]
    assert find_empty_masks.main([str(tmp_path), "--output", str(tmp_path / "list.txt")]) == 0
    assert (tmp_path / "list.txt").read_text().splitlines() == ["a/00000.png", "b/00000.png", "b/00001.png"]


def test_a_folder_without_masks_is_an_error(tmp_path, capsys):
    assert find_empty_masks.main([str(tmp_path)]) == 1
    assert "expected masks" in capsys.readouterr().err


# Long videos


@pytest.fixture
def clip(tmp_path):
    write_video(tmp_path / "masks" / "clip", [mask_of(1), mask_of(2), mask_of(3)])
    (tmp_path / "masks" / "clip" / "00001.png").unlink()
    (tmp_path / "images" / "clip").mkdir(parents=True)
    for frame in range(3):
        image = Image.fromarray(np.full((8, 12, 3), 80 * frame, np.uint8))
        image.save(tmp_path / "images" / "clip" / f"{frame:05d}.jpg")
    return tmp_path


def long_video_arguments(clip: Path) -> list[str]:
    images, masks, output = (str(clip / name) for name in ("images/clip", "masks/clip", "o"))
    return ["--images", images, "--masks", masks, "--output", output]


def frame_values(directory: Path) -> list[int]:
    return [round(np.array(Image.open(path)).mean() / 80) for path in sorted(directory.iterdir())]


@pytest.mark.parametrize("link", [[], ["--link"]])
def test_a_long_video_plays_forth_and_back_with_its_masks(clip, link):
    arguments = long_video_arguments(clip)
    for _ in range(2):  # the second time over the first
        assert expand_long_video.main([*arguments, "--frames", "7", *link]) == 0
    assert frame_values(clip / "o/JPEGImages/clip") == [0, 1, 2, 1, 0, 1, 2]
    masks = sorted(path.name for path in (clip / "o/Annotations/clip").iterdir())
    assert masks == ["00000000.png", "00000002.png", "00000004.png", "00000006.png"]
    assert read_labels(clip / "o/Annotations/clip/00000006.png").labels.max() == 3


def test_a_long_video_can_start_over_instead(clip):
    arguments = long_video_arguments(clip)
    assert expand_long_video.main([*arguments, "--times", "2", "--repeat"]) == 0
    assert frame_values(clip / "o/JPEGImages/clip") == [0, 1, 2, 0, 1, 2]


def test_a_shorter_video_over_a_longer_one_is_refused(clip, capsys):
    assert expand_long_video.main([*long_video_arguments(clip), "--frames", "7"]) == 0
    assert expand_long_video.main([*long_video_arguments(clip), "--frames", "6"]) == 1
    assert "contains 00000006.jpg … of a longer video" in capsys.readouterr().err


def test_a_one_frame_clip_is_held():
    assert list(expand_long_video.play(1, 3)) == [0, 0, 0]
    assert list(expand_long_video.play(2, 5)) == [0, 1, 0, 1, 0]


def test_masks_of_another_video_are_refused(clip, capsys):
    (clip / "masks" / "clip").rename(clip / "masks" / "old")
    write_video(clip / "masks" / "clip" / "deeper", [mask_of(1)])
    arguments = long_video_arguments(clip)
    assert expand_long_video.main([*arguments, "--frames", "9"]) == 1
    assert "expected masks named like frames" in capsys.readouterr().err
    assert not (clip / "o").exists()


# Training lists


@pytest.fixture
def training_folder(tmp_path):
    def add(name: str, masks: list[np.ndarray], num_frames: int) -> None:
        write_video(tmp_path / "Annotations" / name, masks)
        (tmp_path / "JPEGImages" / name).mkdir(parents=True)
        for frame in range(num_frames):
            (tmp_path / "JPEGImages" / name / f"{frame:05d}.jpg").touch()

    for name in "abcd":
        add(name, [mask_of(1)] * 3, 3)
    add("short", [mask_of(1)] * 2, 2)
    add("strays", [mask_of(1)] * 4, 3)
    add("void", [mask_of(255, 0)] * 3, 3)
    (tmp_path / "JPEGImages" / "unlabelled").mkdir()
    return tmp_path


def test_training_lists_hold_what_can_be_trained_on(training_folder, capsys):
    arguments = [str(training_folder), "--min-frames", "3"]
    assert make_training_lists.main(arguments) == 0
    assert (training_folder / "train.txt").read_text().split() == ["a", "b", "c", "d"]
    assert not (training_folder / "val.txt").exists()


def test_left_out_videos_come_with_a_reason(training_folder):
    images, masks = training_folder / "JPEGImages", training_folder / "Annotations"
    reasons = {
        path.name: make_training_lists.reason_against(path, masks / path.name, 3) for path in sorted(images.iterdir())
    }
    assert reasons["a"] is None
    assert reasons["short"] == "2 frames with a mask, expected at least 3"
    assert reasons["strays"] == "1 masks without a frame, the first is 00003.png"
    assert reasons["unlabelled"] == "no masks"
    assert reasons["void"] == "no mask shows an object"


def test_videos_kept_aside_are_the_same_every_time_and_not_trained_on(training_folder):
    arguments = [str(training_folder), "--min-frames", "3", "--validation", "2", "--seed", "5"]
    lists = []
    for _ in range(2):
        assert make_training_lists.main(arguments) == 0
        lists.append([(training_folder / name).read_text().split() for name in ("train.txt", "val.txt")])
    assert lists[0] == lists[1]
    assert sorted(lists[0][0] + lists[0][1]) == ["a", "b", "c", "d"] and len(lists[0][1]) == 2


def test_excluded_videos_stay_out(training_folder):
    (training_folder / "out.txt").write_text("b\nd\n")
    exclude = ["--exclude", str(training_folder / "out.txt")]
    assert make_training_lists.main([str(training_folder), "--min-frames", "3", *exclude]) == 0
    assert (training_folder / "train.txt").read_text().split() == ["a", "c"]


def test_keeping_everything_aside_is_refused(training_folder, capsys):
    assert make_training_lists.main([str(training_folder), "--min-frames", "3", "--validation", "4"]) == 1
    assert "leaves none to train on" in capsys.readouterr().err


# Names without leading zeros


@pytest.fixture
def unpadded(tmp_path):
    """frame1 … frame12: object 1 on all, object 2 from frame2 on; each frame as bright as its number."""
    for number in range(1, 13):
        write_labels_at(tmp_path / f"masks/v/frame{number}.png", mask_of(1, 2) if number > 1 else mask_of(1))
        (tmp_path / "images/v").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 12, 3), 20 * number, np.uint8)).save(tmp_path / f"images/v/frame{number}.png")
    return tmp_path


def write_labels_at(path: Path, labels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_labels(path, labels)


def test_first_masks_are_found_in_the_order_that_people_count(unpadded):
    preprocess_lvos.main([str(unpadded / "masks"), str(unpadded / "first")])
    assert sorted(path.name for path in (unpadded / "first/v").iterdir()) == ["frame1.png", "frame2.png"]


def test_long_videos_play_in_the_order_that_people_count(unpadded):
    arguments = ["--images", str(unpadded / "images/v"), "--masks", str(unpadded / "masks/v")]
    assert expand_long_video.main([*arguments, "--output", str(unpadded / "o"), "--frames", "12"]) == 0
    brightness = [np.array(Image.open(path)).max() for path in sorted((unpadded / "o/JPEGImages/v").iterdir())]
    assert brightness == [20 * number for number in range(1, 13)]


def test_videos_that_training_would_refuse_are_left_out_with_the_reason(training_folder):
    Image.fromarray(mask_of(1).astype(np.uint8) * 255).save(training_folder / "Annotations/b/00001.png")
    Image.fromarray(mask_of(1).astype(np.uint8) * 255).save(training_folder / "Annotations/c/00001.png", "JPEG")
    (training_folder / "JPEGImages/.ipynb_checkpoints").mkdir()
    images, masks = training_folder / "JPEGImages", training_folder / "Annotations"
    assert make_training_lists.usable_videos(images, masks, 3) == ["a", "d"]
    assert "is black and white" in make_training_lists.reason_against(images / "b", masks / "b", 3)
    assert "a mask saved as JPEG" in make_training_lists.reason_against(images / "c", masks / "c", 3)
