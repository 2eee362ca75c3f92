"""Every test set is read from its official layout, and what is missing is reported with what was expected."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from tiny_sets import generic, labels_with, numbered, settings_of, write_frame, write_mask, write_video

from livos.checkpoints import STANDARD_SHORT_SIDE
from livos.commands.datasets import CONFIG_DIR, load_settings, names
from livos.config import schema
from livos.evaluation.sets import locate, open_test_set
from livos.files.names import read_video_list
from livos.masks.label_maps import read_labels


def write_lines(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_davis(folder: Path, video_list: str, *videos: str) -> None:
    """A DAVIS layout with a mask on every frame, as distributed, and a video that the list does not name."""
    for video in (*videos, "unlisted"):
        write_video(
            folder / "JPEGImages" / "480p", folder / "Annotations" / "480p", video, numbered(3),
            {frame: [1, 2] for frame in numbered(3)},
        )  # fmt: skip
    write_lines(folder / "ImageSets" / video_list, *videos, "")


def write_youtube(root: Path, images: str, valid: str) -> None:
    """Video `late`: 6 frames, every third requested, object 2 on the fourth. Video `empty`: its first mask is empty."""
    frames = numbered(6)
    write_video(root / images, root / valid / "Annotations", "late", frames, {"00000": [1], "00003": [2]})
    write_video(root / images, root / valid / "Annotations", "empty", frames, {"00000": [], "00003": [5]})
    write_video(root / images, root / valid / "Annotations", "not in meta", frames, {"00000": [1]})
    objects = {"1": {"category": "ape", "frames": ["00000"]}, "2": {"category": "cat", "frames": ["00003", "00000"]}}
    meta = {"videos": {"late": {"objects": objects}, "empty": {"objects": {"5": {"frames": ["00003"]}}}}}
    write_lines(root / valid / "meta.json", json.dumps(meta))


def masks_given(video) -> dict[str, list[int]]:
    frames = [(frame.frame.name, frame.labels) for frame in video]
    return {name: sorted(set(np.unique(labels).tolist()) - {0}) for name, labels in frames if labels is not None}


@pytest.mark.parametrize(
    ("name", "folder", "video_list"),
    [
        ("d17-val", "DAVIS/2017/trainval", "2017/val.txt"),
        ("d17-val-plus", "DAVIS/2017/trainval", "2017/val.txt"),
        ("d17-test-dev", "DAVIS/2017/test-dev", "2017/test-dev.txt"),
        ("d16-val", "DAVIS/2016", "2016/val.txt"),
    ],
)
def test_davis_gives_the_first_mask_of_the_listed_videos(tmp_path, name, folder, video_list):
    write_davis(tmp_path / folder, video_list, "bear", "swan")
    videos = open_test_set(settings_of(name, tmp_path))
    assert [video.name for video in videos] == ["bear", "swan"]
    assert masks_given(videos[0]) == {"00000": [1, 2]}
    assert [video.saved_names for video in videos] == [numbered(3)] * 2
    assert [video.problems() for video in videos] == [[], []]


def test_davis_2016_itself_has_black_and_white_masks_and_lists_frames(tmp_path):
    folder = tmp_path / "DAVIS" / "2016"
    write_davis(folder, "480p/val.txt", "bear")
    lines = [f"/JPEGImages/480p/bear/{frame}.jpg /Annotations/480p/bear/{frame}.png" for frame in numbered(3)]
    write_lines(folder / "ImageSets" / "480p" / "val.txt", *lines)
    for frame in numbered(3):
        write_mask(folder / "Annotations" / "480p" / "bear" / f"{frame}.png", labels_with(1), "binary")
    (video,) = open_test_set(settings_of("d16-val", tmp_path))
    assert (video.name, masks_given(video), video.coding.kind) == ("bear", {"00000": [1]}, "binary")


def test_davis_2017_takes_255_for_void(tmp_path):
    write_davis(tmp_path / "DAVIS/2017/trainval", "2017/val.txt", "bear")
    write_mask(tmp_path / "DAVIS/2017/trainval/Annotations/480p/bear/00000.png", labels_with(1, 255))
    (video,) = open_test_set(settings_of("d17-val", tmp_path))
    assert masks_given(video) == {"00000": [1]}


@pytest.mark.parametrize(
    ("name", "images", "valid"),
    [
        ("y19-val", "YouTube/all_frames/valid_all_frames/JPEGImages", "YouTube/valid"),
        ("y19-val-plus", "YouTube/valid_all_frames/JPEGImages", "YouTube/valid"),
        ("y18-val", "YouTube/all_frames/valid_all_frames/JPEGImages", "YouTube/valid"),
        ("y18-val", "YouTube2018/all_frames/valid_all_frames/JPEGImages", "YouTube2018/valid"),
    ],
)
def test_youtube_sees_all_frames_and_saves_those_that_meta_json_names(tmp_path, name, images, valid):
    write_youtube(tmp_path, images, valid)
    empty, late = open_test_set(settings_of(name, tmp_path))
    assert (empty.name, late.name) == ("empty", "late")
    assert len(late) == 6
    assert masks_given(late) == {"00000": [1], "00003": [2]}
    assert masks_given(empty) == {"00000": [], "00003": [5]}
    assert late.saved_names == [frame.frame.name for frame in late if frame.wanted] == ["00000", "00003"]
    assert empty.saved_names == ["00003"]
    (whole, _) = open_test_set(settings_of(name, tmp_path, save_all="true"))
    assert (whole.saved_names, whole.asked_names) == (numbered(6), ["00003"])


def test_frames_that_meta_json_names_must_be_there(tmp_path):
    write_youtube(tmp_path, "YouTube/all_frames/valid_all_frames/JPEGImages", "YouTube/valid")
    (tmp_path / "YouTube/all_frames/valid_all_frames/JPEGImages/late/00003.jpg").unlink()
    (_, late) = open_test_set(settings_of("y19-val", tmp_path))
    problems = " ".join(late.problems())
    assert "frames that the set requires are not in" in problems
    assert "masks without a frame" in problems


@pytest.mark.parametrize("content", ["{", "[]", '{"videos": {"a": {}}}', '{"videos": {"a": {"objects": [1]}}}'])
def test_a_broken_meta_json_is_named(tmp_path, content):
    write_youtube(tmp_path, "YouTube/valid_all_frames/JPEGImages", "YouTube/valid")
    write_lines(tmp_path / "YouTube" / "valid" / "meta.json", content)
    with pytest.raises(ValueError, match=r"meta\.json: .*(expected|not valid JSON)"):
        open_test_set(settings_of("y19-val", tmp_path))


@pytest.mark.parametrize("folder", ["MOSE", "MOSE/valid"])
def test_mose_is_found_in_both_spellings(tmp_path, folder):
    write_video(tmp_path / folder / "JPEGImages", tmp_path / folder / "Annotations", "a1", numbered(2), {"00000": [3]})
    (video,) = open_test_set(settings_of("mose-val", tmp_path))
    assert (video.name, masks_given(video), video.saved_names) == ("a1", {"00000": [3]}, numbered(2))


def test_lvos_reads_the_prepared_first_masks_and_says_how_to_prepare_them(tmp_path):
    folder = tmp_path / "LVOS" / "valid"
    given = {"00001": [1], "00006": [2]}
    frames = numbered(3, step=5)
    frames = [f"{int(frame) + 1:05d}" for frame in frames]
    write_video(folder / "JPEGImages", folder / "Annotations", "aXb", frames, {frame: [1, 2] for frame in frames})
    with pytest.raises(FileNotFoundError) as caught:
        open_test_set(settings_of("lvos-val", tmp_path))
    assert f"MISSING  mask_directory: {folder}/Annotations_first_only" in str(caught.value)
    assert f"scripts/data/preprocess_lvos.py {folder}/Annotations {folder}/Annotations_first_only" in str(caught.value)
    for frame, ids in given.items():
        write_mask(folder / "Annotations_first_only" / "aXb" / f"{frame}.png", labels_with(*ids))
    (video,) = open_test_set(settings_of("lvos-val", tmp_path))
    assert (masks_given(video), video.saved_names) == (given, frames)


def test_lvos_test_reads_annotations(tmp_path):
    folder = tmp_path / "LVOS" / "test"
    write_video(folder / "JPEGImages", folder / "Annotations", "v", numbered(3), {"00000": [1], "00002": [2]})
    (video,) = open_test_set(settings_of("lvos-test", tmp_path))
    assert masks_given(video) == {"00000": [1], "00002": [2]}


def test_the_bundled_clip_opens_from_any_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings("demo")
    (video,) = open_test_set(settings)
    assert len(video) >= 48
    assert video.problems(every_frame=True) == []
    assert list(video.given) == ["00000", "00020", "00048"]
    truth = locate(settings.truth_directory)
    assert [(truth / video.name / f"{name}.png").exists() for name in video.frame_names] == [True] * len(video)
    for frame, mask in video.given.items():
        assert set(read_labels(truth / video.name / f"{frame}.png").ids) >= set(mask.read().ids)


def test_generic_takes_two_folders_and_says_so(tmp_path):
    with pytest.raises(ValueError, match="dataset=generic needs image_directory=FOLDER"):
        open_test_set(load_settings("generic"))
    with pytest.raises(ValueError, match="dataset=generic needs mask_directory=FOLDER"):
        open_test_set(load_settings("generic", [f"image_directory={tmp_path}"]))
    write_video(tmp_path / "images", tmp_path / "masks", "b", numbered(2), {"00000": [1]})
    write_video(tmp_path / "images", tmp_path / "masks", "a", numbered(1), {"00000": [1]})
    folders = [f"image_directory={tmp_path}/images", f"mask_directory={tmp_path}/masks"]
    settings = load_settings("generic", folders)
    assert settings.size == -1
    assert [video.name for video in open_test_set(settings)] == ["a", "b"]


def test_generic_takes_the_folders_of_one_video(tmp_path):
    write_video(tmp_path / "images", tmp_path / "masks", ".", numbered(2), {"00000": [1]})
    (video,) = open_test_set(generic(tmp_path))
    assert (video.name, masks_given(video)) == ("images", {"00000": [1]})


def test_videos_in_only_one_of_the_folders_are_problems_not_silence(tmp_path):
    for name in ("whole", "only frames", "only masks"):
        write_video(tmp_path / "images", tmp_path / "masks", name, numbered(1), {"00000": [1]})
    (tmp_path / "masks" / "only frames" / "00000.png").unlink()
    (tmp_path / "masks" / "only frames").rmdir()
    (tmp_path / "images" / "only masks" / "00000.jpg").unlink()
    problems = {video.name: video.problems() for video in open_test_set(generic(tmp_path))}
    assert problems["whole"] == []
    assert problems["only frames"] == [f"{tmp_path}/masks/only frames: no such folder, expected to hold masks"]
    assert problems["only masks"][0].startswith(f"{tmp_path}/images/only masks: contains no frames (.jpg")


def test_a_listed_video_that_is_missing_does_not_lose_the_others(tmp_path):
    folder = tmp_path / "DAVIS/2017/trainval"
    write_davis(folder, "2017/val.txt", "bear")
    write_lines(folder / "ImageSets/2017/val.txt", "bear", "swan")
    bear, swan = open_test_set(settings_of("d17-val", tmp_path))
    assert bear.problems() == []
    assert swan.problems()[0] == f"{folder}/JPEGImages/480p/swan: no such folder, expected to hold frames"
    with pytest.raises(ValueError, match="swan: no such folder"):
        next(iter(swan))


def test_a_missing_set_is_described(tmp_path):
    (tmp_path / "DAVIS" / "2017" / "somewhere").mkdir(parents=True)
    with pytest.raises(FileNotFoundError) as caught:
        open_test_set(settings_of("d17-val", tmp_path))
    message = str(caught.value)
    folder = tmp_path / "DAVIS/2017"
    assert f"MISSING  image_directory: {folder}/trainval/JPEGImages/480p/<video>/<frame>.jpg" in message
    assert f"MISSING  video_list: {folder}/trainval/ImageSets/2017/val.txt" in message
    assert message.count(f"{folder} contains: somewhere") == 1
    assert "Get it: https://davischallenge.org" in message
    assert "data_root=FOLDER" in message


def test_a_missing_split_file_is_the_only_thing_called_missing(tmp_path):
    write_davis(tmp_path / "DAVIS/2017/trainval", "2017/train.txt", "bear")
    with pytest.raises(FileNotFoundError) as caught:
        open_test_set(settings_of("d17-val", tmp_path))
    message = str(caught.value)
    assert message.count("MISSING") == 1
    assert "ImageSets/2017 contains: train.txt" in message
    assert "found    image_directory" in message


def test_a_set_without_any_frames_is_described(tmp_path):
    write_davis(tmp_path / "DAVIS/2017/trainval", "2017/val.txt", "bear")
    write_lines(tmp_path / "DAVIS/2017/trainval/ImageSets/2017/val.txt", "swan")
    with pytest.raises(FileNotFoundError, match=r"none of its 1 videos \(swan\) has frames in .*480p"):
        open_test_set(settings_of("d17-val", tmp_path))


def test_an_empty_split_file_is_refused(tmp_path):
    write_lines(tmp_path / "val.txt", "", " ")
    with pytest.raises(ValueError, match=r"val\.txt: names no video"):
        read_video_list(tmp_path / "val.txt")


def test_only_some_videos_can_be_opened(tmp_path):
    for name in ("a", "b", "c"):
        write_video(tmp_path / "images", tmp_path / "masks", name, numbered(1), {"00000": [1]})
    assert [video.name for video in open_test_set(generic(tmp_path), only=["c", "a"])] == ["a", "c"]
    with pytest.raises(ValueError, match="generic has no videos named d; it has a, b, c"):
        open_test_set(generic(tmp_path), only=["a", "d"])


def test_fewer_videos_than_the_official_set_has_are_reported(tmp_path, caplog):
    write_davis(tmp_path / "DAVIS/2017/trainval", "2017/val.txt", "bear")
    with caplog.at_level(logging.WARNING):
        open_test_set(settings_of("d17-val", tmp_path))
    assert "d17-val has 1 videos, expected 30" in caplog.text


def test_invalid_settings_are_refused(tmp_path):
    write_frame(tmp_path / "images" / "a" / "0.jpg")
    write_mask(tmp_path / "masks" / "a" / "0.png", labels_with(1))
    for key, value, expected in (
        ("save_all", False, "save_all=false needs frame_list=FILE"),
        ("colour_masks", "rainbow", "colour_masks=rainbow, expected one of auto, palette, ids"),
        ("archive", "tar", "archive=tar, expected one of inside, folder, burst"),
    ):
        with pytest.raises(ValueError, match=expected):
            open_test_set(generic(tmp_path, **{key: value}))


@pytest.mark.parametrize("name", names())
def test_every_yaml_gives_typed_settings_and_says_its_command(name):
    settings = load_settings(name)
    assert isinstance(settings, schema.TestSetConfig)
    assert settings.dataset_name == name
    first, command, *_ = (CONFIG_DIR / f"{name}.yaml").read_text().splitlines()
    assert first == "# @package _global_"
    assert command.startswith(f"# python livos/eval.py dataset={name}")
    if name != "generic":
        assert settings.num_videos is not None
        assert settings.source


def test_plus_variants_differ_in_size_alone():
    for name in names():
        if name.endswith("-plus"):
            plus, plain = load_settings(name), load_settings(name.removesuffix("-plus"))
            assert plus.size > (plain.size or STANDARD_SHORT_SIDE)
            differing = {key for key in vars(plus) if getattr(plus, key) != getattr(plain, key)}
            assert differing == {"dataset_name", "size"}


def test_unknown_sets_and_keys_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no data set named 'd18'; known: .*d17-val"):
        load_settings("d18")
    with pytest.raises(ValueError, match=r"data_rot.*known keys: .*data_root"):
        load_settings("d17-val", ["data_rot=/data"])
    with pytest.raises(ValueError, match=r"d17-val: .*size"):
        load_settings("d17-val", ["size=big"])


def test_your_own_set_is_a_yaml_of_a_few_keys(tmp_path):
    write_video(tmp_path / "images", tmp_path / "masks", "a", numbered(1), {"00000": [1]})
    own = OmegaConf.create({"dataset_name": "own", "image_directory": f"{tmp_path}/nowhere | {tmp_path}/images"})
    own.mask_directory = f"{tmp_path}/masks"
    settings = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema.TestSetConfig), own))
    assert [video.name for video in open_test_set(settings)] == ["a"]
