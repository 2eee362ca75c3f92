"""Memory and rate of `livos track` on a long generated video file.

python benchmarks/video_files.py                              1000 frames of 1080p, masks, overlay and boxes
python benchmarks/video_files.py --frames 300 --backward
python benchmarks/video_files.py --no-network                 only decoding, drawing, encoding and writing

It prints the peak memory in each tenth of the video, which stays flat however long it is. Weights are random: neither
speed nor memory depends on them.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from livos import SegmenterState, VideoSegmenter, build_model, model_names
from livos.commands import track
from livos.masks.label_maps import write_labels
from livos.pipeline.job import KINDS
from livos.pipeline.memory_plan import PeakMeter
from livos.segmenter.segmenter import PRECISIONS
from livos.video.writer import H264, VideoWriter

MIB = 2**20


@dataclass
class Repeated:
    """Like a result of VideoSegmenter."""

    labels: np.ndarray
    object_ids: tuple[int, ...] = ()
    confidence: dict[int, float] = field(default_factory=dict)


class Repeater:
    """Replaces the network: the given mask on every frame."""

    device = torch.device("cpu")
    size = None

    def reset(self) -> None:
        self._labels = np.zeros((1, 1), np.int32)

    def state(self) -> SegmenterState:
        return SegmenterState()

    def made_with(self) -> dict:
        return {}

    def step(self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False, absent=()) -> Repeated:
        self._labels = self._labels if labels is None else labels
        return Repeated(self._labels)


@dataclass
class Watched:
    """A segmenter, and the peak memory in each tenth of `num_frames`."""

    segmenter: VideoSegmenter | Repeater
    num_frames: int
    peaks: list[int] = field(default_factory=list)
    count: int = 0
    begun: float = 0.0

    def __post_init__(self) -> None:
        self.device, self.size = self.segmenter.device, self.segmenter.size
        self.memory = PeakMeter(torch.device("cpu"))

    def reset(self) -> None:
        self.segmenter.reset()
        self.begun = time.perf_counter()

    def state(self) -> SegmenterState:
        return self.segmenter.state()

    def made_with(self) -> dict:
        return self.segmenter.made_with()

    def step(self, image: np.ndarray, labels: np.ndarray | None = None, last: bool = False, absent=()):
        result = self.segmenter.step(image, labels, last)
        self.count += 1
        if self.count % max(1, self.num_frames // 10) == 0:
            self.peaks.append(self.memory.peak())
            self.memory.reset()
        return result


def make_video(path: Path, size: tuple[int, int], num_frames: int) -> None:
    """A drifting texture, so that frames differ and compress roughly like photographs."""
    height, width = size
    noise = np.random.default_rng(0).integers(0, 256, (height // 8 + 32, width // 8 + 32, 3), np.uint8)
    texture = cv2.resize(noise, (width + 256, height + 256), interpolation=cv2.INTER_CUBIC)
    with VideoWriter(path, H264, Fraction(1, 25), Fraction(25)) as video:
        for number in tqdm(range(num_frames), desc="making the video", unit="frame"):
            top, left = (int(128 + 120 * np.sin(number / period)) for period in (31, 47))
            video.add(texture[top : top + height, left : left + width], number)  # type: ignore[arg-type]


def make_mask(path: Path, size: tuple[int, int], num_objects: int) -> None:
    """Disks side by side."""
    labels = np.zeros(size, np.uint8)
    for number in range(num_objects):
        centre = ((2 * number + 1) * size[1] // (2 * num_objects), size[0] // 2)
        cv2.circle(labels, centre, size[1] // (3 * num_objects), number + 1, -1)
    write_labels(path, labels)


def main() -> None:
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        video, mask, output = (Path(folder) / name for name in ("video.mp4", "mask.png", "output"))
        make_video(video, options.size, options.frames)
        make_mask(mask, options.size, options.objects)
        segmenter = Repeater() if options.no_network else network(options)
        watched = Watched(segmenter, options.frames)
        before = watched.memory.peak()
        arguments = ["--video", str(video), "--masks", str(mask), "--output", str(output), "--write", *options.write]
        status = track.main(arguments + ["--backward"] * options.backward, lambda *_: watched)  # type: ignore
        seconds = time.perf_counter() - watched.begun
        if status:
            sys.exit(status)
        num_masks = len(list((output / "masks").glob("*.png")))
    print(f"{num_masks} masks, {options.frames / seconds:.2f} frames/s end to end")
    print(f"peak MiB before: {before / MIB:.0f}; in each tenth: {' '.join(f'{p / MIB:.0f}' for p in watched.peaks)}")
    growth = (max(watched.peaks) - before) / (options.size[0] * options.size[1])
    print(f"at most {growth:.0f} bytes more per pixel of a frame")


def network(options: argparse.Namespace) -> VideoSegmenter:
    """With random weights, and run on some frames so that its memory is allocated."""
    size = options.short_side or None
    segmenter = VideoSegmenter(build_model(options.model, seed=0), options.device, options.precision, size)
    blank = np.zeros((*options.size, 3), np.uint8)
    mask = np.ones(options.size, np.int32)
    for labels in (mask, None, None):
        _ = segmenter.step(blank, labels).labels
    return segmenter


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--size", type=_size, default=(1080, 1920), metavar="HxW")
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--write", nargs="+", choices=KINDS, default=["masks", "overlay", "boxes"])
    parser.add_argument("--backward", action="store_true")
    parser.add_argument("--no-network", action="store_true", help="repeat the given mask instead")
    parser.add_argument("--model", choices=model_names(), default="lite")
    parser.add_argument("--internal-size", dest="short_side", type=int, default=480)
    parser.add_argument("--precision", choices=list(PRECISIONS), default="float32")
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    height, width = text.split("x")
    return int(height), int(width)


if __name__ == "__main__":
    main()
