"""Adds the sound of a file to a video that is being written: copied unchanged, or PCM encoded as AAC for MP4."""

from __future__ import annotations

import io
import logging
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from livos.video.opening import open_video

logger = logging.getLogger(__name__)

SOUND_CONTAINERS = {".mp4": "mp4", ".mkv": "matroska"}
"""Containers for H.264 with sound, the preferred one first."""

_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_BITS_A_CHANNEL = 96_000


@dataclass
class _Track:
    """One stream of sound on its way into the output."""

    target: AudioStream
    encodes: bool
    offset: int = 0  # from the file's times to continuous ones, in its time base
    last: int | None = None
    following: int = 0  # when the next packet may begin

    def mended(self, packet: av.Packet) -> int:
        """The time of a packet, made continuous where times jump back, as in concatenated files."""
        assert packet.pts is not None
        time = packet.pts + self.offset
        if self.last is not None and time <= self.last:
            self.offset += self.following - time
            time = self.following
        self.last, self.following = time, time + max(1, packet.duration or 1)
        return time


class SoundCopy:
    """Adds the sound of a file to a video that is being written, in step with its pictures."""

    def __init__(self, source_path: Path, output: OutputContainer, start: float):
        """start: seconds in the source that become time 0. Must be created before the output's first packet."""
        self._source_path, self._output, self._start = source_path, output, start
        self._input = open_video(source_path)
        self._tracks: dict[int, _Track] = {}
        for stream in _known_streams(self._input):
            try:
                self._tracks[stream.index] = _track(stream, output)
            except (av.error.FFmpegError, ValueError) as error:
                logger.warning("%s: one of its sound tracks cannot be kept (%s)", source_path, error)
        self._packets = self._shifted()
        self._next = next(self._packets, None)

    def copy_until(self, seconds: float) -> None:
        """Copies what begins before this time of the output."""
        while self._next is not None and self._next[0] <= seconds:
            try:
                self._output.mux(self._next[1])
            except (av.error.FFmpegError, ValueError) as error:
                logger.warning("%s: its sound cannot be kept beyond this point (%s)", self._source_path, error)
                self._packets.close()
                self._next = None
                return
            self._next = next(self._packets, None)

    def close(self) -> None:
        self._packets.close()
        self._input.close()

    def _shifted(self) -> Generator[tuple[float, av.Packet], None, None]:
        """Yields times in the output, and packets with these times."""
        streams = [stream for stream in self._input.streams.audio if stream.index in self._tracks]
        try:
            for packet in self._input.demux(*streams) if streams else ():
                track = self._tracks[packet.stream.index]
                if track.encodes:
                    yield from self._encoded(packet, track)
                elif packet.pts is not None and packet.time_base is not None:  # not the empty packet at the end
                    yield from self._copied(packet, track)
        except (av.error.FFmpegError, ValueError) as error:
            logger.warning("%s: its sound cannot be read beyond this point (%s)", self._source_path, error)

    def _copied(self, packet: av.Packet, track: _Track) -> Iterator[tuple[float, av.Packet]]:
        time = track.mended(packet) - round(self._start / packet.time_base)
        if time + (packet.duration or 0) > 0:
            packet.pts = packet.dts = time
            packet.stream = track.target
            yield float(time * packet.time_base), packet

    def _encoded(self, packet: av.Packet, track: _Track) -> Iterator[tuple[float, av.Packet]]:
        begin = None
        if packet.pts is not None:
            begin = float(track.mended(packet) * packet.time_base) - self._start
        made: list[av.Packet] = []
        for frame in packet.decode():
            assert isinstance(frame, av.AudioFrame)
            if begin is None or begin + frame.samples / frame.sample_rate <= 0:
                continue
            frame.time_base = Fraction(1, frame.sample_rate)
            frame.pts = max(0, round(begin * frame.sample_rate))
            begin += frame.samples / frame.sample_rate
            made += track.target.encode(frame)
        if not packet.size:
            made += track.target.encode(None)
        for one in made:
            yield float((one.pts or 0) * one.time_base), one


def suffix_for_sound(source_path: Path, suffixes: Mapping[str, str] = SOUND_CONTAINERS) -> str | None:
    """The suffix of the first container that can hold the sound of a file; None if none can."""
    with open_video(source_path) as source:
        names = {stream.codec_context.codec.canonical_name for stream in _known_streams(source)}
    names = {name for name in names if not _is_pcm(name)}
    for suffix, name in suffixes.items():
        with av.open(io.BytesIO(), "w", format=name) as container:
            if names <= container.supported_codecs:
                return suffix
    return None


def _known_streams(container: InputContainer) -> list[AudioStream]:
    """The streams of sound whose codec FFmpeg knows."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def _track(stream: AudioStream, output: OutputContainer) -> _Track:
    encodes = _is_pcm(stream.codec_context.name) and "mp4" in output.format.name.split(",")
    if not encodes:
        return _Track(output.add_stream_from_template(stream), False)
    rate = min(_AAC_RATES, key=lambda rate: abs(rate - stream.codec_context.sample_rate))
    target = output.add_stream("aac", rate=rate)
    assert isinstance(target, av.AudioStream)
    channels = stream.codec_context.layout.nb_channels
    target.codec_context.layout = "mono" if channels == 1 else "stereo"
    target.bit_rate = _AAC_BITS_A_CHANNEL * min(channels, 2)
    return _Track(target, True)


def _is_pcm(codec_name: str) -> bool:
    """Whether sound is uncompressed, which hardly any player expects in MP4."""
    return codec_name.startswith("pcm_")
