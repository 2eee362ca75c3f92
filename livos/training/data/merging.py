"""Adds objects to a clip: from other clips, twins of its own objects, and occluders that pass in front."""

from dataclasses import replace

import numpy as np

from livos.config.schema import DataConfig
from livos.training.data.augmentation import between, random_path
from livos.training.data.clips import Clip, moved, only_object, paste
from livos.training.data.flight import crossing_flight, flown, middle_of, random_flight
from livos.training.data.sampling import happens

_TWIN_DISTANCE = (0.15, 0.6)  # sides of the crop, in the first frame


def merge(clip: Clip, other: Clip, room: int, settings: DataConfig, generator: np.random.Generator) -> Clip:
    """The clip with objects of another one in front, which are also tracked, and which fly or move on their own."""
    size, num_frames, smears = clip.labels.shape[1], len(clip.labels), None
    if happens(settings.flight.probability, generator):
        flight = random_flight(num_frames, size, settings.flight, generator)
        other, smears = flown(other, flight), flight.smears(settings.flight.exposure)
    elif settings.merge_motion:
        other = moved(other, random_path(num_frames, settings.merge_motion * size, generator))
    return _pasted(clip, other, room, settings, smears)


def with_twin(clip: Clip, settings: DataConfig, generator: np.random.Generator) -> Clip:
    """The clip with a copy of one of its objects, which is not tracked, elsewhere in front and flying about."""
    size = clip.labels.shape[1]
    copy = only_object(clip, int(generator.integers(clip.num_objects)) + 1)
    flight = random_flight(len(clip.labels), size, settings.flight, generator)
    angle, distance = generator.uniform(0, 2 * np.pi), size * between(_TWIN_DISTANCE, generator)
    way = distance * np.array([np.cos(angle), np.sin(angle)])
    place = middle_of(copy.labels[0]) + way
    way[(place < 0) | (place > size)] *= -1  # to the other side rather than out of sight
    flight = replace(flight, shifts=flight.shifts + way)
    return _in_front(clip, flown(copy, flight), settings, flight.smears(settings.flight.exposure))


def with_occluder(clip: Clip, other: Clip, settings: DataConfig, generator: np.random.Generator) -> Clip:
    """The clip with the first object of another one, which is not tracked, passing in front of one that is."""
    num_frames, size = clip.labels.shape[:2]
    meeting, slot = int(generator.integers(1, num_frames)), int(generator.integers(clip.num_objects)) + 1
    other = only_object(other, 1)
    way = middle_of(clip.labels[meeting] == slot) - middle_of(other.labels[meeting])
    flight = crossing_flight(num_frames, size, meeting, way, settings.flight, generator)
    return _in_front(clip, flown(other, flight), settings, flight.smears(settings.flight.exposure))


def _in_front(clip: Clip, other: Clip, settings: DataConfig, smears: np.ndarray) -> Clip:
    """The clip with an object of `other` as background in front; unchanged if no object would remain to be tracked."""
    covered = _pasted(clip, other, 1, settings, smears, labelled=False)
    return covered if covered.num_objects else clip


def _pasted(
    clip: Clip, other: Clip, room: int, settings: DataConfig, smears: np.ndarray | None, labelled: bool = True
) -> Clip:
    blur = settings.merge_blur_size, settings.merge_blur_sigma
    return paste(clip, other, room, *blur, settings.min_object_pixels, smears, labelled)
