"""Which video, which of its frames, which of their objects: every choice is drawn from a generator that is passed in.

Sample `index` of a run has its own generator (`generator_for`), so it is the same clip whichever process or worker
reads it, and a run that resumes at iteration k only needs to know k.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from livos.config.schema import DataConfig

_ORDER_STREAM, _CLIP_STREAM, _SHAPE_STREAM = 0, 1, 2  # separate streams for the order of a pass, clips and shapes


class ClipShape(NamedTuple):
    """How long and how large the clips of a batch are."""

    num_frames: int
    size: int  # side of the square crop in pixels


def generator_for(seed: int, index: int) -> np.random.Generator:
    """The generator for everything that is random in sample `index` of the run with this seed."""
    return np.random.default_rng([seed, _CLIP_STREAM, index])


def clip_shapes(settings: DataConfig) -> list[ClipShape]:
    """The shapes that clips may have; every batch has one of them.

    Raises:
        ValueError: If an entry of `settings.shapes` is not a pair of a valid number of frames and a valid size.
    """
    if any(len(shape) != 2 for shape in settings.shapes):
        raise ValueError(f"data.shapes={settings.shapes}: expected pairs [num_frames, size], as in [[8,256],[4,384]]")
    shapes = [ClipShape(*shape) for shape in settings.shapes] or [ClipShape(settings.num_frames, settings.size)]
    for num_frames, size in shapes:
        if size < 16 or size % 16:
            raise ValueError(f"data.size={size} must be a multiple of 16, the network's stride")
        if num_frames < 2:
            raise ValueError(f"data.num_frames={num_frames}: a clip needs a first frame and one to predict")
    return shapes


def shape_of_batch(seed: int, iteration: int, shapes: Sequence[ClipShape]) -> ClipShape:
    """One of the shapes, for all clips of an iteration: a function of the seed and the iteration, like the clips."""
    if len(shapes) == 1:
        return shapes[0]
    return shapes[int(np.random.default_rng([seed, _SHAPE_STREAM, iteration]).integers(len(shapes)))]


def happens(probability: float, generator: np.random.Generator) -> bool:
    """Whether an event of this probability happens. A probability of 0 draws no number, so that clips stay the same."""
    return probability > 0 and bool(generator.random() < probability)


class EndlessOrder:
    """Items 0 .. num_items - 1 in a new random order in each pass: `order[index]` for any index."""

    def __init__(self, seed: int, num_items: int):
        if num_items < 1:
            raise ValueError("there is nothing to sample from: the training sets are empty")
        self.seed = seed
        self.num_items = num_items
        self._pass_number = -1
        self._permutation = np.empty(0, dtype=np.int64)

    def __getitem__(self, index: int) -> int:
        pass_number, position = divmod(index, self.num_items)
        if pass_number != self._pass_number:
            generator = np.random.default_rng([self.seed, _ORDER_STREAM, pass_number])
            self._permutation = generator.permutation(self.num_items)
            self._pass_number = pass_number
        return int(self._permutation[position])


def max_skip_at(progress: float, max_skip: Sequence[int], max_skip_from: Sequence[float], frame_interval: int) -> int:
    """The largest gap allowed in a clip, in kept frames and at least 1.

    `progress` is the completed share of the run, in [0, 1); `max_skip[k]` applies from `max_skip_from[k]` on and counts
    frames of the original video, of which a set keeps every `frame_interval`-th.
    """
    begun = [skip for skip, start in zip(max_skip, max_skip_from, strict=True) if start <= progress]
    return max(1, begun[-1] // frame_interval)


def check_max_skip(max_skip: Sequence[int], max_skip_from: Sequence[float]) -> None:
    """Raises ValueError if the schedule for `max_skip_at` is invalid."""
    if len(max_skip) != len(max_skip_from) or not max_skip:
        raise ValueError(
            f"max_skip={list(max_skip)} and max_skip_from={list(max_skip_from)} must be equally long and not empty"
        )
    if max_skip_from[0] != 0 or list(max_skip_from) != sorted(max_skip_from):
        raise ValueError(f"max_skip_from={list(max_skip_from)} must begin with 0 and be ascending")


def grow_frames(
    seed_frame: int, num_available: int, num_frames: int, max_skip: int, generator: np.random.Generator
) -> list[int]:
    """`num_frames` different frames around `seed_frame`, each within `max_skip` of an earlier choice; in order of time,
    forwards or backwards with equal probability. Needs num_available >= num_frames and max_skip >= 1.
    """
    chosen = np.zeros(num_available, dtype=bool)
    reachable = np.zeros(num_available, dtype=bool)
    frame = seed_frame
    for _ in range(num_frames - 1):
        chosen[frame] = True
        reachable[max(0, frame - max_skip) : frame + max_skip + 1] = True
        frame = int(generator.choice(np.flatnonzero(reachable & ~chosen)))
    chosen[frame] = True
    frames = np.flatnonzero(chosen).tolist()
    return frames[::-1] if generator.random() < 0.5 else frames


def choose_frames(
    num_available: int,
    num_frames: int,
    max_skip: int,
    shows_object: Callable[[int], bool],
    generator: np.random.Generator,
    seed_frames: int = 5,
    tries_per_seed: int = 100,
) -> list[int] | None:
    """A clip's frames, the first of which shows an object; None if no attempt found any."""
    for _ in range(seed_frames):
        seed_frame = int(generator.integers(num_available))
        for _ in range(tries_per_seed):
            frames = grow_frames(seed_frame, num_available, num_frames, max_skip, generator)
            if shows_object(frames[0]):
                return frames
    return None


def visible_objects(labels: np.ndarray, min_pixels: int = 1) -> np.ndarray:
    """The ids, ascending, that cover at least `min_pixels` of `labels` (H, W) uint8; 0 is background, 255 void."""
    areas = np.bincount(labels.ravel(), minlength=256)
    return np.flatnonzero(areas[1:255] >= min_pixels) + 1


def choose_objects(
    first_labels: np.ndarray, max_objects: int, min_pixels: int, generator: np.random.Generator
) -> list[int]:
    """At most `max_objects` ids of the first frame, in random order: the k-th gets slot k + 1."""
    visible = visible_objects(first_labels, min_pixels)
    return generator.permutation(visible)[:max_objects].tolist()


def slot_table(chosen_ids: Sequence[int]) -> np.ndarray:
    """(256,) uint8: id to slot, 1 for the first chosen id and so on; everything else, including void, is background."""
    table = np.zeros(256, dtype=np.uint8)
    for slot, chosen_id in enumerate(chosen_ids, start=1):
        table[chosen_id] = slot
    return table
