"""Training clips from sets of videos with a mask for each frame."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from livos.config.schema import DataConfig, VideoSetConfig
from livos.files.images import IMAGE_SUFFIXES, MASK_SUFFIXES, image_size
from livos.files.names import files_by_stem, folders_in, read_video_list, some_of
from livos.training.data.augmentation import BGR_FILL, Warp, random_video_warp, random_view
from livos.training.data.clips import Clip
from livos.training.data.sampling import ClipShape, choose_frames, choose_objects, clip_shapes, max_skip_at, slot_table
from livos.training.data.training_files import (
    HEADER_READERS,
    largest_reduction,
    mask_size,
    read_image,
    read_mask,
    refuse_two_meanings,
)

logger = logging.getLogger(__name__)

_VIDEOS_TO_TRY = 100  # videos to try for a clip before giving up on the whole set


@dataclass(frozen=True)
class Video:
    """The frames of a video that have a mask, in order of name."""

    name: str
    image_dir: Path
    mask_dir: Path
    image_names: tuple[str, ...]
    mask_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.image_names)

    @property
    def image_paths(self) -> list[Path]:
        return [self.image_dir / name for name in self.image_names]

    @property
    def mask_paths(self) -> list[Path]:
        return [self.mask_dir / name for name in self.mask_names]


class VideoSet:
    """The videos of one set that are long enough for a clip; `read_clip(k, …)` makes a clip of the k-th."""

    def __init__(self, name: str, videos: list[Video], settings: VideoSetConfig, clip_settings: DataConfig):
        self.name = name
        self.videos = videos
        self.settings = settings
        self.clip_settings = clip_settings

    def __len__(self) -> int:
        return len(self.videos)

    def read_clip(
        self, item: int, progress: float, generator: np.random.Generator, shape: ClipShape | None = None
    ) -> Clip:
        """A random clip of video `item`, or of another one if no clip of this one shows an object at its beginning.

        `progress` is the completed share of the run; `shape` replaces that of the settings.
        Raises ValueError if no video seems to have a suitable clip.
        """
        settings = replace(self.clip_settings, **shape._asdict()) if shape else self.clip_settings
        for _ in range(_VIDEOS_TO_TRY):
            clip = self._try_clip(self.videos[item], progress, generator, settings)
            if clip is not None:
                return clip
            item = int(generator.integers(len(self.videos)))
        raise ValueError(
            f"{self.name}: no object in the first frame of any clip, after trying {_VIDEOS_TO_TRY} videos; "
            f"are the masks in {self.videos[item].mask_dir.parent} empty?"
        )

    def _try_clip(
        self, video: Video, progress: float, generator: np.random.Generator, settings: DataConfig
    ) -> Clip | None:
        mask_of = cache(lambda frame: read_mask(video.mask_dir / video.mask_names[frame], self.settings.binary_masks))

        def read(frame: int) -> np.ndarray:
            return mask_of(frame).labels

        frames = choose_frames(
            len(video),
            settings.num_frames,
            max_skip_at(progress, settings.max_skip, settings.max_skip_from, self.settings.frame_interval),
            lambda frame: bool(read(frame).any()),
            generator,
            settings.seed_frames,
            settings.tries_per_seed,
        )
        if frames is None:
            return None
        refuse_other_sizes(video, frames, [read(frame).shape for frame in frames])
        refuse_two_meanings([mask_of(frame) for frame in frames])
        height, width = read(frames[0]).shape
        for _ in range(settings.crop_tries):
            warp = random_video_warp(height, width, settings.size, settings.video_warp, generator)
            first_labels = warp.apply(read(frames[0]), nearest=True)
            chosen = choose_objects(first_labels, settings.max_objects, settings.min_object_pixels, generator)
            if chosen:
                view = random_view(len(frames), settings.size, settings.video_warp, generator)
                warps = [replace(warp, matrix=warp.matrix @ moved) for moved in view]
                return self._warped(video, frames, [read(frame) for frame in frames], warps, chosen)
        return None

    def _warped(
        self, video: Video, frames: list[int], masks: list[np.ndarray], warps: list[Warp], chosen: list[int]
    ) -> Clip:
        table, size = slot_table(chosen), warps[0].size
        reduction = largest_reduction(min(warp.minification for warp in warps))
        images = np.empty((len(frames), size, size, 3), dtype=np.uint8)
        labels = np.empty(images.shape[:3], dtype=np.uint8)
        for t, (frame, mask, warp) in enumerate(zip(frames, masks, warps, strict=True)):
            image = read_image(video.image_dir / video.image_names[frame], mask.shape, reduction)
            images[t] = warp.apply(image, reduction, fill=BGR_FILL)
            labels[t] = cv2.LUT(warp.apply(mask, nearest=True), table)
        name = f"{self.name}/{video.name}:{Path(video.image_names[frames[0]]).stem}"
        return Clip(images, labels, len(chosen), name)


def open_video_set(name: str, settings: VideoSetConfig, clip_settings: DataConfig) -> tuple[VideoSet | None, list[str]]:
    """The set and no problems, or None and a sentence for each problem with its files.

    Reads the headers of all frames and masks that training may use, but no pixels.
    """
    root = Path(clip_settings.root)
    folder = next((root / f for f in settings.folders if (root / f / settings.images).is_dir()), None)
    if folder is None:
        places = " or ".join(str(root / f / settings.images) for f in settings.folders)
        return None, [f"there is no folder {places}"]
    names, problems = _video_names(folder, settings)
    videos = []
    for video_name in names:
        video, problem = _find_video(folder, video_name, settings)
        videos.append(video)
        problems += [problem] if problem else []
    if problems:
        return None, problems
    num_frames = max(shape.num_frames for shape in clip_shapes(clip_settings))
    long_enough = [video for video in videos if len(video) >= num_frames]
    if not long_enough:
        return None, [f"none of the {len(videos)} videos has the {num_frames} frames of a clip"]
    if len(long_enough) < len(videos):
        short = some_of(video.name for video in videos if len(video) < num_frames)
        logger.warning("%s: skipped because they have fewer than %d frames: %s", name, num_frames, short)
    with ThreadPoolExecutor(HEADER_READERS) as threads:
        problems = [problem for problem in threads.map(_problem_of_sizes, long_enough) if problem]
    if problems:
        return None, problems
    return VideoSet(name, long_enough, settings, clip_settings), []


def _video_names(folder: Path, settings: VideoSetConfig) -> tuple[list[str], list[str]]:
    """Names of the videos, and problems with their list."""
    if settings.video_list is None:
        names = sorted(path.name for path in folders_in(folder / settings.images))
        return names, [] if names else [f"{folder / settings.images} contains no folders of frames"]
    list_path = folder / settings.video_list
    if not list_path.is_file():
        return [], [f"there is no list of videos {list_path}"]
    try:
        return read_video_list(list_path), []
    except ValueError as error:
        return [], [str(error)]


def _find_video(folder: Path, name: str, settings: VideoSetConfig) -> tuple[Video, str | None]:
    """The video's frames that have masks, and the problem with its folders, if any."""
    image_dir, mask_dir = folder / settings.images / name, folder / settings.masks / name
    images, faults = files_by_stem(image_dir, IMAGE_SUFFIXES)
    masks, mask_faults = files_by_stem(mask_dir, MASK_SUFFIXES)
    both = [stem for stem in images if stem in masks]
    video = Video(name, image_dir, mask_dir, tuple(images[s].name for s in both), tuple(masks[s].name for s in both))
    if faults or mask_faults:
        return video, "; ".join(faults + mask_faults)
    if not images:
        return video, f"{image_dir} is missing or contains no frames"
    if not both:
        return video, f"{mask_dir} is missing or contains no masks of the frames"
    if len(both) < len(images) and not settings.sparse_masks:
        return video, f"{mask_dir} has no masks for the frames {some_of(s for s in images if s not in masks)}"
    return video, None


def _problem_of_sizes(video: Video) -> str | None:
    """The problem with the sizes in the headers of a video's frames and masks, if any."""
    try:
        masks = [mask_size(path) for path in video.mask_paths]
        refuse_other_sizes(video, range(len(video)), masks)
        for image_path, mask_path, size in zip(video.image_paths, video.mask_paths, masks, strict=True):
            if (found := image_size(image_path)) != size:
                sizes = _pixels(found), _pixels(size)
                raise ValueError(f"{image_path} has {sizes[0]} pixels, but its mask {mask_path} has {sizes[1]}")
    except (ValueError, OSError) as error:
        return str(error)
    return None


def refuse_other_sizes(video: Video, frames: Sequence[int], sizes: Sequence[tuple[int, ...]]) -> None:
    """Raises ValueError, naming the file, if a video's masks (frames and (H, W), in order) differ in size."""
    for frame, size in zip(frames, sizes, strict=True):
        if size != sizes[0]:
            path, first = video.mask_paths[frame], video.mask_paths[frames[0]]
            raise ValueError(
                f"{path} has {_pixels(size)} pixels, but {first} has {_pixels(sizes[0])}: all frames of a video must "
                "have the same size"
            )


def _pixels(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]}"
