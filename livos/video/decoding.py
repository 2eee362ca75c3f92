"""Decodes a video from its beginning: frames in display order, and which of them were lost.

Decoders silently drop damaged frames, and those that refer to them. They are detected by the timestamps that went in
and did not come out, which works only if the timestamps are right. AVI and ASF assign wrong times to frames that refer
to later ones, other files have no times at all, and in concatenated files they start over. In these cases the decoder
is trusted: its frames are used in its order, at times that are estimated as well as possible.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from livos.video.hidden_packets import HIDDEN, SHOWN, PictureOfPacket
from livos.video.opening import naming

logger = logging.getLogger(__name__)

MOST_REORDERED = 20
"""How many frames late one may come out in an undamaged stream; H.264 and HEVC allow 16."""

_REMEMBERED = 4096  # packets whose frames may still come out


@dataclass(frozen=True)
class Decoded:
    """A frame, or one that was lost."""

    packet: int  # its position among the video's packets in the file
    pts: int | None  # when it is shown
    frame: av.VideoFrame | None  # None: it could not be decoded


class DisplayOrder:
    """Distinguishes lost frames from late ones by the times of the packets, as long as these can be trusted."""

    def __init__(self, ticks: Fraction):
        """ticks: units of time per frame, on average."""
        self._ticks = ticks
        self._clock: Clock | None = None  # once the times are no longer trusted
        self._coming: list[tuple[int, int]] = []  # a heap of times and packets that went in
        self._missing: set[int] = set()  # packets that went in, but whose frames have not come out
        self._given_up: set[int] = set()
        self._held: list[Decoded] = []  # came out while earlier ones are missing
        self._refused: list[int] = []  # packets that the decoder refused, whose frames are not yet reported as lost
        self._damage: int | None = None  # the last damaged packet; None: no damage since a key frame
        self._latest: int | None = None  # of the times that went in
        self._last: int | None = None  # of the times that were shown

    @property
    def trusted(self) -> bool:
        """Whether the packets' times are those of their frames, as far as is known so far."""
        return self._clock is None

    def expect(self, packet: int, pts: int | None, certainly: bool = True) -> None:
        """A packet that should produce a frame goes into the decoder."""
        if certainly:
            self._missing.add(packet)
        if pts is None or jumps_back(pts, self._latest, self._ticks):
            self.distrust()
        if pts is not None:
            self._latest = pts if self._latest is None else max(pts, self._latest)
            if self._clock is not None:
                self._clock.add(pts)
            else:
                heapq.heappush(self._coming, (pts, packet))

    def refuse(self, packet: int) -> None:
        """The decoder says that this packet is damaged."""
        self._damage = packet
        self._refused.append(packet)

    def distrust(self, mixed: bool = False) -> None:
        """The packets' times are not those of their frames. mixed: they are right, but assigned to the wrong frames."""
        if self._clock is None:
            later = [pts for pts, _ in self._coming if self._last is None or pts > self._last]
            self._clock = Clock(self._ticks, self._last, later, mixed)

    def come(self, found: Decoded) -> Iterator[Decoded]:
        """The frames to show now that this one has come out of the decoder."""
        if found.packet in self._given_up:
            return
        if found.frame is not None and found.frame.is_corrupt:
            self._damage, found = found.packet, replace(found, frame=None)
        if self._clock is None and not self._may_be_next(found):
            if self._damage is not None:
                return  # decoders mix up what follows damage
            self.distrust(mixed=found.pts is not None and found.packet in self._missing)
        self._missing.discard(found.packet)
        self._held.append(found)
        if self._clock is not None:
            yield from self._in_order_of_arrival()
        elif self._damage is not None or len(self._held) > MOST_REORDERED or not self._misses_one():
            yield from self._in_order_of_time()
        is_key = found.frame is not None and found.frame.key_frame
        if is_key and self._damage is not None and found.packet > self._damage:
            self._damage = None

    def finish(self) -> Iterator[Decoded]:
        """The frames that remain at the end."""
        if self._clock is not None:
            yield from self._in_order_of_arrival()
            yield from self._lost_before(None)
            return
        yield from self._in_order_of_time()
        for pts, packet in sorted(self._coming):
            if packet in self._missing:
                yield Decoded(packet, pts, None)

    def _may_be_next(self, found: Decoded) -> bool:
        latest = self._held[-1].pts if self._held else self._last
        expected = found.pts is not None and found.packet in self._missing
        return expected and (latest is None or found.pts > latest)  # type: ignore[operator]

    def _misses_one(self) -> bool:
        while self._coming and self._coming[0][1] not in self._missing:
            heapq.heappop(self._coming)
        return bool(self._coming) and self._coming[0][0] < (self._held[-1].pts or 0)

    def _in_order_of_time(self) -> Iterator[Decoded]:
        held, self._held = self._held, []
        for found in held:
            assert found.pts is not None
            while self._coming and self._coming[0][0] < found.pts:
                pts, packet = heapq.heappop(self._coming)
                if packet in self._missing:
                    self._missing.discard(packet)
                    self._given_up.add(packet)
                    yield Decoded(packet, pts, None)
            self._last = found.pts
            yield found

    def _in_order_of_arrival(self) -> Iterator[Decoded]:
        assert self._clock is not None
        held, self._held = self._held, []
        for found in held:
            yield from self._lost_before(found.packet)
            yield replace(found, pts=self._clock.time_of(found.pts))

    def _lost_before(self, packet: int | None) -> Iterator[Decoded]:
        """Frames of packets that the decoder refused, up to a packet (None: all)."""
        assert self._clock is not None
        while self._refused and (packet is None or self._refused[0] < packet):
            lost = self._refused.pop(0)
            if lost in self._missing and lost not in self._given_up:
                self._given_up.add(lost)
                yield Decoded(lost, self._clock.time_of(None), None)


class Clock:
    """Ascending times for frames whose packets have wrong or missing times."""

    def __init__(self, ticks: Fraction, last: int | None, coming: list[int], mixed: bool):
        """ticks: units of time per frame. last: the previous time. coming: times of packets in the decoder.

        mixed: the times are right, but assigned to the wrong frames, so they are used in ascending order.
        """
        self._ticks, self._last, self._mixed = ticks, last, mixed
        self._exact = Fraction(0 if last is None else last)
        self._offset = 0  # from the file's times to these; times start over in concatenated files
        self._coming = [(0, pts) for pts in sorted(coming)]  # a heap of times, by part of a concatenated file
        self._part_in, self._latest_in = 0, max(coming, default=last)
        self._part_out, self._latest_out = 0, last

    def add(self, pts: int) -> None:
        """The time of a packet that went into the decoder."""
        if jumps_back(pts, self._latest_in, self._ticks):
            self._part_in, self._latest_in = self._part_in + 1, pts
        self._latest_in = pts if self._latest_in is None else max(pts, self._latest_in)
        heapq.heappush(self._coming, (self._part_in, pts))
        while len(self._coming) > MOST_REORDERED:  # packets that produced no frame
            heapq.heappop(self._coming)

    def time_of(self, own: int | None) -> int:
        """When the next frame is shown; `own` is the time of its packet."""
        exact = self._exact + self._ticks if self._last is not None else Fraction(0)
        following = 0 if self._last is None else max(self._last + 1, round(exact))
        time = self._in_file(own)
        if time is None:
            time = following
        else:
            time += self._offset
            if self._last is not None and time <= self._last:
                self._offset += following - time
                time = following
            exact = Fraction(time)
        self._exact, self._last = exact, time
        return time

    def _in_file(self, own: int | None) -> int | None:
        if own is not None and self._latest_out is not None and own <= self._latest_out:
            if jumps_back(own, self._latest_out, self._ticks):
                self._part_out += 1
            else:
                self._mixed = True
        if self._mixed:
            return heapq.heappop(self._coming)[1] if self._coming else None
        if own is not None:
            self._latest_out = own
            while self._coming and self._coming[0] <= (self._part_out, own):
                heapq.heappop(self._coming)
        return own


def jumps_back(pts: int, latest: int | None, ticks: Fraction) -> bool:
    """Whether a time is earlier than those before it by more than reordering explains."""
    return latest is not None and latest - pts > 2 * MOST_REORDERED * ticks


def decode_all(
    packets: Iterator[av.Packet], stream: VideoStream, path: Path | str, order: DisplayOrder, quiet: bool = False
) -> Iterator[Decoded]:
    """All frames of a video, given its packets from the beginning, in display order; all have a time.

    PyAV's default, slice threads rather than frame threads, does not lose the neighbours of damaged frames.
    """
    picture_of = PictureOfPacket(stream)
    times: dict[int, int | None] = {}
    key: tuple[int, int | None] | None = None  # the packet and time of the first at which decoding can begin
    num_before_key = 0
    for number, packet in enumerate(packets):
        kind = picture_of(packet)
        if key is None and packet.is_keyframe and packet.size:
            key = number, packet.pts
            if num_before_key and not quiet:
                logger.warning("%s: begins with %d frames that cannot be decoded", path, num_before_key)
        num_before_key += key is None and kind == SHOWN
        if kind != HIDDEN and key is not None and not _is_before(packet.pts, key[1]):
            order.expect(number, packet.pts, certainly=kind == SHOWN)
        times[number] = packet.pts
        for frame in _decode_as(packet, number, order if key is not None else None):
            came_of = number if frame.pts is None else frame.pts
            if key is None and frame.key_frame:  # the file does not mark its key frames
                key = came_of, times.get(came_of)
                order.distrust()
            if key is not None and came_of >= key[0]:
                yield from order.come(Decoded(came_of, times.pop(came_of, None), frame))
        if len(times) > 2 * _REMEMBERED:
            times = {one: pts for one, pts in times.items() if one > number - _REMEMBERED}
    yield from order.finish()


def packets_of(
    container: InputContainer, stream: VideoStream, path: Path | str, quiet: bool = False
) -> Iterator[av.Packet]:
    """Packets up to the end, or up to where a damaged or truncated file cannot be read any further."""
    with naming(path):
        packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, ValueError) as error:
            if not quiet:
                logger.warning("%s: cannot be read beyond this point (%s)", path, error)
            return
        if packet is None:
            return
        yield packet


def decode_packet(packet: av.Packet) -> list[av.VideoFrame] | None:
    """The frames that come out of the decoder now; None if it refuses the packet."""
    try:
        return packet.decode()  # type: ignore[return-value]
    except av.error.FFmpegError:
        return None


def _decode_as(packet: av.Packet, number: int, order: DisplayOrder | None) -> list[av.VideoFrame]:
    """Decodes with the packet's number in place of its time, which links each frame to its packet."""
    if packet.size:
        packet.pts = number
    frames = decode_packet(packet)
    if frames is None and order is not None and packet.size:
        order.refuse(number)
    return frames or []


def _is_before(pts: int | None, key_pts: int | None) -> bool:
    return pts is not None and key_pts is not None and pts < key_pts
