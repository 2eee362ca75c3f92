"""Frames of a video file, forwards or backwards, in memory that does not depend on its length.

Frames are numbered from 0 in the order in which they are shown. A frame that cannot be decoded keeps its number and
comes without an image, so what follows it is not shifted. Rotation that a phone noted in the file is applied.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.stream import VideoStream

logger = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]

BACKWARD_BYTES = 256 * 2**20
"""How much of a video is held decoded while its frames are turned round."""

SEEK_ATTEMPTS = 3
"""Key frames to try before a file is decoded from its beginning."""

_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED


@dataclass(frozen=True)
class Frame:
    """One frame of a video, whichever the kind of source."""

    number: int  # from 0, in the order of time
    name: str  # of the files that belong to it, without suffix
    pts: int  # when it is shown, in the source's time_base
    image: Image | None  # (H, W, 3) uint8 RGB; None: the frame is damaged


@dataclass(frozen=True)
class FrameIndex:
    """When each frame is shown, and where decoding can begin. Nine bytes a frame."""

    pts: npt.NDArray[np.int64]  # ascending
    is_key: npt.NDArray[np.bool_]

    def keys_before(self, number: int) -> list[int]:
        """Frames up to `number` at which decoding can begin, the last one first."""
        return np.flatnonzero(self.is_key[: number + 1])[::-1].tolist()

    def find(self, pts: int | None) -> int | None:
        """Number of the frame that is shown at `pts`; None if there is none."""
        if pts is None:
            return None
        number = int(np.searchsorted(self.pts, pts))
        return number if number < len(self.pts) and self.pts[number] == pts else None


Decoded = tuple[int | None, "av.VideoFrame | None"]
"""Timestamp and frame; without a frame where it could not be decoded."""


class VideoFile:
    """A video file. `size` is (H, W) as shown; `num_frames` is what the file says it holds, None if it does not say."""

    def __init__(self, path: Path):
        """Raises ValueError, naming the file, if it cannot be read or has no video that can be decoded."""
        self.path = path
        self._index: FrameIndex | None = None
        with self._open() as container:
            stream = container.streams.video[0]
            self.num_frames = stream.frames or None
            self.frame_rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
            self.time_base = Fraction(stream.time_base or 1 / self.frame_rate)
            self.has_sound = bool(container.streams.audio)
            first = next((frame for _, frame in _decode(container, stream) if frame is not None), None)
            if first is None:
                raise ValueError(f"{path}: not one frame of its video could be decoded")
            self.sample_aspect_ratio = stream.sample_aspect_ratio
            self.size = _to_rgb(first).shape[:2]

    def frames(self, start: int = 0, stop: int | None = None, backward: bool = False) -> Iterator[Frame]:
        """Frames `start` to `stop` - 1 (None: to the end), the last one first if `backward`.

        Raises ValueError if the file's timestamps are not good enough to go to a frame other than the first.
        """
        if backward:
            yield from self._backward(start, stop)
        elif start == 0:
            yield from self._from_the_beginning(stop)
        else:
            for number, pts, frame in self._between(start, stop if stop is not None else len(self.index().pts)):
                yield self._frame(number, pts, frame)

    def frame_at(self, seconds: float) -> int:
        """Number of the first frame that is shown this long after the first one, or later."""
        pts = self.index().pts
        return int(np.searchsorted(pts, pts[0] + seconds / self.time_base - 1e-6))

    def index(self) -> FrameIndex:
        """Made once, by reading through the file without decoding it. Raises ValueError if it lacks timestamps."""
        if self._index is None:
            with self._open() as container:
                self._index = _read_index(container, self.path)
        return self._index

    def _open(self) -> InputContainer:
        try:
            container = av.open(str(self.path))
        except (av.error.FFmpegError, OSError) as error:
            raise ValueError(f"{self.path}: cannot be opened as a video ({error})") from error
        if not container.streams.video:
            container.close()
            raise ValueError(f"{self.path}: has no video stream")
        return container

    def _frame(self, number: int, pts: int, frame: av.VideoFrame | None) -> Frame:
        image = None if frame is None else _to_rgb(frame)
        if image is not None and image.shape[:2] != self.size:
            raise ValueError(
                f"{self.path}: frame {number} is {image.shape[1]} x {image.shape[0]}, the frames before it "
                f"{self.size[1]} x {self.size[0]}; cut the video there"
            )
        if image is None:
            seconds = float(pts * self.time_base)
            logger.warning("%s: frame %d (at %.2f s) is damaged", self.path, number, seconds)
        return Frame(number, f"{number:06d}", pts, image)

    def _from_the_beginning(self, stop: int | None) -> Iterator[Frame]:
        ticks = 1 / (self.frame_rate * self.time_base)  # of a frame, for files without timestamps
        with self._open() as container:
            decoded = _decode(container, container.streams.video[0], from_beginning=True)
            for number, (pts, frame) in enumerate(decoded):
                if number == stop:
                    return
                yield self._frame(number, round(number * ticks) if pts is None else pts, frame)

    def _between(self, start: int, stop: int) -> Iterator[tuple[int, int, av.VideoFrame | None]]:
        """Number, timestamp and frame of `start` to `stop` - 1, found by seeking."""
        index = self.index()
        if start >= min(stop, len(index.pts)):
            return
        for pts, frame in self._decode_from(start):
            number = index.find(pts)
            if number is None or pts is None:
                raise ValueError(f"{self.path}: timestamp {pts} was not there when the file was first read")
            if number >= stop:
                return
            if number >= start:
                yield number, pts, frame

    def _decode_from(self, number: int) -> Iterator[Decoded]:
        """Decoded frames from `number` or an earlier one on.

        Containers seek as they can, some too late, or to a frame that needs others before it. Then an earlier key frame
        is tried, and in the end the file is decoded from its beginning.
        """
        for key in self.index().keys_before(number)[:SEEK_ATTEMPTS]:
            with self._open() as container:
                stream = container.streams.video[0]
                container.seek(int(self.index().pts[key]), stream=stream)
                decoded = _decode(container, stream)
                first = next(decoded, None)
                if first is not None and self._is_good_start(first, number):
                    yield first
                    yield from decoded
                    return
        with self._open() as container:
            yield from _decode(container, container.streams.video[0])

    def _is_good_start(self, first: Decoded, number: int) -> bool:
        """Whether what was decoded first after seeking is not after `number`, and depends on nothing before it."""
        pts, frame = first
        found = self.index().find(pts)
        return found is not None and found <= number and (frame is None or bool(frame.key_frame))

    def _backward(self, start: int, stop: int | None) -> Iterator[Frame]:
        index = self.index()
        stop = len(index.pts) if stop is None else min(stop, len(index.pts))
        most = max(1, BACKWARD_BYTES // (2 * self.size[0] * self.size[1]))
        while stop > start:
            begin = _begin_of_chunk(index, max(start, stop - most), stop)
            for number, pts, frame in reversed(list(self._between(begin, stop))):
                yield self._frame(number, pts, frame)
            stop = begin


def _begin_of_chunk(index: FrameIndex, earliest: int, stop: int) -> int:
    """The first frame from `earliest` on at which decoding can begin, so that nothing is decoded twice if possible."""
    keys = np.flatnonzero(index.is_key[earliest:stop])
    return earliest + int(keys[0]) if len(keys) else earliest


def _to_rgb(frame: av.VideoFrame) -> Image:
    """(H, W, 3) RGB, upright. Files that do not name their colours are taken as players take them: BT.709 if large."""
    large = min(frame.width, frame.height) >= 720
    untold = frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb
    colours = "ITU709" if untold and large else None
    image = frame.reformat(format="rgb24", src_colorspace=colours).to_ndarray()
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))


def _decode(container: InputContainer, stream: VideoStream, from_beginning: bool = False) -> Iterator[Decoded]:
    """Frames in the order in which they are shown, from where the container stands.

    Decoders leave damaged frames out without a word, and those that refer to them. They are noticed by the timestamps
    that went in and did not come out. PyAV's default of slice threads, not frame threads, loses no neighbours of them.
    """
    waiting: list[int] = []  # a heap of timestamps that went in
    given_up: set[int] = set()  # after damage, some come out late
    first_key: int | None = None
    num_before_key = 0
    for packet in _packets(container, stream):
        if first_key is None and packet.is_keyframe:
            first_key = packet.pts
            if from_beginning and num_before_key:
                logger.warning("%s: begins with %d frames that cannot be decoded", container.name, num_before_key)
        num_before_key += first_key is None and _is_shown(packet)
        if first_key is not None and packet.pts is not None and packet.pts >= first_key and _is_shown(packet):
            heapq.heappush(waiting, packet.pts)
        for frame in _decode_packet(packet):
            if frame.pts in given_up:
                continue
            while waiting and frame.pts is not None and waiting[0] < frame.pts:
                given_up.add(waiting[0])
                yield heapq.heappop(waiting), None
            if waiting and waiting[0] == frame.pts:
                heapq.heappop(waiting)
            yield frame.pts, None if frame.is_corrupt else frame
    while waiting:
        yield heapq.heappop(waiting), None


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[av.Packet]:
    """Packets up to the end, or up to where a damaged or cut file cannot be read on."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.InvalidDataError, av.error.EOFError) as error:
            logger.warning("%s: cannot be read beyond this point (%s)", container.name, error)
            packet = None
        if packet is None:
            return
        yield packet


def _decode_packet(packet: av.Packet) -> list[av.VideoFrame]:
    try:
        return packet.decode()  # type: ignore[return-value]
    except av.error.InvalidDataError:
        return []  # its timestamp stays waiting, so the frame is reported as damaged


def _is_shown(packet: av.Packet) -> bool:
    """Whether a frame comes of the packet: not of the hidden reference frames of VP8, nor of what an edit list cuts."""
    if packet.size == 0 or packet.is_discard:
        return False
    return packet.stream.codec_context.name != "vp8" or bool(bytes(packet)[0] & 0x10)


def _read_index(container: InputContainer, path: Path) -> FrameIndex:
    pts: list[int] = []
    is_key: list[bool] = []
    for packet in _packets(container, container.streams.video[0]):
        if not _is_shown(packet) or not (pts or packet.is_keyframe):
            continue
        if packet.pts is None:
            raise ValueError(
                f"{path}: has no timestamps, so one cannot go to a frame or backwards in it. Put it into another "
                f"container first: ffmpeg -fflags +genpts -i {path.name} -c copy {path.stem}.mkv"
            )
        pts.append(packet.pts)
        is_key.append(packet.is_keyframe)
    keys = [time for time, key in zip(pts, is_key, strict=True) if key]
    if not keys or keys != sorted(set(keys)) or len(set(pts)) != len(pts):
        raise ValueError(f"{path}: its timestamps are not in order, so one cannot go to a frame or backwards in it")
    order = np.argsort(pts)
    order = order[np.asarray(pts)[order] >= keys[0]]
    return FrameIndex(np.asarray(pts, np.int64)[order], np.asarray(is_key)[order])
