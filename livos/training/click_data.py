"""Crops with one object each for training the click head, and the images that are kept out of its training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from livos.files.images import read_image
from livos.masks.label_maps import read_area, read_labels

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

KEPT_OUT = ("coco", "ccp")
KEPT_OUT_PER_SET = 100
KEPT_OUT_SEED = 2024
SMALLEST_TESTED = 0.01
"""Objects that cover less than this share of the image are not tested."""

SHARES = {"coco": 0.5, "ecssd": 0.12, "ccp": 0.22, "davis": 0.13, "extra": 0.03}
"""How often each set is drawn from."""

SMALLEST = 0.0015
"""Objects that cover less than this share of the crop are not trained on."""

LARGEST = 0.9
"""Nor are objects that cover more than this share."""

MOST_TRIES = 1000
"""How many crops are tried until one has an object of a suitable size."""


@dataclass(frozen=True)
class Picture:
    """An image file and its mask file, which has labels or, if `binary`, is black and white (maybe soft)."""

    image_path: Path
    mask_path: Path
    binary: bool = False

    def read(self) -> tuple[Image, npt.NDArray[np.int32]]:
        """The image (H, W, 3), RGB, and its labels (H, W).

        Raises:
            ValueError: If one of them is damaged, or if they differ in size.
            OSError: If one of them cannot be read.
        """
        labels = read_area(self.mask_path) if self.binary else read_labels(self.mask_path).labels
        image = read_image(self.image_path)
        if image.shape[:2] != labels.shape:
            (height, width), (image_height, image_width) = labels.shape, image.shape[:2]
            raise ValueError(
                f"{self.mask_path} has {width} x {height} pixels, but its image {self.image_path} has "
                f"{image_width} x {image_height}"
            )
        return image, labels.astype(np.int32)


def click_pictures(root: Path) -> dict[str, list[Picture]]:
    """All pictures below a data root, by set, sorted by name. Raises FileNotFoundError if a set is missing."""
    static, davis, extra = root / "static", root / "DAVIS" / "2016", root / "extra_videos"
    sets = {
        "coco": _paired(static / "coco_objects" / "JPEGImages", static / "coco_objects" / "Annotations"),
        "ecssd": _paired(static / "ecssd", static / "ecssd", binary=True),
        "ccp": _paired(static / "ccp" / "JPEGImages", static / "ccp" / "Annotations"),
        "davis": _of_videos(davis / "JPEGImages" / "480p", davis / "Annotations_objects" / "480p"),
        "extra": _of_videos(extra / "JPEGImages", extra / "Annotations"),
    }
    for name, pictures in sets.items():
        if not pictures:
            raise FileNotFoundError(f"{root}: found no pictures with masks of the set {name}")
    return sets


def split(pictures: dict[str, list[Picture]]) -> tuple[dict[str, list[Picture]], dict[str, list[Picture]]]:
    """The pictures for training, and those kept out of it: 100 of COCO and 100 of CCP, chosen with a fixed seed."""
    training, kept = dict(pictures), {}
    for name in KEPT_OUT:
        generator = np.random.default_rng(KEPT_OUT_SEED)
        chosen = set(generator.permutation(len(pictures[name]))[:KEPT_OUT_PER_SET].tolist())
        kept[name] = [picture for i, picture in enumerate(pictures[name]) if i in chosen]
        training[name] = [picture for i, picture in enumerate(pictures[name]) if i not in chosen]
    return training, kept


def tested_object(labels: npt.NDArray[np.integer], generator: np.random.Generator) -> Mask | None:
    """A random one of the objects that cover 1 % of the image or more; None if there is none."""
    large = [i for i in np.unique(labels) if i and np.mean(labels == i) >= SMALLEST_TESTED]
    return labels == generator.choice(large) if large else None


def random_crop(pictures: dict[str, list[Picture]], size: int, generator: np.random.Generator) -> tuple[Image, Mask]:
    """A randomly changed square crop (size, size, 3), RGB, and the mask (size, size) of one object in it.

    Raises:
        ValueError: If hardly any picture has an object to train on, or if a picture or its mask is damaged.
        OSError: If a picture or its mask cannot be read.
    """
    for _ in range(MOST_TRIES):
        name = generator.choice(list(SHARES), p=list(SHARES.values()))
        image, labels = pictures[name][generator.integers(len(pictures[name]))].read()
        ids = [i for i in np.unique(labels) if i]
        if not ids:
            continue
        mask = labels == generator.choice(ids)
        image, mask = _warped(image, mask, size, generator)
        if SMALLEST * size**2 <= mask.sum() <= LARGEST * size**2:
            return _recoloured(image, generator), mask
    raise ValueError(
        f"none of {MOST_TRIES} crops of the training pictures had an object that covers {SMALLEST:.2%} to "
        f"{LARGEST:.0%} of it: are the masks empty?"
    )


def _warped(image: Image, mask: Mask, size: int, generator: np.random.Generator) -> tuple[Image, Mask]:
    """A rotated, mirrored and scaled square around the object: nearly the whole image, or a close-up of the object."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    middle = np.array([left + width / 2, top + height / 2])
    if generator.random() < 0.4:
        side = max(image.shape[:2]) * generator.uniform(0.7, 1.15)
        middle = 0.5 * middle + 0.25 * np.array(image.shape[1::-1])
    else:
        side = max(24, max(width, height) * math.exp(generator.uniform(math.log(1.1), math.log(3))))
    middle += generator.uniform(-0.15, 0.15, 2) * side
    angle = generator.normal(0, 8)
    stretch = math.exp(generator.normal(0, 0.08))
    mirror = generator.choice([-1, 1])
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    linear = size / side * np.array([[c, -s], [s, c]]) @ np.diag([mirror * stretch, 1 / stretch])
    matrix = np.column_stack([linear, size / 2 - linear @ middle])
    grey = (124, 116, 104)  # the mean colour of ImageNet, for what lies beyond the image
    if side > 1.5 * size:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 * side / size).astype(np.uint8)
    warped = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=grey).astype(np.uint8)
    soft = cv2.warpAffine(mask.astype(np.float32), matrix, (size, size), flags=cv2.INTER_LINEAR)
    return warped, soft > 0.5


def _recoloured(image: Image, generator: np.random.Generator) -> Image:
    x = image.astype(np.float32)
    if generator.random() < 0.7:
        x = (x - x.mean()) * generator.uniform(0.7, 1.3) + x.mean() + generator.uniform(-30, 30)
        x *= generator.uniform(0.9, 1.1, 3)
    if generator.random() < 0.1:
        x = np.repeat(x.mean(2, keepdims=True), 3, 2)
    return np.clip(x, 0, 255).astype(np.uint8)


def _paired(images: Path, masks: Path, binary: bool = False) -> list[Picture]:
    return [
        Picture(path, masks / f"{path.stem}.png", binary)
        for path in sorted(images.glob("*.jpg"))
        if (masks / f"{path.stem}.png").is_file()
    ]


def _of_videos(images: Path, masks: Path) -> list[Picture]:
    folders = sorted(path for path in images.glob("*") if (masks / path.name).is_dir())
    return [picture for folder in folders for picture in _paired(folder, masks / folder.name)]
