"""Outputs of a video are complete or absent, and a failure is reported with the file's name."""

import errno
import threading
from contextlib import ExitStack

import numpy as np
import pytest
from PIL import Image
from tiny_sets import labels_with

from livos.evaluation.output_folder import missing_files
from livos.masks.label_maps import LabelCoding, read_labels
from livos.pipeline.frames import SegmentedFrame
from livos.pipeline.outputs import MaskFiles
from livos.pipeline.threads import InBackground
from livos.video.video_file import Frame


def item(name: str, labels: np.ndarray, wanted: bool = True) -> SegmentedFrame:
    image = np.zeros((*labels.shape, 3), np.uint8)
    return SegmentedFrame(Frame(0, name, 0, image), image, labels, wanted)


def test_every_mask_is_there_in_the_end(tmp_path):
    folder = tmp_path / "Annotations" / "YFCC100M" / "v_1"
    with InBackground(MaskFiles(folder, LabelCoding())) as output:
        for number in range(40):  # more than may wait at a time
            output.write(item(f"{number:05d}", labels_with(1 + number % 5), wanted=number != 20))
    assert len(list(folder.iterdir())) == 39
    np.testing.assert_array_equal(read_labels(folder / "00007.png").labels, labels_with(3))
    assert missing_files(folder, ["00000", "00020", "00040"]) == ["00020", "00040"]
    assert missing_files(tmp_path / "nowhere", ["00000"]) == ["00000"]


def test_names_with_dots_are_kept(tmp_path):
    with InBackground(MaskFiles(tmp_path, LabelCoding())) as output:
        output.write(item("x.y", labels_with(1)))
    assert missing_files(tmp_path, ["x.y"]) == []


def test_a_full_disk_is_reported_with_the_file(tmp_path, monkeypatch):
    def no_space(image, file, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", no_space)
    message = r"No space left on device.*0000.\.png"
    with pytest.raises(OSError, match=message), InBackground(MaskFiles(tmp_path, LabelCoding())) as output:
        for number in range(10):
            output.write(item(f"{number:05d}", labels_with(1)))
    assert list(tmp_path.iterdir()) == []


def test_an_id_that_the_coding_cannot_hold_is_reported(tmp_path):
    output = InBackground(MaskFiles(tmp_path, LabelCoding()))
    with pytest.raises(ValueError, match=r"a\.png: ids from 0 to 300"), output:
        output.write(item("a", labels_with(300)))


def test_an_unwritable_folder_is_reported_at_once(tmp_path):
    (tmp_path / "Annotations").write_text("a file")
    with pytest.raises(OSError, match="Annotations"):
        MaskFiles(tmp_path / "Annotations" / "clip", LabelCoding()).open(ExitStack())


def test_an_error_of_the_caller_is_not_replaced_and_ends_the_threads(tmp_path):
    before = threading.active_count()
    with pytest.raises(KeyError, match="the caller's"), InBackground(MaskFiles(tmp_path, LabelCoding())) as output:
        output.write(item("a", labels_with(1)))
        raise KeyError("the caller's")
    assert threading.active_count() == before
