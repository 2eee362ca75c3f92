"""The network as three functions over plain tensors, which exporters and other engines can use.

`encode` sees no masks, `segment` finds the objects of a state on a frame, and `remember` writes a frame with its masks
into the state. Everything between them, such as given masks and new objects, needs no network, so these three are
enough for every frame of a video, including the first one and corrections. A whole step as one graph would be needed
in several variants, and torch.export does not finish on it with a dynamic size and number of objects.

One video at a time: B = 1. Letters: see livos/model/layers.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from livos.model.config import ModelConfig
from livos.model.image_encoder import ImageFeatures
from livos.model.network import LiVOS
from livos.model.state_tensors import STATE_TENSORS, tensors_of, video_of

FEATURES = ("normalised_image", "pixel_feature", "key", "gate", "skip8", "skip4")
"""What `encode` returns, in the order of the fields of ImageFeatures."""

Axis = int | str
"""A fixed length, or a letter for a variable one, perhaps with a factor: N objects, h and w cells, `16h` pixels."""


@dataclass(frozen=True)
class Graph:
    """One of the three functions: what goes in and what comes out, by name and in order."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    build: Callable[[LiVOS], nn.Module]


def tensor_axes(config: ModelConfig) -> dict[str, tuple[Axis, ...]]:
    """The shape of every tensor that goes into a graph or comes out of one."""
    key, value, queries = config.key_dim, config.value_dim, config.num_queries
    d16, d8, _ = config.decoder_dims
    return {
        "image": (1, 3, "16h", "16w"),
        "normalised_image": (1, 3, "16h", "16w"),
        "pixel_feature": (1, value, "h", "w"),
        "key": (1, key, "h", "w"),
        "gate": (1, value),
        "skip8": (1, d16, "2h", "2w"),
        "skip4": (1, d8, "4h", "4w"),
        "present": (1, "N"),
        "masks": (1, "N", "16h", "16w"),
        "probabilities": (1, "1+N", "16h", "16w"),
        "state": (1, "N", key, value),
        "mean_keys": (1, "N", key, "h", "w"),
        "num_frames": (1, "N"),
        "spans": (1, "N", value),
        "mean_summary": (1, "N", queries, value + 1),
        "sensory": (1, "N", value, "h", "w"),
        "last_masks": (1, "N", "h", "w"),
    }


class Encode(nn.Module):
    """image -> features."""

    def __init__(self, network: LiVOS):
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(vars(self.network.encode(image)).values())


class Segment(nn.Module):
    """Features, which slots hold an object, and a state -> probabilities, and the updated sensory memory."""

    def __init__(self, network: LiVOS):
        super().__init__()
        self.network = network

    def forward(
        self, pixel_feature: Tensor, key: Tensor, skip8: Tensor, skip4: Tensor, present: Tensor, *state: Tensor
    ) -> tuple[Tensor, Tensor]:
        nothing = key.new_zeros(0)  # for features that segmenting a frame does not use
        features = ImageFeatures(nothing, pixel_feature, key, nothing, skip8, skip4)
        video = video_of(dict(zip(STATE_TENSORS, state, strict=True)))
        prediction, video = self.network.segment(features, video, selector=present > 0.5)
        return prediction.logits.softmax(dim=1), video.sensory


class Remember(nn.Module):
    """Features, masks and the state after `segment` -> the state for the next frame."""

    def __init__(self, network: LiVOS):
        super().__init__()
        self.network = network

    def forward(
        self, normalised_image: Tensor, pixel_feature: Tensor, key: Tensor, gate: Tensor, masks: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        nothing = key.new_zeros(0)
        features = ImageFeatures(normalised_image, pixel_feature, key, gate, nothing, nothing)
        video = video_of(dict(zip(STATE_TENSORS, (*state, nothing), strict=True)))  # the last masks are only replaced
        return tuple(tensors_of(self.network.remember(features, masks, video)).values())


GRAPHS = (
    Graph("encode", ("image",), FEATURES, Encode),
    Graph(
        "segment",
        ("pixel_feature", "key", "skip8", "skip4", "present", *STATE_TENSORS),
        ("probabilities", "new_sensory"),
        Segment,
    ),
    Graph(
        "remember",
        ("normalised_image", "pixel_feature", "key", "gate", "masks", *STATE_TENSORS[:-1]),
        tuple(f"new_{name}" for name in STATE_TENSORS),
        Remember,
    ),
)


def length(axis: Axis, num_objects: int, cells: tuple[int, int]) -> int:
    """The length of an axis for this number of objects and cells."""
    if isinstance(axis, int):
        return axis
    if axis in ("N", "1+N"):
        return num_objects + (axis == "1+N")
    return int(axis[:-1] or 1) * cells["hw".index(axis[-1])]


def example_inputs(graph: Graph, config: ModelConfig, num_objects: int, cells: tuple[int, int]) -> tuple[Tensor, ...]:
    """Tensors of the right shapes for tracing a graph."""
    axes = tensor_axes(config)
    return tuple(torch.rand([length(axis, num_objects, cells) for axis in axes[name]]) for name in graph.inputs)
