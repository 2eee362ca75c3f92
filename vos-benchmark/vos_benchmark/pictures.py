"""The worst frames as pictures: truth, prediction and errors, over the video frame if there is one."""

import base64
import io
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .masks import DECODING_ERRORS, read_labels, read_mask
from .protocols import without_void
from .results import ObjectResult, Result

MOST = 12
_APART = 5  # frames between two pictures of the same object
_WIDTH = 420  # pixels
_BACKDROP = np.array([26, 30, 36], np.uint8)
_OTHERS = np.array([70, 78, 88])
COLOURS = {"mask": (52, 199, 123), "agreed": (176, 186, 197), "missed": (64, 156, 255), "false": (255, 82, 70)}


@dataclass(frozen=True)
class WorstFrame:
    """A frame on which an object scores badly; pictures as `data:` addresses.

    Attributes:
        item, index: the object and which of its frames.
        over_image: whether the video frame was found to draw on.
        image_fault: why an existing video frame could not be read.
        truth, prediction, errors: the same part of the frame three times.
    """

    item: ObjectResult
    index: int
    over_image: bool
    image_fault: str
    truth: str
    prediction: str
    errors: str

    @property
    def frame(self) -> str:
        return self.item.frames[self.index]


def worst_frames(result: Result, images_dir: str | Path | None) -> list[WorstFrame]:
    """Pictures of the frames with the lowest J&F, preferring many objects over many frames of one."""
    return [_picture(result, item, index, images_dir) for item, index in _choose(result)]


def _choose(result: Result) -> list[tuple[ObjectResult, int]]:
    objects = result.objects
    most_of_one = -(-MOST // len(objects))
    ranked = sorted(
        (item.J_per_frame[index] + item.F_per_frame[index], number, index)
        for number, item in enumerate(objects)
        for index in range(len(item.frames))
    )
    chosen: list[tuple[int, int]] = []
    taken: Counter[int] = Counter()
    for score, number, index in ranked:
        if len(chosen) == MOST or score == 2:
            break
        near = any(number == other and abs(index - there) < _APART for other, there in chosen)
        if taken[number] < most_of_one and not near:
            chosen.append((number, index))
            taken[number] += 1
    return [(objects[number], index) for number, index in chosen]


def _picture(result: Result, item: ObjectResult, index: int, images_dir: str | Path | None) -> WorstFrame:
    frame = item.frames[index]
    truth, prediction = _labels(result, item.video, frame)
    region = _region(truth == item.id, prediction == item.id)
    true, predicted = truth[region] == item.id, prediction[region] == item.id
    photograph, fault = None, ""
    if images_dir is not None:
        max_pixels = result.settings["max_pixels"]
        photograph, fault = find_image(images_dir, item.video, frame, truth.shape, max_pixels)
    below = np.broadcast_to(_BACKDROP, (*truth.shape, 3)) if photograph is None else photograph
    below = below[region]

    def show(*layers: tuple[np.ndarray, str], others: np.ndarray | None = None) -> str:
        picture = below.astype(np.float64)
        if others is not None and photograph is None:
            picture[others] = _OTHERS
        for mask, name in layers:
            opacity = 0.95 if photograph is None else 0.6
            picture[mask] = (1 - opacity) * picture[mask] + opacity * np.array(COLOURS[name])
        return _data_address(picture.astype(np.uint8), lossless=photograph is None)

    return WorstFrame(
        item=item,
        index=index,
        over_image=photograph is not None,
        image_fault=fault,
        truth=show((true, "mask"), others=truth[region] > 0),
        prediction=show((predicted, "mask"), others=prediction[region] > 0),
        errors=show((true & predicted, "agreed"), (true & ~predicted, "missed"), (predicted & ~true, "false")),
    )


def _labels(result: Result, video: str, frame: str) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted ids (H, W) as they were scored."""
    truth_path, path = (Path(result.settings[side]) / video / f"{frame}.png" for side in ("truth", "prediction"))
    true_mask = read_mask(truth_path, max_pixels=result.settings["max_pixels"])
    truth, prediction = true_mask.labels, np.zeros_like(true_mask.labels)
    if path.exists():
        prediction = read_labels(path, true_mask.palette, result.settings["max_pixels"])
    return without_void(truth, prediction, result.settings["void"])


def _region(true: np.ndarray, predicted: np.ndarray) -> tuple[slice, slice]:
    """A part of the frame around both masks, with its proportions and at least two fifths as wide."""
    height, width = true.shape
    rows, columns = np.nonzero(true | predicted)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    share = min(max(1.4 * (bottom - top) / height, 1.4 * (right - left) / width, 0.4), 1.0)
    size = round(share * height), round(share * width)
    starts = (
        int(np.clip((low + high - length) // 2, 0, full - length))
        for low, high, length, full in ((top, bottom, size[0], height), (left, right, size[1], width))
    )
    down, across = (slice(start, start + length) for start, length in zip(starts, size, strict=True))
    return down, across


def find_image(
    images_dir: str | Path, video: str, frame: str, size: tuple[int, int], max_pixels: int
) -> tuple[np.ndarray | None, str]:
    """The video frame (H, W, 3), scaled to the size (H, W) of its mask, and why it cannot be read.

    None if there is none that can be read.
    """
    for suffix in (".jpg", ".jpeg", ".png"):
        path = Path(images_dir) / video / f"{frame}{suffix}"
        if path.is_file():
            try:
                return _read_image(path, size, max_pixels), ""
            except DECODING_ERRORS as error:
                return None, f"{path}: {error}"
    return None, ""


def _read_image(path: Path, size: tuple[int, int], max_pixels: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit is ours
        with Image.open(path, formats=("JPEG", "PNG")) as image:  # others may start programs
            if image.width * image.height > max_pixels:
                raise ValueError(f"claims {image.width} x {image.height} pixels, more than --max-pixels {max_pixels}")
            return np.asarray(image.convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR))


def _data_address(picture: np.ndarray, lossless: bool) -> str:
    image = Image.fromarray(picture)
    height = round(_WIDTH * image.height / image.width)
    enlarging = image.width < _WIDTH
    image = image.resize((_WIDTH, height), Image.Resampling.NEAREST if enlarging else Image.Resampling.LANCZOS)
    data = io.BytesIO()
    if lossless:
        image.quantize(64).save(data, "png", optimize=True)
    else:
        image.save(data, "jpeg", quality=82)
    return f"data:image/{'png' if lossless else 'jpeg'};base64,{base64.b64encode(data.getvalue()).decode()}"
