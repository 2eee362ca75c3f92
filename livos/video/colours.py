"""From decoded frames to upright RGB pictures with the colours that players show."""

from __future__ import annotations

import functools
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED
_PQ, _HLG = 16, 18  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67

REFERENCE_WHITE = 203.0
"""The luminance of diffuse white in HDR, in candelas per square metre (ITU-R BT.2408)."""

_BRIGHTEST = 1000.0  # cd/m2 mapped to full white
_LINEAR_UP_TO = 0.5  # of reference white

_BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)  # linear light, ITU-R BT.2087


def to_rgb(frame: av.VideoFrame, matrix: npt.NDArray[np.int32] | None = None, transfer: int = _UNSPECIFIED) -> Image:
    """(H, W, 3) RGB, rotated by the display matrix. HDR is mapped to standard dynamic range.

    transfer: FFmpeg's number of the stream's transfer function (`color_trc`).

    Files that do not specify their colour space are treated as players do: BT.709 if large.
    """
    large = min(frame.width, frame.height) >= 720
    untold = frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb
    colours = "ITU709" if untold and large else None
    image: Image = frame.reformat(format="rgb24", src_colorspace=colours).to_ndarray()  # type: ignore[assignment]
    if is_hdr(transfer):
        image = tone_mapped(image, transfer == _PQ)
    return np.ascontiguousarray(upright(image, matrix))


def is_hdr(transfer: int) -> bool:
    """Whether pictures have high dynamic range, in PQ or HLG."""
    return transfer in (_PQ, _HLG)


def display_matrix(frame: av.VideoFrame) -> npt.NDArray[np.int32] | None:
    """(3, 3): how the file says the picture should be rotated or mirrored; None: not at all.

    Do not call it for every frame: PyAV's `side_data` and its frame refer to each other, so they are freed late.
    """
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    return None if matrix is None else np.frombuffer(bytes(matrix)[:36], np.int32).reshape(3, 3)


def upright(image: npt.NDArray, matrix: npt.NDArray[np.int32] | None) -> npt.NDArray:
    """The picture rotated by a multiple of 90 degrees and mirrored according to the matrix, which maps x, y to
    displayed positions (ISO/IEC 14496-12, 6.2.2). Other angles are rounded.
    """
    if matrix is None:
        return image
    to_x, to_y = matrix[:2, 0].astype(np.int64), matrix[:2, 1].astype(np.int64)
    if abs(to_x[1]) + abs(to_y[0]) > abs(to_x[0]) + abs(to_y[1]):  # rows become columns
        image = image.swapaxes(0, 1)
        to_x, to_y = to_x[::-1], to_y[::-1]
    if to_x[0] < 0:
        image = image[:, ::-1]
    if to_y[1] < 0:
        image = image[::-1]
    return image


def is_turned(matrix: npt.NDArray[np.int32] | None) -> bool:
    """Whether width and height are exchanged."""
    return matrix is not None and upright(np.empty((1, 2)), matrix).shape == (2, 1)


def tone_mapped(image: Image, is_pq: bool) -> Image:
    """Converts BT.2020 in PQ or HLG to sRGB: unchanged up to half of reference white, compressed above."""
    linear = cv2.LUT(image, _to_linear(is_pq))
    linear = cv2.transform(linear, _BT2020_TO_BT709)
    return _gamma()[np.clip(linear * 4095 + 0.5, 0, 4095).astype(np.uint16)]


@functools.cache
def _to_linear(is_pq: bool) -> npt.NDArray[np.float32]:
    """256 entries: from the code of a channel to linear light in [0, 1] in standard dynamic range."""
    code = np.arange(256) / 255
    light = (_light_of_pq(code) if is_pq else _light_of_hlg(code)) / REFERENCE_WHITE
    return _compressed(light, _BRIGHTEST / REFERENCE_WHITE).astype(np.float32)


def _light_of_pq(code: npt.NDArray) -> npt.NDArray:
    """cd/m2 (SMPTE ST 2084)."""
    power = code ** (1 / 78.84375)
    return 10000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)


def _light_of_hlg(code: npt.NDArray) -> npt.NDArray:
    """cd/m2 on a display of 1000 cd/m2 (ITU-R BT.2100), for greys."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return 1000 * scene**1.2


def _compressed(light: npt.NDArray, brightest: float) -> npt.NDArray:
    """Light in units of reference white, linear up to a knee, then compressed with the brightest at 1 (Moebius)."""
    knee = _LINEAR_UP_TO
    a = -(knee**2) * (brightest - 1) / (knee**2 - 2 * knee + brightest)
    b = (knee**2 - 2 * knee * brightest + brightest) / (brightest - 1)
    scale = (b**2 + 2 * b * knee + knee**2) / (b - a)
    bent = scale * (light + a) / (light + b)
    return np.clip(np.where(light <= knee, light, bent), 0, 1)


@functools.cache
def _gamma() -> npt.NDArray[np.uint8]:
    """4096 entries: from linear light to the sRGB code (IEC 61966-2-1)."""
    light = np.arange(4096) / 4095
    code = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * code).astype(np.uint8)
