"""Masks from the files and folders that people have, matched to the frames of a video."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from livos.masks.drawn_files import read_drawn_masks
from livos.masks.label_maps import LabelCoding, write_labels
from livos.pipeline.video_masks import FrameRange, VideoMasks, masks_of_video
from livos.video.sources import ImageFolder

SIZE = (20, 30)


@pytest.fixture
def source(tmp_path) -> ImageFolder:
    (tmp_path / "frames").mkdir()
    for name in ("shot_1", "shot_2", "shot_5", "shot_10"):
        Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(tmp_path / f"frames/{name}.png")
    paths = [tmp_path / f"frames/shot_{number}.png" for number in (1, 2, 5, 10)]
    return ImageFolder(paths, Fraction(24))


def box(object_id: int = 1) -> np.ndarray:
    labels = np.zeros(SIZE, np.int32)
    labels[5:10, 6:12] = object_id
    return labels


def found(path: Path, source: ImageFolder, **options) -> VideoMasks:
    return masks_of_video(path, source, FrameRange(0, None, 0), **options)


def save_rgba(path: Path, alpha: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    photo = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(np.dstack([photo, alpha])).save(path)


# Names


@pytest.mark.parametrize(("name", "number"), [("shot_5", 2), ("5", 2), ("mask-0010", 3), ("shot_1", 0)])
def test_names_in_a_folder_link_to_frames_by_name_or_number(tmp_path, source, name, number):
    (tmp_path / "masks").mkdir()
    write_labels(tmp_path / f"masks/{name}.png", box())
    assert list(found(tmp_path / "masks", source).by_number) == [number]


@pytest.mark.parametrize(("name", "number"), [("shot_5", 2), ("00010", 3), ("mask5", 1), ("first", 1), ("77", 1)])
def test_a_single_file_belongs_where_work_begins_unless_it_is_named_like_a_frame(tmp_path, source, name, number):
    write_labels(tmp_path / f"{name}.png", box())
    masks = masks_of_video(tmp_path / f"{name}.png", source, FrameRange(1, 3, 1))
    assert list(masks.by_number) == [number]


def test_names_that_fit_no_frame_are_refused(tmp_path, source):
    (tmp_path / "masks").mkdir()
    write_labels(tmp_path / "masks/shot_5.png", box())
    write_labels(tmp_path / "masks/shot_7.png", box())
    with pytest.raises(ValueError, match=r"shot_7.png: which frame is 'shot_7'\?"):
        found(tmp_path / "masks", source)


def test_two_masks_of_one_frame_are_refused(tmp_path, source):
    (tmp_path / "masks").mkdir()
    write_labels(tmp_path / "masks/shot_5.png", box())
    write_labels(tmp_path / "masks/00005.png", box())
    with pytest.raises(ValueError, match=r"are both masks of frame 2"):
        found(tmp_path / "masks", source)


# Pictures


@pytest.mark.parametrize("kind", ["palette", "grey", "grey16", "rgb_ids"])
def test_codings_are_kept(tmp_path, source, kind):
    write_labels(tmp_path / "mask.png", box(9), LabelCoding(kind))
    masks = found(tmp_path / "mask.png", source, colours="ids")
    assert masks.object_ids == [9] and masks.coding.kind == kind
    np.testing.assert_array_equal(masks.by_number[0].read().labels, box(9))


def test_a_black_and_white_mask_is_object_1(tmp_path, source):
    write_labels(tmp_path / "mask.png", box(), LabelCoding("binary"))
    assert found(tmp_path / "mask.png", source).object_ids == [1]


def test_a_transparent_picture_is_object_1(tmp_path, source):
    save_rgba(tmp_path / "mask.png", np.where(box() > 0, 200, 90).astype(np.uint8))
    np.testing.assert_array_equal(found(tmp_path / "mask.png", source).by_number[0].read().labels, box())


def test_transparent_pictures_in_folders_are_objects_by_number(tmp_path, source):
    save_rgba(tmp_path / "cut/3/shot_2.png", (box() * 255).astype(np.uint8))
    save_rgba(tmp_path / "cut/7/shot_2.png", np.roll(box() * 255, 3, axis=1).astype(np.uint8))
    save_rgba(tmp_path / "cut/7/shot_10.png", (box() * 255).astype(np.uint8))
    masks = found(tmp_path / "cut", source)
    assert masks.object_ids == [3, 7] and sorted(masks.by_number) == [1, 3]
    expected = np.where(np.roll(box(), 3, axis=1), 7, box(3))
    np.testing.assert_array_equal(masks.by_number[1].read().labels, expected)


def test_antialiased_masks_and_jpegs_are_refused(tmp_path, source):
    rows, columns = np.mgrid[:20, :30]
    soft = np.clip(60 * (8 - np.hypot(rows - 10, columns - 15)), 0, 200).astype(np.uint8)  # a disk with a soft edge
    Image.fromarray(soft).save(tmp_path / "soft.png")
    with pytest.raises(ValueError, match=r"soft.png: .*antialiased"):
        found(tmp_path / "soft.png", source)
    Image.fromarray(box().astype(np.uint8)).save(tmp_path / "mask.jpg")
    with pytest.raises(ValueError, match=r"mask.jpg: a mask saved as JPEG"):
        found(tmp_path / "mask.jpg", source)


def test_mixed_kinds_and_empty_folders_are_refused(tmp_path, source):
    (tmp_path / "masks").mkdir()
    with pytest.raises(ValueError, match="no masks: expected pictures"):
        found(tmp_path / "masks", source)
    write_labels(tmp_path / "masks/1.png", box())
    (tmp_path / "masks/2.json").write_text("{}")
    with pytest.raises(ValueError, match="are mixed"):
        found(tmp_path / "masks", source)
    with pytest.raises(ValueError, match="there is no such file or folder"):
        found(tmp_path / "nowhere", source)


# Drawings


def labelme(*shapes: dict, **more) -> str:
    return json.dumps({"shapes": list(shapes), "imageHeight": 20, "imageWidth": 30, **more})


def polygon(label: str, points: list, **more) -> dict:
    return {"label": label, "points": points, "shape_type": "polygon", **more}


BOX_CORNERS = [[6, 5], [12, 5], [12, 10], [6, 10]]


def test_labelme_polygons_and_boxes_cover_the_pixels_inside(tmp_path, source):
    rectangle = {"label": "b", "points": [[26, 18], [20, 12]], "shape_type": "rectangle"}
    (tmp_path / "first.json").write_text(labelme(polygon("a", BOX_CORNERS), rectangle))
    masks = found(tmp_path / "first.json", source)
    expected = box()
    expected[12:18, 20:26] = 2
    np.testing.assert_array_equal(masks.by_number[0].read().labels, expected)
    assert masks.object_names == {1: "a", 2: "b"}


def test_labelme_circles_have_their_area(tmp_path):
    circle = {"label": "c", "points": [[15, 10], [15, 18]], "shape_type": "circle"}
    (tmp_path / "first.json").write_text(labelme(circle))
    labels = read_drawn_masks([tmp_path / "first.json"], SIZE).masks["first"].read().labels
    assert labels.sum() == pytest.approx(np.pi * 64, rel=0.05) and labels[10, 15] == 1


def test_the_same_label_on_several_frames_is_the_same_object(tmp_path, source):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/shot_2.json").write_text(labelme(polygon("cat", BOX_CORNERS), polygon("dog", BOX_CORNERS)))
    (tmp_path / "masks/shot_10.json").write_text(
        labelme(polygon("dog", BOX_CORNERS, group_id=2), polygon("dog", BOX_CORNERS), imageHeight=None)
    )
    masks = found(tmp_path / "masks", source)
    assert masks.object_names == {1: "cat", 2: "dog", 3: "dog 2"}
    assert masks.by_number[3].read().ids == [2]  # drawn over "dog 2"


def test_labels_that_are_numbers_are_the_ids(tmp_path, source):
    (tmp_path / "first.json").write_text(labelme(polygon("12", BOX_CORNERS)))
    assert found(tmp_path / "first.json", source).object_ids == [12]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not valid JSON"),
        ("[]", "expected an object"),
        ("{}", "neither labelme"),
        (
            labelme({"label": "a", "points": [[1, 1]], "shape_type": "point"}),
            "a 'point' with 1 points, is not an area",
        ),
        (labelme(polygon("a", [[1, 1], [2, 2]])), "'a', a 'polygon' with 2 points, is not an area"),
    ],
)
def test_invalid_drawings_are_named(tmp_path, source, content, complaint):
    (tmp_path / "first.json").write_text(content)
    with pytest.raises(ValueError, match=rf"first.json: .*{complaint}"):
        found(tmp_path / "first.json", source)


def coco(*annotations: dict) -> str:
    images = [{"id": 4, "file_name": "dir/shot_2.jpg", "height": 20, "width": 30}]
    images += [{"id": 5, "file_name": "shot_10.jpg", "height": 20, "width": 30}]
    entries = [{"id": place, "category_id": 1, **annotation} for place, annotation in enumerate(annotations)]
    return json.dumps({"images": images, "annotations": entries, "categories": [{"id": 1, "name": "cat"}]})


FLAT_BOX = [[6, 5, 12, 5, 12, 10, 6, 10]]


@pytest.mark.parametrize(
    "area",
    [
        {"segmentation": FLAT_BOX},
        {"segmentation": [], "bbox": [6, 5, 6, 5]},
        {"bbox": [6, 5, 6, 5]},
        {"segmentation": {"size": [20, 30], "counts": [125, *([5, 15] * 5), 5, 370]}},
    ],
)
def test_coco_areas_of_every_kind_are_read(tmp_path, source, area):
    (tmp_path / "coco.json").write_text(coco({"image_id": 4, **area}))
    masks = found(tmp_path / "coco.json", source)
    np.testing.assert_array_equal(masks.by_number[1].read().labels, box())


def test_coco_objects_are_told_apart_by_track(tmp_path, source):
    content = coco(
        {"image_id": 4, "segmentation": FLAT_BOX, "track_id": 8},
        {"image_id": 5, "segmentation": FLAT_BOX, "attributes": {"track_id": "9"}},
    )
    (tmp_path / "coco.json").write_text(content)
    masks = found(tmp_path / "coco.json", source)
    assert {number: mask.read().ids for number, mask in masks.by_number.items()} == {1: [8], 3: [9]}
    assert masks.object_names == {8: "cat", 9: "cat"}


def test_coco_over_several_images_without_tracks_is_refused(tmp_path, source):
    content = coco({"image_id": 4, "segmentation": FLAT_BOX}, {"image_id": 5, "segmentation": FLAT_BOX})
    (tmp_path / "coco.json").write_text(content)
    with pytest.raises(ValueError, match="Give each a track_id"):
        found(tmp_path / "coco.json", source)


def test_coco_codes_of_another_size_are_refused(tmp_path, source):
    (tmp_path / "coco.json").write_text(coco({"image_id": 4, "segmentation": {"size": [9, 9], "counts": [81]}}))
    with pytest.raises(ValueError, match=r"segmentation\.size: expected .* size \[20, 30\], found \[9, 9\]"):
        found(tmp_path / "coco.json", source)


# Several pictures in one file


@pytest.mark.parametrize("suffix", [".tif", ".png", ".gif", ".webp"])
def test_each_page_is_the_mask_of_the_frame_at_its_position(tmp_path, source, suffix):
    pages = [
        Image.fromarray((255 * (box() if number in (1, 3) else np.zeros(SIZE))).astype(np.uint8)) for number in range(4)
    ]
    options = {"lossless": True} if suffix == ".webp" else {}
    pages[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=pages[1:], **options)
    masks = found(tmp_path / f"a{suffix}", source)
    assert list(masks.by_number) == [1, 3] and masks.object_ids == [1]
    np.testing.assert_array_equal(masks.by_number[3].read().labels, box())
    assert list(masks_of_video(tmp_path / f"a{suffix}", source, FrameRange(2, 3, 2)).by_number) == [3]


def test_pages_keep_their_palette_indices(tmp_path, source):
    pages = []
    for number in range(4):
        page = Image.fromarray(box(number + 2).astype(np.uint8))
        page.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 0, 128, 128, 0, 128])
        pages.append(page)
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert found(tmp_path / "a.tif", source).object_ids == [2, 3, 4, 5]


def test_several_pictures_in_a_mask_of_a_folder_are_refused(tmp_path, source):
    (tmp_path / "masks").mkdir()
    page = Image.fromarray((255 * box()).astype(np.uint8))
    page.save(tmp_path / "masks/shot_1.tif", save_all=True, append_images=[page])
    with pytest.raises(ValueError, match=r"shot_1.tif: holds several pictures; expected one mask in each file"):
        found(tmp_path / "masks", source)
