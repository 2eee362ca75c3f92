"""What a command line may name as a video."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from video_makers import make_video, number_shown, picture

from livos.files.names import trailing_number
from livos.video.sources import Camera, ImageFolder, find_videos


def write_images(folder, names, size=(48, 64)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), picture(number, size)[..., ::-1])


class PretendCamera:
    """Like cv2.VideoCapture, with so many pictures."""

    def __init__(self, num_pictures: int):
        self.number, self.num_pictures, self.released = -1, num_pictures, False

    def read(self):
        self.number += 1
        there = self.number < self.num_pictures
        return there, picture(self.number)[..., ::-1] if there else None

    def get(self, _):
        return 15.0

    def release(self):
        self.released = True


def test_files_folders_and_patterns_are_found(tmp_path):
    make_video(tmp_path / "a.mp4", 2)
    (tmp_path / "videos").mkdir()
    for name in ("b.mp4", "c.MOV"):
        make_video(tmp_path / "videos" / name, 2)
    (tmp_path / "videos/notes.txt").write_text("not a video")
    write_images(tmp_path / "frames/one", ["0.jpg", "1.jpg"])
    write_images(tmp_path / "frames/two", ["0.png"])
    (tmp_path / "frames/empty").mkdir()

    def names(spec) -> list[str]:
        return [found.name for found in find_videos(str(spec))]

    assert names(tmp_path / "a.mp4") == ["a"]
    assert names(tmp_path / "videos") == ["b", "c"]
    assert names(tmp_path / "frames") == ["one", "two"]
    assert names(tmp_path / "frames/one") == ["one"]
    assert names(tmp_path / "frames/*/") == ["one", "two"]
    assert names(tmp_path / "frames/one/*.jpg") == ["one"]
    assert names(tmp_path / "*/*.mp4") == ["b"]
    assert names("0") == ["camera0"]


def test_images_come_in_the_order_people_count(tmp_path):
    write_images(tmp_path / "frames", ["9.jpg", "10.jpg", "11.jpg"])
    source = find_videos(str(tmp_path / "frames"), Fraction(10))[0].open()
    frames = list(source.frames())
    assert [frame.name for frame in frames] == ["9", "10", "11"]
    assert [number_shown(frame.image) for frame in frames] == [0, 1, 2]
    assert [frame.pts * source.time_base for frame in frames] == [0, Fraction(1, 10), Fraction(2, 10)]
    assert [frame.name for frame in source.frames(start=1, backward=True)] == ["11", "10"]
    assert (source.frame_at(0.1), source.frame_at(0.11), source.end()) == (1, 2, 3)


@pytest.mark.parametrize("first_number", [0, 1])
def test_numbers_count_from_where_they_are_told(tmp_path, first_number):
    make_video(tmp_path / "a.mp4", 5)
    write_images(tmp_path / "frames", ["a.png", "b.png", "c.png", "d.png", "e.png"])
    for spec in (tmp_path / "a.mp4", tmp_path / "frames"):
        source = find_videos(str(spec), Fraction(25), first_number)[0].open()
        frames = list(source.frames(start=first_number + 1, stop=first_number + 3))
        assert [frame.number for frame in frames] == [first_number + 1, first_number + 2]
        assert [number_shown(frame.image) for frame in frames] == [1, 2]
        assert source.frame_at(0.08) == first_number + 2 and source.end() == first_number + 5


@pytest.mark.parametrize(("name", "complaint"), [("none.mp4", "there is no such file"), ("empty", "no images, no vid")])
def test_what_is_not_there_is_said(tmp_path, name, complaint):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=complaint):
        find_videos(str(tmp_path / name))


def test_images_beside_videos_are_refused(tmp_path):
    write_images(tmp_path, ["thumbnail.jpg"])
    make_video(tmp_path / "a.mp4", 2)
    with pytest.raises(ValueError, match=r"holds images \(thumbnail.jpg …\) and a.mp4"):
        find_videos(str(tmp_path))


def test_two_videos_of_one_name_are_refused(tmp_path):
    for suffix in (".mp4", ".mkv"):
        make_video(tmp_path / f"a{suffix}", 2)
    with pytest.raises(ValueError, match="two videos of one name"):
        find_videos(str(tmp_path))


def test_a_cut_image_is_a_damaged_frame_and_another_size_is_refused(tmp_path, caplog):
    write_images(tmp_path / "frames", ["0.jpg", "1.jpg", "2.jpg"])
    whole = (tmp_path / "frames/1.jpg").read_bytes()
    (tmp_path / "frames/1.jpg").write_bytes(whole[: len(whole) // 2])
    source = find_videos(str(tmp_path / "frames"))[0].open()
    assert [frame.image is None for frame in source.frames()] == [False, True, False]
    assert "1.jpg" in caplog.text
    write_images(tmp_path / "frames", ["9.jpg"], size=(50, 64))
    source = find_videos(str(tmp_path / "frames"))[0].open()
    with pytest.raises(ValueError, match=r"9.jpg: 64 x 50 pixels, the first frame has 64 x 48"):
        list(source.frames())


def test_images_of_one_name_in_two_folders_are_refused(tmp_path):
    for folder in ("one", "two"):
        write_images(tmp_path / folder, ["0.jpg"])
    with pytest.raises(ValueError, match="another image of this name"):
        ImageFolder(sorted(tmp_path.glob("*/*.jpg")), Fraction(24))


def test_a_camera_gives_pictures_until_it_is_stopped():
    capture = PretendCamera(100)
    camera = Camera(0, capture=capture)
    assert camera.size == (48, 64) and camera.frame_rate == 15
    shown = []
    for frame in camera.frames():
        shown.append(number_shown(frame.image))
        if len(shown) == 3:
            camera.stop()
    assert shown == [1, 2, 3] and capture.released
    assert len(list(Camera(0, capture=PretendCamera(100)).frames(stop=7))) == 7
    assert len(list(Camera(0, capture=PretendCamera(5)).frames())) == 4  # unplugged


def test_a_camera_without_a_picture_and_its_past_are_refused():
    with pytest.raises(ValueError, match="camera 3 gives no picture"):
        Camera(3, capture=PretendCamera(0))
    with pytest.raises(ValueError, match="the present only"):
        next(Camera(0, capture=PretendCamera(5)).frames(backward=True))


def test_trailing_numbers():
    assert [trailing_number(name) for name in ("00042", "frame_7", "a1b", "")] == [42, 7, None, None]
    assert [trailing_number(name, alone=True) for name in ("00042", "frame_7")] == [42, None]


def test_colours_are_rgb(tmp_path):
    write_images(tmp_path / "frames", ["0.png"])
    frame = next(find_videos(str(tmp_path / "frames"))[0].open().frames())
    np.testing.assert_array_equal(frame.image, picture(0))
