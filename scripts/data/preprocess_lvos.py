"""Keep each object's first mask, which is all that a method may see of the LVOS validation set's true masks.

    python scripts/data/preprocess_lvos.py ../LVOS/valid/Annotations ../LVOS/valid/Annotations_first_only

A frame's mask is written if an object appears on it for the first time. Objects that appeared earlier become background
there, because the benchmark does not allow giving their true masks again. Running it twice gives the same result.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from livos.files.names import files_by_stem, folders_in
from livos.masks.label_maps import LabelMap, object_ids, read_labels, write_labels


def first_masks(mask_paths: list[Path]) -> Iterator[tuple[Path, LabelMap]]:
    """The masks of a video, in order of time, on which an object first appears, reduced to such objects."""
    seen: set[int] = set()
    for path in mask_paths:
        mask = read_labels(path)
        new = set(object_ids(mask.labels)) - seen
        if new:
            seen |= new
            yield path, LabelMap(np.where(np.isin(mask.labels, sorted(new)), mask.labels, 0), mask.coding)


def keep_first_masks(source: Path, target: Path) -> tuple[int, int]:
    """Writes the first masks of every video below `source` to `target`; returns the number of videos and masks.

    Raises ValueError if `source` contains no videos, or is `target`.
    """
    if source.resolve() == target.resolve():
        raise ValueError(f"{source} would be overwritten: choose another folder to write to")
    videos = folders_in(source) if source.is_dir() else []
    if not videos:
        raise ValueError(f"{source}: expected a folder with a folder of masks per video, found none")
    num_masks = 0
    for video in tqdm(videos, unit="video"):
        files, faults = files_by_stem(video, (".png",))
        if faults:
            raise ValueError("; ".join(faults))
        mask_paths = list(files.values())
        if not mask_paths:
            raise ValueError(f"{video}: expected masks (.png), found none")
        (target / video.name).mkdir(parents=True, exist_ok=True)
        for path, mask in first_masks(mask_paths):
            write_labels(target / video.name / path.name, mask.labels, mask.coding)
            num_masks += 1
    return len(videos), num_masks


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with a folder of masks per video, for every frame")
    parser.add_argument("target", type=Path, help="folder to write the first masks to")
    options = parser.parse_args(arguments)
    try:
        num_videos, num_masks = keep_first_masks(options.source, options.target)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.target}: {num_masks} first masks of {num_videos} videos")
    return 0


if __name__ == "__main__":
    sys.exit(main())
