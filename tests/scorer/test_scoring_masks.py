"""Mask files to ids, for every way in which a PNG can store them."""

import os
import struct
import subprocess
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vos_benchmark import UnreadableMaskError
from vos_benchmark.masks import read_labels, read_mask
from vos_benchmark.png import read_header

GREY, PALETTE = 0, 3
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed_rows(labels: np.ndarray, bit_depth: int) -> bytes:
    """Unfiltered rows of pixels, several to a byte."""
    rows = []
    for row in labels:
        bits = "".join(f"{value:0{bit_depth}b}" for value in row)
        bits += "0" * (-len(bits) % 8)
        rows.append(bytes([0]) + int(bits, 2).to_bytes(len(bits) // 8, "big"))
    return b"".join(rows)


def write_png(path: Path, labels: np.ndarray, bit_depth: int, colour_type: int, interlaced: bool = False) -> None:
    height, width = labels.shape
    parts = [labels[y::down, x::across] for y, x, down, across in ADAM7] if interlaced else [labels]
    pixels = zlib.compress(b"".join(packed_rows(part, bit_depth) for part in parts if part.size))
    data = b"\x89PNG\r\n\x1a\n"
    data += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, interlaced))
    if colour_type == PALETTE:
        data += chunk(b"PLTE", bytes(range(3 * 2 ** min(bit_depth, 6))))
    # Two IDAT chunks: a decoder has to join them.
    data += chunk(b"IDAT", pixels[:7]) + chunk(b"IDAT", pixels[7:]) + chunk(b"IEND", b"")
    path.write_bytes(data)


def labels_up_to(highest: int, shape: tuple[int, int] = (11, 21)) -> np.ndarray:
    return np.random.default_rng(highest).integers(0, highest + 1, shape)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("colour_type", [GREY, PALETTE])
@pytest.mark.parametrize("bit_depth", [1, 2, 4, 8])
def test_ids_are_the_stored_values(tmp_path, bit_depth, colour_type, interlaced):
    labels = labels_up_to(2**bit_depth - 1 if colour_type == GREY or bit_depth < 8 else 60)
    write_png(tmp_path / "mask.png", labels, bit_depth, colour_type, interlaced)
    found = read_labels(tmp_path / "mask.png")
    assert found.dtype == np.uint8
    assert np.array_equal(found, labels)


def test_grey_of_16_bits_holds_large_ids(tmp_path):
    labels = labels_up_to(65_535)  # 231 different ones
    write_png(tmp_path / "mask.png", labels, 16, GREY)
    assert np.array_equal(read_labels(tmp_path / "mask.png"), labels)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_filtered_rows_are_read(tmp_path, mode):
    y, x = np.mgrid[:60, :80]
    labels = ((x + 2 * y) // 7 % 40).astype(np.uint8)
    image = Image.fromarray(labels)
    if mode == "P":
        image.putpalette([value for id in range(256) for value in (id, 0, 255 - id)])
    image.save(tmp_path / "mask.png", optimize=True)
    assert np.array_equal(read_labels(tmp_path / "mask.png"), labels)


def test_colours_are_ids_in_base_256(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (6, 7, 3))
    Image.fromarray(colours.astype(np.uint8)).save(tmp_path / "mask.png")
    assert np.array_equal(read_labels(tmp_path / "mask.png"), colours @ [1, 256, 65536])


def test_colours_of_the_palette_of_the_truth_are_its_indices(tmp_path):
    labels = labels_up_to(3).astype(np.uint8)
    truth = Image.fromarray(labels)
    truth.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0])
    truth.save(tmp_path / "truth.png")
    truth.convert("RGB").save(tmp_path / "prediction.png")
    found = read_labels(tmp_path / "prediction.png", palette=read_mask(tmp_path / "truth.png").palette)
    assert np.array_equal(found, labels)


def test_header_tells_size_and_coding(tmp_path):
    write_png(tmp_path / "mask.png", labels_up_to(3), 2, PALETTE, interlaced=True)
    header = read_header(tmp_path / "mask.png")
    assert (header.size, header.bit_depth, header.coloured, header.interlaced) == ("21 x 11", 2, False, True)


@pytest.mark.parametrize("cut", [1, 20, 33, 60])
def test_cut_files_are_refused_by_name(tmp_path, cut):
    path = tmp_path / "mask.png"
    write_png(path, labels_up_to(200), 8, GREY)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UnreadableMaskError, match=r"mask\.png: "):
        read_labels(path)


def test_too_few_pixels_are_refused(tmp_path):
    path = tmp_path / "mask.png"
    write_png(path, labels_up_to(60, (10, 21)), 8, PALETTE)
    data = bytearray(path.read_bytes())
    data[20:24] = struct.pack(">I", 11)  # one row more than there is
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(UnreadableMaskError, match="220 bytes of pixels instead of 242"):
        read_labels(path)


def test_damaged_header_is_noticed(tmp_path):
    path = tmp_path / "mask.png"
    write_png(path, labels_up_to(60), 8, PALETTE)
    data = bytearray(path.read_bytes())
    data[17] ^= 0x40  # millions of pixels wide
    path.write_bytes(data)
    with pytest.raises(UnreadableMaskError, match="checksum of its header"):
        read_header(path)


def greyscale(path: Path, labels: np.ndarray, bit_depth: int) -> np.ndarray:
    write_png(path, labels, bit_depth, GREY)
    return read_labels(path)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("bit_depth", [2, 4])
def test_few_bit_grey_of_two_values_is_black_and_white(tmp_path, bit_depth, interlaced):
    white = 2**bit_depth - 1
    labels = white * labels_up_to(1)
    write_png(tmp_path / "mask.png", labels, bit_depth, GREY, interlaced)
    mask = read_mask(tmp_path / "mask.png")
    assert np.array_equal(mask.labels, labels // white)
    assert mask.white
    labels[0, 0] = 1
    assert np.array_equal(greyscale(tmp_path / "mask.png", labels, bit_depth), labels)  # so the highest is an id too


def test_white_is_object_1_in_masks_of_one_bit_and_in_those_that_fill_the_frame(tmp_path):
    assert np.unique(greyscale(tmp_path / "mask.png", labels_up_to(1), 1)).tolist() == [0, 1]
    assert np.unique(greyscale(tmp_path / "mask.png", np.full((4, 5), 3), 2)).tolist() == [1]
    assert np.unique(greyscale(tmp_path / "mask.png", np.zeros((4, 5), int), 2)).tolist() == [0]


def test_two_indices_of_a_palette_stay_indices(tmp_path):
    write_png(tmp_path / "mask.png", 3 * labels_up_to(1), 2, PALETTE)
    assert np.unique(read_labels(tmp_path / "mask.png")).tolist() == [0, 3]


def assert_never_inflated(path: Path, message: str, **options) -> None:
    """The file is refused by name, in little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableMaskError, match=message) as caught:
            read_labels(path, **options)
        assert tracemalloc.get_traced_memory()[1] < 20 * path.stat().st_size + 1_000_000
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)


def png_of(path: Path, width: int, height: int, bit_depth: int, colour_type: int, pixels: bytes) -> None:
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"PLTE", bytes(6)) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


@pytest.mark.parametrize("side", [25_000, 30_000, 60_000])
@pytest.mark.parametrize("colour_type", [GREY, PALETTE])
def test_pictures_that_claim_too_many_pixels_are_not_inflated(tmp_path, side, colour_type):
    path = tmp_path / "bomb.png"
    png_of(path, side, side, 8, colour_type, zlib.compress(bytes(10_000_000)))
    with pytest.raises(UnreadableMaskError, match=f"claims {side} x {side} pixels.*--max-pixels"):
        read_header(path)
    assert_never_inflated(path, rf"claims {side} x {side} pixels, more than the 100000000 allowed; .*--max-pixels")


@pytest.mark.parametrize("colour_type", [GREY, PALETTE])
def test_more_pixels_than_the_header_says_are_not_inflated(tmp_path, colour_type):
    path = tmp_path / "bomb.png"
    png_of(path, 100, 100, 4 if colour_type == GREY else 8, colour_type, zlib.compress(bytes(100_000_000)))
    assert path.stat().st_size < 120_000
    assert_never_inflated(path, "more bytes of pixels instead of")


def test_limit_of_pixels_can_be_set_below_and_above_that_of_pillow(tmp_path, monkeypatch):
    path = tmp_path / "mask.png"
    write_png(path, labels_up_to(200), 8, GREY)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_labels(path, max_pixels=231).shape == (11, 21)
    with pytest.raises(UnreadableMaskError, match="claims 21 x 11 pixels, more than the 230 allowed"):
        read_labels(path, max_pixels=230)


@pytest.mark.parametrize("colour_type", [GREY, PALETTE])
def test_a_flipped_bit_never_gives_another_mask(tmp_path, colour_type):
    path = tmp_path / "mask.png"
    write_png(path, labels_up_to(60), 8, colour_type)
    data = path.read_bytes()
    for bit in range(0, 8 * len(data), 7):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(UnreadableMaskError, match=r"mask\.png: "):
            read_labels(path)


@pytest.mark.parametrize("kind", ["jpeg", "gif", "bmp", "tiff", "eps", "pdf"])
def test_other_formats_named_png_reach_no_decoder(tmp_path, kind, monkeypatch):
    path = tmp_path / "mask.png"
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(path, format=kind)

    def started(*arguments, **options):
        raise AssertionError(f"a program was started: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", started)
    with pytest.raises(UnreadableMaskError, match=r"mask\.png: not a PNG file"):
        read_labels(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_pipes_and_folders_are_not_masks(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png"):
        with pytest.raises(UnreadableMaskError, match="not a file"):
            read_header(tmp_path / name)


def test_photographs_are_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "mask.png")
    with pytest.raises(UnreadableMaskError, match=r"has \d+ different values or colours; they are hardly ids"):
        read_labels(tmp_path / "mask.png")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadableMaskError, match=r"absent\.png: cannot be read \(No such file"):
        read_labels(tmp_path / "absent.png")
