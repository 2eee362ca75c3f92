"""The whole network: encode a frame, segment it using the memory, remember it. Start reading here.

A video is a chain of states: `segment` reads a state, `remember` returns the next one. Training runs the chain over a
clip (`forward`), inference over a stream (livos/segmenter/segmenter.py); both call the same methods.
Shapes: see livos/model/layers.py. Source: LiVOS (Liu et al., CVPR 2025).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from livos.model.auxiliary import AuxComputer
from livos.model.backbones import build_backbone
from livos.model.config import ModelConfig
from livos.model.image_encoder import GateProjector, ImageFeatures, KeyProjector, Normalize, PixelProjector
from livos.model.layers import in_object_chunks
from livos.model.mask_decoder import MaskDecoder
from livos.model.mask_encoder import MaskEncoder
from livos.model.masks import aggregate, others, to_cells
from livos.model.memory import LinearMemory, append_zeros, mean_with
from livos.model.object_summary import ObjectSummarizer
from livos.model.object_transformer import ObjectTransformer
from livos.model.pixel_fuser import PixelFuser


@dataclass(frozen=True)
class VideoState:
    """All that is carried from frame to frame. Its size depends on the objects and the image, not on the past."""

    memory: LinearMemory
    mean_summary: Tensor  # (B, N, Q, V + 1), float32: mean of the object summaries of all frames
    sensory: Tensor  # (B, N, V, h, w), float32
    last_masks: Tensor  # (B, N, h, w), float32: share of each cell covered on the last remembered frame

    @property
    def num_objects(self) -> int:
        return self.sensory.shape[1]

    @property
    def object_memory(self) -> Tensor:
        """(B, N, Q, V + 1): sum of the object summaries of all frames."""
        return self.mean_summary * self.memory.num_frames[:, :, None, None]

    def with_new_objects(self, count: int) -> "VideoState":
        """Appends `count` objects without a past."""
        if count == 0:
            return self
        grown = {name: append_zeros(x, count) for name, x in vars(self).items() if isinstance(x, Tensor)}
        return VideoState(memory=self.memory.with_new_objects(count), **grown)

    def select(self, slots: list[int]) -> "VideoState":
        """Only the objects in these slots, in this order."""
        kept = {name: x[:, slots] for name, x in vars(self).items() if isinstance(x, Tensor)}
        return VideoState(memory=self.memory.select(slots), **kept)

    def to(self, device: torch.device) -> "VideoState":
        """The same state on a device."""
        moved = {name: x.to(device) for name, x in vars(self).items() if isinstance(x, Tensor)}
        return VideoState(memory=self.memory.to(device), **moved)


@dataclass(frozen=True)
class Prediction:
    """What the network says about one frame."""

    logits: Tensor  # (B, 1 + N, H, W), background first, float32
    sensory_logits: Tensor | None = None  # (B, 1 + N, h, w), in training mode only
    query_logits: Tensor | None = None  # (B, 1 + N, L, h, w): before the transformer's first block and after each

    @property
    def probabilities(self) -> Tensor:
        """(B, 1 + N, H, W), float32: sum to 1 over axis 1."""
        return self.logits.softmax(dim=1)


def empty_state(config: ModelConfig, features: ImageFeatures, num_objects: int) -> VideoState:
    """The state of a video before anything is remembered, for frames like the one with these features."""
    batch, _, height, width = features.key.shape

    def empty(*shape: int) -> Tensor:
        return torch.zeros(batch, 0, *shape, device=features.key.device)

    nothing = VideoState(
        memory=LinearMemory.empty(features.key, config.value_dim),
        mean_summary=empty(config.num_queries, config.value_dim + 1),
        sensory=empty(config.value_dim, height, width),
        last_masks=empty(height, width),
    )
    return nothing.with_new_objects(num_objects)


class LiVOS(nn.Module):
    """Video object segmentation with a gated linear memory."""

    def __init__(self, config: ModelConfig, pretrained: bool = False):
        super().__init__()
        if config.memory_cap is not None and config.memory_cap < 1:
            raise ValueError(f"memory_cap={config.memory_cap}: expected at least 1 frame, or null for no cap")
        self.config = config
        self.short_side: int | None = None  # of the frames, in pixels, that its weights suit; `load_model` sets it
        self.notes: Mapping[str, str] = {}  # what the weights file says about them, see livos/checkpoints.py
        dim = config.value_dim
        self.image_encoder = build_backbone(config.image_encoder, pretrained)
        self.normalize = Normalize(*self.image_encoder.normalization)
        channels = self.image_encoder.channels
        self.pix_projector = PixelProjector(channels[-1], dim)
        self.key_projector = KeyProjector(channels[-1], dim, config.key_dim)
        self.gate_projector = GateProjector(channels[-1], dim)
        self.mask_encoder = MaskEncoder(config, pretrained)
        self.object_summarizer = ObjectSummarizer(dim, config.num_queries)
        self.pixel_fuser = PixelFuser(dim)
        self.object_transformer = ObjectTransformer(config)
        self.mask_decoder = MaskDecoder(config, channels)
        self.aux_computer = AuxComputer(dim)

    def encode(self, images: Tensor) -> ImageFeatures:
        """Encodes any number of frames: RGB in [0, 1], (B, 3, H, W), H and W multiples of 16."""
        images = self.normalize(images)
        f4, f8, f16 = self.image_encoder(images)
        skip8, skip4 = self.mask_decoder.skips(f8, f4)
        return ImageFeatures(
            image=images,
            pixel_feature=self.pix_projector(f16),
            key=self.key_projector(f16),
            gate=self.gate_projector(f16),
            skip8=skip8,
            skip4=skip4,
        )

    def begin(self, features: ImageFeatures, num_objects: int) -> VideoState:
        """The state before anything is remembered."""
        return empty_state(self.config, features, num_objects)

    def segment(
        self,
        features: ImageFeatures,
        state: VideoState,
        selector: Tensor | None = None,
        chunk_size: int | None = None,
    ) -> tuple[Prediction, VideoState]:
        """Finds the objects of `state` on a frame. The returned state includes the decoder's sensory update.

        selector (B, N): False for slots that hold no object. chunk_size: objects processed at a time, to bound memory.
        """
        fused = in_object_chunks(
            lambda *of_objects: self.pixel_fuser(features.pixel_feature, *of_objects),
            chunk_size,
            state.memory.read(features.key),
            state.sensory,
            state.last_masks,
            others(state.last_masks),
        )
        readout, query_logits = self.object_transformer(fused, state.object_memory, selector, chunk_size)
        logits, sensory = in_object_chunks(
            lambda *of_objects: self.mask_decoder(*of_objects, features.skip8, features.skip4),
            chunk_size,
            readout,
            state.sensory,
        )
        prediction = Prediction(_upsample(aggregate(logits, selector)))
        if self.training:
            prediction = self._with_auxiliary(prediction, features, sensory, query_logits, selector)
        return prediction, replace(state, sensory=sensory)

    def remember(
        self, features: ImageFeatures, masks: Tensor, state: VideoState, chunk_size: int | None = None
    ) -> VideoState:
        """Writes a frame with its masks (B, N, H, W), in [0, 1], into the state."""
        image_part = self.mask_encoder.image_part(features.image)
        cells = to_cells(masks.float())

        def encode(masks: Tensor, other_masks: Tensor, cells: Tensor, sensory: Tensor):
            value = self.mask_encoder.value(image_part, features.pixel_feature, masks, other_masks)
            return value, self.mask_encoder.sensory_updater(value, sensory), self.object_summarizer(value, cells)

        value, sensory, summary = in_object_chunks(encode, chunk_size, masks, others(masks), cells, state.sensory)
        memory = state.memory.write(features.key, value, features.gate, self.config.memory_cap)
        return VideoState(
            memory=memory,
            mean_summary=mean_with(state.mean_summary, summary, memory.num_frames),
            sensory=sensory,
            last_masks=cells,
        )

    def forward(
        self,
        images: Tensor,
        first_masks: Tensor,
        selector: Tensor | None = None,
        gradient_frames: int | None = None,
    ) -> list[Prediction]:
        """Segments clips from the masks of their first frames; used in training.

        Args:
            images: (B, T, 3, H, W), RGB in [0, 1].
            first_masks: (B, N, H, W), 0 or 1.
            selector: (B, N), True where a slot holds an object (None: all take part, as published).
            gradient_frames: In a longer clip, gradients flow only through this many frames at its end. The frames
                before them only fill the memory, as the past of a long video does, without the backward pass's cost.

        Returns:
            The predictions of frames 1 to T - 1, or of the frames through which gradients flow.
        """
        num_past = max(0, images.shape[1] - gradient_frames) if gradient_frames else 0
        with _past():
            past = self._encode_clip(images[:, :num_past])
        frames = past + self._encode_clip(images[:, num_past:])
        state = self.begin(frames[0], first_masks.shape[1])
        masks, predictions = first_masks, []
        for t, features in enumerate(frames):
            with _past() if t < num_past else nullcontext():
                if t > 0:
                    prediction, state = self.segment(features, state, selector)
                    predictions.append(prediction)
                    masks = prediction.logits.softmax(dim=1)[:, 1:]
                if features is not frames[-1]:
                    state = self.remember(features, masks, state)
        return predictions[max(0, num_past - 1) :]

    def _encode_clip(self, images: Tensor) -> list[ImageFeatures]:
        """The encoded frames of (B, T, 3, H, W)."""
        num_frames = images.shape[1]
        if num_frames == 0:
            return []
        encoded = self.encode(images.flatten(0, 1))
        return [encoded.at(t, num_frames) for t in range(num_frames)]

    def compile_parts(self) -> None:
        """Makes torch.compile build each part when it is first used. The names of the weights do not change."""
        for part in (
            self.image_encoder,
            self.mask_encoder.fuser,
            self.pixel_fuser,
            self.object_summarizer,
            self.object_transformer,
            self.mask_decoder,
        ):
            part.compile()

    def _with_auxiliary(
        self,
        prediction: Prediction,
        features: ImageFeatures,
        sensory: Tensor,
        query_logits: list[Tensor],
        selector: Tensor | None,
    ) -> Prediction:
        sensory_logits = self.aux_computer.sensory_aux(features.pixel_feature, sensory)
        return replace(
            prediction,
            sensory_logits=aggregate(sensory_logits, selector),
            query_logits=torch.stack([aggregate(x, selector) for x in query_logits], dim=2),
        )


@contextmanager
def _past() -> Iterator[None]:
    """No gradients; nor does autocast keep weights that have none, which PyTorch 2.4 would use for later frames."""
    with torch.no_grad():
        yield
    torch.clear_autocast_cache()


def _upsample(logits: Tensor) -> Tensor:
    """From a quarter of the image's size to full size."""
    return F.interpolate(logits, scale_factor=4, mode="bilinear", align_corners=False)
