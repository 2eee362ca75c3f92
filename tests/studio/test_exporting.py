import json
import zipfile
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_masks
from video_makers import make_video

from livos.masks.label_maps import read_labels
from livos.studio.exporting import KINDS, Export, export, zipped
from livos.studio.jobs import Job, Progress
from livos.studio.mask_files import Track
from livos.studio.opening import open_path
from livos.studio.yolo import outlines

NUM_FRAMES, SIZE = 8, (48, 64)


@pytest.fixture
def opened(tmp_path):
    """A project of a video with sound, two objects in it on every frame."""
    found = open_path(make_video(tmp_path / "clip.mp4", NUM_FRAMES, sound=True))
    project = found.project
    project.add_object("cup")
    project.add_object('a "hand"')
    project.put(0, labels_of(0), [1, 2], "stroke")
    step = project.begin_tracking("tracking", (1, NUM_FRAMES - 1))
    for number in range(1, NUM_FRAMES):
        project.write_tracked(step, number, labels_of(number), {1: Track("forward", 1.0), 2: Track("forward", 1.0)})
    yield found
    project.close()


def labels_of(number):
    labels = np.zeros(SIZE, np.uint8)
    labels[10:30, 4 + number : 20 + number], labels[12:40, 40:60] = 1, 2
    return labels


def job():
    return Job(Progress(1, "export", "Exporting", 0, 0), lambda: None)


def frames_of(path, pixels="rgba"):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format=pixels) for frame in container.decode(video=0)]


def test_every_kind_is_written_and_reads_back(opened, tmp_path):
    done = job()
    folder = export(done, opened.project, opened.source, list(KINDS), 0, NUM_FRAMES - 1)
    assert folder == tmp_path / "clip-export-1" and done.progress.done == NUM_FRAMES
    for number in range(NUM_FRAMES):
        assert np.array_equal(read_labels(folder / f"masks/{number:06d}.png").labels, labels_of(number))
        cut_out = cv2.imread(str(folder / f"cutouts/1/{number:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(cut_out[..., 3] > 0, labels_of(number) == 1)
    with av.open(str(folder / "overlay.mp4")) as container:
        assert container.streams.audio and sum(1 for _ in container.decode(video=0)) == NUM_FRAMES
    alpha = [frame[..., 3] > 127 for frame in frames_of(folder / "cutouts-prores/2.mov")]
    assert len(alpha) == NUM_FRAMES and (alpha[3] == (labels_of(3) == 2)).mean() > 0.98
    assert (folder / "cutouts-vp9/1.webm").stat().st_size > 0
    coco = json.loads((folder / "coco.json").read_text())
    code = next(a for a in coco["annotations"] if a["image_id"] == 5 and a["track_id"] == 2)["segmentation"]
    assert np.array_equal(coco_masks.decode(code) > 0, labels_of(5) == 2)
    assert json.loads((folder / "objects.json").read_text())["objects"] == {"1": "cup", "2": 'a "hand"'}


def test_yolo_outlines_give_the_masks_back(opened):
    folder = export(job(), opened.project, opened.source, ["yolo"], 0, NUM_FRAMES - 1) / "yolo"
    assert 'names:\n  0: "cup"\n  1: "a \\"hand\\""' in (folder / "data.yaml").read_text()
    drawn = np.zeros(SIZE, np.uint8)
    for line in (folder / "labels/train/000003.txt").read_text().splitlines():
        place, *shares = line.split()
        corners = np.array(shares, float).reshape(-1, 2) * SIZE[::-1] - 0.5
        cv2.fillPoly(drawn, [np.rint(corners).astype(np.int32)], int(place) + 1)
    assert np.array_equal(drawn, labels_of(3))
    assert cv2.imread(str(folder / "images/train/000003.jpg")).shape == (*SIZE, 3)


def test_yolo_has_a_line_for_each_part_and_no_holes():
    mask = np.zeros((20, 20), bool)
    mask[2:10, 2:10] = mask[12:16, 12:18] = True
    mask[4:6, 4:6] = False
    found = outlines(mask)
    assert len(found) == 2 and all((part > 0).all() and (part < 1).all() for part in found)


def test_range_alone_is_written(opened):
    folder = export(job(), opened.project, opened.source, ["masks"], 2, 4)
    assert sorted(path.name for path in (folder / "masks").iterdir()) == ["000002.png", "000003.png", "000004.png"]


def test_each_export_gets_its_own_folder(opened):
    folders = [export(job(), opened.project, opened.source, ["masks"], 0, 1).name for _ in range(2)]
    assert folders == ["clip-export-1", "clip-export-2"]


def test_stopped_export_leaves_nothing(opened, tmp_path):
    stopped = job()
    stopped.stop()
    assert export(stopped, opened.project, opened.source, ["masks", "overlay"], 0, NUM_FRAMES - 1) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.livos", "clip.mp4"]


def test_export_as_one_file_holds_it_all(opened):
    folder = export(job(), opened.project, opened.source, ["masks", "coco"], 0, 2)
    path = zipped(Export(1, folder, ("masks", "coco"), 0, 2, 4, 1))
    with zipfile.ZipFile(path) as archive:
        assert "clip-export-1/masks/000001.png" in archive.namelist() and archive.testzip() is None


def test_rate_of_the_video_is_kept(opened):
    assert opened.source.frame_rate == Fraction(25)


def test_specks_of_one_or_two_pixels_have_no_outline_in_yolo():
    mask = np.zeros((20, 20), bool)
    mask[3, 3] = mask[8, 8:10] = True
    assert outlines(mask) == []
