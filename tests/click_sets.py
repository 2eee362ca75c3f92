"""Generated pictures with masks, laid out as the training of the head for clicks and its benchmark expect them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48


def bright_disc(seed: int = 0, radius: int = 14, width: int = WIDTH, height: int = HEIGHT) -> tuple[np.ndarray, ...]:
    """A bright disc somewhere on dark noise, (H, W, 3) uint8, and its mask (H, W) bool."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    x, y = (generator.integers(radius, side - radius + 1) for side in (width, height))
    mask = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
    image = generator.integers(0, 60, (height, width, 3)).astype(np.uint8)
    image[mask] += np.array([180, 120, 20], np.uint8)
    return image, mask


def write_picture(images: Path, masks: Path, name: str, image: np.ndarray, labels: np.ndarray) -> None:
    """Writes IMAGES/NAME.jpg and MASKS/NAME.png with uint8 labels, which may also be black and white."""
    for folder in (images, masks):
        folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(images / f"{name}.jpg", quality=95)
    Image.fromarray(labels.astype(np.uint8)).save(masks / f"{name}.png")


def write_click_sets(root: Path, coco: int = 3, ccp: int = 2) -> Path:
    """All five sets below a folder, with so many pictures in the two that are tested with, and returns the folder."""
    static, davis, extra = root / "static", root / "DAVIS" / "2016", root / "extra_videos"
    for name, count in (("coco_objects", coco), ("ccp", ccp)):
        for number in range(count):
            folders = static / name / "JPEGImages", static / name / "Annotations"
            image, mask = bright_disc(number)
            write_picture(*folders, f"{number:05d}", image, mask * (number % 3 + 1))
    image, mask = bright_disc(7)
    write_picture(static / "ecssd", static / "ecssd", "0001", image, mask * 255)
    for frame in ("00000", "00001"):
        for images, masks in (
            (davis / "JPEGImages" / "480p", davis / "Annotations_objects" / "480p"),
            (extra / "JPEGImages", extra / "Annotations"),
        ):
            write_picture(images / "clip", masks / "clip", frame, image, mask)
    return root
