"""All that a segmenter remembers of a video, as a value that can be kept, saved and come back to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn

from livos.files.atomic import written_aside
from livos.model.memory import LinearMemory
from livos.model.network import VideoState

Origin = Mapping[str, Any]
"""What a state depends on besides the video: see `origin_of`."""

_FORMAT = 2  # 1 had no origin
_SHAPES = {"state": 4, "key_sums": 5, "object_memory": 4, "sensory": 5, "last_masks": 4}  # axes of each tensor


@dataclass(frozen=True)
class SegmenterState:
    """What `VideoSegmenter.state` returns. It is immutable, so keeping one is enough to come back to it."""

    video: VideoState | None = None
    object_ids: tuple[int, ...] = ()
    size: tuple[int, int] | None = None  # (H, W) of the video's frames
    origin: Origin = field(default_factory=dict)  # empty in files of older versions, which are taken on trust

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the state to a file, complete or not at all."""
        content = {
            "livos_state": _FORMAT,
            "ids": list(self.object_ids),
            "size": self.size,
            "origin": dict(self.origin),
            "video": {} if self.video is None else _tensors_of(self.video),
        }
        with written_aside(path) as aside:
            torch.save(content, aside)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "SegmenterState":
        """Reads a state that `save` wrote.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it holds something else, or is damaged.
        """
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            if not isinstance(content, dict) or content.get("livos_state") not in (1, _FORMAT):
                raise ValueError("another kind of file")
            size, tensors = content["size"], content["video"]
            object_ids = tuple(int(i) for i in content["ids"])
            video = _video_of(tensors, len(object_ids)) if tensors else None
            if (video is None) != (not object_ids):
                raise ValueError("objects and memory do not belong together")
            return cls(video, object_ids, None if size is None else _pair(size), content.get("origin", {}))
        except OSError:
            raise
        except Exception as error:  # a damaged file makes the unpickler raise anything
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(
                f"{path} holds no segmenter state: expected a file written by SegmenterState.save ({reason})"
            ) from error


def origin_of(network: nn.Module, size: int | None, flip: bool) -> Origin:
    """What a state made by a network depends on: its weights (a checksum), the short side at which it works, flip."""
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
        raise ValueError(f"the state was made with {found}, this segmenter has {expected}: its masks would be wrong")


def _tensors_of(video: VideoState) -> dict[str, Any]:
    return {
        "state": video.memory.state,
        "key_sums": video.memory.key_sums,
        "groups": list(video.memory.groups),
        "object_memory": video.object_memory,
        "sensory": video.sensory,
        "last_masks": video.last_masks,
    }


def _video_of(tensors: dict[str, Any], num_objects: int) -> VideoState:
    """The memory of a video. Raises KeyError, TypeError or ValueError where the parts are not those of one."""
    tensors = dict(tensors)
    groups = tuple(int(group) for group in tensors.pop("groups"))
    for name, num_axes in _SHAPES.items():
        tensor = tensors[name]
        if not isinstance(tensor, Tensor) or tensor.ndim != num_axes or tensor.dtype != torch.float32:
            raise ValueError(f"{name} is no float32 tensor of {num_axes} axes")
        if name != "key_sums" and tensor.shape[1] != num_objects:
            raise ValueError(f"{name} is of {tensor.shape[1]} objects, expected {num_objects}")
    if len(groups) != num_objects or any(not 0 <= group < tensors["key_sums"].shape[1] for group in groups):
        raise ValueError("groups of keys do not fit the objects")
    memory = LinearMemory(tensors.pop("state"), tensors.pop("key_sums"), groups)
    return VideoState(memory=memory, **tensors)


def _pair(size: Any) -> tuple[int, int]:
    height, width = (int(side) for side in size)
    return height, width
