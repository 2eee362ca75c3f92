"""Ambiguous masks are refused with advice; unambiguous ones are not."""

import numpy as np
import pytest
from PIL import Image
from tiny_sets import labels_with, write_mask

from livos.masks.given_masks import MaskFile, coding_of
from livos.masks.label_maps import davis_palette, read_area, read_labels

LEAVES = np.kron(np.array([[0, 1], [2, 0]], np.uint8), np.ones((12, 12), np.uint8))


def save_palette(path, indices: np.ndarray, colours: list[tuple[int, int, int]]):
    image = Image.fromarray(indices.astype(np.uint8))
    image.putpalette([value for colour in colours for value in colour])
    image.save(path)
    return path


def save_low_bits(path, values: np.ndarray, bits: int):
    """A greyscale PNG of 1, 2 or 4 bits a pixel, which Pillow cannot write itself."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = values.shape
    places = np.arange(bits - 1, -1, -1)
    rows = (values[..., None] >> places & 1).reshape(height, -1).astype(np.uint8)
    raw = b"".join(b"\0" + np.packbits(row).tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


def test_black_at_another_index_than_the_background_is_refused(tmp_path):
    green, black, red = (0, 128, 0), (0, 0, 0), (128, 0, 0)
    path = save_palette(tmp_path / "a.png", (LEAVES + 2) % 3, [green, red, black])
    with pytest.raises(ValueError, match=r"a\.png: index 0.*\(0, 128, 0\).*index 2, an object, is black.*index 0 is"):
        read_labels(path)
    for colours in ([black, red, green], [green, red, (9, 9, 9)], [black, black, black]):
        assert read_labels(save_palette(tmp_path / "b.png", LEAVES, colours)).ids == [1, 2]
    assert read_labels(save_palette(tmp_path / "c.png", LEAVES, [green, red, green, black])).ids == [1, 2]


def test_dithered_masks_are_refused(tmp_path):
    chequered = (np.indices((24, 24)).sum(0) % 2).astype(np.uint8)
    dithered = np.where(LEAVES == 1, 1 + chequered, 0) + np.where(LEAVES == 2, 3 + chequered, 0)
    for name, image in {
        "palette.png": save_palette(tmp_path / "palette.png", dithered, [(0, 0, 0), *davis_palette()[1:5].tolist()]),
        "grey.png": Image.fromarray(dithered.astype(np.uint8)).save(tmp_path / "grey.png"),
        "bilevel.png": Image.fromarray(chequered.astype(bool)).save(tmp_path / "bilevel.png"),
    }.items():
        del image
        with pytest.raises(ValueError, match=rf"{name}: most pixels of value \d are surrounded by other values"):
            read_labels(tmp_path / name)


def test_what_pillow_dithers_is_refused(tmp_path):
    colours = np.array([[10, 10, 10], [150, 40, 30], [20, 160, 90]], np.uint8)[np.kron(LEAVES, np.ones((2, 2), int))]
    Image.fromarray(colours).convert("P").save(tmp_path / "a.png")  # Pillow's web palette with its default dithering
    with pytest.raises(ValueError, match=r"a\.png: .*(dithering|edges)"):
        read_labels(tmp_path / "a.png")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_photograph_in_place_of_a_mask_is_refused(tmp_path, mode):
    noise = np.random.default_rng(0).integers(0, 256, (36, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(tmp_path / "frame.png")
    with pytest.raises(ValueError, match=r"frame\.png: has \d+ colours.*a photograph or a frame of a video"):
        read_labels(tmp_path / "frame.png")


def test_a_photograph_in_16_bits_of_grey_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 65536, (48, 64), dtype=np.uint16)
    Image.fromarray(noise).save(tmp_path / "frame.png")
    with pytest.raises(ValueError, match=r"frame\.png: .*a photograph or a frame of a video"):
        read_labels(tmp_path / "frame.png")


def test_many_objects_are_not_a_photograph(tmp_path):
    ids = np.arange(1, 901).repeat(4).reshape(60, 60) * 1000  # 900 objects of 4 pixels in RGB-coded ids
    channels = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], -1).astype(np.uint8)
    Image.fromarray(channels).save(tmp_path / "ids.png")
    assert read_labels(tmp_path / "ids.png").ids == list(range(1000, 901000, 1000))


def test_thin_and_tiny_objects_are_not_dithering(tmp_path):
    labels = np.zeros((64, 64), np.int32)
    labels[10, 2:60] = 1
    labels[12:60, 5] = 2
    np.fill_diagonal(labels[20:, 20:], 3)
    labels[20:, 20:] += np.eye(44, k=1, dtype=np.int32) * 3
    labels[2, 2:30:3] = 4
    assert read_labels(write_mask(tmp_path / "a.png", labels)).ids == [1, 2, 3, 4]


def test_palettes_of_one_video_that_contradict_each_other_are_refused(tmp_path):
    black, red, green, blue = (0, 0, 0), (128, 0, 0), (0, 128, 0), (0, 0, 128)
    first = MaskFile(save_palette(tmp_path / "a.png", LEAVES, [black, red, green]))
    swapped = MaskFile(save_palette(tmp_path / "b.png", LEAVES == 1, [black, green]))
    with pytest.raises(ValueError, match=r"a\.png and .*b\.png.*\(0, 128, 0\) is index 2 .* and index 1 in the other"):
        coding_of([first, swapped])
    recoloured = MaskFile(save_palette(tmp_path / "c.png", LEAVES, [black, blue, (9, 9, 9)]))
    unused = MaskFile(save_palette(tmp_path / "d.png", LEAVES == 1, [black, red, blue, green]))
    assert coding_of([first, recoloured]).palette[:6] == bytes([*black, *red])
    assert coding_of([first, unused]).kind == "palette"
    assert coding_of([first, MaskFile(write_mask(tmp_path / "e.png", labels_with(1)))]).kind == "palette"


@pytest.mark.parametrize("bits", [2, 4])
def test_grey_of_few_bits_holds_ids_unless_it_is_black_and_white(tmp_path, bits):
    highest = 2**bits - 1
    labels = LEAVES.astype(np.int64)
    found = read_labels(save_low_bits(tmp_path / "ids.png", labels, bits))
    assert (found.ids, found.coding.kind) == ([1, 2], "grey")
    np.testing.assert_array_equal(found.labels, labels)
    assert read_labels(save_low_bits(tmp_path / "both.png", np.where(labels == 2, highest, labels), bits)).ids == [
        1,
        highest,
    ]
    found = read_labels(save_low_bits(tmp_path / "white.png", (labels > 0) * highest, bits))
    assert (found.ids, found.coding.kind) == ([1], "binary")


def test_one_bit_grey_is_object_1_where_it_is_white(tmp_path):
    assert read_labels(save_low_bits(tmp_path / "a.png", (LEAVES > 0).astype(np.int64), 1)).ids == [1]


def test_an_area_is_cut_at_the_middle_of_soft_edges(tmp_path):
    soft = np.tile(np.linspace(0, 255, 24).astype(np.uint8), (24, 1))
    Image.fromarray(soft).save(tmp_path / "grey.png")
    Image.fromarray(soft.astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    Image.fromarray(np.dstack([soft] * 3)).save(tmp_path / "rgb.png")
    for name in ("grey.png", "grey16.png", "rgb.png"):
        np.testing.assert_array_equal(read_area(tmp_path / name), soft >= 128)
    np.testing.assert_array_equal(read_area(write_mask(tmp_path / "p.png", LEAVES.astype(np.int32))), LEAVES > 0)
    Image.fromarray(np.dstack([soft, soft, soft // 2])).save(tmp_path / "colour.png")
    with pytest.raises(ValueError, match=r"colour\.png: has colours"):
        read_area(tmp_path / "colour.png")
