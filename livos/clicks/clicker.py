"""The mask of one object of an image from clicks and a box; clicks can be added and taken back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

from livos.acceleration.accelerate import accelerate
from livos.checkpoints import load_weights
from livos.clicks.areas import MARGIN, Answer, Area, area_about
from livos.clicks.head import INSIDE, NO_CLICK, OUTSIDE, ClickHead, CropFeatures
from livos.files.bundled import bundled_dir
from livos.loading import load_model

Image = npt.NDArray[np.uint8]
Click = tuple[float, float, bool]
"""x and y in pixels from the upper left corner of the image, and whether the click is on the object."""

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""

_WEIGHTS = "livos-click.safetensors"
_KEPT_AREAS = 8


@dataclass(frozen=True)
class ClickNetwork:
    """livos-lite's image encoder and the click head that uses its features."""

    encoder: nn.Module
    normalize: nn.Module
    head: ClickHead


@lru_cache(maxsize=1)
def load_click_network() -> ClickNetwork:
    """The network that comes with LiVOS, in evaluation mode, on the CPU. It is loaded once.

    Raises:
        FileNotFoundError: If its weights are missing.
        ValueError: If they are damaged.
    """
    return network_with_head(bundled_dir() / "weights" / _WEIGHTS)


def network_with_head(weights: Path) -> ClickNetwork:
    """The network with the head from a weights file. Raises the same errors as `load_click_network`."""
    lite = accelerate(load_model("lite"), torch.device("cpu"), "float32")
    head = load_weights(ClickHead(lite.image_encoder.channels), weights).eval().requires_grad_(False)
    return ClickNetwork(lite.image_encoder, lite.normalize, head.to(memory_format=torch.channels_last))


class Clicker:
    """Turns clicks on one image into masks. The image's features are computed once and serve all clicks.

    Args:
        image: (H, W, 3) uint8, RGB.
        network: By default the one that comes with LiVOS.

    Raises:
        ValueError: If the image has another shape or type.
        FileNotFoundError: If the weights are missing.
    """

    def __init__(self, image: Image, network: ClickNetwork | None = None):
        image = np.asarray(image)
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape) < 1:
            raise ValueError(f"expected an image (H, W, 3) of uint8, found {image.shape} of {image.dtype}")
        self.image = image
        self.network = network or load_click_network()
        self._features: dict[Area, CropFeatures] = {}
        self._answers: dict[tuple[tuple[Click, ...], Box | None], Answer] = {}

    def probabilities(self, clicks: Sequence[Sequence[float]] = (), box: Sequence[float] | None = None) -> npt.NDArray:
        """How probable it is that each pixel belongs to the object.

        Args:
            clicks: In the order in which they were made: x, y, and 1 (or True) on the object or 0 (or False) off it. x
                and y are in pixels from the upper left corner; the centre of the first pixel is (0.5, 0.5).
            box: x0, y0, x1, y1 in pixels, around the object. Parts outside the image are ignored.

        Returns:
            (H, W) float32 in [0, 1].

        Raises:
            ValueError: If there is neither a click on the object nor a box, or if a click or the whole box is outside
                the image.
        """
        height, width = self.image.shape[:2]
        made, given = _checked_clicks(clicks, (height, width)), _checked_box(box, (height, width))
        if given is None and not any(inside for _, _, inside in made):
            raise ValueError("expected a click on the object or a box around it, found neither")
        return self._whole(self._answer(made, given))

    def mask(self, clicks: Sequence[Sequence[float]] = (), box: Sequence[float] | None = None) -> npt.NDArray[np.bool_]:
        """Where the object is: where the probability is above one half.

        Args:
            clicks: As for `probabilities`.
            box: As for `probabilities`.

        Returns:
            (H, W) bool.

        Raises:
            ValueError: As `probabilities` does.
        """
        return self.probabilities(clicks, box) > 0.5

    def _answer(self, clicks: tuple[Click, ...], box: Box | None) -> Answer:
        """The answer to these clicks. Each click builds on the answer to those before it; known answers are reused."""
        last = None
        for count in range(len(clicks) + 1):
            made = clicks[:count]
            if box is None and not any(inside for _, _, inside in made):
                continue
            if (made, box) not in self._answers:
                self._answers[made, box] = self._next(made, box, last)
            last = self._answers[made, box]
        assert last is not None
        return last

    def _next(self, clicks: tuple[Click, ...], box: Box | None, last: Answer | None) -> Answer:
        """The answer to clicks, given the answer to all but the last. The first one takes a second, closer look."""
        if last is None:
            start = (
                self._everything() if box is None else area_about(np.array([box[:2], box[2:]]), self.image.shape[:2])
            )
            last = self._asked(start, clicks, box, None)
        return self._asked(self._surroundings(last, clicks, box), clicks, box, last)

    @torch.inference_mode()
    def _asked(self, area: Area, clicks: tuple[Click, ...], box: Box | None, last: Answer | None) -> Answer:
        """The network's answer about an area, given the last answer."""
        width, height = area.size
        points = area.placed([(x, y) for x, y, _ in clicks])
        labels = [INSIDE if inside else OUTSIDE for _, _, inside in clicks]
        seen = [0 <= x <= width and 0 <= y <= height for x, y in points]
        rows = [(x, y, label if s else NO_CLICK) for (x, y), label, s in zip(points, labels, seen, strict=True)]
        corners = [math.nan] * 4 if box is None else [c for p in area.placed([box[:2], box[2:]]) for c in p]
        before = torch.zeros(1, 1, height // 2, width // 2) if last is None else last.seen_in(area)
        prompt = torch.tensor([rows or [(0.0, 0.0, NO_CLICK)]], dtype=torch.float32)
        logits = self.network.head(self._looked(area), prompt, torch.tensor([corners]), before)
        return Answer(area, logits)

    def _looked(self, area: Area) -> CropFeatures:
        """The features of an area. Those of the last few areas are kept."""
        if area not in self._features:
            part = self.image[area.top : area.bottom, area.left : area.right]
            shrinks = max(area.size) < max(part.shape[:2])
            seen = cv2.resize(part, area.size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
            image = torch.from_numpy(np.ascontiguousarray(seen.transpose(2, 0, 1))).float().div(255)[None]
            image = self.network.normalize(image.contiguous(memory_format=torch.channels_last))
            if len(self._features) >= _KEPT_AREAS:
                del self._features[next(kept for kept in self._features if kept != self._everything())]
            self._features[area] = self.network.head.look(image, self.network.encoder(image))
        return self._features[area]

    def _surroundings(self, answer: Answer, clicks: tuple[Click, ...], box: Box | None) -> Area:
        """Where to look next: around the last answer, the clicks on the object and the box, with a margin."""
        corners = [np.array([[x, y]]) for x, y, inside in clicks if inside]
        if box is not None:
            corners.append(np.array([box[:2], box[2:]]))
        if (extent := answer.extent()) is not None:
            corners.append(extent)
        elif box is None:
            return self._everything()
        points, kept, size = np.concatenate(corners), answer.area, self.image.shape[:2]
        wanted = area_about(points, size)
        fits = kept.contains(area_about(points, size, MARGIN / 2)) and kept.long_side <= 1.3 * wanted.long_side
        return kept if fits else wanted

    def _everything(self) -> Area:
        return Area(0, 0, self.image.shape[1], self.image.shape[0])

    def _whole(self, answer: Answer) -> npt.NDArray[np.float32]:
        """Probabilities (H, W) of the whole image."""
        area = answer.area
        shape = (area.bottom - area.top, area.right - area.left)
        logits = F.interpolate(answer.logits, shape, mode="bilinear", align_corners=False)
        result = np.zeros(self.image.shape[:2], np.float32)
        result[area.top : area.bottom, area.left : area.right] = logits.sigmoid()[0, 0].numpy()
        return result


def click(image: Image, clicks: Sequence[Sequence[float]] = (), box: Sequence[float] | None = None) -> npt.NDArray:
    """The mask of the object that clicks or a box mark on an image.

    To add clicks or take them back, keep a `Clicker`, which processes the image only once.

    Args:
        image: (H, W, 3) uint8, RGB.
        clicks: In the order in which they were made: x, y, and 1 (or True) on the object or 0 (or False) off it. x and
            y are in pixels from the upper left corner; the centre of the first pixel is (0.5, 0.5).
        box: x0, y0, x1, y1 in pixels, around the object.

    Returns:
        (H, W) bool.

    Raises:
        ValueError: If there is neither a click on the object nor a box, if a click or the whole box is outside the
            image, or if the image has another shape or type.
        FileNotFoundError: If the weights are missing.
    """
    return Clicker(image).mask(clicks, box)


def _checked_clicks(clicks: Sequence[Sequence[float]], size: tuple[int, int]) -> tuple[Click, ...]:
    made = []
    for number, each in enumerate(clicks, start=1):
        if len(each) != 3 or each[2] not in (0, 1):
            raise ValueError(f"click {number}: expected x, y, and 1 for the object or 0 for the rest, found {each!r}")
        x, y = float(each[0]), float(each[1])
        if not (0 <= x <= size[1] and 0 <= y <= size[0]):
            raise ValueError(f"click {number} at ({x:g}, {y:g}) is outside the image, {size[1]} x {size[0]} pixels")
        made.append((x, y, bool(each[2])))
    return tuple(made)


def _checked_box(box: Sequence[float] | None, size: tuple[int, int]) -> Box | None:
    if box is None:
        return None
    if len(box) != 4 or not all(math.isfinite(c) for c in box):
        raise ValueError(f"box: expected x0, y0, x1, y1 in pixels, found {box!r}")
    x0, x1 = (float(np.clip(x, 0, size[1])) for x in (min(box[0], box[2]), max(box[0], box[2])))
    y0, y1 = (float(np.clip(y, 0, size[0])) for y in (min(box[1], box[3]), max(box[1], box[3])))
    if x1 - x0 < 1 or y1 - y0 < 1:
        raise ValueError(f"box {tuple(box)} covers no pixel of the image, {size[1]} x {size[0]} pixels")
    return x0, y0, x1, y1
