"""BURST: masks come from JSON at each object's first appearance, and predictions go back in the same form."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_sets import SIZE, labels_with, settings_of, write_frame, write_mask

from livos.evaluation.burst import write_predictions
from livos.evaluation.sets import open_test_set
from livos.masks.label_maps import LabelCoding, write_labels
from livos.masks.run_lengths import decode_mask, encode_mask

FRAMES = [f"frame{number:04d}" for number in (1, 6, 11, 16)]
ANNOTATED = [FRAMES[0], FRAMES[2]]


def segmentations(*frames: dict[int, np.ndarray]) -> list[dict[str, dict]]:
    return [{str(key): {"rle": encode_mask(mask), "is_gt": True} for key, mask in frame.items()} for frame in frames]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One sequence of four frames, two of which are annotated: object 4 on the first, 4 and 300 on the second."""
    labels = labels_with(4, 300)
    sequence = {
        "dataset": "YFCC100M",
        "seq_name": "v_1",
        "height": SIZE[0],
        "width": SIZE[1],
        "all_image_paths": [f"{frame}.jpg" for frame in FRAMES],
        "annotated_image_paths": [f"{frame}.jpg" for frame in ANNOTATED],
        "segmentations": segmentations({4: labels == 4}, {4: labels == 300, 300: labels == 300}),
        "track_category_ids": {"4": 805, "300": 1},
    }
    for number, frame in enumerate(FRAMES):
        write_frame(tmp_path / "BURST/frames/val/YFCC100M/v_1" / f"{frame}.jpg", value=number)
    path = tmp_path / "BURST/val/first_frame_annotations.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"sequences": [sequence], "split": "val"}))
    return tmp_path


def edit(root: Path, **changes: object) -> None:
    path = root / "BURST/val/first_frame_annotations.json"
    content = json.loads(path.read_text())
    content["sequences"][0].update(changes)
    path.write_text(json.dumps(content))


def test_run_length_codes_agree_with_pycocotools():
    generator = np.random.default_rng(0)
    for share in (0.0, 0.02, 0.5, 1.0):
        mask = generator.random((37, 91)) < share
        np.testing.assert_array_equal(decode_mask(encode_mask(mask), (37, 91), ""), mask)
    mask[1:30, 5:80] = False
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), (37, 91), ""), mask)
    with pytest.raises(ValueError, match="here: not a run-length code of 91 x 38 pixels"):
        decode_mask(encode_mask(mask), (38, 91), "here")


def test_each_object_is_given_where_it_appears_first(root):
    settings = settings_of("burst-val", root)
    (video,) = open_test_set(settings)
    assert (video.name, settings.size, video.problems()) == ("YFCC100M/v_1", 600, [])
    frames = list(video)
    assert [frame.frame.name for frame in frames] == FRAMES
    assert [frame.wanted for frame in frames] == [True, False, True, False]
    assert [None if frame.labels is None else sorted(set(frame.labels.flat)) for frame in frames] == [
        [0, 4], None, [0, 300], None,
    ]  # fmt: skip
    assert video.coding.kind == "rgb_ids"  # 300 does not fit a palette


def test_overlapping_objects_show_the_larger_id(root):
    labels = labels_with(4) == 4
    edit(root, segmentations=segmentations({4: labels, 7: labels}, {}))
    (video,) = open_test_set(settings_of("burst-val", root))
    assert sorted(set(next(iter(video)).labels.flat)) == [0, 7]
    assert video.coding == LabelCoding()


def test_predictions_go_back_in_the_form_of_the_annotations(root, tmp_path):
    annotations = root / "BURST/val/first_frame_annotations.json"
    masks = tmp_path / "Annotations"
    predicted = [labels_with(4), labels_with(300, 4)]
    (masks / "YFCC100M/v_1").mkdir(parents=True)
    coding = LabelCoding("rgb_ids")
    for frame, labels in zip(ANNOTATED, predicted, strict=True):
        write_labels(masks / "YFCC100M/v_1" / f"{frame}.png", labels, coding)
    write_predictions(annotations, masks, tmp_path / "out.json", {"YFCC100M/v_1": coding})
    given, written = json.loads(annotations.read_text()), json.loads((tmp_path / "out.json").read_text())
    (sequence,) = written["sequences"]
    for labels, objects in zip(predicted, sequence.pop("segmentations"), strict=True):
        assert set(objects) == {str(value) for value in set(labels.flat) - {0}}
        for key, entry in objects.items():
            np.testing.assert_array_equal(decode_mask(entry["rle"], SIZE, ""), labels == int(key))
    del given["sequences"][0]["segmentations"]
    assert written == given
    (masks / "YFCC100M/v_1" / f"{ANNOTATED[1]}.png").unlink()
    with pytest.raises(ValueError, match=rf"{ANNOTATED[1]}\.png: this annotated frame has no prediction"):
        write_predictions(annotations, masks, tmp_path / "out2.json")
    assert not (tmp_path / "out2.json").exists()


def test_predictions_of_another_size_are_refused(root, tmp_path):
    for frame in ANNOTATED:
        write_mask(tmp_path / "YFCC100M/v_1" / f"{frame}.png", labels_with(4, size=(30, 32)))
    with pytest.raises(ValueError, match=r"frame0001\.png: \(30, 32\)"):
        write_predictions(root / "BURST/val/first_frame_annotations.json", tmp_path, tmp_path / "out.json")


def test_missing_frames_are_reported(root):
    (root / "BURST/frames/val/YFCC100M/v_1" / f"{ANNOTATED[1]}.jpg").unlink()
    (video,) = open_test_set(settings_of("burst-val", root))
    assert "frames that the set requires are not in" in " ".join(video.problems())
    edit(root, height=99)
    (video,) = open_test_set(settings_of("burst-val", root))
    assert "first_frame_annotations.json: 32 x 99 pixels, expected 32 x 24" in " ".join(video.problems())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"segmentations": []}, r"sequences\[0\]\.segmentations: expected one entry for each of 2 images"),
        ({"segmentations": [{"0": {"rle": ""}}, {}]}, r"segmentations\[0\]\['0'\]: object ids must be positive"),
        ({"segmentations": [{"1": {"rle": 3}}, {}]}, r"\['1'\]\.rle: expected a string, found 3"),
        ({"segmentations": [{"1": {"rle": "zz~~~"}}, {}]}, "object 1: not a run-length code of 32 x 24 pixels"),
        ({"segmentations": [{"1": {"rle": ""}}, {}]}, "object 1: not a run-length code"),
    ],
)
def test_broken_annotations_are_reported_with_their_place(root, changes, expected):
    edit(root, **changes)
    with pytest.raises(ValueError, match=expected):
        list(open_test_set(settings_of("burst-val", root))[0])


@pytest.mark.parametrize("content", ["{", "[]", '{"sequences": [{"dataset": "a"}]}'])
def test_what_is_not_of_the_form_is_named(root, content):
    (root / "BURST/val/first_frame_annotations.json").write_text(content)
    with pytest.raises(ValueError, match=r"first_frame_annotations\.json"):
        open_test_set(settings_of("burst-val", root))
