"""Makes the bundled demo clip, examples/demo: an astronaut, a cat and a cup of coffee on an evening at the launch pad.

    pip install scikit-image
    python scripts/data/make_demo_clip.py

The scene is composed of photographs that come with the package scikit-image, all of them CC0 or in the public domain
(examples/demo/README.md lists them). It is designed for trying out video object segmentation: the camera pans and
zooms, the cat (2) is hidden behind a column for a while and then passes in front of the astronaut (1), and the cup (3)
enters later. The program writes JPEGImages/<clip>, Annotations/<clip> (the true masks of every frame) and
GivenMasks/<clip> (the masks that a method may see: those of the first frame, that of the new object on the frame where
it enters, and that of the cat once more when it is back, like a user's correction if it was confused with the
astronaut). With the same versions of the libraries, the files are the same, byte for byte.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from demo_scene import Card, make_cards, to_display
from PIL import Image
from scipy.interpolate import PchipInterpolator
from tqdm import tqdm

from livos.masks.label_maps import davis_palette

WIDTH, HEIGHT = 854, 480
FRAMES = 64
CLIP = "launch-pad-cafe"
QUALITY = 82  # of the JPEG files
SHUTTER = 0.16  # the share of a frame's time during which the shutter is open
SLIVER = 60  # an object with fewer visible pixels counts as hidden
ENTRY = 20  # the frame on which the cup is first visible
CORRECTED = {48: {2}}  # objects whose masks are given again: the cat, back from behind the column


@dataclass(frozen=True)
class Pose:
    """Where a card's anchor is (x, y in the frame of a resting camera), and how it is rotated, scaled and bent."""

    x: float
    y: float
    angle: float = 0.0  # degrees, counter-clockwise
    scale: float = 1.0
    bend: float = 0.0  # pixels that the top leans to the right of the anchor


def along(keys: dict[float, float], time: float) -> float:
    """The smooth curve without overshoot through {frame: value}, resting before the first and after the last key."""
    times = list(keys)
    return float(PchipInterpolator(times, list(keys.values()))(min(max(time, times[0]), times[-1])))


def wave(time: float, period: float, phase: float = 0.0) -> float:
    return math.sin(2 * math.pi * (time / period + phase))


def pose_of(name: str, time: float) -> Pose:
    """The pose of a card at a time, in frames."""
    if name == "astronaut":
        x = along({0: 704, 14: 690, 36: 634, 48: 628, 63: 668}, time)
        y = 446 + 3 * abs(wave(time, 22))
        return Pose(x, y, 1.5 * wave(time, 44), along({0: 0.94, 63: 1.04}, time), 8 * wave(time, 31, 0.2))
    if name == "cat":
        x = along({0: 130, 8: 170, 22: 392, 27: 426, 36: 436, 46: 592, 56: 726, 63: 752}, time)
        y = along({0: 356, 10: 344, 20: 354, 40: 354, 52: 342, 63: 350}, time) + 3 * wave(time, 13)
        return Pose(x, y, 5 * wave(time, 37, 0.1) - 2, along({0: 0.74, 30: 0.78, 63: 0.88}, time), 5 * wave(time, 19))
    if name == "cup":
        since = time - ENTRY
        settling = math.exp(-0.1 * max(since, 0))
        x = 1200 if since < -0.6 else 324 + 480 * math.exp(-0.3 * since) + along({20: 0, 42: 250}, since)
        return Pose(x, 420 + 3 * settling * wave(since, 9), 2.5 * settling * wave(since, 11), 0.8)
    fixed = {"launch pad": Pose(300, 346), "lawn": Pose(427, 318), "column": Pose(440, 420), "table": Pose(427, 362)}
    return fixed[name]


def camera_at(time: float) -> np.ndarray:
    """(pan right, pan down, zoom, roll in degrees) of the hand-held camera."""
    pan = along({0: -34, 30: 0, 63: 44}, time) + 1.6 * wave(time, 17) + 0.8 * wave(time, 7.3, 0.4)
    lift = along({0: 6, 24: -4, 63: 3}, time) + 1.2 * wave(time, 13, 0.3)
    return np.array([pan, lift, along({0: 1.0, 20: 1.015, 63: 1.085}, time), 0.35 * wave(time, 41)])


def placement(card: Card, pose: Pose, camera: np.ndarray) -> np.ndarray:
    """(2, 3): from the card's pixels to the frame's."""
    pan, lift, zoom, roll = camera
    zoom = 1 + (zoom - 1) * card.parallax
    turn = cv2.getRotationMatrix2D(card.anchor, pose.angle, pose.scale)
    turn[:, 2] += np.array([pose.x, pose.y]) - np.array(card.anchor)
    view = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), roll, zoom)
    view[:, 2] -= np.array([pan, lift]) * card.parallax * zoom
    return (np.vstack([view, [0, 0, 1]]) @ np.vstack([turn, [0, 0, 1]]))[:2]


def bent(card: Card, lean: float) -> np.ndarray:
    """The card's pixels with their top pushed `lean` pixels to the right, increasingly above the anchor."""
    if lean == 0:
        return card.pixels
    height, width = card.pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    above = np.clip((card.anchor[1] - y) / card.anchor[1], 0, 1)
    return cv2.remap(card.pixels, x - np.float32(lean) * above**2, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def render_moment(cards: list[Card], time: float) -> tuple[np.ndarray, np.ndarray]:
    """One moment: linear light (H, W, 3), and each pixel's shares of scenery and objects (H, W, 1 + objects)."""
    light = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    shares = np.zeros((HEIGHT, WIDTH, 1 + max(card.label for card in cards)), np.float32)
    near = np.zeros((HEIGHT, WIDTH, 1), np.float32)  # where a shadow can fall
    camera = camera_at(time)
    for card in cards:
        pose = pose_of(card.name, time)
        matrix = placement(card, pose, camera)
        if card.shadow is not None:
            cast = cv2.warpAffine(card.shadow, matrix @ np.array([[1, 0, -14], [0, 1, 8], [0, 0, 1]]), (WIDTH, HEIGHT))
            light *= 1 - cast[..., None] * near
        pixels = cv2.warpAffine(bent(card, pose.bend), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
        matte = pixels[..., 3:]
        light = light * (1 - matte) + pixels[..., :3]
        shares *= 1 - matte
        shares[..., card.label] += matte[..., 0]
        near = near * (1 - matte) + (card.parallax >= 1) * matte
    return light, shares


def moments_of(cards: list[Card], index: int) -> np.ndarray:
    """The times, in frames, whose pictures are averaged into frame `index`: more of them if something moves fast."""
    opening, closing = index - SHUTTER / 2, index + SHUTTER / 2
    paths = [_anchor_in_frame(card, closing) - _anchor_in_frame(card, opening) for card in cards]
    number = int(np.clip(np.linalg.norm(paths, axis=1).max() / 1.5, 4, 32))
    return opening + SHUTTER * (np.arange(number) + 0.5) / number


def _anchor_in_frame(card: Card, time: float) -> np.ndarray:
    return placement(card, pose_of(card.name, time), camera_at(time)) @ np.array([*card.anchor, 1])


def render_frame(cards: list[Card], index: int, noise: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Frame `index` with motion blur and grain, RGB (H, W, 3) uint8, and the main label of each pixel, (H, W) uint8."""
    moments = [render_moment(cards, float(time)) for time in moments_of(cards, index)]
    light = np.sum([part for part, _ in moments], axis=0) / np.float32(len(moments))
    shares = np.sum([part for _, part in moments], axis=0)
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    light = light * (1 - 0.16 * (x**2 + y**2))[..., None].astype(np.float32) * np.float32(1 + 0.04 * wave(index, 50))
    grain = noise.normal(0, 1.3, (HEIGHT, WIDTH, 1))
    image = np.clip(np.rint(to_display(light) * 255 + grain), 0, 255).astype(np.uint8)
    labels = shares.argmax(axis=2).astype(np.uint8)
    for label in range(1, shares.shape[2]):
        if np.count_nonzero(labels == label) < SLIVER:
            labels[labels == label] = 0
    return image, labels


def save_labels(path: Path, labels: np.ndarray) -> None:
    picture = Image.fromarray(labels, "P")
    picture.putpalette(davis_palette().tobytes())
    save(picture, path, format="PNG", optimize=True)


def save(picture: Image.Image, path: Path, **options: Any) -> None:
    """Writes to a temporary name and renames, so that no half-written file has the final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    picture.save(unfinished, **options)
    os.replace(unfinished, path)


def make_clip(photographs: Path, output: Path) -> None:
    cards = make_cards(photographs)
    noise = np.random.default_rng(seed=0)
    known: set[int] = set()
    for index in tqdm(range(FRAMES), unit="frame"):
        image, labels = render_frame(cards, index, noise)
        name = f"{index:05d}"
        save(Image.fromarray(image), output / "JPEGImages" / CLIP / f"{name}.jpg", format="JPEG", quality=QUALITY)
        save_labels(output / "Annotations" / CLIP / f"{name}.png", labels)
        new = set(np.unique(labels).tolist()) - known - {0}
        shown = new | CORRECTED.get(index, set())
        if shown:
            given = np.where(np.isin(labels, list(shown)), labels, 0).astype(np.uint8)
            save_labels(output / "GivenMasks" / CLIP / f"{name}.png", given)
            known |= new


def photographs_folder() -> Path:
    package = importlib.util.find_spec("skimage")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("The photographs come with scikit-image, which is not installed: pip install scikit-image")
    return Path(package.submodule_search_locations[0]) / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    bundled = Path(__file__).resolve().parents[2] / "examples" / "demo"
    parser.add_argument("--output", type=Path, default=bundled, help="folder to write to (default: examples/demo)")
    arguments = parser.parse_args()
    make_clip(photographs_folder(), arguments.output)


if __name__ == "__main__":
    main()
