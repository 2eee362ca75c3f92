"""Where each frame of a video is in its file, for seeking.

If the packets' times are right, frames are numbered in the order of these times: this takes reading through the file,
but no decoding. Otherwise the whole video is decoded once, and frames are identified by their packets.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.stream import VideoStream

from livos.video.decoding import DisplayOrder, decode_all, decode_packet, jumps_back, packets_of
from livos.video.hidden_packets import HIDDEN, PERHAPS, PictureOfPacket

_MIXED = ("avi", "asf", "mxf")  # containers whose frames that refer to later ones may have the wrong times
_TRIED = 24  # frames decoded to see whether they come in the order of their packets' times


@dataclass(frozen=True)
class KeyPacket:
    """A packet at which decoding can begin."""

    packet: int  # its position among the video's packets
    number: int  # of the first frame that is correct when decoding begins here
    is_shown: bool  # whether that is the frame of this packet
    pts: int | None
    dts: int | None
    position: int | None  # in the file, in bytes


@dataclass(frozen=True)
class FrameIndex:
    """When each frame is shown, and where decoding can begin. About 24 bytes per frame."""

    pts: npt.NDArray[np.int64]  # ascending
    packets: npt.NDArray[np.int64] | None  # the position of each frame's packet; None: frames are identified by time
    keys: tuple[KeyPacket, ...]  # in the order of their numbers

    def __post_init__(self) -> None:
        names = self.pts if self.packets is None else self.packets
        object.__setattr__(self, "_order", np.argsort(names, kind="stable"))
        object.__setattr__(self, "_sorted", names[self._order])
        object.__setattr__(self, "_key_numbers", np.asarray([key.number for key in self.keys], np.int64))
        object.__setattr__(self, "_places", {_landmark(key, self.packets is None): key for key in self.keys})

    _order: npt.NDArray[np.int64] = None  # type: ignore[assignment]
    _sorted: npt.NDArray[np.int64] = None  # type: ignore[assignment]
    _key_numbers: npt.NDArray[np.int64] = None  # type: ignore[assignment]
    _places: dict[Hashable, KeyPacket] = None  # type: ignore[assignment]

    def keys_before(self, number: int) -> Iterator[KeyPacket]:
        """Where to begin decoding for this frame, the latest place first."""
        for place in range(int(np.searchsorted(self._key_numbers, number, side="right")) - 1, -1, -1):
            yield self.keys[place]

    def first_key(self, begin: int, end: int) -> int | None:
        """The first frame from `begin` to before `end` at which decoding can begin."""
        place = int(np.searchsorted(self._key_numbers, begin))
        found = int(self._key_numbers[place]) if place < len(self._key_numbers) else end
        return found if found < end else None

    def key_at(self, packet: av.Packet) -> KeyPacket | None:
        """The key packet that this one is, after seeking."""
        return self._places.get(_landmark(packet, self.packets is None)) if packet.size else None

    def number_of(self, frame: av.VideoFrame) -> int | None:
        """The number of a frame that `decode_from` yielded."""
        if frame.pts is None:
            return None
        place = int(np.searchsorted(self._sorted, frame.pts))
        found = place < len(self._sorted) and self._sorted[place] == frame.pts
        return int(self._order[place]) if found else None

    def decode_from(
        self,
        key: KeyPacket,
        first: av.Packet,
        others: Iterator[av.Packet],
        before_packet: Callable[[av.Packet], None] | None = None,
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """Numbers and frames from a key packet on, `first`, which has just been read from the container.

        Yields nothing unless the frame of the key packet comes out first. before_packet: called with each packet before
        it is decoded.
        """
        begun = not key.is_shown
        for frame in self._decode(key, first, others, before_packet):
            number = self.number_of(frame)
            if number is None or number < key.number:
                continue  # refers to frames before the key frame
            if not begun and not (number == key.number and frame.key_frame):
                return
            begun = True
            yield number, frame

    def _decode(
        self,
        key: KeyPacket,
        first: av.Packet,
        others: Iterator[av.Packet],
        before_packet: Callable[[av.Packet], None] | None,
    ) -> Iterator[av.VideoFrame]:
        for place, packet in enumerate(chain([first], others), key.packet):
            if before_packet is not None:
                before_packet(packet)
            if self.packets is not None and packet.size:
                packet.pts = place
            yield from decode_packet(packet) or ()


def index_by_times(container: InputContainer, stream: VideoStream, path: Path, ticks: Fraction) -> FrameIndex | None:
    """The index of a file whose packets' times can be trusted, without decoding; None for any other file.

    ticks: units of time per frame, on average.
    """
    if any(name in _MIXED for name in container.format.name.split(",")) and stream.codec_context.has_b_frames:
        return None
    picture_of = PictureOfPacket(stream)
    times: list[int] = []
    keys: list[KeyPacket] = []
    latest: int | None = None
    for place, packet in enumerate(packets_of(container, stream, path, quiet=True)):
        kind = picture_of(packet)
        if not packet.size or not (keys or packet.is_keyframe):
            continue
        if packet.pts is None or kind == PERHAPS or jumps_back(packet.pts, latest, ticks):
            return None
        latest = packet.pts if latest is None else max(latest, packet.pts)
        if packet.is_keyframe:
            keys.append(KeyPacket(place, 0, kind != HIDDEN, packet.pts, packet.dts, packet.pos))
        if kind != HIDDEN and packet.pts >= (keys[0].pts or 0):
            times.append(packet.pts)
    key_times = [key.pts for key in keys]
    if not times or key_times != sorted(set(key_times)) or len(set(times)) < len(times):  # type: ignore[type-var]
        return None
    pts = np.sort(np.asarray(times, np.int64))
    numbered = [_numbered(key, int(np.searchsorted(pts, key.pts))) for key in keys]  # type: ignore[arg-type]
    return FrameIndex(pts, None, tuple(key for key in numbered if key.number < len(pts)))


def index_by_decoding(container: InputContainer, stream: VideoStream, path: Path, ticks: Fraction) -> FrameIndex:
    """The index of any file, made by decoding its video once."""
    found: dict[int, KeyPacket] = {}
    watched = _noting_keys(packets_of(container, stream, path, quiet=True), found)
    pts: list[int] = []
    packets: list[int] = []
    keys: list[KeyPacket] = []
    for number, decoded in enumerate(decode_all(watched, stream, path, DisplayOrder(ticks))):
        assert decoded.pts is not None
        pts.append(decoded.pts)
        packets.append(decoded.packet)
        if decoded.frame is not None and decoded.frame.key_frame and decoded.packet in found:
            keys.append(_numbered(found.pop(decoded.packet), number))
    return FrameIndex(np.asarray(pts, np.int64), np.asarray(packets, np.int64), tuple(keys))


def comes_in_order(container: InputContainer, stream: VideoStream, path: Path, ticks: Fraction) -> bool:
    """Whether a video's first frames come out of the decoder in the order of their packets' times.

    Nothing is decoded if no frame refers to a later one.
    """
    order = DisplayOrder(ticks)
    if not stream.codec_context.has_b_frames:
        return True
    packets = packets_of(container, stream, path, quiet=True)
    for number, _ in enumerate(decode_all(packets, stream, path, order, quiet=True)):
        if number == _TRIED:
            break
    return order.trusted


def _noting_keys(packets: Iterator[av.Packet], found: dict[int, KeyPacket]) -> Iterator[av.Packet]:
    for place, packet in enumerate(packets):
        if packet.is_keyframe and packet.size:
            found[place] = KeyPacket(place, 0, True, packet.pts, packet.dts, packet.pos)
        yield packet


def _numbered(key: KeyPacket, number: int) -> KeyPacket:
    return KeyPacket(key.packet, number, key.is_shown, key.pts, key.dts, key.position)


def _landmark(packet: av.Packet | KeyPacket, by_times: bool) -> Hashable:
    if by_times:
        return packet.pts
    position = packet.position if isinstance(packet, KeyPacket) else packet.pos
    return (packet.dts, packet.pts, position)
