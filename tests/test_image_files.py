"""Frames are read as RGB whatever the file contains, and damaged files are refused by name."""

import ast
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from tiny_sets import big_png

from livos.files.images import image_size, read_bgr, read_header, read_image, read_picture
from livos.masks.given_masks import MaskFile
from livos.masks.label_maps import read_labels


def photo(height: int = 40, width: int = 56) -> np.ndarray:
    """A smooth picture with some grain, (H, W, 3) uint8."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 255, (5, 7, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + generator.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp"])
def test_colours_come_as_red_green_blue(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(photo()).save(path, **({"lossless": True} if suffix == ".webp" else {}))
    np.testing.assert_array_equal(read_image(path), photo())
    assert image_size(path) == (40, 56)


def test_jpeg_is_decoded_as_by_pillow(tmp_path):
    Image.fromarray(photo()).save(tmp_path / "a.jpg", quality=90)
    with Image.open(tmp_path / "a.jpg") as image:
        np.testing.assert_allclose(read_image(tmp_path / "a.jpg").astype(int), np.array(image).astype(int), atol=2)


def test_greyscale_alpha_palette_and_16_bit_frames_become_rgb(tmp_path):
    grey = photo()[..., 0]
    for name, pixels in {
        "grey": grey,
        "alpha": np.dstack([photo(), grey]),
        "grey16": grey.astype(np.uint16) * 256 + 7,
        "palette": None,
    }.items():
        image = Image.fromarray(photo()).quantize(32) if pixels is None else Image.fromarray(pixels)
        image.save(tmp_path / f"{name}.png")
        frame = read_image(tmp_path / f"{name}.png")
        expected = np.array(image.convert("RGB")) if name in ("palette", "alpha") else np.dstack([grey] * 3)
        assert frame.dtype == np.uint8
        np.testing.assert_array_equal(frame, expected)


def test_orientation_notes_are_ignored_by_frames_and_sizes_alike(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees"
    Image.fromarray(photo()).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (40, 56, 3)
    assert image_size(tmp_path / "a.jpg") == (40, 56)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_file_truncated_anywhere_is_refused(tmp_path, suffix, progressive):
    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    Image.fromarray(photo()).save(whole, **({"progressive": progressive} if suffix == ".jpg" else {}))
    data = whole.read_bytes()
    for length in [*range(0, len(data), 37), len(data) - 1]:
        cut.write_bytes(data[:length])
        with pytest.raises(ValueError, match=rf"cut\{suffix}"):
            read_image(cut)
    cut.write_bytes(data[: len(data) // 2] + bytes(len(data) // 2))  # as a broken download leaves it
    with pytest.raises(ValueError, match=rf"cut\{suffix}.*truncated"):
        read_image(cut)
    cut.write_bytes(data + b"\0\0 trailing bytes do no harm")
    assert read_image(cut).shape == (40, 56, 3)


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "\xff\xd9 a description that ends like a picture"
    Image.fromarray(photo()).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + b"\xff\xd9" * 4 + exif.tobytes())
    data = (tmp_path / "a.jpg").read_bytes()
    assert data.count(b"\xff\xd9") >= 5
    (tmp_path / "a.jpg").write_bytes(data[:-40])
    with pytest.raises(ValueError, match=r"a\.jpg.*truncated"):
        read_image(tmp_path / "a.jpg")


def test_what_is_not_an_image_is_refused_by_name(tmp_path):
    (tmp_path / "a.jpg").write_text("<html>")
    for read in (read_image, image_size):
        with pytest.raises(ValueError, match=r"a\.jpg"):
            read(tmp_path / "a.jpg")
        with pytest.raises(FileNotFoundError, match=r"b\.jpg"):
            read(tmp_path / "b.jpg")


OTHER_FORMATS = {
    "a PostScript program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n",
    "an EPS picture": b"\xc5\xd0\xd3\xc6" + bytes(40),
    "a PDF document": b"%PDF-1.7\n",
    "a Photoshop picture": b"8BPS\0\1" + bytes(40),
    "a HEIC picture": b"\0\0\0\x18ftypheic" + bytes(40),
    "a Windows metafile": b"\xd7\xcd\xc6\x9a" + bytes(40),
    "an SVG drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "an OLE document": b"\xd0\xcf\x11\xe0" + bytes(40),
}


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_other_formats_are_refused_by_name_whatever_the_file_is_called(tmp_path, name):
    path = tmp_path / "mask.png"
    path.write_bytes(OTHER_FORMATS[name])
    for read in (read_image, image_size, read_header, read_picture, read_labels):
        with pytest.raises(ValueError, match=rf"mask\.png: {name}.*expected a picture in PNG"):
            read(path)


def test_no_program_is_started_for_a_postscript_picture(tmp_path, monkeypatch):
    """Pillow would start Ghostscript for a file that it considers EPS: a fake one that leaves a trace must not run."""
    for name in ("gs", "gswin64c", "gswin32c"):
        fake = tmp_path / name
        fake.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
        fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    path = tmp_path / "mask.png"
    Image.fromarray(photo()).save(path, "EPS")
    assert path.read_bytes().startswith(b"%!PS")
    for read in (read_image, image_size, read_picture, read_labels, lambda p: MaskFile(p).palette()):
        with pytest.raises(ValueError, match="PostScript"):
            read(path)
    assert not (tmp_path / "started").exists()


def test_pictures_are_opened_in_one_place():
    """Any other call could meet a format that was not meant; a list of formats has to be given at least."""
    readers = ("livos/files/images.py", "livos/training/data/degradation.py")  # the latter reads what it has encoded
    found = []
    root = Path(__file__).resolve().parents[1]
    for path in [*root.glob("livos/**/*.py"), *root.glob("scripts/**/*.py")]:
        if path.relative_to(root).as_posix() in readers:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            unlisted = called.endswith("Image.open") and "formats" not in {word.arg for word in node.keywords}
            if unlisted or called in ("cv2.imread", "cv2.imdecode", "cv2.imreadmulti"):
                found.append(f"{path}:{node.lineno}: {called}")
    assert found == []


def test_pictures_that_claim_too_many_pixels_are_refused_with_the_setting(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    for side in (30_000, 60_000, 2**31 - 1):
        path.write_bytes(big_png(side, side))
        for read in (read_image, image_size, read_labels):
            with pytest.raises(ValueError, match=rf"a\.png: claims {side} x {side} pixels.*LIVOS_MAX_PIXELS"):
                read(path)
    path.write_bytes(big_png(6000, 8000))
    assert image_size(path) == (6000, 8000)
    monkeypatch.setenv("LIVOS_MAX_PIXELS", "40 by 20")
    with pytest.raises(ValueError, match="LIVOS_MAX_PIXELS=40 by 20: expected a number"):
        image_size(path)
    monkeypatch.setenv("LIVOS_MAX_PIXELS", "1_000_000_000")
    path.write_bytes(big_png(30_000, 30_000))
    assert image_size(path) == (30_000, 30_000)


def test_the_limit_is_of_every_format(tmp_path, monkeypatch):
    monkeypatch.setenv("LIVOS_MAX_PIXELS", "2239")
    for suffix in (".png", ".jpg", ".webp", ".tif", ".bmp", ".gif"):
        Image.fromarray(photo()).save(tmp_path / f"a{suffix}")
        for read in (read_image, image_size, read_picture):
            with pytest.raises(ValueError, match=rf"a\{suffix}: claims 56 x 40 pixels, more than the 2239 allowed"):
                read(tmp_path / f"a{suffix}")


def test_one_flipped_bit_of_a_png_is_always_noticed(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(photo()[..., 0]).save(path)
    data = path.read_bytes()
    generator = np.random.default_rng(0)
    for bit in generator.integers(64, 8 * len(data), 200):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        for read in (read_image, read_labels):
            with pytest.raises(ValueError, match=r"a\.png: "):
                read(path)


def test_frames_decoded_smaller_have_rounded_up_sides(tmp_path):
    for suffix in (".jpg", ".png"):
        Image.fromarray(photo(41, 57)).save(tmp_path / f"a{suffix}")
        for reduction in (1, 2, 4, 8):
            assert read_bgr(tmp_path / f"a{suffix}", reduction).shape == (-(-41 // reduction), -(-57 // reduction), 3)
