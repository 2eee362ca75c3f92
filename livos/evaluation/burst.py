"""BURST: given masks as run-length codes in one JSON file, and predictions in a file of the same form.

The form is that of github.com/Ali2500/BURST-benchmark: a list `sequences`, each with `dataset`, `seq_name`, `height`,
`width`, `annotated_image_paths`, and `segmentations`: for each annotated image {track id: {"rle": ..., ...}}.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from pycocotools import mask as coco_masks
from tqdm import tqdm

from livos.evaluation.video import TestVideo
from livos.files.atomic import written_aside
from livos.files.images import IMAGE_SUFFIXES
from livos.files.names import files_by_stem
from livos.masks.given_masks import GivenMask
from livos.masks.label_maps import LabelCoding, LabelMap, Labels, object_ids, read_labels

_KEYS = ("dataset", "seq_name", "height", "width", "annotated_image_paths", "segmentations")


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
        """Where objects overlap, the one with the larger id is seen."""
        labels = np.zeros(self.shape, np.int32)
        for object_id, code in sorted(self.codes.items()):
            labels[decode_mask(code, self.shape, f"{self.path}: {self.where}, object {object_id}")] = object_id
        return LabelMap(labels, LabelCoding())


def decode_mask(code: Any, shape: tuple[int, int], where: str) -> np.ndarray:
    """(H, W) bool from COCO's compressed run-length code. ValueError, saying where, if it is none of this size."""
    if not isinstance(code, str):
        raise ValueError(f"{where}: expected a run-length code as text, found {type(code).__name__}")
    runs = _run_lengths(code)
    if sum(runs) != shape[0] * shape[1] or min(runs) < 0:
        raise ValueError(f"{where}: not a run-length code of {shape[1]} x {shape[0]} pixels")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(shape[1], shape[0]).T


def _run_lengths(code: str) -> list[int]:
    """Lengths of the alternating runs of background and object, column by column, from COCO's text.

    Each character holds five bits, the lowest first, and whether more follow; from the fourth number on, differences to
    the one before last are stored. pycocotools returns uninitialised memory where a code is too short, hence our own.
    """
    runs: list[int] = []
    value = place = 0
    for character in code:
        bits = ord(character) - 48
        value |= (bits & 31) << place
        place += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << place
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = place = 0
    return runs or [0]


def encode_mask(mask: np.ndarray) -> str:
    """COCO's compressed run-length code of (H, W) bool."""
    return coco_masks.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"].decode()


def read_annotations(path: Path) -> dict[str, Any]:
    """The whole JSON file. ValueError, naming the file, where it is not of BURST's form."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("sequences"), list):
        raise ValueError(f'{path}: expected {{"sequences": [...]}}')
    for number, sequence in enumerate(content["sequences"]):
        if missing := [key for key in _KEYS if key not in sequence]:
            raise ValueError(f"{path}: sequence {number} lacks {', '.join(missing)}")
        if len(sequence["segmentations"]) != len(sequence["annotated_image_paths"]):
            raise ValueError(f"{path}: {sequence_name(sequence)} has not one entry in segmentations for each image")
    return content


def sequence_name(sequence: Mapping[str, Any]) -> str:
    """`<dataset>/<sequence>`, as the folders are nested."""
    return f"{sequence['dataset']}/{sequence['seq_name']}"


def annotated_frames(sequence: Mapping[str, Any]) -> list[str]:
    """Names, without suffix, of the frames whose masks are asked for."""
    return [PurePosixPath(path).stem for path in sequence["annotated_image_paths"]]


def burst_videos(annotation_file: Path, image_directory: Path, save_all: bool) -> list[TestVideo]:
    """The sequences as videos. Every object's mask is given where it appears first; annotated frames are saved."""
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
    """For each frame on which objects appear first, their masks. ValueError for an id that is not a positive number."""
    seen: set[int] = set()
    masks: dict[str, GivenMask] = {}
    for frame, objects in zip(annotated_frames(sequence), sequence["segmentations"], strict=True):
        where = f"{sequence_name(sequence)}, frame {frame}"
        if wrong := [key for key in objects if not (key.isdecimal() and int(key) > 0)]:
            raise ValueError(f"{annotation_file}: {where}: object ids must be positive numbers, found {wrong}")
        codes = {int(key): entry["rle"] for key, entry in objects.items() if int(key) not in seen}
        if codes:
            seen |= codes.keys()
            masks[frame] = BurstMask(annotation_file, where, (sequence["height"], sequence["width"]), codes)
    return masks


def write_predictions(
    annotation_file: Path, mask_directory: Path, output_path: Path, codings: Mapping[str, LabelCoding] | None = None
) -> None:
    """Predicted masks as JSON in the form of the annotations: `segmentations` replaced, everything else kept.

    mask_directory: `<dataset>/<sequence>/<frame>.png` for every annotated frame. codings: by sequence, where known;
    else found from each file. ValueError naming the first file that is missing or of another size than annotated.
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
        raise ValueError(f"{path}: {labels.shape} (height, width), annotated is {expected}")
    return {
        str(object_id): {"rle": encode_mask(labels == object_id), "is_gt": False, "score": 1.0}
        for object_id in object_ids(labels)
    }


def _read_prediction(path: Path, coding: LabelCoding | None) -> Labels:
    if not path.exists():
        raise ValueError(f"{path}: this annotated frame has no prediction")
    return read_labels(path, coding=coding).labels
