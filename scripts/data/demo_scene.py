"""The layers of the demo scene, cut out of photographs that come with scikit-image.

A scene is a list of cards, back to front: an evening launch pad, a lawn, an astronaut, a cat, a brick column, a wooden
table and a cup of coffee. A card is a photograph with a matte; colours are linear light in [0, 1] times the matte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from livos.files.images import read_image


def float32(values: Sequence) -> np.ndarray:
    return np.array(values, np.float32)


@dataclass(frozen=True)
class Card:
    """A cut-out photograph that is moved over the scene.

    pixels: (H, W, 4) float32, linear light multiplied by the matte, matte last, in [0, 1].
    anchor: the point of the card (x, y in its pixels) that a pose positions, and around which it rotates.
    parallax: how strongly the camera's motion moves it: 1 at the actors, less behind them, more in front of them.
    label: the object it belongs to, 0 for scenery.
    shadow: (H, W), the share of light that its soft shadow takes from the near cards behind it; None for no shadow.
    """

    name: str
    pixels: np.ndarray
    anchor: tuple[float, float]
    parallax: float
    label: int = 0
    shadow: np.ndarray | None = None


# Hand-drawn outlines of what to cut out: x, y in pixels of the photograph. A smooth closed curve runs through them. The
# cat's ears and crown are above the photograph (y < 0), in the part that `_photograph_of_cat` adds there.
CAT_OUTLINE = [
    (41, 0), (46, -28), (58, -56), (66, -58), (82, -42), (102, -22), (130, -20), (175, -26), (225, -28), (275, -22),
    (312, -16), (332, -32), (372, -52), (412, -60), (417, -52), (408, -24), (395, 2), (383, 28), (370, 52), (359, 72),
    (360, 95), (363, 120), (360, 148), (350, 178), (335, 200), (322, 225), (319, 250), (308, 272), (296, 296),
    (290, 330), (160, 332), (42, 330), (32, 290), (26, 240), (24, 190), (28, 150), (36, 122), (32, 90), (34, 45),
]  # fmt: skip
ASTRONAUT_OUTLINE = [
    (190, 34), (212, 22), (235, 17), (262, 24), (284, 40), (297, 62), (300, 84), (297, 104), (288, 120), (276, 130),
    (268, 136), (262, 152), (257, 172), (272, 184), (289, 201), (300, 220), (305, 237), (322, 245), (340, 260),
    (348, 280), (356, 308), (362, 334), (365, 349), (380, 346), (405, 343), (435, 348), (462, 364), (480, 388),
    (491, 420), (497, 452), (506, 470), (508, 492), (504, 530), (380, 540), (200, 540), (40, 530), (32, 500),
    (24, 460), (22, 415), (24, 375), (30, 340), (40, 300), (46, 276), (58, 252), (78, 234), (100, 220), (112, 209),
    (113, 190), (118, 184), (124, 168), (140, 153), (160, 148), (184, 149), (183, 132), (176, 126), (164, 113),
    (156, 95), (153, 74), (158, 56), (172, 43),
]  # fmt: skip
CUP_OUTLINE = [
    (183, 73), (190, 58), (206, 40), (228, 27), (256, 19), (290, 18), (325, 23), (355, 35), (380, 52), (395, 69),
    (406, 67), (418, 69), (424, 77), (420, 95), (416, 109), (435, 124), (456, 150), (471, 180), (478, 210),
    (479, 240), (472, 275), (457, 309), (434, 339), (402, 364), (360, 381), (310, 389), (262, 387), (215, 377),
    (170, 359), (132, 333), (103, 300), (84, 262), (77, 222), (81, 180), (97, 141), (122, 108), (152, 85),
]  # fmt: skip


def read_photograph(folder: Path, name: str) -> np.ndarray:
    """A photograph of scikit-image as (H, W, 3) float32 RGB in [0, 1]; a grey one has three equal channels."""
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(f"{path}: missing; it comes with scikit-image 0.19 or newer")
    return read_image(path).astype(np.float32) / 255


def to_linear(colours: np.ndarray) -> np.ndarray:
    return np.power(np.clip(colours, 0, 1), 2.2, dtype=np.float32)


def to_display(colours: np.ndarray) -> np.ndarray:
    return np.power(np.clip(colours, 0, 1), 1 / 2.2, dtype=np.float32)


def matte_inside(outline: Sequence[tuple[float, float]], height: int, width: int, softness: float) -> np.ndarray:
    """(height, width) float32: 1 inside the smooth closed curve through the points, 0 outside.

    The edge, about `softness` pixels wide, is inside the curve, so that no background of the photograph is included.
    """
    points = np.array([*outline, outline[0]], np.float64)
    curve = CubicSpline(np.arange(len(points)), points, bc_type="periodic")
    fine = curve(np.linspace(0, len(points) - 1, 16 * len(points)))
    matte = np.zeros((height, width), np.uint8)
    cv2.fillPoly(matte, [np.round(fine * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    blurred = cv2.GaussianBlur(matte.astype(np.float32) / 255, (0, 0), softness)
    return np.clip(1.7 * blurred - 0.7, 0, 1)


def cut_out(
    image: np.ndarray, matte: np.ndarray, size: tuple[int, int], gain: tuple[float, float, float]
) -> np.ndarray:
    """(h, w, 4) card pixels: `image` times the colour `gain` inside `matte`, reduced to `size` (width, height)."""
    colours = to_linear(image) * float32(gain)
    pixels = np.dstack([colours * matte[..., None], matte]).astype(np.float32)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def opaque(colours: np.ndarray) -> np.ndarray:
    """Card pixels of a display-referred (H, W, 3) image without holes."""
    return np.dstack([to_linear(colours), np.ones(colours.shape[:2], np.float32)])


def soft_shadow(pixels: np.ndarray, darkness: float) -> np.ndarray:
    return cv2.GaussianBlur(pixels[..., 3], (0, 0), 9) * darkness


def tint(grey: np.ndarray, dark: tuple[float, float, float], light: tuple[float, float, float]) -> np.ndarray:
    """Colours a grey photograph: its darkest tenth becomes `dark`, its lightest tenth `light`."""
    low, high = np.percentile(grey, [5, 97])
    share = ((grey - low) / (high - low))[..., :1]
    return float32(dark) + share * (float32(light) - float32(dark))


def launch_pad(folder: Path) -> Card:
    """The evening sky with the rocket, a little out of focus; its right part is mirrored to make it wider."""
    image = read_photograph(folder, "rocket.jpg")[:420, 24:]
    rocket, rest = image[:, :380], image[:, 380:532]
    image = np.concatenate([rocket, np.pad(rest, ((0, 0), (0, 300), (0, 0)), mode="reflect")], axis=1)
    image = cv2.resize(image, None, fx=1.15, fy=1.15, interpolation=cv2.INTER_CUBIC)
    image = cv2.GaussianBlur(image, (0, 0), 0.8) * 1.25 + 0.02
    return Card("launch pad", opaque(image), (340, image.shape[0] - 1), 0.3)


def lawn(folder: Path) -> Card:
    """Grass seen from a low angle, bluer and darker towards the horizon, which fades out."""
    grass = np.tile(read_photograph(folder, "grass.png"), (1, 3, 1))
    grass[:, 512:1024] = grass[:, 512:1024][:, ::-1]
    width, height = 1300, 130
    corners = float32([[380, 0], [1156, 0], [1156, 512], [380, 512]])
    ground = float32([[330, 0], [970, 0], [1750, height], [-450, height]])
    view = cv2.getPerspectiveTransform(corners, ground)
    grass = cv2.warpPerspective(grass, view, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    near = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    haze = float32([0.08, 0.08, 0.12])
    colours = tint(grass, (0.1, 0.16, 0.1), (0.4, 0.5, 0.26)) * (0.5 + 0.5 * near) + (1 - near) * haze
    pixels = opaque(colours) * np.clip(near * 8, 0, 1)
    return Card("lawn", pixels, (width / 2, 0), 0.6)


def column(folder: Path) -> Card:
    """A brick column, wide enough to hide the cat, rounded by its shading."""
    bricks = np.rot90(read_photograph(folder, "brick.png"))[:, 120:340]
    colours = tint(np.ascontiguousarray(bricks), (0.32, 0.16, 0.12), (0.72, 0.6, 0.5))
    colours = cv2.resize(colours, (196, 480), interpolation=cv2.INTER_AREA)
    across = np.linspace(-1, 1, colours.shape[1], dtype=np.float32)[None, :, None]
    colours = colours * (1.0 - 0.12 * across - 0.45 * across**4)
    pixels = opaque(colours)
    pixels = cv2.copyMakeBorder(pixels, 0, 0, 3, 3, cv2.BORDER_CONSTANT)
    return Card("column", cv2.GaussianBlur(pixels, (0, 0), 0.6), (pixels.shape[1] / 2, pixels.shape[0] - 1), 1.0,
                shadow=soft_shadow(pixels, 0.5))  # fmt: skip


def wood(folder: Path) -> np.ndarray:
    """(160, 600, 3): the table top right of the cup in its photograph, rotated so that the grain follows the rows."""
    image = read_photograph(folder, "coffee.png")
    there = float32([[486, 230], [598, 152], [486, 396]])
    here = float32([[0, 0], [300, 0], [0, 160]])
    matrix = cv2.getAffineTransform(there, here)
    grain = cv2.warpAffine(image, matrix, (300, 160), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.concatenate([grain, grain[:, ::-1]], axis=1)


def table(folder: Path) -> Card:
    """Wooden planks, wider towards the viewer, with dark gaps between them and where two boards meet."""
    grain = wood(folder)
    planks = []
    # height in the picture, first row of the grain, where two boards meet, how bright it is
    for height, row, joint, brightness in ((9, 0, 50, 0.7), (20, 8, 420, 1.0), (27, 60, 130, 0.9), (36, 30, 530, 1.05),
                                           (47, 10, 300, 0.93), (60, 40, 40, 1.0)):  # fmt: skip
        board = grain[row : row + 2 * height]
        other = board[::-1] * 0.92
        plank = np.concatenate([board, other, board], axis=1)[:, 600 - joint : 2000 - joint]
        plank = cv2.resize(plank, (plank.shape[1], height), interpolation=cv2.INTER_AREA) * brightness
        plank[:, [joint, joint + 600]] *= 0.45
        plank[-2:] *= 0.35
        plank[0] *= 1.15
        planks.append(plank[:, :1150])
    pixels = cv2.copyMakeBorder(opaque(np.concatenate(planks)), 4, 0, 0, 0, cv2.BORDER_CONSTANT)
    return Card("table", cv2.GaussianBlur(pixels, (0, 0), 0.6), (575, 4), 1.2, shadow=soft_shadow(pixels, 0.35))


def _photograph_of_cat(folder: Path) -> np.ndarray:
    """The cat with 64 more rows above and 36 below.

    The photograph cuts off the ears: fur is mirrored there, slanted like the ears.
    """
    image = read_photograph(folder, "chelsea.png")
    height, width = image.shape[:2]
    y, x = np.mgrid[-64 : height + 36, 0:width].astype(np.float32)
    above = np.maximum(-y, 0)
    x = x - above * (0.24 + 0.76 * np.clip((x - 40) / 356, 0, 1))
    return cv2.remap(image, x, np.abs(y), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def cat(folder: Path) -> Card:
    image = _photograph_of_cat(folder)
    matte = matte_inside([(x, y + 64) for x, y in CAT_OUTLINE], image.shape[0], image.shape[1], softness=2.2)
    pixels = cut_out(image, matte, (216, 192), (0.92, 0.9, 0.92))
    return Card("cat", pixels, (100, 170), 1.0, label=2, shadow=soft_shadow(pixels, 0.45))


def astronaut(folder: Path) -> Card:
    image = cv2.copyMakeBorder(read_photograph(folder, "astronaut.png"), 0, 32, 0, 0, cv2.BORDER_REFLECT)
    matte = matte_inside(ASTRONAUT_OUTLINE, image.shape[0], image.shape[1], softness=1.2)
    pixels = cut_out(image, matte, (320, 340), (0.8, 0.8, 0.86))
    return Card("astronaut", pixels, (160, 330), 1.0, label=1, shadow=soft_shadow(pixels, 0.3))


def cup(folder: Path) -> Card:
    image = read_photograph(folder, "coffee.png")
    matte = matte_inside(CUP_OUTLINE, image.shape[0], image.shape[1], softness=1.0)
    image, matte = image[:, 60:500], matte[:, 60:500]
    pixels = cut_out(image, matte, (242, 184), (1.0, 0.97, 0.95))
    return Card("cup", pixels, (120, 120), 1.2, label=3, shadow=soft_shadow(pixels, 0.75))


def make_cards(folder: Path) -> list[Card]:
    """All cards, back to front, from the photographs in scikit-image's `folder`."""
    return [make(folder) for make in (launch_pad, lawn, astronaut, cat, column, table, cup)]
