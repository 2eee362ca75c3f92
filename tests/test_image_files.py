"""Frames are read as RGB whatever the file holds, and damaged files are refused by name."""

import cv2
import numpy as np
import pytest
from PIL import Image

from livos.files.images import image_size, read_image


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
def test_a_file_cut_short_anywhere_is_refused(tmp_path, suffix, progressive):
    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    Image.fromarray(photo()).save(whole, **({"progressive": progressive} if suffix == ".jpg" else {}))
    data = whole.read_bytes()
    for length in [*range(0, len(data), 37), len(data) - 1]:
        cut.write_bytes(data[:length])
        with pytest.raises(ValueError, match=rf"cut\{suffix}"):
            read_image(cut)
    cut.write_bytes(data[: len(data) // 2] + bytes(len(data) // 2))  # as a broken download leaves it
    with pytest.raises(ValueError, match=rf"cut\{suffix}.*cut short"):
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
    with pytest.raises(ValueError, match=r"a\.jpg.*cut short"):
        read_image(tmp_path / "a.jpg")


def test_what_is_no_image_is_refused_by_name(tmp_path):
    (tmp_path / "a.jpg").write_text("<html>")
    for read in (read_image, image_size):
        with pytest.raises(ValueError, match=r"a\.jpg"):
            read(tmp_path / "a.jpg")
        with pytest.raises(FileNotFoundError, match=r"b\.jpg"):
            read(tmp_path / "b.jpg")
