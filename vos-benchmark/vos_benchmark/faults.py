"""Why a video cannot be scored, judging from all of its frames together."""

from collections.abc import Iterable, Iterator, Sequence

from .frames import BLENDED_PREDICTION, BLENDED_TRUTH, FrameReading
from .inspection import FrameFiles, VideoFiles
from .palettes import PaletteAgreement

_BLENDED = "antialiased, resized with interpolation or compressed with loss; its values are no ids"
_DITHERED = "most pixels of some ids have no neighbour of the same id, as dithering leaves them"
_WHITE_IDS = ({255}, {65535})  # of black and white masks, 8 and 16 bits

_Frames = Sequence[tuple[FrameFiles, FrameReading]]


def problems_of(video: VideoFiles, readings: Sequence[FrameReading]) -> Iterator[str]:
    """One sentence for each fault of the masks, naming the file."""
    frames = list(zip(video.frames, readings, strict=True))
    truth_ids = frozenset().union(*(reading.truth_ids for reading in readings))
    for frame, reading in frames:
        if reading.problem:
            yield reading.problem
        else:
            yield from _problems_of_frame(frame, reading, truth_ids)
    yield from _contradicting_palettes(frames)
    yield from _white_beside_ids(frames)
    yield from _one_object_under_two_numbers(video.name, frames)


def _problems_of_frame(frame: FrameFiles, reading: FrameReading, truth_ids: frozenset[int]) -> Iterator[str]:
    if len(reading.blended_truth) >= BLENDED_TRUTH:
        yield f"{frame.truth}: {_BLENDED} ({_shown(reading.blended_truth)})"
    if reading.score is None:
        return
    unknown = reading.score.predicted_ids - truth_ids
    blended, dithered = (unknown & set(ids) for ids in (reading.blended_prediction, reading.dithered_prediction))
    if len(blended) >= BLENDED_PREDICTION:
        yield f"{frame.prediction}: {_BLENDED} ({_shown(blended)}, which the truth never has)"
    elif dithered:
        yield (
            f"{frame.prediction}: {_DITHERED} ({_shown(dithered)}, which the truth never has); "
            "store it again without dithering"
        )
    elif unknown and reading.only_prediction_coloured:
        yield (
            f"{frame.prediction}: an RGB mask whose colours are neither ids of the truth, as R + 256 G + 65536 B, "
            f"nor in its palette (read as ids, they are {_shown(unknown)})"
        )


def _contradicting_palettes(frames: _Frames) -> Iterator[str]:
    """The first true and the first predicted mask whose palette contradicts an earlier one; true masks come first."""
    agreement = PaletteAgreement()
    truth = ((frame.truth, reading.truth_colours) for frame, reading in frames)
    prediction = ((str(frame.prediction), reading.predicted_colours) for frame, reading in frames)
    for masks in (truth, prediction):
        faults = (agreement.contradiction(path, colours) for path, colours in masks)
        yield from list(filter(None, faults))[:1]


def _white_beside_ids(frames: _Frames) -> Iterator[str]:
    """A grey mask of 2 or 4 bits with only 0 and the highest value, in a video whose other masks have ids."""
    truth = [(frame.truth, reading.white_truth, reading.truth_ids) for frame, reading in frames]
    prediction = [
        (frame.prediction, reading.white_prediction, reading.score.predicted_ids if reading.score else set())
        for frame, reading in frames
    ]
    for masks in (truth, prediction):
        white = next((path for path, is_white, _ in masks if is_white), None)
        other = next(((path, max(ids)) for path, is_white, ids in masks if not is_white and ids - {1}), None)
        if white is not None and other is not None:
            yield (
                f"{white}: few-bit grey with only 0 and its highest value, which means black and white, but "
                f"{other[0]} has id {other[1]}: store ids as palette indices or as 8-bit grey"
            )


def _one_object_under_two_numbers(video: str, frames: _Frames) -> Iterator[str]:
    """One side is black and white with 255 as its only id, the other calls its only object 1."""
    scores = [reading.score for _, reading in frames if reading.score is not None]
    true: set[int] = set().union(*(score.truth_ids for score in scores))
    predicted: set[int] = set().union(*(score.predicted_ids for score in scores))
    for one, other in ((true, predicted), (predicted, true)):
        if one in _WHITE_IDS and other == {1}:
            side, its = ("truth", "prediction") if one is true else ("prediction", "truth")
            yield (
                f"{video}: the only id of the {side} is {max(one)}, white, and the only one of the {its} is 1; "
                "ids are compared as stored, so store both in the same way"
            )


def _shown(ids: Iterable[int]) -> str:
    ids = sorted(ids)
    return ", ".join(map(str, ids[:5])) + (" …" if len(ids) > 5 else "")
