"""Where the frames of a video come from: a file, a folder or pattern of images, a camera, or an address."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from livos.files.images import IMAGE_SUFFIXES
from livos.files.names import files_by_stem, natural_order, trailing_number
from livos.files.picture_series import SERIES_SUFFIXES, holds_several
from livos.video.camera import Camera, NetworkStream, is_address, name_of_stream
from livos.video.pictures import ImageFolder, PictureFile, place_of
from livos.video.video_file import Frame, VideoFile

# fmt: off
VIDEO_SUFFIXES = (
    ".3gp", ".apng", ".asf", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m",
)
# fmt: on
"""Suffixes of videos in a folder or a pattern. A file that is named directly may have any suffix."""


class FrameSource(Protocol):
    """One video, however it is stored."""

    size: tuple[int, int]  # (H, W)
    first_number: int  # of the first frame
    frame_rate: Fraction  # frames per second, on average
    time_base: Fraction  # seconds per unit of Frame.pts
    sound_path: Path | None  # a file with its sound
    sample_aspect_ratio: Fraction | None  # width / height of a pixel; None: square

    @property
    def num_frames(self) -> int | None:
        """The number in the header, which may be wrong (`end()` counts). None: not known."""

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        """Frames `start` (None: the first) to `stop` - 1 (None: to the end), in reverse order if `backward`."""

    def frame_at(self, seconds: float) -> int:
        """The number of the first frame at this time after the first one, or later."""

    def end(self) -> int:
        """The number after that of the last frame. This may require reading through the file."""

    def number_of(self, name: str, exact: bool = False) -> int | None:
        """The number of the frame that a mask of this name belongs to; None if the name does not say.

        exact: the name must be the frame's own or a number, not just end in one.
        """


class OneVideoFile:
    """A video file as a source."""

    def __init__(self, path: Path, first_number: int = 0):
        """Raises ValueError, naming the file, if it cannot be read."""
        self.video, self.first_number = VideoFile(path), first_number
        self.size = self.video.size
        self.frame_rate, self.time_base = self.video.frame_rate, self.video.time_base
        self.sound_path = path if self.video.has_sound else None
        self.sample_aspect_ratio = self.video.sample_aspect_ratio

    @property
    def num_frames(self) -> int | None:
        """The number in the header, or the counted one once it is known."""
        return self.video.num_frames

    def frames(self, start: int | None = None, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        begin, end = place_of(start, self.first_number), place_of(stop, self.first_number)
        for frame in self.video.frames(begin or 0, end, backward):
            number = self.first_number + frame.number
            yield Frame(number, f"{number:06d}", frame.pts, frame.image)

    def frame(self, number: int) -> Frame:
        """One frame, by random access: see `VideoFile.frame`. Raises IndexError if there is no frame of this number."""
        frame = self.video.frame(number - self.first_number)
        return Frame(number, f"{number:06d}", frame.pts, frame.image)

    def frame_at(self, seconds: float) -> int:
        return self.first_number + self.video.frame_at(seconds)

    def end(self) -> int:
        return self.first_number + len(self.video.index().pts)

    def number_of(self, name: str, exact: bool = False) -> int | None:
        return trailing_number(name, exact)


def has_frame(source: FrameSource, number: int) -> bool:
    """Whether a source has a frame of this number, as far as is known. Before a no, the header is verified."""
    if source.num_frames is None or source.first_number <= number < source.first_number + source.num_frames:
        return True
    try:
        return source.first_number <= number < source.end()
    except ValueError:  # the end of a live source is not known
        return True


@dataclass(frozen=True)
class FoundVideo:
    """A video named on a command line."""

    name: str
    open: Callable[[], FrameSource]
    path: Path | None = None  # file or folder; None for a live source


def find_videos(spec: str, frame_rate: Fraction = Fraction(24), first_number: int = 0) -> list[FoundVideo]:
    """The videos given by a file, a folder, a pattern, the number of a camera, or an address (rtsp://…).

    A folder holds the frames of one video, or videos, each a file or a folder of frames. frame_rate: for images.
    Raises ValueError, saying what was found instead.
    """
    path = Path(spec)
    if spec.isdecimal() and not path.exists():
        return [FoundVideo(f"camera{spec}", lambda: Camera(int(spec), first_number))]
    if is_address(spec) and not path.exists():
        return [FoundVideo(name_of_stream(spec), lambda: NetworkStream(spec, first_number))]
    if path.is_dir():
        inside = sorted(path.iterdir(), key=lambda p: natural_order(p.name))
        return _videos_among(inside, spec, frame_rate, first_number)
    if path.is_file():
        return [_one_video(path, frame_rate, first_number)]
    matching = sorted((Path(match) for match in glob.glob(spec, recursive=True)), key=lambda p: natural_order(str(p)))
    if not matching:
        raise ValueError(f"{spec}: there is no such file or folder, and no file matches this pattern")
    return _videos_among(matching, spec, frame_rate, first_number)


def _videos_among(paths: list[Path], spec: str, frame_rate: Fraction, first_number: int) -> list[FoundVideo]:
    paths = [path for path in paths if not path.name.startswith(".")]
    images = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]
    videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()]
    folders = [path for path in paths if path.is_dir() and _frames_in(path)]
    if images and _is_series(images[0]):
        videos, images = sorted(images + videos, key=paths.index), []
    if images and (videos or folders):
        other = (videos + folders)[0].name
        raise ValueError(f"{spec}: contains images ({images[0].name} …) and {other}: is it one video or several?")
    if images:
        return [
            FoundVideo(images[0].parent.name, lambda: ImageFolder(images, frame_rate, first_number), images[0].parent)
        ]
    found = [_one_video(path, frame_rate, first_number) for path in videos + folders]
    names = [video.name for video in found]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{spec}: two videos with the same name would be written to the same folder: {', '.join(sorted(names))}"
        )
    if not found:
        raise ValueError(f"{spec}: contains no images, no videos ({', '.join(VIDEO_SUFFIXES)}), no folders of images")
    return found


def _one_video(path: Path, frame_rate: Fraction, first_number: int) -> FoundVideo:
    if path.is_dir():
        return FoundVideo(path.name, lambda: ImageFolder(_frames_in(path), frame_rate, first_number), path)
    if path.suffix.lower() in IMAGE_SUFFIXES + SERIES_SUFFIXES:
        return FoundVideo(path.stem, lambda: _of_pictures(path, frame_rate, first_number), path)
    return FoundVideo(path.stem, lambda: OneVideoFile(path, first_number), path)


def _is_series(path: Path) -> bool:
    try:
        return holds_several(path)
    except ValueError:  # reported when it is opened
        return False


def _of_pictures(path: Path, frame_rate: Fraction, first_number: int) -> FrameSource:
    if holds_several(path):
        return PictureFile(path, frame_rate, first_number)
    return ImageFolder([path], frame_rate, first_number)


def _frames_in(folder: Path) -> list[Path]:
    files, faults = files_by_stem(folder, IMAGE_SUFFIXES)
    if faults:
        raise ValueError("; ".join(faults))
    return list(files.values())
