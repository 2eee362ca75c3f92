"""Video files of many containers, damaged: read forwards, backwards and by number, and their sound copied."""

import random
import shutil
from fractions import Fraction
from pathlib import Path

import av
from fuzz.damage import damaged
from fuzz.watch import problems_of
from video_makers import copy_packets, make_video

from livos.video.video_file import VideoFile
from livos.video.writer import H264, VideoWriter, suffix_for_sound

KINDS = (
    ("a.mp4", "libx264"), ("a.mov", "mjpeg"), ("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.avi", "mpeg4"),
    ("b.avi", "mjpeg"), ("a.webm", "libvpx-vp9"), ("b.webm", "libvpx"), ("a.mpg", "mpeg2video"), ("a.flv", "flv"),
    ("a.wmv", "wmv2"), ("a.h264", "libx264"), ("a.mxf", "mpeg2video"), ("c.mp4", "libx265"),
)  # fmt: skip
WITH_SOUND = (("s.mp4", "libx264", "aac"), ("s.mov", "mpeg4", "pcm_s16le"), ("s.ts", "mpeg2video", "mp2"))


def whole_videos(folder: Path) -> dict[str, bytes]:
    """A video in every container, by name."""
    made = [make_video(folder / name, 20, codec=codec) for name, codec in KINDS if codec in av.codecs_available]
    made += [make_video(folder / name, 20, codec=codec, sound=True, sound_codec=s) for name, codec, s in WITH_SOUND]
    made.append(copy_packets(made[0], folder / "hidden.mp4", hide_before=6))
    return {path.name: path.read_bytes() for path in made}


class Videos:
    """A damaged video file."""

    name = "videos"

    def __init__(self, folder: Path):
        self.wholes, self.folder = whole_videos(folder), folder
        self.path = folder / "input.mp4"

    def make(self, chance: random.Random) -> None:
        name = chance.choice(list(self.wholes))
        self.path = (self.folder / "input").with_suffix(Path(name).suffix)
        self.path.write_bytes(damaged(self.wholes[name], chance))

    def read(self) -> str | None:
        video = VideoFile(self.path)
        numbers = [frame.number for frame in video.frames(stop=200)]
        if numbers != list(range(len(numbers))):
            return f"frames are numbered {numbers[:8]}"
        backward = [frame.number for frame in video.frames(stop=200, backward=True)]
        if backward != list(range(len(backward)))[::-1]:
            return f"frames are numbered {backward[:8]} backwards"
        video.frame(len(backward) // 2)
        video.close()
        self.write_with_sound(video)
        return None

    def write_with_sound(self, video: VideoFile) -> None:
        """As `livos track` does; sound that cannot be kept is dropped."""
        target = self.folder / "written"
        target.mkdir(exist_ok=True)
        suffix = suffix_for_sound(self.path) if video.has_sound else ".mp4"
        sound_path = self.path if video.has_sound and suffix else None
        path = target / f"{self.path.name}{suffix or '.mp4'}"
        with VideoWriter(path, H264, video.time_base, max(video.frame_rate, Fraction(1)), sound_path) as writer:
            for frame in video.frames(stop=5):
                if frame.image is not None:
                    writer.add(frame.image, frame.pts)
        shutil.rmtree(target)


def run(seed: int, count: int, folder: Path) -> list[str]:
    """The problems with `count` damaged videos; see tests/fuzz/watch.py."""
    return problems_of(Videos(folder), seed, count)
