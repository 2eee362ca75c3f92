"""BURST: given masks as run-length codes in one JSON file, and predictions in a file of the same format.

The format is that of github.com/Ali2500/BURST-benchmark: a list `sequences`, each with `dataset`, `seq_name`, `height`,
`width`, `annotated_image_paths`, and `segmentations`: for each annotated image {track id: {"rle": ..., ...}}.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from tqdm import tqdm

from livos.evaluation.video import TestVideo
from livos.files.atomic import written_aside
from livos.files.image_formats import refuse_too_large
from livos.files.images import IMAGE_SUFFIXES
from livos.files.json_files import Entry, read_json
from livos.files.names import checked_name, files_by_stem
from livos.masks.given_masks import GivenMask
from livos.masks.label_maps import LabelCoding, LabelMap, Labels, object_ids, read_labels
from livos.masks.run_lengths import decode_mask, encode_mask

LARGEST_SIDE = 2**31 - 1
LARGEST_ID = 2**24 - 1


@dataclass(frozen=True)
class BurstMask:
    """The objects that appear first on one frame of a sequence."""

    path: Path  # the JSON file
    where: str  # sequence and frame, for messages
    shape: tuple[int, int]  # (H, W)
    codes: Mapping[int, str]  # run-length code by object id

    def size(self) -> tuple[int, int]:
        return self.shape

    def palette(self) -> bytes | None:
        return b"" if max(self.codes) <= 255 else None

    def read(self) -> LabelMap:
        """Where objects overlap, the one with the larger id is on top."""
        labels = np.zeros(self.shape, np.int32)
        for object_id, code in sorted(self.codes.items()):
            labels[decode_mask(code, self.shape, f"{self.path}: {self.where}, object {object_id}")] = object_id
        return LabelMap(labels, LabelCoding())


def read_annotations(path: Path) -> dict[str, Any]:
    """The whole JSON file, checked: its format, its sizes, and every name that becomes a folder or file.

    Raises:
        ValueError: If it is not in BURST's format or has an impossible name; the message names file and place.
    """
    content = read_json(path)
    for sequence in content["sequences"].items():
        for key in ("dataset", "seq_name"):
            checked_name(sequence[key].text(), sequence[key].where, nested=True)
        size = sequence["height"].whole(1, LARGEST_SIDE), sequence["width"].whole(1, LARGEST_SIDE)
        refuse_too_large(*size, sequence.where)
        images, objects = sequence["annotated_image_paths"].items(), sequence["segmentations"].items()
        for image in images:
            checked_name(PurePosixPath(image.text()).stem, image.where)
        if len(objects) != len(images):
            raise sequence["segmentations"].error(f"one entry for each of {len(images)} images")
        for frame in objects:
            for object_id, entry in frame.pairs():
                _checked_object(object_id, entry)
    return content.value


def _checked_object(object_id: str, entry: Entry) -> None:
    if not (object_id.isascii() and object_id.isdecimal() and len(object_id) <= 8 and 0 < int(object_id) <= LARGEST_ID):
        raise ValueError(f"{entry.where}: object ids must be positive numbers up to {LARGEST_ID}")
    entry["rle"].text()


def sequence_name(sequence: Mapping[str, Any]) -> str:
    """`<dataset>/<sequence>`, like the nested folders."""
    return f"{sequence['dataset']}/{sequence['seq_name']}"


def annotated_frames(sequence: Mapping[str, Any]) -> list[str]:
    """Names, without suffix, of the frames whose masks are requested."""
    return [PurePosixPath(path).stem for path in sequence["annotated_image_paths"]]


def burst_videos(annotation_file: Path, image_directory: Path, save_all: bool) -> list[TestVideo]:
    """The sequences as videos. Every object's mask is given where it first appears; annotated frames are saved."""
    sequences = read_annotations(annotation_file)["sequences"]
    return [_open_sequence(sequence, annotation_file, image_directory, save_all) for sequence in sequences]


def _open_sequence(sequence: Mapping[str, Any], annotation_file: Path, images: Path, save_all: bool) -> TestVideo:
    name = sequence_name(sequence)
    folder = images / name
    files: dict[str, Path] = {}
    faults = [f"{folder}: no such folder, expected to hold frames"]
    if folder.is_dir():
        files, faults = files_by_stem(folder, IMAGE_SUFFIXES)
    return TestVideo(
        name,
        tuple(files.values()),
        first_masks(sequence, annotation_file),
        use_all_masks=True,
        asked=frozenset(annotated_frames(sequence)),
        save_all=save_all,
        faults=tuple(faults),
    )


def first_masks(sequence: Mapping[str, Any], annotation_file: Path) -> dict[str, GivenMask]:
    """For each frame on which objects first appear, their masks. `read_annotations` has checked the sequence."""
    seen: set[int] = set()
    masks: dict[str, GivenMask] = {}
    for frame, objects in zip(annotated_frames(sequence), sequence["segmentations"], strict=True):
        where = f"{sequence_name(sequence)}, frame {frame}"
        codes = {int(key): entry["rle"] for key, entry in objects.items() if int(key) not in seen}
        if codes:
            seen |= codes.keys()
            masks[frame] = BurstMask(annotation_file, where, (sequence["height"], sequence["width"]), codes)
    return masks


def write_predictions(
    annotation_file: Path, mask_directory: Path, output_path: Path, codings: Mapping[str, LabelCoding] | None = None
) -> None:
    """Writes predicted masks as JSON in the annotations' format: replaces `segmentations`, and keeps everything else.

    mask_directory: `<dataset>/<sequence>/<frame>.png` for every annotated frame. codings: by sequence, if known;
    otherwise recognised from each file. Raises ValueError, naming the first file that is missing or of the wrong size.
    """
    content = read_annotations(annotation_file)
    for sequence in tqdm(content["sequences"], desc=output_path.name, unit="video"):
        coding = (codings or {}).get(sequence_name(sequence))
        sequence["segmentations"] = [
            _encode_frame(mask_directory / sequence_name(sequence) / f"{frame}.png", coding, sequence)
            for frame in annotated_frames(sequence)
        ]
    with written_aside(output_path) as aside:
        aside.write_text(json.dumps(content), encoding="utf-8")


def _encode_frame(path: Path, coding: LabelCoding | None, sequence: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    labels = _read_prediction(path, coding)
    expected = (sequence["height"], sequence["width"])
    if labels.shape != expected:
        raise ValueError(f"{path}: {labels.shape} (height, width), but the annotation has {expected}")
    return {
        str(object_id): {"rle": encode_mask(labels == object_id), "is_gt": False, "score": 1.0}
        for object_id in object_ids(labels)
    }


def _read_prediction(path: Path, coding: LabelCoding | None) -> Labels:
    if not path.exists():
        raise ValueError(f"{path}: this annotated frame has no prediction")
    return read_labels(path, coding=coding).labels
