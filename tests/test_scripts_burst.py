"""BURST's JSON to folders for training, and masks to its JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_masks
from script_modules import load_script

from livos.masks.label_maps import LabelCoding, read_labels, write_labels

burst_to_folders = load_script("scripts/data/burst_to_folders.py")
masks_to_burst_json = load_script("scripts/masks_to_burst_json.py")

SIZE = (6, 9)


def block(left: int, right: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    mask[1:5, left:right] = 1
    return mask


def coded(**objects: np.ndarray) -> dict[str, dict]:
    """{"1": {"rle": ...}}, from o1=mask."""
    codes = {name[1:]: coco_masks.encode(np.asfortranarray(mask))["counts"].decode() for name, mask in objects.items()}
    return {key: {"rle": code, "is_gt": True} for key, code in codes.items()}


@pytest.fixture
def burst(tmp_path) -> Path:
    """Two annotated frames of one sequence, three frames in all; the objects overlap on the second."""
    names = ["frame0001.jpg", "frame0002.jpg", "frame0003.jpg"]
    sequence = {
        "dataset": "HACS",
        "seq_name": "a clip",
        "height": SIZE[0],
        "width": SIZE[1],
        "annotated_image_paths": names[::2],
        "all_image_paths": names,
        "segmentations": [coded(o1=block(0, 3)), coded(o1=block(1, 5), o2=block(4, 8))],
        "track_category_ids": {"1": 7, "2": 7},
    }
    (tmp_path / "train.json").write_text(json.dumps({"split": "train", "sequences": [sequence]}))
    (tmp_path / "frames" / "HACS" / "a clip").mkdir(parents=True)
    for name in names:
        Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(tmp_path / "frames" / "HACS" / "a clip" / name)
    return tmp_path


def arguments_of(burst: Path) -> list[str]:
    return [str(burst / "train.json"), str(burst / "frames"), str(burst / "train-vos")]


@pytest.mark.parametrize("link", [[], ["--link"]])
def test_annotated_frames_become_folders(burst, link):
    for _ in range(2):
        assert burst_to_folders.main([*arguments_of(burst), *link]) == 0
    files = sorted(path.relative_to(burst / "train-vos").as_posix() for path in (burst / "train-vos").rglob("*.*"))
    assert files == [
        "Annotations/HACS_a clip/frame0001.png",
        "Annotations/HACS_a clip/frame0003.png",
        "JPEGImages/HACS_a clip/frame0001.jpg",
        "JPEGImages/HACS_a clip/frame0003.jpg",
    ]
    mask = read_labels(burst / "train-vos/Annotations/HACS_a clip/frame0003.png")
    np.testing.assert_array_equal(mask.labels, np.where(block(4, 8), 2, block(1, 5)))
    assert mask.coding.kind == "palette"


def test_a_missing_frame_and_a_strange_id_are_named(burst, capsys):
    (burst / "frames/HACS/a clip/frame0003.jpg").unlink()
    assert burst_to_folders.main(arguments_of(burst)) == 1
    assert "frame0003.jpg: this annotated frame is missing" in capsys.readouterr().err
    content = json.loads((burst / "train.json").read_text())
    content["sequences"][0]["segmentations"][0] = coded(o300=block(0, 2))
    (burst / "train.json").write_text(json.dumps(content))
    assert burst_to_folders.main(arguments_of(burst)) == 1
    assert "HACS/a clip, frame0001.jpg, object 300: expected ids from 1 to 254" in capsys.readouterr().err


def test_masks_become_json_that_says_the_same(burst):
    folder = burst / "results" / "HACS" / "a clip"
    folder.mkdir(parents=True)
    labels = [block(0, 3).astype(np.int32), block(2, 4) * np.int32(300)]
    for name, frame in zip(("frame0001", "frame0003"), labels, strict=True):
        write_labels(folder / f"{name}.png", frame, LabelCoding("rgb_ids"))
    output = burst / "out" / "predictions.json"
    options = ["--annotations", str(burst / "train.json"), "--masks", str(burst / "results"), "--output", str(output)]
    for _ in range(2):
        assert masks_to_burst_json.main(options) == 0
    written = json.loads(output.read_text())["sequences"][0]
    assert written["track_category_ids"] == {"1": 7, "2": 7}
    assert [sorted(objects) for objects in written["segmentations"]] == [["1"], ["300"]]
    code = {"size": list(SIZE), "counts": written["segmentations"][1]["300"]["rle"].encode()}
    np.testing.assert_array_equal(coco_masks.decode(code), block(2, 4))


def test_a_missing_mask_is_an_error(burst, capsys):
    output = burst / "predictions.json"
    options = ["--annotations", str(burst / "train.json"), "--masks", str(burst), "--output", str(output)]
    assert masks_to_burst_json.main(options) == 1
    assert "frame0001.png" in capsys.readouterr().err and not output.exists()
