"""Every coding of a mask file is read as what it means, written back the same, and refused if it is meaningless."""

import errno
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from livos.masks.label_maps import LabelCoding, davis_palette, object_ids, read_labels, write_labels

DAVIS = LabelCoding("palette", davis_palette().tobytes())


def blocks(*ids: int) -> np.ndarray:
    """(16, 8 * n) labels: a square of 6 x 6 pixels for each id on background."""
    labels = np.zeros((16, 8 * len(ids)), np.int32)
    for place, value in enumerate(ids):
        labels[5:11, 8 * place + 1 : 8 * place + 7] = value
    return labels


def save(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def in_colours(labels: np.ndarray, *colours: tuple[int, int, int]) -> np.ndarray:
    table = np.zeros((1 + len(colours), 3), np.uint8)
    table[1:] = colours
    return table[labels]


def test_davis_palette_is_the_known_one():
    assert davis_palette()[:9].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128], [128, 0, 128], [0, 128, 128],
        [128, 128, 128], [64, 0, 0],
    ]  # fmt: skip
    assert davis_palette()[255].tolist() == [224, 224, 192]
    assert len(np.unique(davis_palette(), axis=0)) == 256


@pytest.mark.parametrize(
    ("coding", "ids"),
    [
        (DAVIS, (1, 3, 200)),
        (LabelCoding("palette", bytes(range(256)) * 3), (2, 255)),
        (LabelCoding("grey"), (1, 7, 254)),
        (LabelCoding("grey16"), (300, 40000)),
        (LabelCoding("binary"), (1,)),
        (LabelCoding("bilevel"), (1,)),
        (LabelCoding("colours"), (1, 2, 77)),
        (LabelCoding("rgb_ids"), (1, 300, 70000)),
    ],
)
def test_written_labels_are_read_back_with_their_coding(tmp_path, coding, ids):
    path = tmp_path / "00000.png"
    write_labels(path, blocks(*ids), coding)
    found = read_labels(path)
    assert found.coding == coding
    assert found.labels.dtype == np.int32
    np.testing.assert_array_equal(found.labels, blocks(*ids))
    assert found.ids == sorted(ids)
    np.testing.assert_array_equal(read_labels(path, coding=coding).labels, blocks(*ids))
    assert [file.name for file in tmp_path.iterdir()] == ["00000.png"]  # nothing left aside


def test_the_default_coding_is_a_palette_png_in_davis_colours(tmp_path):
    write_labels(tmp_path / "a.png", blocks(1, 2))
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        assert image.convert("RGB").getpixel((2, 6)) == (128, 0, 0)


def test_a_short_palette_is_continued_in_davis_colours(tmp_path):
    image = Image.fromarray(blocks(1, 2).astype(np.uint8))
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.save(tmp_path / "a.png")
    palette = read_labels(tmp_path / "a.png").coding.palette
    assert len(palette) == 768
    assert palette[3:6] == bytes([255, 0, 0])
    assert palette[600:] == davis_palette().tobytes()[600:]


def test_black_and_white_is_one_object(tmp_path):
    for white, dtype in ((255, np.uint8), (65535, np.uint16)):
        found = read_labels(save(tmp_path / "a.png", blocks(white).astype(dtype)))
        assert (found.ids, found.coding.kind) == ([1], "binary")
    found = read_labels(save(tmp_path / "rgb.png", np.repeat(blocks(255).astype(np.uint8)[..., None], 3, 2)))
    assert (found.ids, found.coding.kind) == ([1], "binary")


def test_255_among_other_ids_is_an_id_unless_it_is_void(tmp_path):
    path = save(tmp_path / "a.png", blocks(1, 255).astype(np.uint8))
    assert read_labels(path).ids == [1, 255]
    assert read_labels(path, void_id=255).ids == [1]
    path = save(tmp_path / "only_void.png", blocks(255).astype(np.uint8))
    assert read_labels(path, void_id=255).ids == []


def test_palette_colours_saved_as_rgb_are_the_ids_of_the_palette(tmp_path):
    path = save(tmp_path / "a.png", davis_palette()[blocks(1, 2, 5)])
    assert read_labels(path).ids == [1, 2, 5]
    assert read_labels(path, colours="ids").ids == [128, 128 * 256, 128 + 128 * 65536]
    path = save(tmp_path / "b.png", in_colours(blocks(1, 2), (128, 0, 0), (255, 0, 0)))
    assert read_labels(path).ids == [128, 255]  # one colour is not in the palette: all are ids
    with pytest.raises(ValueError, match=r"b\.png.*not in the DAVIS palette"):
        read_labels(path, colours="palette")
    with pytest.raises(ValueError, match="colours='rainbow'"):
        read_labels(path, colours="rainbow")


def test_more_than_255_objects_fit_rgb_ids(tmp_path):
    labels = np.arange(400, dtype=np.int32).reshape(20, 20).repeat(2, 0).repeat(2, 1)
    coding = DAVIS.widened(399)
    assert coding.kind == "rgb_ids"
    write_labels(tmp_path / "a.png", labels, coding)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png").labels, labels)
    with pytest.raises(ValueError, match=r"b\.png.*ids from 0 to 399"):
        write_labels(tmp_path / "b.png", labels, DAVIS)


def test_many_tiny_objects_are_not_taken_for_soft_edges(tmp_path):
    labels = np.arange(400, dtype=np.int32).reshape(20, 20)
    write_labels(tmp_path / "a.png", labels, LabelCoding("rgb_ids"))
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png").labels, labels)


def test_a_coding_widens_only_as_far_as_needed():
    assert DAVIS.widened(255) is DAVIS
    assert LabelCoding("binary").widened(2).kind == "palette"
    assert LabelCoding("grey16").widened(65535).kind == "grey16"
    with pytest.raises(ValueError, match="16777216"):
        DAVIS.widened(2**24)
    with pytest.raises(ValueError, match="unknown mask coding 'jpeg'"):
        LabelCoding("jpeg")


def test_cut_outs_are_one_object_where_they_are_opaque(tmp_path):
    generator = np.random.default_rng(0)
    photo = generator.integers(0, 256, (16, 8, 4)).astype(np.uint8)
    photo[..., 3] = np.where(blocks(1) > 0, 200, 90)
    found = read_labels(save(tmp_path / "a.png", photo))
    np.testing.assert_array_equal(found.labels, blocks(1))
    assert found.coding.kind == "binary"
    opaque = np.dstack([davis_palette()[blocks(1, 2)], np.full((16, 16), 255, np.uint8)])
    assert read_labels(save(tmp_path / "b.png", opaque)).ids == [1, 2]
    opaque[blocks(1, 2) == 0] = 0
    with pytest.raises(ValueError, match=r"c\.png: transparent, with 2 opaque colours"):
        read_labels(save(tmp_path / "c.png", opaque))


def disc(size: int, *, soft: bool, values: tuple[int, ...] = (255,)) -> np.ndarray:
    big = np.zeros((8 * size, 8 * size), np.uint8)
    for place, value in enumerate(values):
        cv2.circle(big, (3 * size + 2 * size * place, 4 * size), size + size // 4, value, -1)
    return cv2.resize(big, (size, size), interpolation=cv2.INTER_AREA if soft else cv2.INTER_NEAREST)


@pytest.mark.parametrize("values", [(255,), (100,), (80, 200)])
def test_soft_edges_are_refused_with_what_to_do(tmp_path, values):
    assert len(read_labels(save(tmp_path / "hard.png", disc(64, soft=False, values=values))).ids) == len(values)
    path = save(tmp_path / "soft.png", disc(64, soft=True, values=values))
    with pytest.raises(ValueError, match=r"soft\.png: \d+ distinct values.*nearest neighbour"):
        read_labels(path)
    colour = np.repeat(disc(64, soft=True, values=values)[..., None], 3, 2) // np.array([1, 2, 3], np.uint8)
    with pytest.raises(ValueError, match=r"soft_rgb\.png: \d+ distinct values"):
        read_labels(save(tmp_path / "soft_rgb.png", colour))


def test_blurred_and_barely_soft_masks_are_refused(tmp_path):
    blurred = cv2.GaussianBlur(disc(64, soft=False), (0, 0), 2)
    with pytest.raises(ValueError, match="distinct values"):
        read_labels(save(tmp_path / "a.png", blurred))
    barely = blocks(255).astype(np.uint8)
    barely[5, 1:7] = 128
    with pytest.raises(ValueError, match="3 distinct values"):
        read_labels(save(tmp_path / "b.png", barely))


def test_an_empty_mask_has_no_ids(tmp_path):
    assert read_labels(save(tmp_path / "a.png", np.zeros((4, 5), np.uint8))).ids == []
    assert object_ids(np.zeros((4, 5), np.int64)) == []


def test_a_truncated_mask_is_refused_by_name(tmp_path):
    write_labels(tmp_path / "a.png", blocks(1, 2))
    data = (tmp_path / "a.png").read_bytes()
    refused = tmp_path / "short.png"
    for length in range(0, len(data), 7):
        refused.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"short\.png"):
            read_labels(refused)


def test_files_that_are_not_masks_are_refused_by_name(tmp_path):
    Image.fromarray(blocks(255).astype(np.uint8)).save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"a\.jpg: a mask saved as JPEG"):
        read_labels(tmp_path / "a.jpg")
    (tmp_path / "b.png").write_text("<html>")
    with pytest.raises(ValueError, match=r"b\.png: a web page; expected a picture"):
        read_labels(tmp_path / "b.png")
    with pytest.raises(FileNotFoundError, match=r"c\.png"):
        read_labels(tmp_path / "c.png")
    Image.fromarray(blocks(1).astype(np.float32)).save(tmp_path / "d.tif")
    with pytest.raises(ValueError, match=r"d\.tif: image mode F"):
        read_labels(tmp_path / "d.tif")


def test_only_integer_label_maps_are_written(tmp_path):
    for labels in (blocks(1).astype(np.float32), np.zeros((2, 3, 4), int), -blocks(1)):
        with pytest.raises(ValueError, match=r"a\.png"):
            write_labels(tmp_path / "a.png", labels)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_and_names_the_file(tmp_path, monkeypatch):
    def no_space(image, file, **options):
        Path(file).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", no_space)
    with pytest.raises(OSError, match=r"No space left on device.*a\.png") as caught:
        write_labels(tmp_path / "a.png", blocks(1))
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_unwritable_folders_are_named(tmp_path):
    with pytest.raises(OSError, match=r"nowhere"):
        write_labels(tmp_path / "nowhere" / "a.png", blocks(1))


def test_reading_and_writing_raise_no_warnings(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("palette", "grey", "grey16", "rgb_ids", "bilevel"):
            write_labels(tmp_path / "a.png", blocks(1), LabelCoding(kind))
            read_labels(tmp_path / "a.png")
