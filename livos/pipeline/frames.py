"""What goes into the loop over a video's frames, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from torch import Tensor

from livos.segmenter.state import SegmenterState
from livos.video.video_file import Frame


@dataclass(frozen=True)
class InputFrame:
    """A frame to be segmented, with the mask that is given on it."""

    frame: Frame
    labels: npt.NDArray[np.integer] | None = None  # (H, W) ids, 0 for the background; None: no mask is given
    wanted: bool = True  # whether its mask is to be written
    last: bool = False  # of its video: need not be remembered
    confidence: Mapping[int, float] = field(default_factory=dict)  # of labels that were made before


@dataclass(frozen=True)
class SegmentedFrame:
    """A frame with its labels. Where the frame was damaged, image and labels are those of the one before it."""

    frame: Frame
    image: npt.NDArray[np.uint8]  # (H, W, 3) RGB
    labels: npt.NDArray[np.int32]  # (H, W) ids, 0 for the background
    wanted: bool = True
    object_ids: tuple[int, ...] = ()  # those that are followed, in the order of the probabilities
    probabilities: Tensor | None = None  # (1 + N, H, W), background first, summing to 1; where they were asked for
    state: SegmenterState | None = None  # what is remembered after this frame; where it was asked for
    confidence: Mapping[int, float] = field(
        default_factory=dict
    )  # by object, the J to be expected, in [0, 1]; if known

    @property
    def number(self) -> int:
        """The frame's number in the order of time."""
        return self.frame.number

    @property
    def damaged(self) -> bool:
        """Whether the frame could not be decoded."""
        return self.frame.image is None
