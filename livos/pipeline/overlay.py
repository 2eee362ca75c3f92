"""Visualisation: labels drawn over frames, and frames side by side in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from livos.masks.label_maps import davis_palette

Image = npt.NDArray[np.uint8]


def overlay(image: Image, labels: np.ndarray, palette: Image | None = None, alpha: float = 0.5) -> Image:
    """The image with each object filled in its colour and outlined inside its border; the background is unchanged.

    image: (H, W, 3) uint8 RGB. labels: (H, W) integers from 0 to 16777215, 0 is background.
    palette: (K, 3) uint8 RGB, the colour of each id, by default DAVIS's; larger ids start again at the colour of 1.
    alpha: opacity of the fill, 0 to 1. Returns a new (H, W, 3) uint8 array.
    Raises ValueError for wrong shapes or types.
    """
    colours = davis_palette() if palette is None else palette
    _check(image, labels, colours, alpha)
    table = np.zeros((256, 1, 3), np.uint8)
    table[: len(colours), 0] = colours
    drawn = image.copy()
    thickness = max(1, round(min(labels.shape) / 300))
    part = _around_objects(labels, margin=thickness)
    labels, image = labels[part], image[part]
    slots = _colour_slots(labels, len(colours))
    filled = (slots > 0).view(np.uint8)
    tinted = cv2.addWeighted(image, 1 - alpha, cv2.applyColorMap(slots, table), alpha, 0)
    tinted = cv2.copyTo(cv2.applyColorMap(slots, _brighter(table)), _outline(labels, slots, thickness), tinted)
    drawn[part] = cv2.copyTo(tinted, filled, image.copy())
    return drawn


def _around_objects(labels: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Rows and columns of the smallest box around all objects, plus a margin where the image has room."""
    left, top, width, height = cv2.boundingRect((labels != 0).view(np.uint8))
    return slice(max(0, top - margin), top + height + margin), slice(max(0, left - margin), left + width + margin)


def _brighter(colours: Image) -> Image:
    return np.minimum(colours * 1.5 + 32, 255).astype(np.uint8)


def _check(image: np.ndarray, labels: np.ndarray, colours: np.ndarray, alpha: float) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"expected an image of uint8 (H, W, 3), got {image.dtype} {image.shape}")
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape != image.shape[:2]:
        raise ValueError(f"expected integer labels of shape {image.shape[:2]}, got {labels.dtype} {labels.shape}")
    if colours.ndim != 2 or colours.shape[1] != 3 or not 2 <= len(colours) <= 256:
        raise ValueError(f"expected a palette of shape (2 to 256, 3), got {colours.shape}")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha}: expected a number from 0 to 1")


def _colour_slots(labels: np.ndarray, num_colours: int) -> Image:
    """(H, W) uint8: each id's row in a palette of `num_colours`."""
    if labels.dtype == np.uint8 and num_colours == 256:
        return np.ascontiguousarray(labels)
    if labels.size and labels.min() < 0:
        raise ValueError(f"expected labels of at least 0, found {labels.min()}")
    if labels.size and labels.max() >= num_colours:
        labels = np.where(labels > 0, (labels - 1) % (num_colours - 1) + 1, 0)
    return np.ascontiguousarray(labels, np.uint8)


def _outline(labels: np.ndarray, slots: Image, thickness: int) -> Image:
    """(H, W) uint8: 1 at most `thickness` pixels away from another label."""
    if labels.dtype != np.uint8:  # two ids may share a colour; float32 holds every id up to 2 ** 24
        labels = slots if labels.size and labels.max() < 256 else labels.astype(np.float32)
    window = np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8)
    return np.not_equal(cv2.dilate(labels, window), cv2.erode(labels, window)).view(np.uint8)


def contact_sheet(frames: Sequence[Image], columns: int, titles: Sequence[str] | None = None, gap: int = 6) -> Image:
    """The frames, (H, W, 3) uint8 RGB of one size, in a grid on white, with titles in their corners.

    Raises ValueError if there are no frames, if their sizes differ, or if there are not as many titles.
    """
    if not frames or columns < 1:
        raise ValueError(f"expected at least one frame and one column, got {len(frames)} frames, columns={columns}")
    shapes = sorted({frame.shape for frame in frames})
    if len(shapes) > 1:
        raise ValueError(f"expected frames of one size, got {', '.join(map(str, shapes))}")
    if titles is not None and len(titles) != len(frames):
        raise ValueError(f"{len(titles)} titles for {len(frames)} frames")
    height, width = shapes[0][:2]
    rows = -(-len(frames) // columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8)
    for index, frame in enumerate(frames):
        top = gap + index // columns * (height + gap)
        left = gap + index % columns * (width + gap)
        cell = frame if titles is None else with_title(frame, titles[index])
        sheet[top : top + height, left : left + width] = cell
    return sheet


def with_title(image: Image, title: str) -> Image:
    """A copy of the (H, W, 3) RGB image with the title in white on a dark patch in its upper left corner."""
    scale = max(0.35, image.shape[0] / 480)
    (width, height), below = cv2.getTextSize(title, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    titled = image.copy()
    corner = titled[: height + below + 6, : width + 10]
    corner[:] = corner // 4
    place = (5, height + 3)
    cv2.putText(titled, title, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 1, cv2.LINE_AA)
    return titled
