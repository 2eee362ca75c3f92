"""The exported graphs, behind the methods that VideoSegmenter calls, whichever engine runs them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from livos.engines.graphs import FEATURES, GRAPHS
from livos.model.config import ModelConfig
from livos.model.image_encoder import ImageFeatures
from livos.model.memory import append_zeros
from livos.model.network import VideoState, empty_state
from livos.model.state_tensors import tensors_of, video_of

Arrays = Sequence[np.ndarray]


class Runner(ABC):
    """An engine that has loaded the three graphs."""

    @abstractmethod
    def run(self, graph: str, inputs: Arrays) -> list[np.ndarray]:
        """Runs `encode`, `segment` or `remember` on inputs in the graph's order. Results are new arrays."""


@dataclass(frozen=True)
class Segmented:
    """What GraphNetwork.segment says about one frame: the part of Prediction that inference needs."""

    probabilities: Tensor  # (B, 1 + N, H, W), background first


class GraphNetwork:
    """Computes the same as LiVOS, on the CPU, for inference. Several views (B > 1) run one after the other."""

    def __init__(self, runner: Runner, config: ModelConfig, num_slots: int | None = None):
        """num_slots: the number of objects the graphs were exported for; unused slots stay empty. None: any number."""
        self.runner, self.config, self.num_slots = runner, config, num_slots

    def begin(self, features: ImageFeatures, num_objects: int) -> VideoState:
        return empty_state(self.config, features, num_objects)

    def encode(self, images: Tensor) -> ImageFeatures:
        return ImageFeatures(*self._run("encode", {"image": images}))

    def segment(
        self, features: ImageFeatures, state: VideoState, selector: None = None, chunk_size: int | None = None
    ) -> tuple[Segmented, VideoState]:
        num_objects, empty = state.num_objects, self._num_empty(state)
        present = append_zeros(torch.ones(state.sensory.shape[:2]), empty)
        known = {**_named(features), **tensors_of(state.with_new_objects(empty)), "present": present}
        probabilities, sensory = self._run("segment", known)
        return Segmented(probabilities[:, : 1 + num_objects]), replace(state, sensory=sensory[:, :num_objects])

    def remember(
        self, features: ImageFeatures, masks: Tensor, state: VideoState, chunk_size: int | None = None
    ) -> VideoState:
        num_objects, empty = state.num_objects, self._num_empty(state)
        full = tensors_of(state.with_new_objects(empty))
        written = self._run("remember", {**_named(features), **full, "masks": append_zeros(masks, empty)})
        return video_of({name: x[:, :num_objects] for name, x in zip(full, written, strict=True)})

    def _num_empty(self, state: VideoState) -> int:
        if self.num_slots is None:
            return 0
        if state.num_objects > self.num_slots:
            raise ValueError(f"{state.num_objects} objects, but the graphs were exported for {self.num_slots}")
        return self.num_slots - state.num_objects

    def _run(self, graph: str, known: dict[str, Tensor]) -> list[Tensor]:
        inputs = [known[name] for name in _INPUTS[graph]]
        views = [
            self.runner.run(graph, [np.ascontiguousarray(x[i : i + 1].numpy()) for x in inputs])
            for i in range(inputs[0].shape[0])
        ]
        if len(views) == 1:
            return [torch.from_numpy(x) for x in views[0]]
        return [torch.from_numpy(np.concatenate(same)) for same in zip(*views, strict=True)]


_INPUTS = {graph.name: graph.inputs for graph in GRAPHS}


def _named(features: ImageFeatures) -> dict[str, Tensor]:
    """Features by the names used in graphs, where `image` means the image before normalisation."""
    return dict(zip(FEATURES, vars(features).values(), strict=True))
