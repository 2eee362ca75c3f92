"""J&F on synthetic hard videos whose true masks are known: one number for each kind of difficulty.

    python benchmarks/stress.py --images ../DAVIS/2016/JPEGImages/480p --masks ../DAVIS/2016/Annotations/480p \\
        --videos bus hike scooter-gray mallard-water --weights lite my-weights.safetensors

An object of one video is cut out and pasted over another video (both using the masks; choose videos that were not
trained on): fast (0.15 of the short side per frame), hidden (a strip of a third video passes in front and covers it
completely), twin (the same object a second time, as background), tiny (a twentieth of the short side) and spinning (20
degrees per frame, growing and shrinking). The same seed, clips and frames give the same set. Each weights file is run
at every size, a short side in pixels; the program prints J&F x 100 of the frames after the first, without the last.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from vos_benchmark import Scorer

from livos import VideoSegmenter
from livos.files.images import IMAGE_SUFFIXES, read_image
from livos.files.names import files_by_stem
from livos.loading import load_model
from livos.masks.label_maps import LabelCoding, read_labels, write_labels

KINDS = ("fast", "hidden", "twin", "tiny", "spinning")
SHORT_SIDE = 480  # of the generated videos
OBJECT_SIDE = 0.25  # root of an object's area in the first frame, in short sides
_MARGIN = 0.15  # short sides between the frame's border and the centre of an object


@dataclass(frozen=True)
class Material:
    """A video to take an object or a background from."""

    name: str
    images: list[np.ndarray]  # (H, W, 3) uint8 RGB, short side SHORT_SIDE
    masks: list[np.ndarray]  # (H, W) bool, the first of which is not empty


@dataclass(frozen=True)
class Path2D:
    """Where an object is, frame by frame."""

    places: np.ndarray  # (T, 2), x and y in pixels
    turns: np.ndarray  # (T,) degrees
    scales: np.ndarray  # (T,) factors


@dataclass(frozen=True)
class StressVideo:
    name: str
    images: list[np.ndarray]  # (H, W, 3) uint8 RGB
    truth: list[np.ndarray]  # (H, W) int32, 1 where the object is visible


def read_material(name: str, image_dir: Path, mask_dir: Path, num_frames: int) -> Material:
    """The first frames of a video. Raises ValueError or OSError if there are too few, or no object at the beginning."""
    frames, _ = files_by_stem(image_dir / name, IMAGE_SUFFIXES)
    masks, _ = files_by_stem(mask_dir / name, (".png",))
    stems = [stem for stem in frames if stem in masks][:num_frames]
    if len(stems) < num_frames:
        raise ValueError(f"{image_dir / name}: expected {num_frames} frames with masks, found {len(stems)}")
    images = [_resized(read_image(frames[stem]), cv2.INTER_AREA) for stem in stems]
    labels = [_resized((read_labels(masks[stem]).labels > 0).astype(np.uint8), cv2.INTER_NEAREST) > 0 for stem in stems]
    if not labels[0].any():
        raise ValueError(f"{masks[stems[0]]}: the first mask must show an object")
    return Material(name, images, labels)


def _resized(image: np.ndarray, interpolation: int) -> np.ndarray:
    height, width = image.shape[:2]
    factor = SHORT_SIDE / min(height, width)
    return cv2.resize(image, (round(width * factor), round(height * factor)), interpolation=interpolation)


def make_video(kind: str, number: int, seed: int, materials: list[Material]) -> StressVideo:
    """Video `number` of a kind: a function of both, the seed and the materials."""
    generator = np.random.default_rng([seed, KINDS.index(kind), number])
    thing, scene, other = (materials[k] for k in generator.permutation(len(materials))[:3])
    images, truth = [image.copy() for image in scene.images], [np.zeros(i.shape[:2], np.int32) for i in scene.images]
    path = random_path(kind, thing, scene.images[0].shape[:2], len(images), generator)
    if kind == "twin":
        for image, placed in zip(images, placements(thing, twin_of(path, generator)), strict=True):
            put(image, *placed)
    for image, labels, placed in zip(images, truth, placements(thing, path), strict=True):
        labels[put(image, *placed)] = 1
    if kind == "hidden":
        for t, left in enumerate(strip_places(path, thing, len(images))):
            cover(images[t], truth[t], other.images[t], left, strip_width(path, thing))
    return StressVideo(f"{kind}-{number}-{thing.name}-over-{scene.name}", images, truth)


def random_path(
    kind: str, thing: Material, shape: tuple[int, int], num_frames: int, generator: np.random.Generator
) -> Path2D:
    """How the tracked object moves in a video of this kind: straight, and reflected near the frame's border."""
    speed = {"fast": 0.15, "hidden": 0.005}.get(kind, 0.02) * SHORT_SIDE
    side = (0.05 if kind == "tiny" else OBJECT_SIDE) * SHORT_SIDE
    low = np.full(2, _MARGIN * SHORT_SIDE)
    span = np.array(shape[::-1]) - 2 * low
    angle, times = generator.uniform(0, 2 * np.pi), np.arange(num_frames)
    way = generator.uniform(0.2, 0.8, 2) * span + speed * times[:, None] * np.array([np.cos(angle), np.sin(angle)])
    places = low + span - np.abs(way % (2 * span) - span)
    spinning = kind == "spinning"
    scale = side / np.sqrt(thing.masks[0].sum())
    return Path2D(places, 20.0 * spinning * times, scale * np.exp(0.35 * spinning * np.sin(0.5 * times)))


def twin_of(path: Path2D, generator: np.random.Generator) -> Path2D:
    """A path next to the given one that crosses it halfway."""
    angle = generator.uniform(0, 2 * np.pi)
    aside = 0.4 * SHORT_SIDE * np.array([np.cos(angle), np.sin(angle)])
    return replace(path, places=path.places + np.linspace(1, -1, len(path.places))[:, None] * aside)


def placements(thing: Material, path: Path2D) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each frame the object's picture, and its mask, (H, W) bool, both warped to its position."""
    last = 0
    for t, (place, turn, scale) in enumerate(zip(path.places, path.turns, path.scales, strict=True)):
        last = t if thing.masks[t].any() else last
        mask = thing.masks[last].astype(np.uint8)
        rows, columns = np.nonzero(mask)
        middle = (float(columns.mean()), float(rows.mean()))
        matrix = cv2.getRotationMatrix2D(middle, float(turn), float(scale))
        matrix[:, 2] += place - middle
        size = mask.shape[::-1]
        image = cv2.warpAffine(thing.images[last], matrix, size, flags=cv2.INTER_AREA)
        yield image, cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_NEAREST) > 0


def put(image: np.ndarray, part: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Blends `part` into the image, with soft edges, where it is inside the frame; returns this area, (H, W) bool."""
    height, width = (min(a, b) for a, b in zip(image.shape[:2], where.shape, strict=True))
    inside = np.zeros(image.shape[:2], dtype=bool)
    inside[:height, :width] = where[:height, :width]
    weight = cv2.GaussianBlur(inside.astype(np.float32), (3, 3), 0.7)[:height, :width]
    image[:height, :width] = cv2.blendLinear(part[:height, :width], image[:height, :width], weight, 1 - weight)
    return inside


def strip_width(path: Path2D, thing: Material) -> int:
    """Wide enough to cover the whole object for some frames."""
    columns = np.nonzero(thing.masks[0].any(axis=0))[0]
    return round(1.5 * path.scales[0] * (columns[-1] - columns[0] + 1)) + 20


def strip_places(path: Path2D, thing: Material, num_frames: int) -> np.ndarray:
    """(T,) left edges of a strip that comes from the left, covers the object halfway, and moves on."""
    width = strip_width(path, thing)
    times = np.arange(num_frames) - num_frames / 2
    return np.rint(path.places[num_frames // 2, 0] - width / 2 + times * 4 * width / num_frames).astype(int)


def cover(image: np.ndarray, labels: np.ndarray, by: np.ndarray, left: int, width: int) -> None:
    """Draws a strip of another video over the frame, from top to bottom."""
    columns = slice(max(0, left), max(0, min(left + width, image.shape[1], by.shape[1])))
    rows = slice(0, min(image.shape[0], by.shape[0]))
    image[rows, columns] = by[rows, columns]
    labels[rows, columns] = 0


def score(segmenter: VideoSegmenter, video: StressVideo) -> float:
    """J&F x 100 of a video, from its first mask."""
    segmenter.reset()
    scorer = Scorer()
    for t, (image, truth) in enumerate(zip(video.images, video.truth, strict=True)):
        labels = segmenter.step(image, truth if t == 0 else None).labels
        scorer.add(video.name, f"{t:05d}", truth, labels)
    return 100 * float(scorer.result().objects[0].measures["J&F"])


def write(video: StressVideo, folder: Path) -> None:
    """Frames and true masks, as `<folder>/JPEGImages/<video>/*.jpg` and `<folder>/Annotations/<video>/*.png`."""
    images, masks = folder / "JPEGImages" / video.name, folder / "Annotations" / video.name
    images.mkdir(parents=True, exist_ok=True)
    masks.mkdir(parents=True, exist_ok=True)
    for t, (image, truth) in enumerate(zip(video.images, video.truth, strict=True)):
        cv2.imwrite(
            str(images / f"{t:05d}.jpg"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95]
        )
        write_labels(masks / f"{t:05d}.png", truth, LabelCoding())


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--weights", nargs="*", default=["lite"], help="names (lite, nomose-480p) or files (default: lite)")
    add("--model", help="network of the files, if their names and content do not reveal it")
    add("--images", type=Path, required=True, help="folder with a folder of frames for each video")
    add("--masks", type=Path, required=True, help="the same for masks")
    add("--videos", nargs="+", required=True, help="names of three videos or more")
    add("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND", help="(default: all)")
    add("--sizes", nargs="+", type=int, default=[240, 320, 480], help="short sides (default: 240 320 480)")
    add("--clips", type=int, default=3, help="videos of each kind (default: 3)")
    add("--frames", type=int, default=24, help="frames of each video (default: 24)")
    add("--seed", type=int, default=0)
    add("--device", default="auto")
    add("--write", type=Path, help="folder for the videos and their true masks")
    options = parser.parse_args(arguments)
    if len(options.videos) < 3 or options.clips < 1 or options.frames < 3:
        parser.error("expected three --videos or more, --clips of at least 1 and --frames of at least 3")
    return options


def run(options: argparse.Namespace) -> None:
    materials = [read_material(name, options.images, options.masks, options.frames) for name in options.videos]
    networks = {name: load_model(name, options.model) for name in options.weights}
    videos = {
        kind: [make_video(kind, n, options.seed, materials) for n in range(options.clips)] for kind in options.kinds
    }
    for video in (video for of_kind in videos.values() for video in of_kind):
        if options.write:
            write(video, options.write)
    print(f"{'weights':40} {'size':>4} " + " ".join(f"{kind:>8}" for kind in options.kinds) + "     mean")
    for name, network in networks.items():
        table = []
        for size in options.sizes:
            segmenter = VideoSegmenter(network, options.device, size=size)
            table.append(
                [float(np.mean([score(segmenter, video) for video in videos[kind]])) for kind in options.kinds]
            )
            print_row(name, str(size), table[-1])
        print_row(name, "all", np.mean(table, axis=0).tolist())


def print_row(name: str, size: str, scores: list[float]) -> None:
    print(f"{name[-40:]:40} {size:>4} " + " ".join(f"{x:8.1f}" for x in [*scores, np.mean(scores)]), flush=True)


def main(arguments: list[str] | None = None) -> None:
    options = parse_arguments(arguments)
    try:
        run(options)
    except (ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
