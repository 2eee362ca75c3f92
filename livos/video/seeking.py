"""Seeking to a frame of a video file.

Containers seek inexactly: some too late, or to a frame that needs earlier ones. So the position after seeking is
checked; if it is wrong, an earlier key frame is tried, and finally the file is decoded from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from livos.video.decoding import DisplayOrder, decode_all, packets_of
from livos.video.frame_index import FrameIndex, KeyPacket
from livos.video.opening import opened

SEEK_ATTEMPTS = 3
"""Key frames to try before a file is decoded from its beginning."""

Numbered = tuple[int, "av.VideoFrame | None"]
"""A frame's number and the frame; None if it could not be decoded."""


def decode_from(path: Path, index: FrameIndex, number: int, ticks: Fraction) -> Iterator[Numbered]:
    """Frames from this or an earlier one to the end. Lost frames may be missing."""
    for key in islice(index.keys_before(number), SEEK_ATTEMPTS):
        for go in _ways_to(key):
            with opened(path, _options(key, go)) as (container, stream):
                found = frames_after_seeking(container, stream, path, index, number, key, go)
                first = next(found, None)
                if first is not None:
                    yield first
                    yield from found
                    return
    with opened(path) as (container, stream):
        packets = packets_of(container, stream, path, quiet=True)
        for place, decoded in enumerate(decode_all(packets, stream, path, DisplayOrder(ticks), quiet=True)):
            yield place, decoded.frame


def frames_after_seeking(
    container: InputContainer,
    stream: VideoStream,
    path: Path,
    index: FrameIndex,
    number: int,
    key: KeyPacket,
    time: int | None,
    before_packet: Callable[[av.Packet], None] | None = None,
) -> Iterator[Numbered]:
    """Frames from a key frame at or before `number` on; none if seeking to this time ends up elsewhere.

    time: the time of the key's packet; None: the container was opened at the key. before_packet: called with each
    packet before it is decoded.
    """
    try:
        if time is not None:
            container.seek(time, stream=stream)
    except av.error.FFmpegError:
        return
    packets = packets_of(container, stream, path, quiet=True)
    for packet in packets:
        landed = key if time is None else index.key_at(packet)
        if landed is None:
            continue
        if landed.number <= number:
            yield from index.decode_from(landed, packet, packets, before_packet)
        return


def _ways_to(key: KeyPacket) -> list[int | None]:
    """Times to seek to. Some containers list key frames by display time, some by decoding time."""
    times = dict.fromkeys(time for time in (key.pts, key.dts) if time is not None)
    return [*times] or ([None] if key.position is not None else [])


def _options(key: KeyPacket, time: int | None) -> dict[str, str]:
    return {"skip_initial_bytes": str(key.position)} if time is None else {}
