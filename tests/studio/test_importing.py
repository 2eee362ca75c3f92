import json

import numpy as np
import pytest
from PIL import Image
from video_makers import make_video

from livos.masks.label_maps import LabelCoding, write_labels
from livos.studio.importing import Import, import_masks
from livos.studio.opening import open_path

SIZE = (48, 64)


@pytest.fixture
def opened(tmp_path):
    found = open_path(make_video(tmp_path / "clip.mp4", 8))
    yield found
    found.project.close()


@pytest.fixture
def begun():
    made = Import()
    yield made
    made.discard()


def labels_of(**columns):
    labels = np.zeros(SIZE, np.uint8)
    for name, column in columns.items():
        labels[8:40, column : column + 10] = int(name[1:])
    return labels


def take(opened, path, frame=0):
    return import_masks(opened.project, opened.source, path, frame)


def test_masks_become_given_ones_in_one_step(opened, begun):
    for number, column in ((0, 4), (5, 9)):
        write_labels(begun.place(f"folder/{number:05d}.png", opened.source), labels_of(_1=column, _3=40), LabelCoding())
    assert take(opened, begun.folder) == {0: (1, 3), 5: (1, 3)}
    assert np.array_equal(opened.project.labels(5), labels_of(_1=9, _3=40))
    assert [known.id for known in opened.project.document.objects] == [1, 3]
    opened.project.undo()
    assert opened.project.marks() == {} and opened.project.document.objects == ()


def test_single_mask_belongs_to_the_frame_that_is_shown(opened, begun):
    path = begun.place("my mask (final).png", opened.source)
    write_labels(path, labels_of(_1=4), LabelCoding())
    assert take(opened, path, frame=6) == {6: (1,)}


def test_names_in_drawings_become_names_of_objects(opened, begun):
    path = begun.place("drawn.json", opened.source)
    corners = [[4, 8], [20, 8], [20, 30], [4, 30]]
    shapes = [{"label": "Tasse", "points": corners, "shape_type": "polygon", "group_id": None}]
    path.write_text(json.dumps({"shapes": shapes, "imageHeight": 48, "imageWidth": 64}))
    take(opened, path, frame=2)
    assert opened.project.document.objects[0].name == "Tasse" and opened.project.labels(2)[20, 10] == 1


YOLO_LINE = "{} 0.1 0.2 0.4 0.2 0.4 0.8 0.1 0.8\n"


def test_yolo_lines_of_one_frame_are_objects_called_after_their_classes(opened, begun):
    begun.place("picked/mine.txt", opened.source).write_text(YOLO_LINE.format(1))
    begun.place("picked/classes.txt", opened.source).write_text("cup\nplate\n")
    assert take(opened, begun.masks(), frame=4) == {4: (1,)}
    assert opened.project.document.objects[0].name == "plate" and opened.project.labels(4)[20, 12] == 1


def test_yolo_files_of_several_frames_are_linked_by_class(opened, begun):
    for number in (1, 6):
        begun.place(f"{number:05d}.txt", opened.source).write_text(YOLO_LINE.format(0))
    assert take(opened, begun.masks()) == {1: (1,), 6: (1,)}


def test_text_that_is_no_yolo_is_refused_with_its_line(opened, begun):
    begun.place("00002.txt", opened.source).write_text(YOLO_LINE.format(0) + "a shopping list\n")
    with pytest.raises(ValueError, match="line 2: expected `class x1 y1"):
        take(opened, begun.masks())
    assert not opened.project.document.objects


def test_cut_outs_belong_to_the_object_of_their_folder(opened, begun):
    for object_id in (1, 2):
        pixels = np.zeros((*SIZE, 4), np.uint8)
        pixels[10:20, 20 * object_id : 20 * object_id + 8] = 255
        Image.fromarray(pixels).save(begun.place(f"cutouts/{object_id}/000003.png", opened.source))
    assert take(opened, begun.folder) == {3: (1, 2)}


def test_ids_that_were_deleted_are_not_used_again(opened, begun):
    opened.project.add_object("gone")
    opened.project.delete_object(1)
    path = begun.place("00000.png", opened.source)
    write_labels(path, labels_of(_1=4), LabelCoding())
    assert take(opened, path) == {0: (2,)}


def test_other_objects_given_on_the_frame_stay(opened, begun):
    for _ in range(2):
        opened.project.add_object()
    opened.project.put(0, labels_of(_1=4, _2=30), [1, 2], "stroke")
    path = begun.place("00000.png", opened.source)
    write_labels(path, labels_of(_1=34), LabelCoding())
    take(opened, path)
    seen = opened.project.labels(0)
    assert (seen[20, 34:44] == 1).all() and (seen[20, 30:34] == 2).all() and not seen[20, 4:14].any()


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [("00000.png", (10, 10), "10 x 10"), ("00099.png", SIZE, "frame 99")],
)
def test_masks_that_do_not_fit_change_nothing(opened, begun, name, size, said):
    path = begun.place(name, opened.source)
    write_labels(path, np.ones(size, np.uint8), LabelCoding())
    with pytest.raises(ValueError, match=said):
        take(opened, begun.folder)
    assert opened.project.history.undo_title is None and not opened.project.document.objects


@pytest.mark.parametrize("name", ["mask.exe", "", ".png", "../../etc/passwd", "a/b", "x" * 300])
def test_names_of_other_files_are_refused(opened, begun, name):
    with pytest.raises(ValueError, match="expected masks"):
        begun.place(name, opened.source)


@pytest.mark.parametrize(
    "name", ["../../../00003.png", "/etc/00003.png", "..\\..\\00003.png", "\0/00003.png", "-1/00003.png"]
)
def test_names_never_become_paths(opened, begun, name):
    assert begun.place(name, opened.source) == begun.folder / "000003.png"


def test_two_files_for_one_frame_are_refused(opened, begun):
    begun.place("00003.png", opened.source)
    with pytest.raises(ValueError, match="another file for the same frame"):
        begun.place("frame_3.png", opened.source)


def test_new_ids_do_not_meet_those_that_the_masks_bring_along(opened, begun):
    for name in ("gone", "kept"):
        opened.project.add_object(name)
    opened.project.delete_object(1)
    path = begun.place("00000.png", opened.source)
    write_labels(path, labels_of(_1=4, _3=30), LabelCoding())
    assert take(opened, path) == {0: (3, 4)}
    seen = opened.project.labels(0)
    assert (seen[20, 30:40] == 3).all() and (seen[20, 4:14] == 4).all()
