"""The input and the output of the loop over a video's frames."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from torch import Tensor

from livos.segmenter.state import SegmenterState
from livos.video.video_file import Frame


@dataclass(frozen=True)
class InputFrame:
    """A frame to segment, with its given mask, if any."""

    frame: Frame
    labels: npt.NDArray[np.integer] | None = None  # (H, W) ids, 0 for the background; None: no mask is given
    wanted: bool = True  # whether to write its mask
    last: bool = False  # the last frame of its video, which need not be remembered
    absent: tuple[int, ...] = ()  # objects that are certainly not on it
    confidence: Mapping[int, float] = field(default_factory=dict)  # of labels from an earlier run


@dataclass(frozen=True)
class SegmentedFrame:
    """A frame with the masks of its objects, as (H, W) labels.

    Attributes:
        frame: The frame as it was read, with its number and time.
        image: (H, W, 3) uint8 RGB. For a damaged frame, image and labels are those of the frame before.
        labels: (H, W) int32 object ids, 0 for background.
        wanted: Whether the mask of this frame was requested. Some test sets want only every few frames.
        object_ids: The objects that are being tracked, in the order of the probabilities.
        probabilities: (1 + N, H, W) float32, background first, summing to 1 at each pixel, if requested.
        state: What is remembered after this frame, if requested.
        confidence: For each object id, the expected J (overlap) of its mask, in [0, 1], if it is known.
    """

    frame: Frame
    image: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32]
    wanted: bool = True
    object_ids: tuple[int, ...] = ()
    probabilities: Tensor | None = None
    state: SegmenterState | None = None
    confidence: Mapping[int, float] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The frame's number, in order of time."""
        return self.frame.number

    @property
    def damaged(self) -> bool:
        """Whether the frame could not be decoded."""
        return self.frame.image is None
