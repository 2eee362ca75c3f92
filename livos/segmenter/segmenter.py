"""Frames in, masks out. Objects can be added, removed and corrected; the memory stays the same size."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from livos.acceleration.accelerate import accelerate
from livos.devices import choose_device, float32_products
from livos.engines.choice import choose_engine, network_on, obstacle
from livos.engines.network import GraphNetwork
from livos.loading import load_model
from livos.model.image_encoder import ImageFeatures
from livos.model.masks import Padding, aggregate_masks, pad, padding_of, unpad
from livos.model.network import LiVOS
from livos.segmenter.confidence import confidence_model_of, given_anew, new_history, observe
from livos.segmenter.frame_input import Image, inner_size, to_tensor
from livos.segmenter.object_ids import GivenMasks, insert
from livos.segmenter.state import SegmenterState, origin_of, refuse_foreign_state

NO_LIMIT = -1
"""As a size: the size of the frames. As chunk_size: all objects at once."""

PRECISIONS = {"float32": None, "tf32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


def none_if_no_limit(value: int | None) -> int | None:
    """The number, or None for -1, which users type for "no limit"."""
    return None if value == NO_LIMIT else value


@dataclass(frozen=True)
class SegmentationResult:
    """The masks of one frame.

    Attributes:
        probabilities: (1 + N, H, W) float32 on the network's device, background first; sums to 1 at each pixel. It
            cannot be changed in place outside torch.inference_mode(): `clone()` it first.
        object_ids: The ids of the N objects, in the order of the channels.
        expected_overlap: (N,) float32 on the network's device: the values of `confidence`, in the same order.
    """

    probabilities: Tensor
    object_ids: list[int]
    expected_overlap: Tensor | None = None

    @cached_property
    def confidence(self) -> dict[int, float]:
        """For each object id, the expected J (overlap) of its mask, in [0, 1]; 1 if the mask was given."""
        values = [] if self.expected_overlap is None else self.expected_overlap.tolist()
        return dict(zip(self.object_ids, values, strict=True))

    @cached_property
    def labels(self) -> np.ndarray:
        """The id of the most likely object at each pixel, (H, W) int32, 0 for background."""
        ids = np.array([0, *self.object_ids], dtype=np.int32)
        return ids[self.probabilities.max(dim=0).indices.cpu().numpy()]  # argmax took ten times as long on CPUs


@dataclass(frozen=True)
class EncodedFrame:
    """A frame that has been encoded in advance (`VideoSegmenter.encode`)."""

    features: ImageFeatures
    size: tuple[int, int]  # (H, W) of the frame as it came
    inner_size: tuple[int, int]  # at which the network works
    padding: Padding


class VideoSegmenter:
    """Segments videos one frame at a time, in memory that does not grow with their length.

    Args:
        network: What `load_model` returns, or a name or path that it takes.
        device: `auto` (cuda, then mps, then cpu), or a torch device.
        precision: `float32`, `tf32` (recent NVIDIA GPUs multiply float32 numbers in TF32; elsewhere it is the same as
            float32), `bfloat16` or `float16`. The memory always stays float32.
        size: Short side, in pixels, at which the network works. Results always have the size of the frames. By
            default the size that suits the weights, or that of the frames if the weights do not say; -1 always means
            that of the frames.
        chunk_size: How many objects are processed at a time, to limit memory. By default, or with -1, all of them.
        flip: Average with the prediction for the mirrored frame.
        compile: Build the parts of the network with torch.compile. The first frames then take minutes.
        internal_size: The earlier name of `size`.
        engine: What runs the network: torch, or on the CPU onnxruntime or openvino (each needs the extra of its
            name), or auto for the fastest installed one, by the table in docs/performance.md. The first use of an
            engine other than torch exports the network, which takes about a minute. States are the same.

    Raises:
        ValueError: If a setting makes no sense, or the device is not available.
        ImportError: If the engine is not installed.
        FileNotFoundError: If the weights of this name are not on this machine.
    """

    def __init__(
        self,
        network: LiVOS | str | PathLike[str] = "lite",
        device: str | torch.device = "auto",
        precision: str = "float32",
        size: int | None = None,
        chunk_size: int | None = None,
        flip: bool = False,
        compile: bool = False,
        internal_size: int | None = None,
        engine: str = "torch",
    ):
        if precision not in PRECISIONS:
            raise ValueError(f"precision={precision!r}: expected one of {', '.join(PRECISIONS)}")
        size = internal_size if size is None else size
        for name, value in (("size", size), ("chunk_size", chunk_size)):
            if value is not None and value < 1 and value != NO_LIMIT:
                raise ValueError(f"{name}={value}: expected a positive number, or -1 for no limit")
        self.device = choose_device(device)
        if not isinstance(network, LiVOS):
            network = load_model(network)
        self.size = none_if_no_limit(network.short_side if size is None else size)
        self.chunk_size = none_if_no_limit(chunk_size)
        self._origin = origin_of(network, self.size, flip)
        self.confidence_model: Callable[[Tensor], Tensor] = confidence_model_of(network.notes)
        self.engine = choose_engine(engine, network, self.device, precision, self.chunk_size, compile)
        self.network: LiVOS | GraphNetwork
        if self.engine == "torch":
            self.network = accelerate(network, self.device, precision, compile)
        else:
            self.network = network_on(self.engine, network, self._origin["network"], precision)
        self.precision, self.flip = precision, flip
        self._state = SegmenterState(origin=self._origin)

    @property
    def object_ids(self) -> list[int]:
        """The ids of the objects that are being tracked, in the order of the channels."""
        return list(self._state.object_ids)

    @property
    def computes_chunks(self) -> bool:
        """Whether the engine can compute some objects at a time, as `chunk_size` asks for."""
        return obstacle(self.engine, self.device, self.precision, chunk_size=1) is None

    @torch.inference_mode()
    def step(
        self,
        image: Image | EncodedFrame,
        labels: Image | None = None,
        last: bool = False,
        absent: Sequence[int] = (),
    ) -> SegmentationResult:
        """Segments the next frame.

        Args:
            image: (H, W, 3) uint8 RGB array, (3, H, W) float tensor in [0, 1], PIL image, or what `encode` returned.
            labels: The masks given for this frame, if any: (H, W) integer ids, or boolean for object 1, as an array,
                tensor or PIL image. A new id adds an object. A known id corrects its object: the given mask becomes
                the result and is remembered. Pixels that are 0 keep the prediction.
            last: Do not remember this frame, which saves time on the last one of a video.
            absent: Objects that are certainly not on this frame. Their empty masks are remembered. Objects
                that are not being followed are left out.

        Returns:
            The masks of all objects on this frame, at the frame's size.

        Raises:
            ValueError: If the shape, type or size of the image or the labels differs from the first frame's, or if the
                labels show an object that is absent. The segmenter is then unchanged.
        """
        frame = image if isinstance(image, EncodedFrame) else self.encode([image])[0]
        if self._state.size not in (None, frame.size):
            raise ValueError(
                f"frame of size {frame.size} in a video of {self._state.size}: call reset() before another video"
            )
        gone = [i for i in absent if i in self._state.object_ids]
        given = GivenMasks.read(labels, frame.size, self.device, gone) if labels is not None or gone else None
        state = replace(self._state, size=frame.size)
        with self._arithmetic():
            inner, outer, state = self._predict(frame, state)
            expected, state = self._judge(inner, state)
            if given is not None and given.ids:
                inner, outer, state = self._take(given, frame, inner, outer, state)
                slots = [state.object_ids.index(i) for i in given.ids]
                expected = given_anew(expected, slots, torch.ones(len(state.object_ids), device=self.device))
            if state.video is not None and not last:
                state = self._remember(frame, inner, state)
        self._state = state  # only now, so that an error leaves the segmenter as it was
        return SegmentationResult(outer, list(state.object_ids), expected)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image]) -> list[EncodedFrame]:
        """Computes what `step` needs from the images alone, for several frames at once.

        This does not use masks, so frames can be encoded before their steps.

        Args:
            images: Frames of one size, in any form that `step` accepts.

        Returns:
            One value for each frame, which `step` takes in place of the image.

        Raises:
            ValueError: If the frames have different sizes, or a shape or type that `step` does not accept.
        """
        tensors = [to_tensor(image, self.device) for image in images]
        sizes = {(t.shape[-2], t.shape[-1]) for t in tensors}
        if len(sizes) > 1:
            raise ValueError(f"frames of different sizes {sorted(sizes)} cannot be encoded together")
        (size,) = sizes
        worked_at = inner_size(size, self.size)
        batch = torch.stack(tensors)
        if worked_at != size:
            batch = F.interpolate(batch, worked_at, mode="bilinear", antialias=True, align_corners=False)
        padding = padding_of(*worked_at)
        batch = pad(batch, padding)
        views = 1
        if self.flip:
            batch, views = torch.stack([batch, batch.flip(-1)], dim=1).flatten(0, 1), 2
        with self._arithmetic():
            features = self.network.encode(batch)
        return [
            EncodedFrame(features[i * views : (i + 1) * views], size, worked_at, padding) for i in range(len(tensors))
        ]

    def remove(self, ids: Sequence[int]) -> None:
        """Stops tracking objects, and forgets them.

        Args:
            ids: The objects. The others keep their order.

        Raises:
            ValueError: If one of them is not being tracked.
        """
        unknown = [i for i in ids if i not in self._state.object_ids]
        if unknown:
            raise ValueError(f"there are no objects {unknown} to remove: the tracked ones are {self.object_ids}")
        slots = [slot for slot, i in enumerate(self._state.object_ids) if i not in ids]
        if not slots:
            self._state = SegmenterState(size=self._state.size, origin=self._origin)
            return
        video = self._state.video
        assert video is not None
        self._state = replace(
            self._state,
            video=video.select(slots),
            object_ids=tuple(self._state.object_ids[slot] for slot in slots),
            history=None if self._state.history is None else self._state.history[slots],
        )

    def reset(self) -> None:
        """Forgets everything. The next frame begins another video."""
        self._state = SegmenterState(origin=self._origin)

    def state(self) -> SegmenterState:
        """Returns what is remembered now. The value does not change when the segmenter processes more frames.

        Returns:
            A state that can be kept, saved and passed to `restore`.
        """
        return self._state

    def restore(self, state: SegmenterState) -> None:
        """Continues from a state of this or another segmenter with the same weights and settings.

        Args:
            state: What `state` returned, or `SegmenterState.load` read.

        Raises:
            ValueError: If the state was made by another network, or with another size or flip.
        """
        refuse_foreign_state(state, self._origin)
        video = None if state.video is None else state.video.to(self.device)
        history = None if state.history is None else state.history.to(self.device)
        self._state = replace(state, video=video, history=history, origin=self._origin)

    def made_with(self) -> dict[str, Any]:
        """Returns the settings that the results depend on, besides the video and its given masks.

        Returns:
            A checksum of the weights, `size`, `flip` and `precision`, by name.
        """
        return {**self._origin, "precision": self.precision}

    def with_limits(self, size: int | None, chunk_size: int | None) -> "VideoSegmenter":
        """Makes a segmenter with the same network that works at another size or on fewer objects at a time.

        Args:
            size: Short side in pixels at which the network works; None means that of the frames.
            chunk_size: How many objects are processed at a time; None means all of them.

        Returns:
            The new segmenter, which remembers nothing yet.

        Raises:
            ValueError: If the engine does not compute objects in chunks.
        """
        reason = obstacle(self.engine, self.device, self.precision, chunk_size)
        if reason:
            raise ValueError(f"engine={self.engine} {reason}")
        other = copy.copy(self)
        other.size, other.chunk_size = size, chunk_size
        other._origin = {**self._origin, "size": size}
        other.reset()
        return other

    def _predict(self, frame: EncodedFrame, state: SegmenterState) -> tuple[Tensor, Tensor, SegmenterState]:
        """Probabilities at the network's size, padded, (1 + N, H', W'), and at the frame's, (1 + N, H, W)."""
        if state.video is None:
            inner = torch.ones(1, *frame.features.image.shape[-2:], device=self.device)
            return inner, torch.ones(1, *frame.size, device=self.device), state
        prediction, video = self.network.segment(frame.features, state.video, chunk_size=self.chunk_size)
        views = prediction.probabilities
        inner = (views[0] + views[1].flip(-1)) / 2 if self.flip else views[0]
        return inner, self._to_outer(inner, frame), replace(state, video=video)

    def _judge(self, inner: Tensor, state: SegmenterState) -> tuple[Tensor, SegmenterState]:
        """The expected J of each object (N,), before given masks, and the state with what the next frame needs."""
        if state.video is None:
            return torch.ones(0, device=self.device), state
        history = new_history(len(state.object_ids), self.device) if state.history is None else state.history
        features, history = observe(inner, state.video.last_masks[0], history)
        return self.confidence_model(features), replace(state, history=history)

    def _take(
        self, given: GivenMasks, frame: EncodedFrame, inner: Tensor, outer: Tensor, state: SegmenterState
    ) -> tuple[Tensor, Tensor, SegmenterState]:
        """Puts given masks into the probabilities, at the network's size and, pixel for pixel, at the frame's."""
        new = [i for i in given.ids if i not in state.object_ids]
        ids = state.object_ids + tuple(new)
        inner_masks = pad(given.channels(list(given.ids), frame.inner_size), frame.padding)
        outer_masks = given.channels(list(given.ids), frame.size)
        if state.video is None:
            video = self.network.begin(frame.features, len(new))
            inner, outer = (aggregate_masks(masks[None])[0] for masks in (inner_masks, outer_masks))
        else:
            video = state.video.with_new_objects(len(new))
            slots = [ids.index(i) for i in given.ids]
            inner, outer = insert(inner, inner_masks, slots), insert(outer, outer_masks, slots)
        fresh = new_history(len(ids), self.device)
        history = (
            fresh if state.history is None else given_anew(state.history, [ids.index(i) for i in given.ids], fresh)
        )
        return inner, outer, replace(state, video=video, object_ids=ids, history=history)

    def _remember(self, frame: EncodedFrame, inner: Tensor, state: SegmenterState) -> SegmenterState:
        assert state.video is not None
        masks = inner[None, 1:]
        if self.flip:
            masks = torch.cat([masks, masks.flip(-1)])
        video = self.network.remember(frame.features, masks, state.video, chunk_size=self.chunk_size)
        return replace(state, video=video)

    def _to_outer(self, inner: Tensor, frame: EncodedFrame) -> Tensor:
        """From the network's size to the frame's."""
        outer = unpad(inner, frame.padding)
        if frame.inner_size != frame.size:
            outer = F.interpolate(outer[None], frame.size, mode="bilinear", align_corners=False)[0]
        return outer

    @contextmanager
    def _arithmetic(self) -> Iterator[None]:
        """Inside, the network computes with the requested precision."""
        dtype = PRECISIONS[self.precision]
        with (
            float32_products(tf32=self.precision == "tf32"),
            torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None),
        ):
            yield
