"""Masks are written in the background, complete or not at all, and a failure is told with the file's name."""

import errno
import threading

import numpy as np
import pytest
from PIL import Image
from tiny_sets import labels_with

from livos.masks.label_maps import LabelCoding, read_labels
from livos.pipeline.mask_writer import MaskWriter, missing_masks


def test_every_mask_is_there_after_closing(tmp_path):
    folder = tmp_path / "Annotations" / "YFCC100M" / "v_1"
    with MaskWriter(folder, LabelCoding()) as writer:
        for number in range(40):  # more than may wait at a time
            writer.write(f"{number:05d}", labels_with(1 + number % 5))
    assert len(list(folder.iterdir())) == 40
    np.testing.assert_array_equal(read_labels(folder / "00007.png").labels, labels_with(3))
    assert missing_masks(folder, ["00000", "00040"]) == ["00040"]
    assert missing_masks(tmp_path / "nowhere", ["00000"]) == ["00000"]


def test_names_with_dots_are_kept(tmp_path):
    with MaskWriter(tmp_path, LabelCoding()) as writer:
        writer.write("x.y", labels_with(1))
    assert missing_masks(tmp_path, ["x.y"]) == []


def test_a_full_disk_is_told_with_the_file(tmp_path, monkeypatch):
    def no_space(image, file, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", no_space)
    message = r"No space left on device.*0000.\.png"
    with pytest.raises(OSError, match=message), MaskWriter(tmp_path, LabelCoding()) as writer:
        for number in range(10):
            writer.write(f"{number:05d}", labels_with(1))
    assert list(tmp_path.iterdir()) == []
    writer = MaskWriter(tmp_path, LabelCoding())
    writer.write("a", labels_with(1))
    for _ in range(2):
        with pytest.raises(OSError, match=r"a\.png"):
            writer.close()


def test_an_id_that_the_coding_cannot_hold_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"a\.png: ids from 0 to 300"), MaskWriter(tmp_path, LabelCoding()) as writer:
        writer.write("a", labels_with(300))


def test_an_unwritable_folder_is_told_at_once(tmp_path):
    (tmp_path / "Annotations").write_text("a file")
    with pytest.raises(OSError, match="Annotations"):
        MaskWriter(tmp_path / "Annotations" / "clip", LabelCoding())


def test_an_error_of_the_caller_is_not_replaced_and_ends_the_threads(tmp_path):
    before = threading.active_count()
    with pytest.raises(KeyError, match="the caller's"), MaskWriter(tmp_path, LabelCoding()) as writer:
        writer.write("a", labels_with(1))
        raise KeyError("the caller's")
    assert threading.active_count() == before


def test_leftovers_of_a_killed_run_are_removed(tmp_path):
    (tmp_path / ".00000.999999999-2.part.png").write_bytes(b"half")
    (tmp_path / "00001.png").write_bytes(b"kept")
    MaskWriter(tmp_path, LabelCoding()).close()
    assert [path.name for path in tmp_path.iterdir()] == ["00001.png"]
