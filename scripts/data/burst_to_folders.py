"""Turn BURST's training annotations into folders of frames and index masks, for training (data=mega).

    python scripts/data/burst_to_folders.py ../BURST/train/train.json ../BURST/frames/train ../BURST/train-vos

This writes JPEGImages/<dataset>_<sequence>/ and Annotations/<dataset>_<sequence>/ for the annotated frames. --link
makes hard links to the frames instead of copies. Existing masks are written again, existing frames are not.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from tqdm import tqdm

from livos.evaluation.burst import read_annotations, sequence_name
from livos.files.atomic import copy_file
from livos.masks.label_maps import LabelCoding, write_labels
from livos.masks.run_lengths import decode_mask

LARGEST_ID = 254
"""Training stores ids in a byte, where 255 is void."""


def frame_labels(sequence: Mapping[str, Any], place: int) -> np.ndarray:
    """Labels (H, W) of the annotated frame at `place`; where objects overlap, the one with the larger id is on top.

    Raises ValueError if training cannot read an id.
    """
    size = (sequence["height"], sequence["width"])
    labels = np.zeros(size, np.int32)
    objects = sequence["segmentations"][place]
    for key in sorted(objects, key=int):
        where = f"{sequence_name(sequence)}, {sequence['annotated_image_paths'][place]}, object {key}"
        if not 1 <= int(key) <= LARGEST_ID:
            raise ValueError(f"{where}: expected ids from 1 to {LARGEST_ID}")
        labels[decode_mask(objects[key]["rle"], size, where)] = int(key)
    return labels


def write_sequence(sequence: Mapping[str, Any], frame_root: Path, output: Path, link: bool) -> int:
    """Writes one sequence's annotated frames and masks; returns how many. Raises ValueError if a frame is missing."""
    name = sequence_name(sequence).replace("/", "_")
    images, masks = output / "JPEGImages" / name, output / "Annotations" / name
    for directory in (images, masks):
        directory.mkdir(parents=True, exist_ok=True)
    for place, image_path in enumerate(sequence["annotated_image_paths"]):
        file_name = PurePosixPath(image_path).name
        source = frame_root / sequence_name(sequence) / file_name
        if not source.is_file():
            raise ValueError(f"{source}: this annotated frame is missing")
        if not (images / file_name).exists():
            if link:
                os.link(source, images / file_name)
            else:
                copy_file(source, images / file_name)
        write_labels(masks / f"{source.stem}.png", frame_labels(sequence, place), LabelCoding())
    return len(sequence["annotated_image_paths"])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", type=Path, help="BURST's JSON file")
    parser.add_argument("frames", type=Path, help="folder with <dataset>/<sequence>/<frame>.jpg")
    parser.add_argument("output", type=Path, help="folder for JPEGImages/ and Annotations/")
    parser.add_argument("--link", action="store_true", help="hard links to the frames instead of copies")
    options = parser.parse_args(arguments)
    num_frames = 0
    try:
        sequences = read_annotations(options.annotations)["sequences"]
        for sequence in tqdm(sequences, unit="video"):
            num_frames += write_sequence(sequence, options.frames, options.output, options.link)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.output}: {num_frames} frames of {len(sequences)} videos")
    return 0


if __name__ == "__main__":
    sys.exit(main())
