"""Everything that a segmenter remembers of a video, as a value that can be kept, saved and restored."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from livos.files.tensor_files import load_tensors, save_tensors
from livos.model.network import VideoState
from livos.model.state_tensors import NUM_AXES, tensors_of, video_of

Origin = Mapping[str, Any]
"""What a state depends on besides the video: see `origin_of`."""

_FORMAT = 4  # 1 had no origin, 2 had sums over frames instead of means, and 3 had no spans


@dataclass(frozen=True)
class SegmenterState:
    """Everything that a segmenter remembers of a video (`VideoSegmenter.state`). It is immutable: no copy is needed.

    Attributes:
        video: The memory of the network; None before the first mask.
        object_ids: The objects, in the order of the channels.
        size: (H, W) of the video's frames; None before the first frame.
        history: (N, 4) float32, from which confidence is estimated; None before the first mask.
        origin: What the state was made with: a checksum of the weights, size and flip. Files of older versions do not
            have it and are not checked.
    """

    video: VideoState | None = None
    object_ids: tuple[int, ...] = ()
    size: tuple[int, int] | None = None
    history: Tensor | None = None
    origin: Origin = field(default_factory=dict)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the state to a file, atomically.

        Args:
            path: The file. An existing file is replaced.

        Raises:
            OSError: If it cannot be written.
        """
        content = {
            "livos_state": _FORMAT,
            "ids": list(self.object_ids),
            "size": self.size,
            "origin": dict(self.origin),
            "history": self.history,
            "video": {} if self.video is None else tensors_of(self.video),
        }
        save_tensors(content, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "SegmenterState":
        """Reads a state that `save` wrote.

        Args:
            path: The file.

        Returns:
            The state, on the CPU. `VideoSegmenter.restore` takes it.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it holds something else, or is damaged.
        """
        try:
            content = load_tensors(Path(path))
            if not isinstance(content, dict) or content.get("livos_state") not in (1, 2, 3, _FORMAT):
                raise ValueError("another kind of file")
            size, tensors = content["size"], content["video"]
            object_ids = tuple(int(i) for i in content["ids"])
            if tensors and content["livos_state"] < 3:
                tensors = _means_of(**tensors)
            if tensors and content["livos_state"] < 4:
                tensors = _with_spans(**tensors)
            video = _video_of(tensors, len(object_ids)) if tensors else None
            if (video is None) != (not object_ids):
                raise ValueError("objects and memory do not match")
            history = _history_of(content.get("history"), len(object_ids))
            return cls(video, object_ids, None if size is None else _pair(size), history, content.get("origin", {}))
        except OSError:
            raise
        except Exception as error:  # any kind, as entries may be anything
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(
                f"{path} does not contain a segmenter state: expected a file written by SegmenterState.save ({reason})"
            ) from error


def origin_of(network: nn.Module, size: int | None, flip: bool) -> Origin:
    """What a state made by a network depends on: its weights (a checksum), its working size and flip."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy() if tensor.ndim else b"")
    return {"network": digest.hexdigest()[:16], "size": size, "flip": flip}


def refuse_foreign_state(state: SegmenterState, origin: Origin) -> None:
    """Raises ValueError, saying what differs, for a state of another network, size or flip."""
    differing = [key for key in origin if state.origin and state.origin.get(key) != origin[key]]
    if differing:
        found = ", ".join(f"{key}={state.origin.get(key)}" for key in differing)
        expected = ", ".join(f"{key}={origin[key]}" for key in differing)
        raise ValueError(f"the state was made with {found}, but this segmenter has {expected}: masks would be wrong")


def _video_of(tensors: dict[str, Any], num_objects: int) -> VideoState:
    """The memory of a video from a file. Raises KeyError or ValueError if the parts are not those of a memory."""
    for name, num_axes in NUM_AXES.items():
        tensor = tensors[name]
        if not isinstance(tensor, Tensor) or tensor.ndim != num_axes or tensor.dtype != torch.float32:
            raise ValueError(f"{name} is not a float32 tensor with {num_axes} axes")
        if tensor.shape[1] != num_objects:
            raise ValueError(f"{name} has {tensor.shape[1]} objects, expected {num_objects}")
    return video_of(tensors)


def _history_of(tensor: Any, num_objects: int) -> Tensor | None:
    """What confidence is estimated from, read from a file that may not have it."""
    if tensor is not None and not (isinstance(tensor, Tensor) and tensor.shape == (num_objects, 4)):
        raise ValueError(f"the history of confidence does not have {num_objects} objects")
    return tensor


def _means_of(key_sums: Tensor, groups: Sequence[int], object_memory: Tensor, **others: Tensor) -> dict[str, Tensor]:
    """Converts the tensors of earlier formats: sums over frames, one sum of keys for objects that appeared together.

    The number of frames follows from the sum of keys, since the channels of each key sum to 1.
    """
    key_sums = key_sums.index_select(1, torch.tensor(groups))
    num_frames = key_sums.sum(dim=2).mean(dim=(2, 3)).round()
    count = num_frames.clamp(min=1)
    means = {
        "mean_keys": key_sums / count[:, :, None, None, None],
        "mean_summary": object_memory / count[..., None, None],
    }
    return {**others, **means, "num_frames": num_frames}


def _with_spans(**tensors: Tensor) -> dict[str, Tensor]:
    """Adds what format 3 did not have: until then, the normaliser counted all frames."""
    num_frames, state = tensors["num_frames"], tensors["state"]
    return {**tensors, "spans": num_frames[:, :, None].repeat(1, 1, state.shape[3])}


def _pair(size: Any) -> tuple[int, int]:
    height, width = (int(side) for side in size)
    return height, width
