"""Tiny training sets whose images show their masks: an object's pixels have the colour OBJECT_COLOURS[id]."""

from pathlib import Path

import numpy as np
from PIL import Image

from livos.config.schema import DataConfig, ImageSetConfig, VideoSetConfig

OBJECT_COLOURS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]], dtype=np.uint8)


def moving_squares(num_frames: int, num_objects: int, height: int = 40, width: int = 72) -> np.ndarray:
    """(T, H, W) uint8: squares in a row that move one pixel to the right a frame."""
    labels = np.zeros((num_frames, height, width), dtype=np.uint8)
    for t in range(num_frames):
        for k in range(num_objects):
            left = 4 + 16 * k + t % 8
            labels[t, 12:26, left : left + 12] = k + 1
    return labels


def write_frame(image_path: Path, mask_path: Path, labels: np.ndarray) -> None:
    """Writes a picture of the labels, and the labels as a palette mask."""
    for path in (image_path, mask_path):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(OBJECT_COLOURS[labels]).save(image_path)
    Image.fromarray(labels).convert("P").save(mask_path)


def write_video(folder: Path, name: str, labels: np.ndarray) -> None:
    for t, frame in enumerate(labels):
        write_frame(folder / f"JPEGImages/{name}/{t:05d}.png", folder / f"Annotations/{name}/{t:05d}.png", frame)


def write_videos(root: Path, num_objects=(1, 2, 1, 4), num_frames: int = 12) -> Path:
    """A set "videos" below root: one video for each number of objects."""
    for k, count in enumerate(num_objects):
        write_video(root / "videos", f"video{k}", moving_squares(num_frames, count))
    return root


def write_images(root: Path, count: int = 3, num_objects: int = 2) -> Path:
    """A set "images" below root, images and masks in two folders."""
    for k in range(count):
        labels = np.roll(moving_squares(1, num_objects)[0], 3 * k, axis=0)
        write_frame(root / f"images/JPEGImages/{k}.png", root / f"images/Annotations/{k}.png", labels)
    return root


def tiny_settings(root: Path, videos: bool = True, images: bool = False, **changes) -> DataConfig:
    """Clips of 4 frames of 32 x 32 pixels from the sets above."""
    image_set = ImageSetConfig(folder="images", images="JPEGImages", masks="Annotations", binary_masks=False)
    return DataConfig(
        root=str(root),
        video_sets={"videos": VideoSetConfig(folders=["videos"])} if videos else {},
        image_sets={"images": image_set} if images else {},
        **{"num_frames": 4, "size": 32, **changes},
    )
