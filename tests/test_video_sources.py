"""What a command line may name as a video."""

from __future__ import annotations

import threading
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from video_makers import make_video, number_shown, picture

from livos.files.names import trailing_number
from livos.video.arrays import ArraySource
from livos.video.camera import Camera, LiveSource, NetworkStream
from livos.video.pictures import ImageFolder
from livos.video.sources import find_videos, has_frame


def write_images(folder, names, size=(48, 64)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), picture(number, size)[..., ::-1])


class PretendCamera:
    """Like cv2.VideoCapture, with a number of pictures."""

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


@pytest.mark.parametrize(
    ("name", "complaint"), [("none.mp4", "there is no such file"), ("empty", "contains no images, no vid")]
)
def test_what_is_missing_is_reported(tmp_path, name, complaint):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=complaint):
        find_videos(str(tmp_path / name))


def test_images_next_to_videos_are_refused(tmp_path):
    write_images(tmp_path, ["thumbnail.jpg"])
    make_video(tmp_path / "a.mp4", 2)
    with pytest.raises(ValueError, match=r"contains images \(thumbnail.jpg …\) and a.mp4"):
        find_videos(str(tmp_path))


def test_two_videos_of_one_name_are_refused(tmp_path):
    for suffix in (".mp4", ".mkv"):
        make_video(tmp_path / f"a{suffix}", 2)
    with pytest.raises(ValueError, match="two videos with the same name"):
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
    with pytest.raises(ValueError, match=r"9.jpg: 64 x 50 pixels; the first frame has 64 x 48"):
        list(source.frames())


def test_images_of_one_name_in_two_folders_are_refused(tmp_path):
    for folder in ("one", "two"):
        write_images(tmp_path / folder, ["0.jpg"])
    with pytest.raises(ValueError, match="another image has the same name"):
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
    with pytest.raises(ValueError, match="camera 3 delivers no picture"):
        Camera(3, capture=PretendCamera(0))
    with pytest.raises(ValueError, match="is live: it cannot be read backwards"):
        next(Camera(0, capture=PretendCamera(5)).frames(backward=True))


def test_trailing_numbers():
    assert [trailing_number(name) for name in ("00042", "frame_7", "a1b", "")] == [42, 7, None, None]
    assert [trailing_number(name, alone=True) for name in ("00042", "frame_7")] == [42, None]


def test_colours_are_rgb(tmp_path):
    write_images(tmp_path / "frames", ["0.png"])
    frame = next(find_videos(str(tmp_path / "frames"))[0].open().frames())
    np.testing.assert_array_equal(frame.image, picture(0))


def animated(path, num_pictures: int = 5, durations=(100, 200, 50, 40, 70)) -> None:
    pictures = [Image.fromarray(picture(number)) for number in range(num_pictures)]
    options = {} if path.suffix == ".tif" else {"duration": list(durations)}
    if path.suffix == ".webp":
        options["lossless"] = True
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **options)


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.webp", "a.png"])
def test_all_pictures_of_a_file_are_its_frames(tmp_path, name, monkeypatch):
    animated(tmp_path / name)
    (found,) = find_videos(str(tmp_path / name), Fraction(10))
    source = found.open()
    frames = list(source.frames())
    assert [number_shown(frame.image) for frame in frames] == [0, 1, 2, 3, 4]
    pages = name.endswith("tif")
    expected = [Fraction(number, 10) for number in range(5)] if pages else [0, 0.1, 0.3, 0.35, 0.39]
    assert [float(frame.pts * source.time_base) for frame in frames] == pytest.approx([float(one) for one in expected])
    assert (source.num_frames, source.end(), source.frame_at(0.3)) == (5, 5, 3 if pages else 2)
    monkeypatch.setattr("livos.video.pictures.BACKWARD_BYTES", 48 * 64 * 3 * 2)
    backward = list(source.frames(start=1, backward=True))
    assert [(frame.number, number_shown(frame.image)) for frame in backward] == [(n, n) for n in (4, 3, 2, 1)]


def test_a_folder_of_animations_is_several_videos_and_one_among_images_is_refused(tmp_path):
    (tmp_path / "animations").mkdir()
    for name in ("a.webp", "b.webp", "c.gif"):
        animated(tmp_path / "animations" / name)
    assert [video.name for video in find_videos(str(tmp_path / "animations"))] == ["a", "b", "c"]
    write_images(tmp_path / "mixed", ["0.png", "1.png"])
    animated(tmp_path / "mixed/2.png")
    with pytest.raises(ValueError, match=r"2.png: holds several pictures: pass it alone"):
        list(find_videos(str(tmp_path / "mixed"))[0].open().frames())


def test_a_thumbnail_in_a_tiff_is_not_a_frame(tmp_path):
    small = Image.fromarray(picture(1, (12, 16)))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    Image.fromarray(picture(0)).save(tmp_path / "a.tif", save_all=True, append_images=[small])
    frames = list(find_videos(str(tmp_path / "a.tif"))[0].open().frames())
    assert [number_shown(frame.image) for frame in frames] == [0]


def test_pages_of_other_sizes_are_refused(tmp_path):
    pages = [Image.fromarray(picture(number, (48, 64 + number))) for number in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match=r"a.tif: picture 1 has 65 x 48 pixels, but the first has 64 x 48"):
        list(find_videos(str(tmp_path / "a.tif"))[0].open().frames())


@pytest.mark.parametrize("name", ["0.jpg", "0.png", "0.webp", "0.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_as_viewers_do(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"tiffinfo": exif} if name.endswith("tif") else {"exif": exif, "quality": 95}
    Image.fromarray(picture(3)).save(tmp_path / name, **options)
    with Image.open(tmp_path / name) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB")).astype(int)
    source = find_videos(str(tmp_path))[0].open()
    frame = next(source.frames())
    assert source.size == expected.shape[:2] == frame.image.shape[:2]
    np.testing.assert_allclose(frame.image, expected, atol=3)


def test_arrays_and_pillow_images_are_a_video():
    pictures = [picture(number) for number in range(6)]
    source = ArraySource([*pictures[:3], *map(Image.fromarray, pictures[3:])], 10, first_number=1)
    assert source.size == (48, 64) and source.num_frames == 6 and source.end() == 7 and source.frame_at(0.2) == 3
    assert [number_shown(frame.image) for frame in source.frames()] == [0, 1, 2, 3, 4, 5]
    assert [frame.number for frame in source.frames(start=3, stop=5, backward=True)] == [4, 3]
    assert [frame.pts * source.time_base for frame in source.frames(stop=3)] == [0, Fraction(1, 10)]
    stacked = ArraySource(np.stack(pictures), 29.97)
    assert [number_shown(frame.image) for frame in stacked.frames(start=4)] == [4, 5]


def test_pictures_that_are_generated_one_by_one_come_once():
    source = ArraySource(picture(number) for number in range(6))
    assert source.size == (48, 64) and source.num_frames is None
    assert [number_shown(frame.image) for frame in source.frames(start=2, stop=5)] == [2, 3, 4]
    with pytest.raises(ValueError, match="only once"):
        source.frames()
    with pytest.raises(ValueError, match="last frame of an iterator is not known"):
        source.end()


@pytest.mark.parametrize(
    ("pictures", "complaint"),
    [
        ([], "no pictures"),
        ([np.zeros((4, 4), np.uint8)], r"picture 0: expected \(H, W, 3\) uint8 .* found uint8 \(4, 4\)"),
        ([np.zeros((4, 4, 3), np.float32)], r"found float32 \(4, 4, 3\)"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4, 3), np.uint8)], "has 4 x 5 pixels, but the first has 4 x 4"),
    ],
)  # fmt: skip
def test_other_arrays_are_refused(pictures, complaint):
    with pytest.raises(ValueError, match=complaint):
        list(ArraySource(pictures).frames())


@pytest.fixture
def served(tmp_path):
    """A folder, and the address at which a server on this machine serves it."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def test_an_address_that_was_typed_is_read_once(served):
    folder, address = served
    make_video(folder / "a.ts", 12)
    (found,) = find_videos(f"{address}/a.ts")
    assert found.name.endswith("_a.ts") and found.path is None
    source = found.open()
    assert isinstance(source, LiveSource) and source.size == (48, 64) and source.num_frames is None
    shown = []
    for frame in source.frames():
        shown.append(number_shown(frame.image))
        if len(shown) == 5:
            source.stop()
    assert shown == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="can be read only once"):
        list(source.frames())
    with pytest.raises(ValueError, match="is live: it cannot be read backwards"):
        next(NetworkStream(f"{address}/a.ts").frames(backward=True))


def test_a_playlist_from_afar_reads_no_file_of_this_machine(served):
    folder, address = served
    secret = make_video(folder / "secret.ts", 12)
    (folder / "a.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n")
    with pytest.raises(ValueError, match=r"a\.m3u8: "):
        list(NetworkStream(f"{address}/a.m3u8").frames())
    (folder / "b.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n")
    assert len(list(NetworkStream(f"{address}/b.m3u8").frames())) == 12


def test_passwords_in_addresses_are_not_shown(served):
    _, address = served
    secret = address.replace("http://", "http://user:secret@") + "/none.mp4"
    with pytest.raises(ValueError, match="no video at this address") as raised:
        NetworkStream(secret)
    assert "secret" not in str(raised.value)
    assert find_videos(secret)[0].name == address.removeprefix("http://").replace(":", "_") + "_none.mp4"


def test_a_header_that_lies_is_checked_before_a_frame_is_denied(tmp_path):
    path = make_video(tmp_path / "a.avi", 20, codec="mjpeg")
    content = bytearray(path.read_bytes())
    length = content.index(b"strh") + 8 + 32
    assert int.from_bytes(content[length : length + 4], "little") == 20
    content[length : length + 4] = (8).to_bytes(4, "little")
    path.write_bytes(content)
    source = find_videos(str(path))[0].open()
    assert source.num_frames == 8
    assert [has_frame(source, number) for number in (7, 19, 20)] == [True, True, False]
    assert source.num_frames == 20
