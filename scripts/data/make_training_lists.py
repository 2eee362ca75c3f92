"""List the videos of a folder that training can use, and hold some out for validation.

    python scripts/data/make_training_lists.py ../my_videos --validation 4
    python scripts/data/make_training_lists.py ../YouTube/train --min-frames 8 --exclude held_out.txt

This reads JPEGImages/<video>/ and Annotations/<video>/ in the folder and writes train.txt (and val.txt), with a video's
name in each line, for `video_list` in livos/config/data. A video is skipped, and the reason printed, if it has fewer
than --min-frames frames with a mask, if a mask matches no frame, if no mask shows an object, or if training would
refuse one of them. The held-out videos are drawn with --seed, so the same call gives the same lists.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from livos.files.atomic import written_aside
from livos.files.images import IMAGE_SUFFIXES, MASK_SUFFIXES
from livos.files.names import files_by_stem, folders_in, natural_order, read_lines
from livos.training.data.training_files import read_mask, refuse_two_meanings


def reason_against(image_dir: Path, mask_dir: Path, min_frames: int, binary: bool = False) -> str | None:
    """Why a video cannot be trained on, or None if it can. Its masks are read as in training."""
    frames, faults = files_by_stem(image_dir, IMAGE_SUFFIXES)
    masks, mask_faults = files_by_stem(mask_dir, MASK_SUFFIXES)
    if faults or mask_faults:
        return "; ".join(faults + mask_faults)
    if not masks:
        return "no masks"
    strays = sorted(masks.keys() - frames.keys(), key=natural_order)
    if strays:
        return f"{len(strays)} masks without a frame, the first is {masks[strays[0]].name}"
    if len(masks) < min_frames:
        return f"{len(masks)} frames with a mask, expected at least {min_frames}"
    try:
        read = [replace(read_mask(path, binary), labels=np.empty(0, np.uint8)) for path in masks.values()]
        refuse_two_meanings(read)
    except (ValueError, OSError) as error:
        return str(error)
    if all(mask.black_and_white is None for mask in read):
        return "no mask shows an object"
    return None


def usable_videos(
    image_root: Path, mask_root: Path, min_frames: int, exclude: Collection[str] = (), binary: bool = False
) -> list[str]:
    """Names of videos that can be trained on, in order. Raises ValueError if there are none."""
    if not image_root.is_dir():
        raise ValueError(f"{image_root}: expected a folder with a folder of frames per video, but it is missing")
    videos = [path.name for path in folders_in(image_root) if path.name not in exclude]
    usable = []
    for video in tqdm(videos, unit="video"):
        reason = reason_against(image_root / video, mask_root / video, min_frames, binary)
        if reason is None:
            usable.append(video)
        else:
            tqdm.write(f"skipped: {video} ({reason})")
    if not usable:
        raise ValueError(f"{image_root}: none of the {len(videos)} videos can be trained on")
    return usable


def split_videos(videos: list[str], num_validation: int, seed: int) -> tuple[list[str], list[str]]:
    """(training, validation), each in order. Raises ValueError if nothing would remain to train on."""
    if not 0 <= num_validation < len(videos):
        raise ValueError(f"--validation {num_validation} of {len(videos)} usable videos leaves none to train on")
    aside = set(random.Random(seed).sample(videos, num_validation))
    return [video for video in videos if video not in aside], sorted(aside)


def write_list(path: Path, names: list[str]) -> None:
    with written_aside(path) as aside:
        aside.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="folder with JPEGImages/ and Annotations/, also for the lists")
    parser.add_argument("--images", default="JPEGImages", help="its folder of frames (default: JPEGImages)")
    parser.add_argument("--masks", default="Annotations", help="its folder of masks (default: Annotations)")
    parser.add_argument("--min-frames", type=int, default=8, help="frames with masks that a video needs (default: 8)")
    parser.add_argument("--exclude", type=Path, action="append", default=[], help="list of videos to skip")
    parser.add_argument("--binary-masks", action="store_true", help="check masks as binary_masks=true reads them")
    parser.add_argument("--validation", type=int, default=0, help="number of videos to hold out (default: 0)")
    parser.add_argument("--seed", type=int, default=0, help="seed for choosing them (default: 0)")
    options = parser.parse_args(arguments)
    try:
        excluded = {line.strip() for path in options.exclude for line in read_lines(path)}
        directory = options.directory
        images, masks = directory / options.images, directory / options.masks
        videos = usable_videos(images, masks, options.min_frames, excluded, options.binary_masks)
        training, validation = split_videos(videos, options.validation, options.seed)
        write_list(directory / "train.txt", training)
        if validation:
            write_list(directory / "val.txt", validation)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{directory}: {len(training)} videos in train.txt" + (f", {len(validation)} in val.txt" * bool(validation)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
