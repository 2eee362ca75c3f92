"""Test sets: from their settings (config/dataset/*.yaml) to their videos, and what to say if one is missing."""

import logging
from collections.abc import Sequence
from pathlib import Path

from livos.config.choices import refuse_other_words
from livos.config.schema import TestSetConfig
from livos.evaluation.burst import burst_videos
from livos.evaluation.video import TestVideo
from livos.files.images import IMAGE_SUFFIXES, MASK_SUFFIXES
from livos.files.json_files import read_json
from livos.files.names import (
    checked_name,
    fault_of_folder,
    files_by_stem,
    folders_in,
    natural_order,
    read_video_list,
    some_of,
)
from livos.masks.given_masks import GivenMask, MaskFile

logger = logging.getLogger(__name__)

_SHOWN_ENTRIES = 12  # of an unexpected folder


def open_test_set(settings: TestSetConfig, only: Sequence[str] | None = None) -> list[TestVideo]:
    """The videos of a set, in order; lists folders and reads lists, but no images. `only`: these videos, by name.

    What is wrong with a single video is found by its `problems()`. Raises FileNotFoundError if the set itself is
    missing, showing what was expected, what was found and where to get it, and ValueError for settings, lists or names
    of videos that make no sense.
    """
    _check_settings(settings)
    places = locate_all(settings)
    if "annotation_file" in places:
        videos = burst_videos(places["annotation_file"], places["image_directory"], settings.save_all)
    else:
        asked = read_frame_list(places["frame_list"]) if "frame_list" in places else None
        folders = _video_folders(places, asked)
        videos = [_open_video(name, *folders[name], settings, asked) for name in folders]
    if not any(video.frame_paths for video in videos):
        raise FileNotFoundError(
            f"{settings.dataset_name}: none of its {len(videos)} videos ({some_of([video.name for video in videos])}) "
            f"has frames in {places['image_directory']}\n{_picture(settings, places)}"
        )
    if settings.num_videos and len(videos) != settings.num_videos:
        logger.warning("%s has %d videos, expected %d", settings.dataset_name, len(videos), settings.num_videos)
    return videos if only is None else _choose(videos, only, settings.dataset_name)


def locate(setting: str) -> Path | None:
    """The first existing place of those that a setting names (alternatives are separated by `|`)."""
    return next((path for path in _alternatives(setting) if path.exists()), None)


def locate_all(settings: TestSetConfig) -> dict[str, Path]:
    """Where each folder and list of the set is. Raises FileNotFoundError with an overview if one is missing."""
    places = {key: locate(setting) for key, setting in _wanted(settings).items()}
    if settings.save_all and places.get("frame_list", True) is None:
        del places["frame_list"]  # then only a submission needs it
    found = {key: place for key, place in places.items() if place is not None}
    if len(found) < len(places):
        raise FileNotFoundError(_picture(settings, found))
    return found


def read_frame_list(path: Path) -> dict[str, frozenset[str]]:
    """The frames that a server requests, by video, from YouTube-VOS's meta.json: those listed for any object.

    Raises:
        ValueError: If it has another format or an impossible name; the message names file and place.
    """
    videos = {}
    for name, video in read_json(path)["videos"].pairs():
        frames = [
            checked_name(frame.text(), frame.where)
            for _, entry in video["objects"].pairs()
            for frame in entry["frames"].items()
        ]
        videos[checked_name(name, video.where, nested=True)] = frozenset(frames)
    return videos


def _check_settings(settings: TestSetConfig) -> None:
    refuse_other_words(settings)
    name = settings.dataset_name
    if not settings.image_directory:
        raise ValueError(f"dataset={name} needs image_directory=FOLDER, which contains a folder of frames per video")
    if not settings.mask_directory and not settings.annotation_file:
        raise ValueError(f"dataset={name} needs mask_directory=FOLDER, which contains a folder of masks per video")
    if not settings.save_all and not settings.frame_list and not settings.annotation_file:
        raise ValueError(f"dataset={name} save_all=false needs frame_list=FILE, which says which frames to save")


def _wanted(settings: TestSetConfig) -> dict[str, str]:
    """The settings that name required folders and files."""
    masks = "annotation_file" if settings.annotation_file else "mask_directory"
    keys = ("image_directory", masks, "video_list", "frame_list")
    return {key: getattr(settings, key) for key in keys if getattr(settings, key)}


def _alternatives(setting: str) -> list[Path]:
    return [Path(part.strip()).expanduser() for part in setting.split("|")]


def _picture(settings: TestSetConfig, found: dict[str, Path]) -> str:
    """An overview: what the set looks like, which parts exist, and where to get it."""
    lines = [f"{settings.dataset_name}: not found or incomplete. Expected below data_root={settings.data_root}:"]
    inside = {"image_directory": "/<video>/<frame>.jpg", "mask_directory": "/<video>/<frame>.png"}
    wanted = _wanted(settings)
    for key, setting in wanted.items():
        places = [f"{path}{inside.get(key, '')}" for path in _alternatives(setting)]
        lines.append(f"  {'found  ' if key in found else 'MISSING'}  {key}: {places[0]}")
        lines += [f"           or {place}" for place in places[1:]]
    missing = [_alternatives(setting)[0] for key, setting in wanted.items() if key not in found]
    lines += dict.fromkeys(f"  {_nearest(path)}" for path in missing)
    lines.append(f"Get it: {settings.source or 'see docs/datasets.md'}")
    lines.append("If it is elsewhere: data_root=FOLDER, or each of the keys above, e.g. image_directory=FOLDER")
    return "\n".join(lines)


def _nearest(path: Path) -> str:
    """The entries of the deepest existing folder on the way to a path."""
    folder = next((parent for parent in path.parents if parent.is_dir()), Path())
    entries = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    shown = ", ".join(entries[:_SHOWN_ENTRIES]) + (", …" if len(entries) > _SHOWN_ENTRIES else "")
    return f"{folder.resolve()} contains: {shown or 'nothing'}"


def _video_folders(places: dict[str, Path], asked: dict[str, frozenset[str]] | None) -> dict[str, tuple[Path, Path]]:
    """The folders of frames and masks for each video: as listed, or else every folder in either place.

    If neither place has folders, they belong to one video, named after the folder of its frames.
    """
    images, masks = places["image_directory"], places["mask_directory"]
    if "video_list" in places:
        names = set(read_video_list(places["video_list"]))
    elif asked is not None:
        names = set(asked)
    else:
        names = _folder_names(images) | _folder_names(masks)
        if not names:
            return {images.resolve().name: (images, masks)}
    return {name: (images / name, masks / name) for name in sorted(names, key=natural_order)}


def _folder_names(folder: Path) -> set[str]:
    return {entry.name for entry in folders_in(folder)}


def _open_video(
    name: str, frames: Path, masks: Path, settings: TestSetConfig, asked: dict[str, frozenset[str]] | None
) -> TestVideo:
    frame_files, faults = _list(frames, IMAGE_SUFFIXES, "frames")
    mask_files, mask_faults = _list(masks, MASK_SUFFIXES, "masks")
    faults += mask_faults
    if fault := fault_of_folder(name):
        faults.append(fault)
    if asked is not None and name not in asked:
        faults.append(f"{name}: not in {settings.frame_list}, which says which frames to save")
    given: dict[str, GivenMask] = {
        stem: MaskFile(path, settings.void_id, settings.colour_masks) for stem, path in mask_files.items()
    }
    return TestVideo(
        name,
        tuple(frame_files.values()),
        given,
        settings.use_all_masks,
        asked=None if asked is None else asked.get(name),
        save_all=settings.save_all,
        faults=tuple(faults),
    )


def _list(folder: Path, suffixes: tuple[str, ...], what: str) -> tuple[dict[str, Path], list[str]]:
    if not folder.is_dir():
        return {}, [f"{folder}: no such folder, expected to hold {what}"]
    try:
        files, faults = files_by_stem(folder, suffixes)
    except OSError as error:
        return {}, [str(error)]
    return files, faults if files else [f"{folder}: contains no {what} ({', '.join(suffixes)})"]


def _choose(videos: list[TestVideo], only: Sequence[str], dataset_name: str) -> list[TestVideo]:
    known = {video.name: video for video in videos}
    if unknown := [name for name in only if name not in known]:
        raise ValueError(f"{dataset_name} has no videos named {', '.join(unknown)}; it has {some_of(list(known))}")
    return [video for video in videos if video.name in set(only)]
