"""Batches of training clips: the same samples in the same order for any number of processes and workers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from livos.config.schema import DataConfig
from livos.training.data.augmentation import Colour, random_colour
from livos.training.data.clips import Clip
from livos.training.data.degradation import degraded
from livos.training.data.image_sets import ImageSet, open_image_set
from livos.training.data.merging import merge, with_occluder, with_twin
from livos.training.data.sampling import (
    EndlessOrder,
    check_max_skip,
    clip_shapes,
    generator_for,
    happens,
    shape_of_batch,
)
from livos.training.data.video_sets import VideoSet, open_video_set
from livos.training.data.workers import ClipLoader

TrainingSet: TypeAlias = VideoSet | ImageSet


@dataclass(frozen=True)
class ClipBatch:
    """B clips of T frames. The slot of an object is the same in all frames of its clip."""

    images: torch.Tensor  # (B, T, 3, H, W) uint8 RGB, before any change of colour
    labels: torch.Tensor  # (B, T, H, W) uint8, 0 background, 1 .. num_objects the objects of the first frame
    num_objects: torch.Tensor  # (B,) int64, 1 .. max_objects
    colour: Colour  # matrices (B, T, 3, 3), for augmentation.apply_colour
    names: list[str]  # "<set>/<video>:<first frame>", joined by " + " where clips were merged

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "ClipBatch":
        """The batch on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> "ClipBatch":
        """The batch in page-locked memory; the DataLoader calls this."""
        return self._map(torch.Tensor.pin_memory)

    def _map(self, change) -> "ClipBatch":
        return replace(
            self,
            images=change(self.images),
            labels=change(self.labels),
            num_objects=change(self.num_objects),
            colour=Colour(change(self.colour.spread), change(self.colour.middle)),
        )


def collate(samples: Sequence[tuple[Clip, Colour]]) -> ClipBatch:
    """A batch of the clips, which all have the same length and size."""
    clips = [clip for clip, _ in samples]
    num_frames, height, width = clips[0].labels.shape
    images = np.empty((len(clips), num_frames, 3, height, width), dtype=np.uint8)
    for b, clip in enumerate(clips):
        for t, image in enumerate(clip.images):
            for channel in range(3):
                cv2.extractChannel(image, 2 - channel, images[b, t, channel])  # BGR to RGB planes, in place
    return ClipBatch(
        images=torch.from_numpy(images),
        labels=torch.from_numpy(np.stack([clip.labels for clip in clips])),
        num_objects=torch.tensor([clip.num_objects for clip in clips]),
        colour=Colour(
            torch.stack([colour.spread for _, colour in samples]),
            torch.stack([colour.middle for _, colour in samples]),
        ),
        names=[clip.name for clip in clips],
    )


def open_sets(settings: DataConfig) -> list[tuple[TrainingSet, int]]:
    """The sets of a mixture, each with the number of times that its items are used in a pass.

    Raises ValueError, naming all problems with all sets, if folders are missing or empty or images have no masks.
    """
    tried: list[tuple[str, TrainingSet | None, list[str], int]] = []
    for name, video_set in settings.video_sets.items():
        if video_set.repeat:
            tried.append((name, *open_video_set(name, video_set, settings), video_set.repeat))
    for name, image_set in settings.image_sets.items():
        if image_set.repeat:
            tried.append((name, *open_image_set(name, image_set, settings), image_set.repeat))
    problems = [f"{name}: {problem}" for name, _, set_problems, _ in tried for problem in set_problems]
    opened = [(training_set, repeat) for _, training_set, _, repeat in tried if training_set is not None]
    if problems:
        raise ValueError(f"the training data (data.root={settings.root}) is incomplete:\n  " + "\n  ".join(problems))
    if not opened:
        raise ValueError(
            "the settings name no training sets: data.video_sets and data.image_sets are empty or repeat=0"
        )
    return opened


class ClipDataset(Dataset):
    """Sample `index` of a run: a function of the settings, the seed and the index, and nothing else.

    `num_samples` is the length of the run, so the index of a sample gives the progress; `batch_size` determines which
    samples belong together and so must have the same shape.
    """

    def __init__(self, settings: DataConfig, seed: int, num_samples: int, batch_size: int = 1):
        _check(settings)
        self.settings = settings
        self.shapes, self.batch_size = clip_shapes(settings), batch_size
        self.seed = seed
        self.num_samples = num_samples
        self.sets = open_sets(settings)
        self.ends = np.cumsum([len(training_set) * repeat for training_set, repeat in self.sets])
        self.order = EndlessOrder(seed, int(self.ends[-1]))

    def __len__(self) -> int:
        return self.num_samples

    def __getitem__(self, index: int) -> tuple[Clip, Colour]:
        settings = self.settings
        generator = generator_for(self.seed, index)
        shape = shape_of_batch(self.seed, index // self.batch_size, self.shapes)
        training_set, item = self._locate(self.order[index])

        def read(of_set: TrainingSet, item: int) -> Clip:
            return of_set.read_clip(item, index / self.num_samples, generator, shape)

        def read_any() -> Clip:
            return read(*self._locate(int(generator.integers(self.ends[-1]))))

        clip = read(training_set, item)
        for _ in range(settings.max_merges):
            room = settings.max_objects - clip.num_objects
            if room > 0 and generator.random() < settings.merge_probability:
                across = settings.merge_across_sets
                other = read_any() if across else read(training_set, int(generator.integers(len(training_set))))
                clip = merge(clip, other, room, settings, generator)
        if happens(settings.flight.twin_probability, generator):
            clip = with_twin(clip, settings, generator)
        if happens(settings.flight.occluder_probability, generator):
            clip = with_occluder(clip, read_any(), settings, generator)
        clip = degraded(clip, settings.degradation, generator)
        colour = random_colour(
            shape.num_frames, settings.clip_colour, settings.frame_colour, settings.grey_probability, generator
        )
        return clip, colour

    def _locate(self, position: int) -> tuple[TrainingSet, int]:
        """The set that contains a position of the mixture, and the item of that set."""
        k = int(np.searchsorted(self.ends, position, side="right"))
        training_set = self.sets[k][0]
        return training_set, position % len(training_set)


class BatchIndices(Sampler[list[int]]):
    """The sample indices of one process's batches, `accumulation` of them per iteration, from `start_iteration` on.

    Iteration i has the samples i * batch_size up to (i + 1) * batch_size, distributed in order to the first process's
    batches, then to the second's, and so on: one process with accumulation 4 has the batches of two with 2.
    """

    def __init__(
        self,
        batch_size: int,
        num_iterations: int,
        start_iteration: int = 0,
        rank: int = 0,
        world_size: int = 1,
        accumulation: int = 1,
    ):
        if batch_size < 1 or batch_size % (world_size * accumulation):
            raise ValueError(
                f"batch_size={batch_size} cannot be divided among {world_size} processes "
                f"with accumulation={accumulation}"
            )
        self.batch_size = batch_size
        self.iterations = range(start_iteration, num_iterations)
        self.parts = range(rank * accumulation, (rank + 1) * accumulation)
        self.part_size = batch_size // (world_size * accumulation)

    def __len__(self) -> int:
        return len(self.iterations) * len(self.parts)

    def __iter__(self) -> Iterator[list[int]]:
        for iteration in self.iterations:
            for part in self.parts:
                start = iteration * self.batch_size + part * self.part_size
                yield list(range(start, start + self.part_size))


def make_loader(
    settings: DataConfig,
    *,
    seed: int,
    batch_size: int,
    num_iterations: int,
    start_iteration: int = 0,
    rank: int = 0,
    world_size: int = 1,
    accumulation: int = 1,
    num_workers: int = 0,
    prefetch: int = 2,
    pin_memory: bool = False,
) -> ClipLoader:
    """An iterable of ClipBatch: `accumulation` batches of this process for each remaining iteration, one by one.

    `batch_size` is the total over all processes and accumulated batches. `num_iterations` is the length of the whole
    run, on which the schedule of max_skip is based; `start_iteration` is where a resumed run continues. Each worker
    keeps `prefetch` batches ready. Raises ValueError if the data is incomplete or the batch cannot be divided.
    """
    return ClipLoader(
        ClipDataset(settings, seed, batch_size * num_iterations, batch_size),
        BatchIndices(batch_size, num_iterations, start_iteration, rank, world_size, accumulation),
        collate,
        num_workers,
        prefetch,
        pin_memory,
    )


def _check(settings: DataConfig) -> None:
    """Raises ValueError for settings with which no clip can be made."""
    check_max_skip(settings.max_skip, settings.max_skip_from)
    if not 1 <= settings.max_objects <= 127:
        raise ValueError(f"data.max_objects={settings.max_objects} must be between 1 and 127")
    if settings.merge_motion < 0:
        raise ValueError(f"data.merge_motion={settings.merge_motion} must be 0 or more, in sides of the crop")
