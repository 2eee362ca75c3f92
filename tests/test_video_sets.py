import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from training_data import OBJECT_COLOURS, moving_squares, tiny_settings, write_video, write_videos

from livos.config.schema import VideoSetConfig
from livos.training.data.loaders import open_sets
from livos.training.data.sampling import generator_for
from livos.training.data.video_sets import VideoSet, open_video_set


def open_videos(root, set_changes=None, **changes) -> VideoSet:
    settings = tiny_settings(root, **changes)
    set_settings = replace(settings.video_sets["videos"], **(set_changes or {}))
    video_set, problems = open_video_set("videos", set_settings, settings)
    assert problems == []
    return video_set


def problems_of(root, set_settings: VideoSetConfig) -> list[str]:
    video_set, problems = open_video_set("videos", set_settings, tiny_settings(root))
    assert video_set is None
    return problems


def test_every_slot_has_the_pixels_of_one_object_in_all_frames(tmp_path):
    videos = open_videos(write_videos(tmp_path))
    for index in range(12):
        clip = videos.read_clip(index % 4, 0.0, generator_for(0, index))
        assert clip.images.shape == (4, 32, 32, 3) and clip.labels.shape == (4, 32, 32)
        assert 1 <= clip.num_objects <= 3
        assert set(np.unique(clip.labels[0])) - {0} == set(range(1, clip.num_objects + 1))
        for slot in range(1, clip.num_objects + 1):
            colours = np.median(clip.images[clip.labels == slot], axis=0)[::-1]
            assert (np.abs(OBJECT_COLOURS[1:] - colours).max(axis=1) < 40).any()
            purity = np.abs(clip.images[clip.labels == slot][:, ::-1] - colours).max(axis=1) < 130
            assert purity.mean() > 0.9, "only pixels at the edge have another colour"


def test_frames_lie_within_max_skip_by_the_schedule(tmp_path):
    write_video(tmp_path / "videos", "long", moving_squares(40, 1))
    videos = open_videos(tmp_path, {"frame_interval": 2}, num_frames=3)
    seen = {0.0: 0, 0.5: 0}
    for progress in seen:
        for index in range(30):
            frames = []
            videos._warped = lambda video, chosen, *rest, frames=frames: frames.extend(chosen)
            videos._try_clip(videos.videos[0], progress, generator_for(0, index), videos.clip_settings)
            seen[progress] = max(seen[progress], int(np.abs(np.diff(frames)).max()))
    assert seen == {0.0: 2, 0.5: 7}


def test_the_first_frame_shows_an_object_even_where_few_frames_do(tmp_path):
    labels = moving_squares(12, 1)
    labels[:5] = labels[6:] = 0
    write_video(tmp_path / "videos", "rare", labels)
    clip = open_videos(tmp_path).read_clip(0, 0.0, generator_for(0, 0))
    assert clip.name == "videos/rare:00005" and (clip.labels[0] == 1).any() and not clip.labels[1:].any()


def test_an_object_too_small_for_a_clip_sends_to_another_video(tmp_path):
    labels = np.zeros((4, 40, 72), dtype=np.uint8)
    labels[:, 0, 0] = 1
    write_video(tmp_path / "videos", "dot", labels)
    write_video(tmp_path / "videos", "square", moving_squares(4, 1))
    videos = open_videos(tmp_path, min_object_pixels=9)
    assert all(videos.read_clip(0, 0.0, generator_for(0, index)).name.startswith("videos/square") for index in range(5))


def test_a_set_without_any_object_is_named(tmp_path):
    write_video(tmp_path / "videos", "empty", np.zeros((4, 40, 72), dtype=np.uint8))
    with pytest.raises(ValueError, match=r"videos: no object in the first frame.*Annotations"):
        open_videos(tmp_path, tries_per_seed=2).read_clip(0, 0.0, generator_for(0, 0))


def test_void_is_background(tmp_path):
    labels = moving_squares(4, 1)
    labels[:, 30:] = 255
    write_video(tmp_path / "videos", "void", np.where(labels == 255, 0, labels))
    for t, frame in enumerate(labels):
        Image.fromarray(frame).save(tmp_path / f"videos/Annotations/void/{t:05d}.png")
    for index in range(10):
        clip = open_videos(tmp_path).read_clip(0, 0.0, generator_for(0, index))
        assert clip.num_objects == 1


@pytest.mark.parametrize("mode", ["L", "P", "1"])
def test_binary_masks_have_one_object_however_they_are_coded(tmp_path, mode):
    labels = moving_squares(4, 3)
    write_video(tmp_path / "videos", "squares", labels)
    for t, frame in enumerate(labels):
        values = {"L": frame * 80 + (frame == 0) * np.uint8(100), "P": frame, "1": frame > 0}[mode]
        Image.fromarray(values).convert(mode).save(tmp_path / f"videos/Annotations/squares/{t:05d}.png")
    clip = open_videos(tmp_path, {"binary_masks": True}).read_clip(0, 0.0, generator_for(0, 0))
    colours = np.unique(clip.images[clip.labels == 1] // 200, axis=0)
    assert clip.num_objects == 1 and len(colours) >= 2, "several squares, one object"
    if mode == "L":
        assert not (clip.images[..., 2][clip.labels == 1] > 200).any(), "the red square, at 80, is below the middle"


def test_only_listed_videos_are_taken(tmp_path):
    write_videos(tmp_path)
    (tmp_path / "videos/train.txt").write_text("video2\nvideo0\n")
    videos = open_videos(tmp_path, {"video_list": "train.txt"})
    assert [video.name for video in videos.videos] == ["video2", "video0"]


def test_a_list_may_begin_with_a_byte_order_mark_and_name_videos_with_blanks(tmp_path):
    write_videos(tmp_path, num_objects=(1,))
    write_video(tmp_path / "videos", "my video", moving_squares(4, 1))
    (tmp_path / "videos/train.txt").write_text("\ufeffmy video\r\n\nvideo0 \n", encoding="utf-8")
    videos = open_videos(tmp_path, {"video_list": "train.txt"})
    assert [video.name for video in videos.videos] == ["my video", "video0"]


def test_hidden_folders_are_not_videos(tmp_path):
    write_videos(tmp_path, num_objects=(1,))
    (tmp_path / "videos/JPEGImages/.ipynb_checkpoints").mkdir()
    assert [video.name for video in open_videos(tmp_path).videos] == ["video0"]


def test_numbers_in_names_are_ordered_as_numbers(tmp_path):
    write_videos(tmp_path, num_objects=(1,))
    for folder in ("JPEGImages", "Annotations"):
        for t in range(12):
            path = tmp_path / f"videos/{folder}/video0/{t:05d}.png"
            path.rename(path.with_name(f"frame{t + 1}.png"))
    video = open_videos(tmp_path).videos[0]
    assert video.image_names == video.mask_names == tuple(f"frame{t}.png" for t in range(1, 13))


def test_a_size_that_changes_within_a_video_is_refused_by_name(tmp_path):
    write_videos(tmp_path, num_objects=(1,))
    labels = moving_squares(12, 1, height=48)
    write_video(tmp_path / "later", "video0", labels)
    opened = open_videos(tmp_path)
    for folder in ("JPEGImages", "Annotations"):
        for t in range(4, 12):
            shutil.copy(tmp_path / f"later/{folder}/video0/{t:05d}.png", tmp_path / f"videos/{folder}/video0")
    (problem,) = problems_of(tmp_path, VideoSetConfig(folders=["videos"]))
    assert problem.startswith(f"{tmp_path / 'videos/Annotations/video0/00004.png'} has 72 x 48 pixels")
    assert problem.endswith("00000.png has 72 x 40: all frames of a video must have the same size")
    with pytest.raises(ValueError, match="all frames of a video must have the same size"):  # it changed after the start
        for index in range(40):
            opened.read_clip(0, 0.5, generator_for(0, index))


def test_a_frame_that_misfits_its_mask_is_named_before_training(tmp_path):
    write_videos(tmp_path, num_objects=(1,))
    Image.new("RGB", (30, 20)).save(tmp_path / "videos/JPEGImages/video0/00007.png")
    (tmp_path / "videos/JPEGImages/video0/00009.png").write_bytes(b"no image")
    (problem,) = problems_of(tmp_path, VideoSetConfig(folders=["videos"]))
    assert "00007.png has 30 x 20 pixels, but its mask" in problem and problem.endswith("00007.png has 72 x 40")


def test_a_truncated_frame_is_refused(tmp_path):
    write_videos(tmp_path, num_objects=(1,), num_frames=4)
    videos = open_videos(tmp_path)
    path = tmp_path / "videos/JPEGImages/video0/00001.png"
    with Image.open(path) as image:
        image.save(path, format="JPEG", quality=95)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"00001\.png: the file is truncated or damaged"):
        videos.read_clip(0, 0.0, generator_for(0, 0))


def test_the_first_folder_that_exists_is_taken(tmp_path):
    write_videos(tmp_path)
    shutil.copytree(tmp_path / "videos", tmp_path / "MOSE/train")
    assert "train" in open_videos(tmp_path, {"folders": ["MOSE/train", "MOSE"]}).videos[0].image_dir.parts
    shutil.copytree(tmp_path / "videos", tmp_path / "BURST")
    assert "BURST" in open_videos(tmp_path, {"folders": ["BURST/train", "BURST"]}).videos[0].image_dir.parts


def test_short_videos_are_left_out_with_a_warning(tmp_path, caplog):
    write_videos(tmp_path, num_objects=(1,))
    write_video(tmp_path / "videos", "short", moving_squares(3, 1))
    assert len(open_videos(tmp_path)) == 1
    assert "fewer than 4 frames: short" in caplog.text


def test_all_short_is_an_error(tmp_path):
    write_videos(tmp_path, num_frames=3)
    assert problems_of(tmp_path, VideoSetConfig(folders=["videos"])) == [
        "none of the 4 videos has the 4 frames of a clip"
    ]


def test_frames_without_masks_are_left_out_if_that_is_expected(tmp_path):
    write_videos(tmp_path)
    (tmp_path / "videos/Annotations/video0/00002.png").unlink()
    assert [len(v) for v in open_videos(tmp_path, {"sparse_masks": True}).videos] == [11, 12, 12, 12]


def test_missing_and_empty_folders_and_masks_are_all_named(tmp_path):
    root = write_videos(tmp_path)
    videos = VideoSetConfig(folders=["videos"])
    for t in (1, 3, 4, 7, 9):
        (root / f"videos/Annotations/video0/{t:05d}.png").unlink()
    shutil.rmtree(root / "videos/Annotations/video1")
    for frame in (root / "videos/JPEGImages/video2").iterdir():
        frame.unlink()
    missing, no_masks, no_frames = problems_of(root, videos)
    assert missing.endswith("video0 has no masks for the frames 00001, 00003, 00004, … (5)")
    assert no_masks.endswith("video1 is missing or contains no masks of the frames")
    assert no_frames.endswith("video2 is missing or contains no frames")

    assert "nowhere" in problems_of(root, VideoSetConfig(folders=["nowhere"]))[0]
    assert "no list of videos" in problems_of(root, VideoSetConfig(folders=["videos"], video_list="val.txt"))[0]
    (root / "empty/JPEGImages").mkdir(parents=True)
    assert "contains no folders of frames" in problems_of(root, VideoSetConfig(folders=["empty"]))[0]


def test_problems_of_all_sets_come_in_one_message(tmp_path):
    settings = tiny_settings(tmp_path, videos=True, images=True)
    settings.video_sets["more"] = VideoSetConfig(folders=["more", "other"])
    with pytest.raises(ValueError) as error:
        open_sets(settings)
    for part in (f"data.root={tmp_path}", "videos: there is no", "more: there is no", "images: there is no", " or "):
        assert part in str(error.value)


def test_a_mixture_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no training sets"):
        open_sets(tiny_settings(tmp_path, videos=False))


def test_unreadable_and_unfitting_files_are_named(tmp_path):
    write_videos(tmp_path, num_objects=(1,), num_frames=4)
    videos = open_videos(tmp_path)
    image_path = tmp_path / "videos/JPEGImages/video0/00001.png"
    image_path.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"00001.png: not a readable image"):
        videos.read_clip(0, 0.0, generator_for(0, 0))
    Image.new("RGB", (30, 20)).save(image_path)
    with pytest.raises(ValueError, match=r"00001.png must be as large as its mask, 72 x 40, but is 30 x 20"):
        videos.read_clip(0, 0.0, generator_for(0, 0))
    Image.new("RGB", (72, 40)).save(image_path)
    Image.new("RGB", (72, 40), (200, 1, 3)).save(tmp_path / "videos/Annotations/video0/00001.png")
    with pytest.raises(ValueError, match=r"00001.png: contains the id 197064; training needs ids from 1 to 254"):
        videos.read_clip(0, 0.0, generator_for(0, 0))


def test_large_frames_are_decoded_at_a_reduced_size(tmp_path):
    """A JPEG of four times the crop's size, decoded at a quarter of it, still lies under its mask."""
    labels = np.kron(moving_squares(4, 2), np.ones((4, 4), dtype=np.uint8))
    write_video(tmp_path / "videos", "large", labels)
    for path in (tmp_path / "videos/JPEGImages/large").iterdir():
        Image.open(path).save(path.with_suffix(".jpg"), quality=95)
        path.unlink()
    videos = open_videos(tmp_path, size=16)
    for index in range(5):
        clip = videos.read_clip(0, 0.0, generator_for(0, index))
        inside = (clip.images[..., 2] > 127) | (clip.images[..., 1] > 140)
        fill = (np.abs(clip.images.astype(int) - (104, 116, 124)) < 40).all(axis=-1)
        objects = clip.labels > 0
        assert (inside != objects)[~fill].mean() < 0.08
