"""Cut-outs, COCO and names of objects from `livos track`, and masks taken back from them."""

from __future__ import annotations

import json

import av
import cv2
import numpy as np
import pytest
from marking_segmenter import write_mask
from pycocotools import mask as coco_masks
from video_makers import make_video

from livos.masks.label_maps import read_labels


def test_objects_are_cut_out(tmp_path, run):
    video = make_video(tmp_path / "clip.mp4", 3)
    mask = write_mask(tmp_path / "mask.png", 1, 4)
    assert run(video, mask, "--write", "cutouts") == 0
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert files == [f"cutouts/{object_id}/{number:06d}.png" for object_id in (1, 4) for number in range(3)]
    cut = cv2.imread(str(tmp_path / "out/cutouts/4/000002.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(np.argwhere(cut[..., 3]), [[11, 8], [11, 9], [11, 10]])
    assert not cut[cut[..., 3] == 0].any()


@pytest.mark.parametrize(("kind", "suffix"), [("prores", ".mov"), ("vp9", ".webm")])
def test_objects_are_cut_out_as_videos(tmp_path, run, kind, suffix):
    video = make_video(tmp_path / "clip.mp4", 4)
    assert run(video, write_mask(tmp_path / "mask.png", 1, 4), "--write", "cutouts", "--cutouts-as", kind) == 0
    for object_id in (1, 4):
        with av.open(str(tmp_path / f"out/cutouts/{object_id}{suffix}")) as container:
            assert len([packet for packet in container.demux(video=0) if packet.size]) == 4


def test_cut_outs_are_taken_back_as_masks(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4", 3)
    run(video, write_mask(tmp_path / "mask.png", 1, 4), "--write", "cutouts")
    (tmp_path / "out/cutouts").rename(tmp_path / "cutouts")
    assert run(video, tmp_path / "cutouts", "--write", "masks", "--overwrite") == 0
    assert segmenter.given == [(0, [1, 4]), (1, [1, 4]), (2, [1, 4])]


def test_coco_says_what_the_masks_say_and_is_taken_back(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4", 3)
    assert run(video, write_mask(tmp_path / "mask.png", 1, 4), "--write", "masks", "coco") == 0
    coco = json.loads((tmp_path / "out/coco.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == ["000000.png", "000001.png", "000002.png"]
    for entry in coco["annotations"]:
        labels = read_labels(tmp_path / f"out/masks/{entry['image_id']:06d}.png").labels
        np.testing.assert_array_equal(coco_masks.decode(entry["segmentation"]), labels == entry["track_id"])
        assert entry["area"] == (labels == entry["track_id"]).sum()
    (tmp_path / "out/coco.json").rename(tmp_path / "coco.json")
    assert run(video, tmp_path / "coco.json", "--write", "masks", "--overwrite") == 0
    assert segmenter.given == [(0, [1, 4]), (1, [1, 4]), (2, [1, 4])]


def test_names_of_drawn_objects_are_reported(tmp_path, run, segmenter):
    video = make_video(tmp_path / "clip.mp4", 2)
    shapes = [
        {"label": "dog", "points": [[10, 10], [20, 10], [20, 20]], "shape_type": "polygon"},
        {"label": "ball", "points": [[30, 30], [40, 40]], "shape_type": "rectangle"},
    ]
    (tmp_path / "first.json").write_text(json.dumps({"shapes": shapes, "imageHeight": 48, "imageWidth": 64}))
    assert run(video, tmp_path / "first.json", "--write", "boxes") == 0
    assert segmenter.given == [(0, [1, 2])]
    assert json.loads((tmp_path / "out/objects.json").read_text())["objects"] == {"1": "dog", "2": "ball"}
