"""How pasted objects move: fast, spinning, growing, out of the frame and back, with motion blur."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from livos.config.schema import FlightConfig
from livos.training.data.augmentation import between
from livos.training.data.clips import Clip

_ZOOMS = (1 / 3, 3.0)  # how small and how large an object may become
_REACH = 0.5  # in sides of the crop: an object that does not leave is reflected at this distance, either way


@dataclass(frozen=True)
class Flight:
    """The displacement of objects, in each frame, from where they would be otherwise."""

    shifts: np.ndarray  # (T, 2) pixels, right and down
    turns: np.ndarray  # (T,) degrees, anticlockwise
    zooms: np.ndarray  # (T,) factors

    def smears(self, exposure: float) -> np.ndarray:
        """(T, 2): how far an object moves, in pixels, during the exposure, which lasts `exposure` of a frame's time."""
        return exposure * np.gradient(self.shifts, axis=0)


def random_flight(num_frames: int, size: int, settings: FlightConfig, generator: np.random.Generator) -> Flight:
    """A flight that begins at the object's position. `size`: side of the crop in pixels."""
    times = np.arange(num_frames)
    angle, speed = generator.uniform(0, 2 * np.pi), between(settings.speed, generator)
    if generator.random() < settings.return_probability:
        away = generator.uniform(1.0, 1.4) * (1 - np.abs(2 * times / (num_frames - 1) - 1))
        shifts = away[:, None] * _direction(angle)
    else:
        shifts = _reflected(speed * times[:, None] * _direction(angle))
    turns = generator.uniform(-settings.spin, settings.spin) * times
    growth = settings.growth ** generator.uniform(-1, 1)
    return Flight(size * shifts, turns, np.clip(growth**times, *_ZOOMS))


def crossing_flight(
    num_frames: int, size: int, meeting: int, way: np.ndarray, settings: FlightConfig, generator: np.random.Generator
) -> Flight:
    """A straight flight that at frame `meeting` is `way` (2,) pixels from where the object would be otherwise."""
    angle, speed = generator.uniform(0, 2 * np.pi), between(settings.speed, generator)
    times = np.arange(num_frames) - meeting
    return Flight(way + size * speed * times[:, None] * _direction(angle), np.zeros(num_frames), np.ones(num_frames))


def flown(clip: Clip, flight: Flight) -> Clip:
    """The clip with each frame rotated and zoomed about the centre of its objects, then shifted."""
    images, labels = np.zeros_like(clip.images), np.zeros_like(clip.labels)
    middle = None
    for t, (shift, turn, zoom) in enumerate(zip(flight.shifts, flight.turns, flight.zooms, strict=True)):
        middle = middle_of(clip.labels[t]) if clip.labels[t].any() or middle is None else middle
        matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), float(turn), float(zoom))
        matrix[:, 2] += shift
        size = labels.shape[2], labels.shape[1]
        cv2.warpAffine(clip.images[t], matrix, size, images[t], cv2.INTER_LINEAR)
        cv2.warpAffine(clip.labels[t], matrix, size, labels[t], cv2.INTER_NEAREST)
    return replace(clip, images=images, labels=labels)


def middle_of(labels: np.ndarray) -> np.ndarray:
    """(x, y): the mean position of the pixels that are not 0, or the image's centre if there are none."""
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return np.array(labels.shape[::-1]) / 2
    return np.array([columns.mean(), rows.mean()])


def _direction(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle)])


def _reflected(shifts: np.ndarray) -> np.ndarray:
    """Shifts along each axis folded into [-_REACH, _REACH], like a ball bouncing between two walls."""
    return np.abs((shifts - _REACH) % (4 * _REACH) - 2 * _REACH) - _REACH
