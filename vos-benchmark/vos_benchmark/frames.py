"""Reads and scores the masks of one frame: the work of worker processes."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from .blending import blended_ids, dithered_ids
from .contours import joint_box
from .errors import ScoringError
from .inspection import FrameFiles
from .masks import VOID, Mask, read_mask
from .metrics import FrameScore, score_frame
from .palettes import Colour, background_fault, telling_colours
from .protocols import without_void

BLENDED_TRUTH, BLENDED_PREDICTION = 8, 3  # this many odd values on one frame are not an accident
_DITHERED = 2  # dithering alternates between values


@dataclass(frozen=True)
class ReadingRules:
    """How masks are read.

    Attributes:
        void: what id 255 in the truth means, one of `protocols.VOID_POLICIES`.
        palettes: one of `palettes.PALETTE_POLICIES`.
        max_pixels: the most pixels that a mask may have.
    """

    void: str
    palettes: str
    max_pixels: int


@dataclass(frozen=True)
class Chunk:
    """Some frames of a video, scored by one process."""

    video: str
    frames: tuple[FrameFiles, ...]
    rules: ReadingRules

    def __str__(self) -> str:
        return f"{self.video}, frames {self.frames[0].name} to {self.frames[-1].name}"


@dataclass(frozen=True)
class FrameReading:
    """What reading and scoring the masks of a frame found.

    Attributes:
        score: None if the frame is not scored or could not be read.
        truth_ids: ids of the truth.
        problem: why the frame could not be scored; empty if it could.
        has_void: the truth has pixels of id 255.
        only_prediction_coloured: the prediction has ids that the frame's truth lacks, and only it is an RGB file.
        blended_truth, blended_prediction: ids that look like the product of interpolation.
        dithered_prediction: ids that the frame's truth lacks and that look like the product of dithering.
        white_truth, white_prediction: grey of 2 or 4 bits whose highest value was treated as white.
        truth_colours, predicted_colours: colours of ids that are palette indices, if palettes are checked.
    """

    score: FrameScore | None = None
    truth_ids: frozenset[int] = frozenset()
    problem: str = ""
    has_void: bool = False
    only_prediction_coloured: bool = False
    blended_truth: tuple[int, ...] = ()
    blended_prediction: tuple[int, ...] = ()
    dithered_prediction: tuple[int, ...] = ()
    white_truth: bool = False
    white_prediction: bool = False
    truth_colours: dict[int, Colour] = field(default_factory=dict)
    predicted_colours: dict[int, Colour] = field(default_factory=dict)


def score_chunk(chunk: Chunk) -> list[FrameReading]:
    """Reads and scores each frame of a chunk."""
    return [_reading(frame, chunk.rules) for frame in chunk.frames]


def _reading(frame: FrameFiles, rules: ReadingRules) -> FrameReading:
    try:
        return _read_and_score(frame, rules)
    except ScoringError as error:
        return FrameReading(problem=str(error))


def _read_and_score(frame: FrameFiles, rules: ReadingRules) -> FrameReading:
    true_mask, predicted_mask = _read_masks(frame, rules)
    stored = np.zeros_like(true_mask.labels) if predicted_mask is None else predicted_mask.labels
    truth, prediction = without_void(true_mask.labels, stored, rules.void)
    scores = score_frame(truth, prediction) if frame.scored else None
    truth_ids = frozenset(scores.truth_ids) if scores else _ids_in(truth)
    predicted_ids = scores.predicted_ids if scores else set()
    extra = predicted_ids - truth_ids
    return FrameReading(
        score=scores,
        truth_ids=truth_ids,
        has_void=truth is not true_mask.labels or VOID in truth_ids,
        only_prediction_coloured=bool(extra) and _only_prediction_coloured(true_mask, predicted_mask),
        blended_truth=blended_ids(truth, truth_ids) if scores and len(truth_ids) >= BLENDED_TRUTH else (),
        blended_prediction=blended_ids(prediction, extra) if len(extra) >= BLENDED_PREDICTION else (),
        dithered_prediction=dithered_ids(prediction, extra) if len(extra) >= _DITHERED else (),
        white_truth=true_mask.white,
        white_prediction=predicted_mask is not None and predicted_mask.white,
        truth_colours=_colours(true_mask, truth_ids, rules),
        predicted_colours=_colours(predicted_mask, predicted_ids, rules),
    )


def _read_masks(frame: FrameFiles, rules: ReadingRules) -> tuple[Mask, Mask | None]:
    truth = read_mask(frame.truth, max_pixels=rules.max_pixels)
    prediction = None
    if frame.prediction is not None:
        prediction = read_mask(frame.prediction, palette=truth.palette, max_pixels=rules.max_pixels)
    if rules.palettes == "check":
        for path, mask in ((frame.truth, truth), (frame.prediction, prediction)):
            if mask is not None and mask.palette is not None:
                fault = background_fault(mask.labels, mask.palette)
                if fault:
                    raise ScoringError(f"{path}: {fault}")
    return truth, prediction


def _ids_in(labels: np.ndarray) -> frozenset[int]:
    box = joint_box(labels, labels)
    return frozenset(np.unique(labels[box]).tolist()) - {0}


def _only_prediction_coloured(truth: Mask, prediction: Mask | None) -> bool:
    return prediction is not None and prediction.header.coloured and not truth.header.coloured


def _colours(mask: Mask | None, ids: Collection[int], rules: ReadingRules) -> dict[int, Colour]:
    if mask is None or mask.palette is None or rules.palettes != "check":
        return {}
    return telling_colours(mask.palette, frozenset(ids))
