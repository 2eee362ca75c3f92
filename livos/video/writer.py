"""Video files written while their frames come: times kept, sound copied from another file, with alpha if wanted."""

from __future__ import annotations

import io
import logging
import math
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer

from livos.files.atomic import path_aside

logger = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]

ENCODER_THREADS = 4
"""Each holds frames of its own, so that as many as there are cores would take much memory on a large machine."""

SOUND_CONTAINERS = {".mp4": "mp4", ".mkv": "matroska"}
"""Files that H.264 with sound may be written to, the preferred kind first."""

_BT709, _BT601 = ("ITU709", 1), ("ITU601", 6)  # the name of the matrix, and FFmpeg's number to tell players


@dataclass(frozen=True)
class VideoFormat:
    """How pictures are compressed."""

    codecs: tuple[str, ...]  # the first that this build of PyAV has
    pixels: str
    suffix: str  # of the file, which chooses the container
    options: Mapping[str, str] = field(default_factory=dict)
    even: bool = False  # height and width must be even

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
        raise ValueError(f"this build of PyAV can write none of {', '.join(self.codecs)}: reinstall the package av")


H264 = VideoFormat(
    ("libx264", "libopenh264", "mpeg4"), "yuv420p", ".mp4", {"preset": "veryfast", "crf": "20"}, even=True
)
PRORES_4444 = VideoFormat(("prores_ks",), "yuva444p10le", ".mov", {"profile": "4444"})
_VP9_OPTIONS = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
VP9_ALPHA = VideoFormat(("libvpx-vp9",), "yuva420p", ".webm", _VP9_OPTIONS)


class VideoWriter:
    """A video of pictures that come one after the other.

        with VideoWriter(Path("a.mp4"), H264, Fraction(1, 25), Fraction(25)) as video:
            video.add(image, pts)

    The first picture is shown at time 0, the others as much later as their `pts` say. The file gets its name when the
    block ends well; until then nothing is there under it. Where the format needs even sizes, the last row or column is
    doubled.
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
        """time_base: seconds in a unit of pts. sound_path: a file whose sound is copied, from the time of the first
        picture's pts on, to its end or to that of the last picture.
        """
        self.path, self.video_format = path, video_format
        self.time_base, self.frame_rate = time_base, frame_rate
        self.sample_aspect_ratio = sample_aspect_ratio
        self._sound_path, self._sound_to_end = sound_path, sound_to_end
        self._unfinished = path_aside(path)
        self._sound: SoundCopy | None = None
        self._size: tuple[int, ...] | None = None
        self._last_pts = 0

    def add(self, image: Image, pts: int) -> None:
        """The next picture, (H, W, 3) uint8 RGB, or RGBA (H, W, 4) where the format has alpha.

        Raises ValueError where its size is not that of the first one, OSError where the file cannot be written.
        """
        if self._size is None:
            self._begin(image.shape, pts)
        if image.shape != self._size:
            raise ValueError(f"{self.path}: frame {self._num_frames} is {image.shape}, the first one {self._size}")
        pts += self._offset
        if self._num_frames and pts <= self._last_pts:  # timestamps that start over, as in files put together
            step = max(1, round(1 / (self.frame_rate * self.time_base)))
            self._offset += self._last_pts + step - pts
            pts = self._last_pts + step
        self._last_pts = pts
        self._num_frames += 1
        self._container.mux(self._stream.encode(self._to_frame(image, pts)))
        if self._sound is not None:
            self._sound.copy_until(float(pts * self.time_base))

    def _begin(self, shape: tuple[int, ...], first_pts: int) -> None:
        stream = self._container.add_stream(self.video_format.codec(), rate=self.frame_rate)
        assert isinstance(stream, av.VideoStream)
        self._stream = stream
        grow = 2 if self.video_format.even else 1
        self._stream.height, self._stream.width = (-(-side // grow) * grow for side in shape[:2])
        self._stream.pix_fmt = self.video_format.pixels
        self._stream.options = dict(self.video_format.options)
        context = self._stream.codec_context
        self._matrix = _BT709 if min(shape[:2]) >= 720 else _BT601
        context.time_base, context.colorspace = self.time_base, self._matrix[1]
        context.thread_count = ENCODER_THREADS
        if self.sample_aspect_ratio:
            context.sample_aspect_ratio = self.sample_aspect_ratio
        if context.codec.name == "mpeg4":
            self._stream.bit_rate = 8_000_000
        if self._sound_path is not None:
            self._sound = SoundCopy(self._sound_path, self._container, float(first_pts * self.time_base))
        self._size, self._offset, self._num_frames = shape, -first_pts, 0

    def _to_frame(self, image: Image, pts: int) -> av.VideoFrame:
        if self.video_format.even:
            height, width = image.shape[:2]
            image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=self.video_format.channels)
        frame = frame.reformat(format=self.video_format.pixels, dst_colorspace=self._matrix[0])
        frame.pts, frame.time_base = pts, self.time_base
        return frame

    def _finish(self) -> None:
        self._container.mux(self._stream.encode(None))
        if self._sound is not None:
            end = float(self._last_pts * self.time_base + 1 / self.frame_rate)
            self._sound.copy_until(math.inf if self._sound_to_end else end)

    def __enter__(self) -> VideoWriter:
        options = {"movflags": "faststart"} if self.path.suffix == ".mp4" else {}
        self._container = av.open(str(self._unfinished), "w", options=options)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None and self._size is not None:
                self._finish()
            if self._sound is not None:
                self._sound.close()
            self._container.close()
            if error is None and self._size is None:
                raise ValueError(f"{self.path}: no frame was added, and a video needs one")
            if error is None:
                os.replace(self._unfinished, self.path)
        finally:
            self._unfinished.unlink(missing_ok=True)


class SoundCopy:
    """Copies the sound of a file, as it is, into a video that is being written, as far as its pictures have come."""

    def __init__(self, source_path: Path, output: OutputContainer, start: float):
        """start: seconds of the source that become time 0. Must be made before the output's first packet."""
        self._source_path, self._output, self._start = source_path, output, start
        self._input = av.open(str(source_path))
        self._targets = {stream.index: output.add_stream_from_template(stream) for stream in self._input.streams.audio}
        self._packets = self._shifted()
        self._next = next(self._packets, None)

    def copy_until(self, seconds: float) -> None:
        """Copy what begins before this time of the output."""
        while self._next is not None and self._next[0] <= seconds:
            self._output.mux(self._next[1])
            self._next = next(self._packets, None)

    def close(self) -> None:
        self._packets.close()
        self._input.close()

    def _shifted(self) -> Generator[tuple[float, av.Packet], None, None]:
        """Time in the output, and packet with that time."""
        try:
            for packet in self._input.demux(*self._input.streams.audio):
                if packet.pts is None or packet.time_base is None:  # the empty one at the end
                    continue
                shift = round(self._start / packet.time_base)
                if packet.pts + (packet.duration or 0) <= shift:
                    continue
                packet.pts, packet.dts = packet.pts - shift, (packet.dts or packet.pts) - shift
                packet.stream = self._targets[packet.stream.index]
                yield float(packet.pts * packet.time_base), packet
        except av.error.FFmpegError as error:
            logger.warning("%s: its sound cannot be read beyond this point (%s)", self._source_path, error)


def suffix_for_sound(source_path: Path, suffixes: Mapping[str, str] = SOUND_CONTAINERS) -> str | None:
    """The suffix of the first kind of container that can hold the sound of a file; None if none can."""
    with av.open(str(source_path)) as source:
        names = {stream.codec_context.codec.canonical_name for stream in source.streams.audio}
    for suffix, name in suffixes.items():
        with av.open(io.BytesIO(), "w", format=name) as container:
            if names <= container.supported_codecs:
                return suffix
    return None
