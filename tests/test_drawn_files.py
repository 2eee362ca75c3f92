"""Files of labelme, CVAT, Label Studio and YOLO are read as their programs mean them; others are refused."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from livos.masks.drawn_files import read_drawn_masks
from livos.pipeline.video_masks import find_masks

SIZE = (20, 30)
BOX = [[2, 3], [12, 3], [12, 13], [2, 13]]
FLAT = [2, 3, 12, 3, 12, 13, 2, 13]


def read(path, content=None):
    if content is not None:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    drawn = read_drawn_masks([path], SIZE)
    return {name: mask.read() for name, mask in drawn.masks.items()}, drawn.object_names


def labelme(*shapes: dict, **more) -> dict:
    return {"imageHeight": SIZE[0], "imageWidth": SIZE[1], "shapes": [{"label": "a", **s} for s in shapes], **more}


def coco(*annotations: dict, images: int = 2) -> dict:
    frames = [{"id": n, "file_name": f"f/{n:05d}.jpg", "height": SIZE[0], "width": SIZE[1]} for n in range(images)]
    entries = [{"id": k, "category_id": 1, **annotation} for k, annotation in enumerate(annotations)]
    return {"images": frames, "annotations": entries, "categories": [{"id": 1, "name": "cat"}]}


def in_base64(mask: np.ndarray) -> str:
    data = io.BytesIO()
    Image.fromarray(mask).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_masks_of_labelmes_ai_tools_lie_where_their_points_say(tmp_path, dtype):
    part = np.eye(5, 7, dtype=dtype)
    shape = {"shape_type": "mask", "points": [[4.0, 6.0], [10.0, 10.0]], "mask": in_base64(part)}
    masks, _ = read(tmp_path / "a.json", labelme(shape))
    expected = np.zeros(SIZE, int)
    expected[6:11, 4:11] = part
    np.testing.assert_array_equal(masks["a"].labels, expected)
    for wrong in ({"points": [[4, 6], [11, 10]]}, {"points": [[4, 6], [40, 10]]}, {"mask": "PNG?"}, {"mask": None}):
        with pytest.raises(ValueError, match=r"a\.json: shapes\[0\]"):
            read(tmp_path / "a.json", labelme({**shape, **wrong}))


def test_ellipses_and_oriented_boxes_have_their_area(tmp_path):
    ellipse = {"shape_type": "ellipse", "points": [[5, 4], [25, 16]]}
    masks, _ = read(tmp_path / "a.json", labelme(ellipse))
    assert masks["a"].labels.sum() == pytest.approx(np.pi * 10 * 6, rel=0.03)
    turned = {"shape_type": "oriented_rectangle", "points": [[10, 2], [18, 10], [10, 18], [2, 10]]}
    masks, _ = read(tmp_path / "a.json", labelme(turned))
    assert masks["a"].labels.sum() == pytest.approx(128, rel=0.1)


def test_a_byte_order_mark_is_taken(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(labelme({"points": BOX})).encode())
    assert read(tmp_path / "a.json")[0]["a"].ids == [1]


def test_tracks_of_cvat_may_begin_at_0_and_have_shapes_beside_them(tmp_path):
    tracked = [{"image_id": n, "segmentation": [FLAT], "attributes": {"track_id": 0}} for n in range(2)]
    masks, names = read(tmp_path / "a.json", coco(*tracked))
    assert {name: mask.ids for name, mask in masks.items()} == {"00000": [1], "00001": [1]}
    assert names == {1: "cat"}
    shape = {"image_id": 1, "segmentation": [[20, 3, 28, 3, 28, 13]], "attributes": {"occluded": False}}
    masks, _ = read(tmp_path / "a.json", coco(*tracked, shape))
    assert {name: mask.ids for name, mask in masks.items()} == {"00000": [1], "00001": [1, 2]}
    with pytest.raises(ValueError, match=r"a\.json: which annotations without a track_id of different images"):
        read(tmp_path / "a.json", coco(*tracked, shape, {**shape, "image_id": 0}))


NAN, HUGE = float("nan"), 10**4000
RUNS = {"size": list(SIZE), "counts": [600]}


@pytest.mark.parametrize(
    ("annotation", "place"),
    [
        ({"segmentation": [FLAT[:-1]]}, r"annotations\[0\]\.segmentation\[0\]: expected pairs"),
        ({"segmentation": [FLAT[:4]]}, r"segmentation\[0\]: a polygon of 2 corners"),
        ({"segmentation": [[1e8, *FLAT[1:]]]}, r"far outside the image"),
        ({"segmentation": [["x", *FLAT[1:]]]}, r"segmentation\[0\]\[0\]: expected a finite number, found 'x'"),
        ({"segmentation": [[NAN, *FLAT[1:]]]}, "not valid JSON: NaN is not a number"),
        ({"segmentation": [[HUGE, *FLAT[1:]]]}, r"finite number, found a number of more than|not valid JSON"),
        ({"segmentation": {"size": [20, 31], "counts": [620]}}, r"segmentation\.size: expected"),
        (
            {"segmentation": {**RUNS, "counts": [16]}},
            r"\[0\]\.segmentation: not a run-length code of 30 x 20",
        ),
        ({"segmentation": {**RUNS, "counts": [-1, 601]}}, "not a run-length code"),
        ({"segmentation": {**RUNS, "counts": "0"}}, "not a run-length code"),
        ({"bbox": [1, 2, -3, 4]}, r"bbox: expected a box"),
        ({"bbox": [1, 2, 3]}, r"bbox: expected a box"),
        ({"segmentation": 3}, r"segmentation: expected a list"),
        ({"track_id": -1, "bbox": [1, 2, 3, 4]}, "track_id: expected a whole number"),
        ({"image_id": [], "bbox": [1, 2, 3, 4]}, "image_id: expected a whole number"),
        ({}, r"annotations\[0\]: expected an object with 'bbox'"),
    ],
)
def test_annotations_that_are_not_areas_are_refused_with_their_place(tmp_path, annotation, place):
    with pytest.raises(ValueError, match=rf"a\.json: .*{place}|a\.json: {place}"):
        read(tmp_path / "a.json", coco({"image_id": 0, **annotation}))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"imageHeight": 10**9}, "a.json: claims 30 x 1000000000 pixels"),
        ({"imageHeight": 10**12}, "imageHeight: expected a whole number"),
        ({"imageWidth": -3}, "imageWidth: expected a whole number"),
        ({"shapes": None}, "neither labelme"),
        ({"shapes": [3]}, r"shapes\[0\]: expected an object"),
        ({"shapes": [{"label": "\ud800", "points": BOX}]}, r"shapes\[0\]\.label: .*surrogate"),
        ({"shapes": [{"label": "x", "points": [[1, 2, 3]] * 3}]}, r"points\[0\]: expected a point"),
        (
            {"shapes": [{"label": "x", "points": BOX, "shape_type": "line"}]},
            r"shapes\[0\]: 'x', a 'line' with 4",
        ),
        ({"shapes": [{"label": ["x"], "points": BOX}]}, r"label: expected a string"),
    ],
)
def test_labelme_files_that_make_no_sense_are_refused_with_their_place(tmp_path, changes, place):
    with pytest.raises(ValueError, match=place):
        read(tmp_path / "a.json", {**labelme(), **changes})


def test_deeply_nested_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.json: not valid JSON: nested too deeply"):
        read(tmp_path / "a.json", "[" * 200_000)


def test_control_characters_of_labels_do_not_reach_terminals(tmp_path):
    assert read(tmp_path / "a.json", labelme({"label": "\x1b[31mred\n", "points": BOX}))[1] == {1: " [31mred "}


def test_the_lines_of_a_yolo_file_are_objects(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    (tmp_path / "00000.txt").write_text("0 0 0 0.5 0 0.5 0.5 0 0.5\n0 0.75 0.5 0.2 0.4\n")
    named = find_masks(tmp_path, SIZE)
    mask = named.by_name["00000"].read()
    assert (mask.labels == 1).sum() == 150 and (mask.labels == 2).sum() == 6 * 8
    assert named.object_names == {1: "cat", 2: "cat"}
    (tmp_path / "00001.txt").write_text("1 0 0 0.5 0 0.5 0.5 0 0.5\n")
    with pytest.raises(ValueError, match=r"00000\.txt: class 0 has several lines"):
        find_masks(tmp_path, SIZE)
    (tmp_path / "00000.txt").write_text("0 0.75 0.5 0.2 0.4\n")
    named = find_masks(tmp_path, SIZE)
    assert {name: mask.read().ids for name, mask in named.by_name.items()} == {"00000": [1], "00001": [2]}
    for line in ("cat 0 0 1 0 1 1", "0 0 0 1 0 1", "0 0 0 1 0 1 nan", "-1 0 0 1 0 1 1", "0 12 3 40 3 40 13"):
        (tmp_path / "00000.txt").write_text(f"\n{line}\n")
        with pytest.raises(ValueError, match=r"00000\.txt: line 2"):
            find_masks(tmp_path, SIZE)


def test_one_file_an_object_is_read_as_label_studio_exports_it(tmp_path):
    for place, tag in enumerate(("cat", "cat", "dog bowl")):
        soft = np.zeros(SIZE, np.uint8)
        soft[4:9, 10 * place : 10 * place + 5], soft[4:9, 10 * place + 5] = 255, 90
        Image.fromarray(soft).save(tmp_path / f"task-57-annotation-2-by-3-tag-{tag}-{place % 2}.png")
    named = find_masks(tmp_path, SIZE)
    ((_, mask),) = named.by_name.items()
    assert mask.read().ids == [1, 2, 3] and (mask.read().labels == 1).sum() == 25
    assert named.single_file and named.object_names == {1: "cat", 2: "cat", 3: "dog bowl"}
    Image.fromarray(soft).save(tmp_path / "task-58-annotation-4-by-3-tag-cat-0.png")
    with pytest.raises(ValueError, match="Label Studio's tasks 57, 58: which frames"):
        find_masks(tmp_path, SIZE)
