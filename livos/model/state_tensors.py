"""The memory of a video as named tensors, the form in which files and exported graphs hold it."""

from collections.abc import Mapping
from dataclasses import fields

from torch import Tensor

from livos.model.memory import LinearMemory
from livos.model.network import VideoState

NUM_AXES = {"state": 4, "mean_keys": 5, "num_frames": 2, "spans": 3, "mean_summary": 4, "sensory": 5, "last_masks": 4}
STATE_TENSORS = tuple(NUM_AXES)
"""Names of the tensors of a state, in the order that exported graphs use as well."""


def tensors_of(video: VideoState) -> dict[str, Tensor]:
    """The memory of a video as named tensors."""
    both = {**vars(video.memory), **vars(video)}
    return {name: both[name] for name in STATE_TENSORS}


def video_of(tensors: Mapping[str, Tensor]) -> VideoState:
    """Undoes `tensors_of`."""
    names = [part.name for part in fields(LinearMemory)]
    memory = LinearMemory(**{name: tensors[name] for name in names})
    return VideoState(memory=memory, **{name: tensors[name] for name in STATE_TENSORS if name not in names})
