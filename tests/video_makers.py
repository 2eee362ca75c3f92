"""Small videos for tests: every frame shows its number by its brightness."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

PIXELS = {"mjpeg": "yuvj420p", "prores_ks": "yuv422p10le", "huffyuv": "yuv422p"}
"""How codecs store colours that do not know 4:2:0."""

STEP = 6
"""Grey levels from one frame to the next."""


def picture(number: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """(H, W, 3) RGB: grey by the number, red at the left edge and green at the top."""
    image = np.full((*size, 3), 20 + STEP * (number % 35), np.uint8)
    image[:, :8] = (200, 30, 30)
    image[:8, 8:] = (30, 180, 30)
    return image


def number_shown(image: np.ndarray) -> int:
    """The number of the frame, from its middle."""
    height, width = image.shape[:2]
    return round((float(np.median(image[height // 2 : height // 2 + 8, width // 2 : width // 2 + 8])) - 20) / STEP)


def make_video(
    path: Path,
    num_frames: int = 30,
    size: tuple[int, int] = (48, 64),
    codec: str = "libx264",
    gop: int = 10,
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 25),
    sound: bool = False,
    sound_codec: str = "aac",
    options: dict[str, str] | None = None,
) -> Path:
    """A video of 25 frames per second, or of frames at `pts` x `time_base` seconds; with `sound`, a tone as long.

    options: of the encoder, instead of those that H.264 has here.
    """
    if codec not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {codec}")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        if codec != "libsvtav1":
            stream.bit_rate = 4_000_000
        stream.height, stream.width = size
        stream.pix_fmt = PIXELS.get(codec, "yuv420p")
        stream.codec_context.gop_size = gop
        stream.codec_context.time_base = time_base
        if options is not None or codec == "libx264":
            stream.options = {"preset": "veryfast", "bf": "2"} if options is None else options
        tone = container.add_stream(sound_codec, rate=48000 if sound_codec == "mp2" else 8000) if sound else None
        if tone is not None:
            tone.codec_context.layout = "mono"
        assert tone is None or isinstance(tone, av.AudioStream)
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24")
            frame.pts = pts[number] if pts is not None else number
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            _add_tone(container, tone, num_frames / 25)
    return path


def _add_tone(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    rate = stream.rate
    samples = np.sin(np.arange(int(rate * seconds)) / 8).astype(np.float32)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def packets_of(path: Path) -> list[tuple[int, int, bool]]:
    """(position in the file, size, whether a key frame) of the video's packets in the order of decoding."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [(packet.pos or 0, packet.size, packet.is_keyframe) for packet in packets]


def damage(path: Path, packet: int) -> None:
    """Fill one of the video's packets with zeros, except its first bytes."""
    content = bytearray(path.read_bytes())
    position, size, _ = packets_of(path)[packet]
    content[position + 5 : position + size] = bytes(size - 5)
    path.write_bytes(content)


def turn_clockwise(path: Path) -> None:
    """Mark an MP4 file so that its pictures are rotated by 90 degrees clockwise, as a phone does."""
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd")
    matrix = header + 4 + 4 + 20 + 16  # version and flags, times and track, layer and volume
    content[matrix : matrix + 36] = b"".join(
        value.to_bytes(4, "big", signed=True) for value in (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    )
    path.write_bytes(content)


def mirror(path: Path, matrix: Sequence[int]) -> None:
    """Write the numbers a, b, c, d of a display matrix into an MP4 file."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 4 + 20 + 16
    a, b, c, d = (value * 65536 for value in matrix)
    content[place : place + 36] = b"".join(
        value.to_bytes(4, "big", signed=True) for value in (a, b, 0, c, d, 0, 0, 0, 1 << 30)
    )
    path.write_bytes(content)


def copy_packets(source: Path, target: Path, hide_before: int = 0) -> Path:
    """The video of a file copied to another container without re-encoding.

    hide_before: frames of 1/25 s that an edit list hides, as phones do that cut without re-encoding.
    """
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        stream = given.streams.video[0]
        copied = made.add_stream_from_template(stream, opaque=True)
        for packet in given.demux(stream):
            if packet.size:
                shift = round(Fraction(hide_before, 25) / packet.time_base)
                packet.pts = None if packet.pts is None else packet.pts - shift
                packet.dts = None if packet.dts is None else packet.dts - shift
                packet.stream = copied
                made.mux(packet)
    return target


class BitWriter:
    """Bits of a unit of H.264."""

    def __init__(self) -> None:
        self.bits = ""

    def put(self, value: int, count: int) -> BitWriter:
        self.bits += f"{value:0{count}b}" if count else ""
        return self

    def golomb(self, *values: int) -> BitWriter:
        for value in values:
            code = f"{value + 1:b}"
            self.bits += "0" * (len(code) - 1) + code
        return self

    def align(self, bit: str = "0") -> BitWriter:
        self.bits += bit * (-len(self.bits) % 8)
        return self

    def data(self) -> bytes:
        return int(self.bits, 2).to_bytes(len(self.bits) // 8, "big")


def unit(header: int, content: bytes) -> bytes:
    """With a start code, and without any inside."""
    kept, zeros = bytearray(), 0
    for byte in content:
        if zeros >= 2 and byte <= 3:
            kept.append(3)
            zeros = 0
        kept.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([header]) + bytes(kept)


def make_field_pictures(path: Path, num_frames: int = 12, size: tuple[int, int] = (64, 64)) -> Path:
    """A bare H.264 stream of interlaced frames, each coded as two field pictures (PAFF), as broadcasters do.

    Blocks are stored uncoded (I_PCM), so that this needs no encoder. height and width: multiples of 32 and 16.
    """
    height, width = size
    sequence = BitWriter().put(77, 8).put(0, 8).put(30, 8).golomb(0, 0, 2, 1).put(0, 1)
    sequence.golomb(width // 16 - 1, height // 32 - 1).put(0b00100, 5).put(1, 1).align()
    pictures = BitWriter().golomb(0, 0).put(0, 2).golomb(0, 0, 0).put(0, 3).golomb(0, 0, 0).put(0, 3).put(1, 1).align()
    stream = bytearray()
    for number in range(num_frames):
        stream += unit(0x67, sequence.data()) + unit(0x68, pictures.data())
        luma = (16 + picture(number, size).mean(axis=2) * 219 / 255).astype(np.uint8)
        for bottom in (0, 1):
            stream += unit(0x61 if bottom else 0x65, _field_slice(luma[bottom::2], number, bottom))
    path.write_bytes(stream)
    return path


def _field_slice(luma: np.ndarray, number: int, bottom: int) -> bytes:
    bits, data = BitWriter().golomb(0, 7, 0).put(0, 4).put(1, 1).put(bottom, 1), b""
    if bottom:
        bits.put(0, 1).golomb(0)
    else:
        bits.golomb(number % 2).put(0, 2).golomb(0)  # an IDR picture
    for top in range(0, luma.shape[0], 16):
        for left in range(0, luma.shape[1], 16):
            bits.golomb(25).align()
            data += bits.data() + luma[top : top + 16, left : left + 16].clip(1).tobytes() + bytes([128]) * 128
            bits = BitWriter()
    return data + b"\x80"
