"""A training clip as arrays, and how the objects of one clip are pasted into another."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from livos.training.data.sampling import slot_table, visible_objects


@dataclass(frozen=True)
class Clip:
    """T frames of S x S pixels, and the slot of the object at each pixel; slots are the same in all frames."""

    images: np.ndarray  # (T, S, S, 3) uint8, BGR, as OpenCV decodes
    labels: np.ndarray  # (T, S, S) uint8, 0 background, 1 .. num_objects, all of which the first frame shows
    num_objects: int
    name: str  # "<set>/<video>:<first frame>"


def moved(clip: Clip, shifts: np.ndarray) -> Clip:
    """The clip with frame t shifted right and down by `shifts[t]` whole pixels, (T, 2); gaps become background."""
    images, labels = np.zeros_like(clip.images), np.zeros_like(clip.labels)
    for t, (x, y) in enumerate(shifts):
        to = slice(max(0, y), max(0, clip.labels.shape[1] + y)), slice(max(0, x), max(0, clip.labels.shape[2] + x))
        of = slice(max(0, -y), max(0, clip.labels.shape[1] - y)), slice(max(0, -x), max(0, clip.labels.shape[2] - x))
        images[t][to], labels[t][to] = clip.images[t][of], clip.labels[t][of]
    return replace(clip, images=images, labels=labels)


def paste(
    clip: Clip,
    other: Clip,
    room: int,
    blur_size: int,
    blur_sigma: float,
    min_pixels: int,
    smears: np.ndarray | None = None,
    labelled: bool = True,
) -> Clip:
    """`clip` with the first `room` objects of `other` in front of it, their edges softened by a Gaussian.

    Objects with fewer than `min_pixels` visible pixels in the first frame become background, in all frames; the others
    get the slots 1, 2, … in their previous order, the pasted ones last.

    Args:
        smears: (T, 2), how far the pasted objects move in pixels during the exposure of a frame: they are blurred by
            that much, and labelled at their position halfway. None: not at all.
        labelled: Whether to label the objects; otherwise they are pasted as background.
    """
    images, labels = clip.images.copy(), clip.labels.copy()
    for t in range(len(images)):
        pasted = np.where(other.labels[t] <= room, other.labels[t], 0)
        if pasted.any():
            smear = np.zeros(2) if smears is None else smears[t]
            _blend(images[t], other.images[t], pasted > 0, blur_size, blur_sigma, smear)
            np.copyto(labels[t], pasted + np.uint8(clip.num_objects) if labelled else 0, where=pasted > 0)
    count = clip.num_objects + min(room, other.num_objects) * labelled
    together = Clip(images, labels, count, f"{clip.name} + {other.name}")
    return without_hidden_objects(together, min_pixels)


def only_object(clip: Clip, slot: int) -> Clip:
    """The clip with one object, which gets slot 1; the others become background."""
    return replace(clip, labels=slot_table([slot])[clip.labels], num_objects=1)


def without_hidden_objects(clip: Clip, min_pixels: int) -> Clip:
    """The clip without the objects that have fewer than `min_pixels` visible pixels in the first frame."""
    visible = visible_objects(clip.labels[0], min_pixels)
    if len(visible) == clip.num_objects:
        return clip
    return replace(clip, labels=slot_table(visible.tolist())[clip.labels], num_objects=len(visible))


def smear_kernel(smear: np.ndarray) -> np.ndarray:
    """(K, K) float32: a uniform line along `smear`, (x, y) in pixels, for cv2.filter2D; a single 1 if it is short."""
    half = int(np.ceil(np.abs(smear).max() / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), dtype=np.float32)
    places = half + np.linspace(-0.5, 0.5, 4 * half + 1)[:, None] * smear  # at most half a pixel apart
    columns, rows = np.rint(places).astype(int).T
    np.add.at(kernel, (rows, columns), 1 / len(places))
    return kernel


def _blend(
    image: np.ndarray, other: np.ndarray, inside: np.ndarray, blur_size: int, blur_sigma: float, smear: np.ndarray
) -> None:
    """Blends the part of `other` (S, S, 3) that is `inside` (S, S) into `image`, only in its bounding box."""
    left, top, width, height = cv2.boundingRect(inside.astype(np.uint8))
    kernel = smear_kernel(smear)
    margin = blur_size + len(kernel) // 2  # wide enough that reflection at the box's border does not matter
    box = (
        slice(max(0, top - margin), top + height + margin),
        slice(max(0, left - margin), left + width + margin),
    )
    weight = cv2.GaussianBlur(inside[box].astype(np.float32), (blur_size, blur_size), blur_sigma)
    part = other[box]
    if len(kernel) > 1:
        coloured = cv2.filter2D(part * weight[..., None], -1, kernel)
        weight = cv2.filter2D(weight, -1, kernel).clip(0, 1)
        part = (coloured / np.maximum(weight, 1e-3)[..., None]).clip(0, 255).astype(np.uint8)
    image[box] = cv2.blendLinear(part, image[box], weight, 1 - weight)
