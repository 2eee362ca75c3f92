"""Comparing exported graphs with PyTorch on frames of the demo clip."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from livos.engines.network import GraphNetwork
from livos.engines.onnxruntime_engine import OnnxRuntimeRunner
from livos.files.bundled import bundled_dir
from livos.files.images import read_image
from livos.masks.label_maps import read_labels
from livos.model.masks import STRIDE, aggregate_masks
from livos.model.network import LiVOS
from livos.segmenter.object_ids import insert

_DEMO = bundled_dir() / "examples" / "demo"
_EVERY = 5  # every fifth frame of the demo is compared, so that objects move and the third one appears
_OPEN_SIZE = (240, 432)  # used to compare graphs for every size


@torch.inference_mode()
def largest_difference(
    network: LiVOS, folder: Path, size: tuple[int, int] | None, num_objects: int | None, num_frames: int
) -> float:
    """The largest difference between the probabilities from PyTorch and from ONNX Runtime.

    Objects are added on the first frame and later, and one is corrected. Both remember PyTorch's masks, but each keeps
    its own state.

    Args:
        size: (H, W) in pixels, multiples of 16, for graphs of one size; None: for every size.
        num_objects: The number of objects of the graphs; None: any.
        num_frames: How many frames are compared.

    Raises:
        ImportError: If onnxruntime is not installed.
    """
    runner = GraphNetwork(OnnxRuntimeRunner(folder), network.config, num_objects)
    networks: tuple[Any, ...] = (network, runner)
    states: list = [None, None]
    largest, probabilities = 0.0, torch.empty(0)
    frames = demo_frames(size or _OPEN_SIZE, min(num_objects or 3, 3), num_frames)
    for image, masks, slots in frames:
        features = [side.encode(image) for side in networks]
        if states[0] is not None:
            results = [side.segment(f, s) for side, f, s in zip(networks, features, states, strict=True)]
            states = [state for _, state in results]
            ours, theirs = (prediction.probabilities[0] for prediction, _ in results)
            largest = max(largest, (ours - theirs).abs().max().item())
            probabilities = ours
        if slots:
            probabilities, states = _with_given(networks, features, states, probabilities, masks, slots)
        remembered = probabilities[None, 1:]
        states = [side.remember(f, remembered, s) for side, f, s in zip(networks, features, states, strict=True)]
    return largest


def _with_given(
    networks: tuple, features: list, states: list, probabilities: Tensor, masks: Tensor, slots: list[int]
) -> tuple[Tensor, list]:
    if states[0] is None:
        states = [side.begin(f, len(slots)) for side, f in zip(networks, features, strict=True)]
        return aggregate_masks(masks[None])[0], states
    new = sum(slot >= states[0].num_objects for slot in slots)
    return insert(probabilities, masks, slots), [state.with_new_objects(new) for state in states]


def demo_frames(size: tuple[int, int], num_objects: int, num_frames: int) -> Iterator[tuple[Tensor, Tensor, list[int]]]:
    """Frames (1, 3, H, W), each with its given masks (M, H, W) and the slots of their objects."""
    clip = _clip_frames()
    seen: list[int] = []
    for _, (pixels, labels) in zip(range(num_frames), clip, strict=False):
        image = F.interpolate(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255, size, mode="bilinear")
        given = [int(i) for i in np.unique(labels) if i and (int(i) in seen or len(seen) < num_objects)]
        seen += [i for i in given if i not in seen][: num_objects - len(seen)]
        given = [i for i in given if i in seen]
        whole = torch.from_numpy(np.stack([labels == i for i in given]).astype(np.float32)) if given else None
        masks = torch.zeros(0, *size) if whole is None else F.interpolate(whole[None], size, mode="nearest")[0]
        yield image, masks, [seen.index(i) for i in given]


def _clip_frames() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for number, path in enumerate(sorted(_DEMO.glob("JPEGImages/*/*.jpg"))):
        given = _DEMO / "GivenMasks" / path.parent.name / f"{path.stem}.png"
        if number % _EVERY == 0 or given.is_file():
            pixels = read_image(path)
            labels = read_labels(given).labels if given.is_file() else np.zeros(pixels.shape[:2], np.uint8)
            yield pixels, labels


def padded_size(height: int, width: int) -> tuple[int, int]:
    """The size, in multiples of 16, to which an image is padded."""
    return height + -height % STRIDE, width + -width % STRIDE
