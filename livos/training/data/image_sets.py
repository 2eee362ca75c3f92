"""Training clips made from still images: each frame is another random warp of the same image and mask."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from livos.config.schema import DataConfig, ImageSetConfig
from livos.files.images import IMAGE_SUFFIXES, image_size
from livos.files.names import is_hidden, some_of
from livos.training.data.augmentation import BGR_FILL, Warp, random_image_warps
from livos.training.data.clips import Clip
from livos.training.data.sampling import ClipShape, choose_objects, slot_table
from livos.training.data.training_files import HEADER_READERS, largest_reduction, mask_size, read_image, read_mask

_IMAGES_TO_TRY = 100  # images to try for a clip before giving up on the whole set


@dataclass(frozen=True)
class MaskedImage:
    name: str  # the path below the set's folder, without suffix
    image_path: Path
    mask_path: Path


class ImageSet:
    """The images of one set; `read_clip(k, …)` makes a clip of the k-th."""

    def __init__(self, name: str, images: list[MaskedImage], settings: ImageSetConfig, clip_settings: DataConfig):
        self.name = name
        self.images = images
        self.settings = settings
        self.clip_settings = clip_settings

    def __len__(self) -> int:
        return len(self.images)

    def read_clip(
        self, item: int, progress: float, generator: np.random.Generator, shape: ClipShape | None = None
    ) -> Clip:
        """A random clip of image `item`, or of another one if its mask is empty.

        `progress` does not matter here; `shape` replaces that of the settings.
        """
        settings = replace(self.clip_settings, **shape._asdict()) if shape else self.clip_settings
        for _ in range(_IMAGES_TO_TRY):
            clip = self._try_clip(self.images[item], generator, settings)
            if clip is not None:
                return clip
            item = int(generator.integers(len(self.images)))
        raise ValueError(
            f"{self.name}: no object in the crops of {_IMAGES_TO_TRY} images; "
            f"are the masks in {self.images[item].mask_path.parent} empty?"
        )

    def _try_clip(self, image: MaskedImage, generator: np.random.Generator, settings: DataConfig) -> Clip | None:
        mask = read_mask(image.mask_path, self.settings.binary_masks).labels
        height, width = mask.shape
        for _ in range(settings.crop_tries if mask.any() else 0):
            warps = random_image_warps(
                height, width, settings.size, settings.num_frames, settings.image_warp, generator
            )
            first_labels = warps[0].apply(mask, nearest=True)
            chosen = choose_objects(first_labels, settings.max_objects, settings.min_object_pixels, generator)
            if chosen:
                return self._warped(image, mask, warps, chosen)
        return None

    def _warped(self, image: MaskedImage, mask: np.ndarray, warps: list[Warp], chosen: list[int]) -> Clip:
        reduction = largest_reduction(min(warp.minification for warp in warps))
        pixels = read_image(image.image_path, mask.shape, reduction)
        slots = cv2.LUT(mask, slot_table(chosen))
        images = np.stack([warp.apply(pixels, reduction, fill=BGR_FILL) for warp in warps])
        labels = np.stack([warp.apply(slots, nearest=True) for warp in warps])
        return Clip(images, labels, len(chosen), f"{self.name}/{image.name}:0")


def open_image_set(name: str, settings: ImageSetConfig, clip_settings: DataConfig) -> tuple[ImageSet | None, list[str]]:
    """The set and no problems, or None and a sentence for each problem with its files.

    Reads the headers of all images and masks, but no pixels.
    """
    folder = Path(clip_settings.root) / settings.folder
    image_dir, mask_dir = folder / settings.images, folder / settings.masks
    if not image_dir.is_dir():
        return None, [f"there is no folder {image_dir}"]
    masks = {path.relative_to(mask_dir).with_suffix(""): path for path in sorted(mask_dir.rglob("*.png"))}
    suffixes = {*IMAGE_SUFFIXES} - ({".png"} if image_dir == mask_dir else set())
    pictures = {
        path.relative_to(image_dir).with_suffix(""): path
        for path in sorted(image_dir.rglob("*"))
        if path.suffix.lower() in suffixes and not is_hidden(path.relative_to(image_dir))
    }
    if not pictures:
        return None, [f"{image_dir} contains no images ({', '.join(sorted(suffixes))})"]
    without = [key.as_posix() for key in pictures if key not in masks]
    if without:
        return None, [f"{mask_dir} has no masks (.png) for the images {some_of(without)}"]
    images = [MaskedImage(key.as_posix(), path, masks[key]) for key, path in pictures.items()]
    with ThreadPoolExecutor(HEADER_READERS) as threads:
        problems = [problem for problem in threads.map(_problem_of_headers, images) if problem]
    if problems:
        return None, problems
    return ImageSet(name, images, settings, clip_settings), []


def _problem_of_headers(image: MaskedImage) -> str | None:
    """The problem with an image and its mask that their headers reveal, if any."""
    try:
        size, mask = image_size(image.image_path), mask_size(image.mask_path)
    except (ValueError, OSError) as error:
        return str(error)
    if size == mask:
        return None
    sizes = [f"{width} x {height}" for height, width in (size, mask)]
    return f"{image.image_path} has {sizes[0]} pixels, but its mask {image.mask_path} has {sizes[1]}"
