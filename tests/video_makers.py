"""Small videos for tests: every frame shows its number by its brightness."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

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
) -> Path:
    """A video of 25 frames per second, or of frames at `pts` x `time_base` seconds; with `sound`, a tone as long."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.bit_rate = 4_000_000
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p" if codec != "mjpeg" else "yuvj420p"
        stream.codec_context.gop_size = gop
        stream.codec_context.time_base = time_base
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "bf": "2"}
        tone = container.add_stream(sound_codec, rate=8000) if sound else None
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
    samples = np.sin(np.arange(int(8000 * seconds)) / 8).astype(np.float32)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 8000, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def packets_of(path: Path) -> list[tuple[int, int, bool]]:
    """(position in the file, size, whether a key frame) of the video's packets in the order of decoding."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [(packet.pos or 0, packet.size, packet.is_keyframe) for packet in packets]


def damage(path: Path, packet: int) -> None:
    """Fill one of the video's packets with zeros, but for its first bytes."""
    content = bytearray(path.read_bytes())
    position, size, _ = packets_of(path)[packet]
    content[position + 5 : position + size] = bytes(size - 5)
    path.write_bytes(content)


def turn_clockwise(path: Path) -> None:
    """Note in an MP4 file that its pictures are to be turned by 90 degrees clockwise, as a phone does."""
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd")
    matrix = header + 4 + 4 + 20 + 16  # version and flags, times and track, layer and volume
    content[matrix : matrix + 36] = b"".join(
        value.to_bytes(4, "big", signed=True) for value in (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    )
    path.write_bytes(content)
