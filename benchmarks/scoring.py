"""Speed of vos-benchmark compared with plain scoring by whole-frame dilation, on generated masks.

    python benchmarks/scoring.py [--processes 2] [--sets 480p 4K] [--keep DIR]

20 videos of 854 x 480 (1376 frames in all, one object), 4 videos with five objects, a single long video, 4 videos of
1920 x 1080 and 2 of 3840 x 2160. The plain scorer reads with Pillow, processes objects one by one and dilates whole
frames; it divides videos among as many processes and must arrive at the same numbers. Its time covers only its work;
the time of the command includes the start of Python.
"""

import argparse
import csv
import math
import multiprocessing
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

_COMMAND = Path(__file__).resolve().parents[1] / "vos-benchmark" / "benchmark.py"
_PALETTE = [value for index in range(256) for value in (index * 37 % 256, index * 91 % 256, index * 151 % 256)]


@dataclass(frozen=True)
class MaskSet:
    """Masks to make: `frames` is the number of frames of each video."""

    name: str
    width: int
    height: int
    frames: tuple[int, ...]
    num_objects: int = 1


SETS = (
    MaskSet("480p", 854, 480, (69,) * 16 + (68,) * 4),
    MaskSet("480p, 5 objects", 854, 480, (60,) * 4, num_objects=5),
    MaskSet("480p, one video", 854, 480, (400,)),
    MaskSet("1080p", 1920, 1080, (24,) * 4),
    MaskSet("4K", 3840, 2160, (12,) * 2),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3, help="how often each is run; the shortest time counts")
    parser.add_argument("--keep", type=Path, help="folder for the masks, made once and kept")
    names = [mask_set.name for mask_set in SETS]
    parser.add_argument("--sets", nargs="+", choices=names, default=names, help="which sets to measure with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(f"{'set':<16}{'frames':>7}{'plain':>10}{'here':>10}{'ratio':>8}   {options.processes} processes")
        for mask_set in SETS:
            if mask_set.name not in options.sets:
                continue
            folder = (options.keep or Path(temporary)) / mask_set.name.replace(", ", "-").replace(" ", "-")
            if not folder.exists():
                make_masks(folder, mask_set)
            report(mask_set, folder, options.processes, options.repeat)


def report(mask_set: MaskSet, folder: Path, processes: int, repeat: int) -> None:
    """Times both scorers, alternating, and prints a line."""
    times = np.zeros((repeat, 2))
    for run in range(repeat):
        start = time.perf_counter()
        expected = plain_score(folder, processes)
        middle = time.perf_counter()
        found = command_score(folder, processes)
        times[run] = middle - start, time.perf_counter() - middle
        if not np.allclose(found, expected, rtol=0, atol=1e-9):
            raise AssertionError(f"{mask_set.name}: the command found {found}, the plain scorer {expected}")
    plain, here = times.min(axis=0)
    print(f"{mask_set.name:<16}{sum(mask_set.frames):>7}{plain:>8.2f} s{here:>8.2f} s{plain / here:>7.1f}x", flush=True)


def command_score(folder: Path, processes: int) -> tuple[float, float]:
    """Global J and F from the command."""
    command = [sys.executable, str(_COMMAND), "-n", str(processes)]
    command += ["-g", str(folder / "truth"), "-m", str(folder / "prediction")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(folder / "prediction" / "results.csv", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["sequence"] == "Global score")
    return float(row["J"]) / 100, float(row["F"]) / 100


def plain_score(folder: Path, processes: int) -> tuple[float, float]:
    """Global J and F, by the plain method."""
    videos = sorted(path.name for path in (folder / "truth").iterdir())
    with multiprocessing.Pool(processes) as pool:
        per_video = pool.starmap(plain_score_video, [(folder, video) for video in videos], chunksize=1)
    return tuple(np.mean([scores for video in per_video for scores in video], axis=0))


def plain_score_video(folder: Path, video: str) -> list[np.ndarray]:
    """Mean (J, F) of each object of a video; all objects are on all frames here."""
    cv2.setNumThreads(1)
    names = sorted(path.name for path in (folder / "truth" / video).iterdir())[1:-1]
    scores: dict[int, list[tuple[float, float]]] = {}
    for name in names:
        truth, prediction = (np.array(Image.open(folder / side / video / name)) for side in ("truth", "prediction"))
        for id in np.unique(truth)[1:]:
            scores.setdefault(int(id), []).append(plain_score_masks(truth == id, prediction == id))
    return [np.mean(values, axis=0) for values in scores.values()]


def plain_score_masks(truth: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    """J and F of two non-empty masks, by dilation of whole frames."""
    radius = math.ceil(0.008 * np.linalg.norm(truth.shape))
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disk = (x**2 + y**2 <= radius**2).astype(np.uint8)
    contours = [plain_contour(mask) for mask in (truth, prediction)]
    near = [cv2.dilate(contour.astype(np.uint8), disk) > 0 for contour in contours]
    recall, precision = ((contours[i] & near[1 - i]).sum() / contours[i].sum() for i in (0, 1))
    region = (truth & prediction).sum() / (truth | prediction).sum()
    return region, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def plain_contour(mask: np.ndarray) -> np.ndarray:
    """Contour pixels (H, W): those whose right, lower or lower-right neighbour differs."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) | (mask != padded[1:, 1:])


def make_masks(folder: Path, mask_set: MaskSet) -> None:
    """Palette PNGs of wobbling blobs, and predictions that follow them closely but sometimes lose a part of them."""
    rng = np.random.default_rng(0)
    for number, count in enumerate(mask_set.frames):
        blobs = [Blob.random(rng, mask_set) for _ in range(mask_set.num_objects)]
        folders = [folder / side / f"video-{number:02}" for side in ("truth", "prediction")]
        for path in folders:
            path.mkdir(parents=True)
        for frame in range(count):
            for path, error in zip(folders, (0.0, 1.0), strict=True):
                labels = np.zeros((mask_set.height, mask_set.width), np.uint8)
                for id, blob in enumerate(blobs, start=1):
                    cv2.fillPoly(labels, [blob.outline(frame, error)], id)
                image = Image.fromarray(labels)
                image.putpalette(_PALETTE)
                image.save(path / f"{frame:05}.png")


@dataclass(frozen=True)
class Blob:
    """A closed curve that sways and wobbles; lengths in pixels."""

    centre: np.ndarray
    sway: np.ndarray
    radius: float
    strength: np.ndarray
    phase: np.ndarray

    @classmethod
    def random(cls, rng: np.random.Generator, mask_set: MaskSet) -> "Blob":
        size = np.array([mask_set.width, mask_set.height])
        share = 0.27 / math.sqrt(mask_set.num_objects)
        return cls(
            centre=size * rng.uniform(0.3, 0.7, 2),
            sway=size * rng.uniform(-0.1, 0.1, 2),
            radius=mask_set.height * share * rng.uniform(0.6, 1.4),
            strength=rng.normal(size=40) * 0.35 / np.arange(1, 41),
            phase=rng.uniform(0, 2 * np.pi, 40),
        )

    def outline(self, frame: int, error: float) -> np.ndarray:
        """Corners (600, 2) as (x, y); with `error` the curve of the prediction."""
        angle = np.linspace(0, 2 * np.pi, 600, endpoint=False)
        orders = np.arange(1, 41)
        phase = self.phase + 0.05 * frame + error * 0.12 * np.cos(orders + 0.3 * frame)
        distance = 1 + (self.strength * np.sin(np.outer(angle, orders) + phase)).sum(axis=1)
        if error and frame % 10 == 7:
            distance = np.minimum(distance, 0.8)  # a part is lost
        distance = self.radius * np.maximum(distance, 0.2)
        around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return (self.centre + np.sin(frame / 30) * self.sway + distance[:, None] * around).astype(np.int32)


if __name__ == "__main__":
    main()
