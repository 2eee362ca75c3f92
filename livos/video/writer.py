"""Writes video files frame by frame: with their timing, sound copied from another file, and alpha on request."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.codec.codec import UnknownCodecError

from livos.files.atomic import written_aside
from livos.video.sound import SoundCopy, suffix_for_sound

__all__ = ["H264", "PRORES_4444", "VP9_ALPHA", "VideoFormat", "VideoWriter", "suffix_for_sound"]


logger = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]

ENCODER_THREADS = 4
"""Each thread holds its own frames, so one per core would use a lot of memory on a large machine."""

_FINEST_OF_MP4 = 20_000
"""Ticks per second to which FFmpeg refines coarse times; MP4 allows fewer than 2 ** 31 of them between two frames."""

_BT709, _BT601 = ("ITU709", 1), ("ITU601", 6)  # the name of the matrix, and FFmpeg's number for it, written to the file


@dataclass(frozen=True)
class VideoFormat:
    """How pictures are compressed."""

    codecs: tuple[str, ...]  # the first that this build of PyAV has
    pixels: str
    suffix: str  # of the file, which chooses the container
    options: Mapping[str, str] = field(default_factory=dict)
    even: bool = False  # height and width must be even
    keeps_shape: bool = True  # whether it stores the shape of non-square pixels; PyAV cannot in Matroska

    @property
    def channels(self) -> str:
        return "rgba" if self.pixels.startswith("yuva") else "rgb24"

    def codec(self) -> str:
        """Raises ValueError if there is none."""
        for name in self.codecs:
            try:
                av.codec.Codec(name, "w")
            except UnknownCodecError:
                continue
            if name != self.codecs[0]:
                logger.warning("this build of PyAV lacks %s: writing %s instead", self.codecs[0], name)
            return name
        raise ValueError(f"this build of PyAV cannot write {' or '.join(self.codecs)}: reinstall the package av")


H264 = VideoFormat(
    ("libx264", "libopenh264", "mpeg4"), "yuv420p", ".mp4", {"preset": "veryfast", "crf": "20"}, even=True
)
PRORES_4444 = VideoFormat(("prores_ks",), "yuva444p10le", ".mov", {"profile": "4444"})
_VP9_OPTIONS = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
VP9_ALPHA = VideoFormat(("libvpx-vp9",), "yuva420p", ".webm", _VP9_OPTIONS, keeps_shape=False)


class VideoWriter:
    """A video written picture by picture.

        with VideoWriter(Path("a.mp4"), H264, Fraction(1, 25), Fraction(25)) as video:
            video.add(image, pts)

    The first picture is shown at time 0, the others at times given by their `pts`. The file appears under its name when
    the block succeeds, not before. If the format needs even sizes, the last row or column is duplicated.
    """

    def __init__(
        self,
        path: Path,
        video_format: VideoFormat,
        time_base: Fraction,
        frame_rate: Fraction,
        sound_path: Path | None = None,
        sound_to_end: bool = True,
        sample_aspect_ratio: Fraction | None = None,
    ):
        """time_base: seconds per unit of pts. sound_path: a file whose sound is copied, from the first picture's pts
        on, to its end or to that of the last picture.
        """
        self.path, self.video_format = path, video_format
        self.time_base, self.frame_rate = time_base, frame_rate
        self.sample_aspect_ratio = sample_aspect_ratio
        self._sound_path, self._sound_to_end = sound_path, sound_to_end
        self._aside = ExitStack()
        self._sound: SoundCopy | None = None
        self._size: tuple[int, ...] | None = None
        self._last_pts = 0

    def add(self, image: Image, pts: int) -> None:
        """Adds the next picture, (H, W, 3) uint8 RGB, or RGBA (H, W, 4) if the format has alpha.

        Raises ValueError if its size differs from the first one's, and OSError if the file cannot be written.
        """
        if self._size is None:
            self._begin(image.shape, pts)
        if image.shape != self._size:
            raise ValueError(f"{self.path}: frame {self._num_frames} is {image.shape}, the first is {self._size}")
        pts += self._offset
        if self._num_frames and not self._may_follow(pts):
            step = max(1, round(1 / (self.frame_rate * self.time_base)))
            self._offset += self._last_pts + step - pts
            pts = self._last_pts + step
        self._last_pts = pts
        self._num_frames += 1
        with self._naming():
            self._container.mux(self._stream.encode(self._to_frame(image, pts)))
        if self._sound is not None:
            self._sound.copy_until(float(pts * self.time_base))

    def _may_follow(self, pts: int) -> bool:
        """False for times that jump back, as in concatenated files, or are further away than MP4 can store."""
        parts = max(Fraction(_FINEST_OF_MP4), 1 / self.time_base)
        return 0 < (pts - self._last_pts) * self.time_base * parts < 2**31

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Makes errors that FFmpeg raises in this block name the video, not the temporary file."""
        try:
            yield
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise OSError(error.errno, error.strerror, str(self.path)) from error
            raise ValueError(f"{self.path}: cannot be written as a video ({error.strerror})") from error

    def _begin(self, shape: tuple[int, ...], first_pts: int) -> None:
        height, width = self._size_written(shape)
        stream = self._container.add_stream(self.video_format.codec(), rate=self.frame_rate)
        assert isinstance(stream, av.VideoStream)
        self._stream = stream
        grow = 2 if self.video_format.even else 1
        self._stream.height, self._stream.width = (-(-side // grow) * grow for side in (height, width))
        self._stream.pix_fmt = self.video_format.pixels
        self._stream.options = dict(self.video_format.options)
        context = self._stream.codec_context
        self._matrix = _BT709 if min(shape[:2]) >= 720 else _BT601
        context.time_base, context.colorspace = self.time_base, self._matrix[1]
        context.thread_count = ENCODER_THREADS
        if self.sample_aspect_ratio and self.video_format.keeps_shape:
            context.sample_aspect_ratio = self.sample_aspect_ratio
        if context.codec.name == "mpeg4":
            self._stream.bit_rate = 8_000_000
        if self._sound_path is not None:
            self._sound = SoundCopy(self._sound_path, self._container, float(first_pts * self.time_base))
        self._size, self._offset, self._num_frames = shape, -first_pts, 0

    def _size_written(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """(H, W); if the shape of pixels cannot be stored, pictures are made wider or narrower instead."""
        height, width = shape[:2]
        if self.sample_aspect_ratio and not self.video_format.keeps_shape:
            width = max(1, round(width * self.sample_aspect_ratio))
        return height, width

    def _to_frame(self, image: Image, pts: int) -> av.VideoFrame:
        height, width = self._size_written(image.shape)
        if width != image.shape[1]:
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
        if self.video_format.even:
            image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=self.video_format.channels)
        frame = frame.reformat(format=self.video_format.pixels, dst_colorspace=self._matrix[0])
        frame.pts, frame.time_base = pts, self.time_base
        return frame

    def _finish(self) -> None:
        with self._naming():
            self._container.mux(self._stream.encode(None))
        if self._sound is not None:
            end = float(self._last_pts * self.time_base + 1 / self.frame_rate)
            self._sound.copy_until(math.inf if self._sound_to_end else end)

    def __enter__(self) -> VideoWriter:
        options = {"movflags": "faststart"} if self.path.suffix == ".mp4" else {}
        unfinished = self._aside.enter_context(written_aside(self.path))
        try:
            with self._naming():
                self._container = av.open(f"file:{unfinished}", "w", options=options)
        except BaseException as failure:
            self._aside.__exit__(type(failure), failure, failure.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._aside:
            try:
                if error is None and self._size is not None:
                    self._finish()
            finally:
                if self._sound is not None:
                    self._sound.close()
                with self._naming():
                    self._container.close()
            if error is None and self._size is None:
                raise ValueError(f"{self.path}: no frame was added, and a video needs one")
            if error is not None:
                raise error
