"""Where the frames of a video come from: a video file, a folder or pattern of images, or a camera."""

from __future__ import annotations

import glob
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from livos.files.images import IMAGE_SUFFIXES, image_size, read_image
from livos.files.names import files_by_stem, natural_order, trailing_number
from livos.video.video_file import Frame, VideoFile

logger = logging.getLogger(__name__)

# fmt: off
VIDEO_SUFFIXES = (
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts",
    ".vob", ".webm", ".wmv", ".y4m",
)
# fmt: on
"""Files that are taken for videos in a folder or a pattern. A file that is named itself may have any suffix."""


class FrameSource(Protocol):
    """One video, however it is stored."""

    size: tuple[int, int]  # (H, W)
    num_frames: int | None  # None: not known
    first_number: int  # of the first frame
    frame_rate: Fraction  # frames per second, on average
    time_base: Fraction  # seconds in a unit of Frame.pts
    sound_path: Path | None  # a file with its sound
    sample_aspect_ratio: Fraction | None  # width / height of a pixel; None: square

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        """Frames from number `start` (None: the first) to before `stop` (None: to the end), or back from there."""

    def frame_at(self, seconds: float) -> int:
        """Number of the first frame that is shown this long after the first one, or later."""

    def end(self) -> int:
        """Number after that of the last frame. May take reading through the file."""

    def number_of(self, name: str, exact: bool = False) -> int | None:
        """Number of the frame that a mask of this name belongs to; None if the name does not tell.

        exact: the name is the frame's own or a number, not something that ends in one.
        """


class ImageFolder:
    """Image files as a video: names in natural order, a constant frame rate."""

    sound_path: Path | None = None
    sample_aspect_ratio: Fraction | None = None

    def __init__(self, paths: Sequence[Path], frame_rate: Fraction, first_number: int = 0):
        """paths: in order. Raises ValueError if there are none, two have one name, or the first is not an image."""
        if not paths:
            raise ValueError("no images to make a video of")
        self.paths, self.first_number = list(paths), first_number
        self._place = {path.stem: place for place, path in enumerate(paths)}
        if len(self._place) < len(paths):
            twice = next(path for place, path in enumerate(paths) if self._place[path.stem] != place)
            raise ValueError(f"{twice}: there is another image of this name, so a mask's name would not tell which")
        self.num_frames: int | None = len(paths)
        self.frame_rate, self.time_base = frame_rate, 1 / frame_rate
        self.size = image_size(paths[0])

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        places = list(range(len(self.paths)))[_place(start, self.first_number, 0) : _place(stop, self.first_number)]
        for place in reversed(places) if backward else places:
            yield Frame(self.first_number + place, self.paths[place].stem, place, self._read(self.paths[place]))

    def frame_at(self, seconds: float) -> int:
        return self.first_number + int(np.ceil(seconds * self.frame_rate - 1e-6))

    def end(self) -> int:
        return self.first_number + len(self.paths)

    def number_of(self, name: str, exact: bool = False) -> int | None:
        if name in self._place:
            return self.first_number + self._place[name]
        digits = trailing_number(name, exact)
        same = [place for stem, place in self._place.items() if digits is not None and trailing_number(stem) == digits]
        return self.first_number + same[0] if len(same) == 1 else None

    def _read(self, path: Path) -> np.ndarray | None:
        try:
            image = read_image(path)
        except ValueError as error:
            logger.warning("damaged frame: %s", error)
            return None
        if image.shape[:2] != self.size:
            height, width = image.shape[:2]
            raise ValueError(f"{path}: {width} x {height} pixels, the first frame has {self.size[1]} x {self.size[0]}")
        return image


class OneVideoFile:
    """A video file as a source."""

    def __init__(self, path: Path, first_number: int = 0):
        """Raises ValueError, naming the file, if it cannot be read."""
        self.video, self.first_number = VideoFile(path), first_number
        self.size, self.num_frames = self.video.size, self.video.num_frames
        self.frame_rate, self.time_base = self.video.frame_rate, self.video.time_base
        self.sound_path = path if self.video.has_sound else None
        self.sample_aspect_ratio = self.video.sample_aspect_ratio

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        begin, end = _place(start, self.first_number, 0), _place(stop, self.first_number)
        for frame in self.video.frames(begin or 0, end, backward):
            number = self.first_number + frame.number
            yield Frame(number, f"{number:06d}", frame.pts, frame.image)

    def frame_at(self, seconds: float) -> int:
        return self.first_number + self.video.frame_at(seconds)

    def end(self) -> int:
        return self.first_number + len(self.video.index().pts)

    def number_of(self, name: str, exact: bool = False) -> int | None:
        return trailing_number(name, exact)


class Camera:
    """A camera of this machine, until `stop()` is called or it is unplugged. Its frames cannot be had twice."""

    sound_path: Path | None = None
    sample_aspect_ratio: Fraction | None = None
    num_frames: int | None = None
    time_base = Fraction(1, 1000)

    def __init__(self, place: int, first_number: int = 0, capture: cv2.VideoCapture | None = None):
        """place: 0 for the first camera. capture: an open one, instead. Raises ValueError if it gives no picture."""
        self._capture = capture or cv2.VideoCapture(place)
        self.first_number = first_number
        there, picture = self._capture.read()
        if not there:
            raise ValueError(f"camera {place} gives no picture: is it plugged in, free, and are you allowed to use it?")
        self.size: tuple[int, int] = picture.shape[:2]
        told = self._capture.get(cv2.CAP_PROP_FPS)
        self.frame_rate = Fraction(told).limit_denominator(1000) if 1 <= told <= 1000 else Fraction(30)
        self._stop = threading.Event()

    def stop(self) -> None:
        """The frame that comes is the last one."""
        self._stop.set()

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        if backward or start not in (None, self.first_number):
            raise ValueError("a camera shows the present only: neither backwards nor from a later frame")
        begin, number = time.monotonic(), self.first_number
        while not self._stop.is_set() and (stop is None or number < stop):
            there, picture = self._capture.read()
            if not there:
                break
            image = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
            yield Frame(number, f"{number:06d}", round(1000 * (time.monotonic() - begin)), image)  # type: ignore[arg-type]
            number += 1
        self._capture.release()

    def frame_at(self, seconds: float) -> int:
        raise ValueError("a camera has no frame at a time yet to come: name frames by their number")

    def end(self) -> int:
        raise ValueError("a camera has no last frame to begin with")

    def number_of(self, name: str, exact: bool = False) -> int | None:
        return trailing_number(name, exact)


@dataclass(frozen=True)
class FoundVideo:
    """A video that a command line names."""

    name: str
    open: Callable[[], FrameSource]
    path: Path | None = None  # file or folder; None for a camera


def find_videos(spec: str, frame_rate: Fraction = Fraction(24), first_number: int = 0) -> list[FoundVideo]:
    """The videos that a file, a folder, a pattern, or the number of a camera stands for.

    A folder holds the frames of one video, or videos, each a file or a folder of frames. frame_rate: of images.
    Raises ValueError that says what was found instead.
    """
    path = Path(spec)
    if spec.isdecimal() and not path.exists():
        return [FoundVideo(f"camera{spec}", lambda: Camera(int(spec), first_number))]
    if path.is_dir():
        inside = sorted(path.iterdir(), key=lambda p: natural_order(p.name))
        return _videos_among(inside, spec, frame_rate, first_number)
    if path.is_file():
        return [_one_video(path, frame_rate, first_number)]
    matching = sorted((Path(match) for match in glob.glob(spec, recursive=True)), key=lambda p: natural_order(str(p)))
    if not matching:
        raise ValueError(f"{spec}: there is no such file or folder, and no file matches it as a pattern")
    return _videos_among(matching, spec, frame_rate, first_number)


def _videos_among(paths: list[Path], spec: str, frame_rate: Fraction, first_number: int) -> list[FoundVideo]:
    paths = [path for path in paths if not path.name.startswith(".")]
    images = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]
    videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()]
    folders = [path for path in paths if path.is_dir() and _frames_in(path)]
    if images and (videos or folders):
        other = (videos + folders)[0].name
        raise ValueError(f"{spec}: holds images ({images[0].name} …) and {other}: is it one video or several?")
    if images:
        return [
            FoundVideo(images[0].parent.name, lambda: ImageFolder(images, frame_rate, first_number), images[0].parent)
        ]
    found = [_one_video(path, frame_rate, first_number) for path in videos + folders]
    names = [video.name for video in found]
    if len(set(names)) < len(names):
        raise ValueError(f"{spec}: two videos of one name would be written to one folder: {', '.join(sorted(names))}")
    if not found:
        raise ValueError(f"{spec}: no images, no videos ({', '.join(VIDEO_SUFFIXES)}) and no folders of images in it")
    return found


def _one_video(path: Path, frame_rate: Fraction, first_number: int) -> FoundVideo:
    if path.is_dir():
        return FoundVideo(path.name, lambda: ImageFolder(_frames_in(path), frame_rate, first_number), path)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return FoundVideo(path.stem, lambda: ImageFolder([path], frame_rate, first_number), path)
    return FoundVideo(path.stem, lambda: OneVideoFile(path, first_number), path)


def _frames_in(folder: Path) -> list[Path]:
    files, faults = files_by_stem(folder, IMAGE_SUFFIXES)
    if faults:
        raise ValueError("; ".join(faults))
    return list(files.values())


def _place(number: int | None, first_number: int, default: int | None = None) -> int | None:
    return default if number is None else max(0, number - first_number)
