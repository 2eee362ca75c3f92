"""Random warps, one resampling per frame, in the worker; random colour, one matrix per frame, on the device.

Positions are (x, y) in pixels with the centre of the first pixel at (0.5, 0.5). A transform is a 3 x 3 matrix from a
position in the output to the position in the input that it samples, so `a @ b` applies b first, then a.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from livos.config.schema import ColourConfig, ImageWarpConfig, VideoWarpConfig
from livos.training.data.thin_plate import control_points, displacement_field

BGR_FILL = (104, 116, 124)  # ImageNet's mean colour, for pixels outside the image
_GREY = np.array([0.299, 0.587, 0.114])  # luma of RGB, ITU-R BT.601


@dataclass(frozen=True)
class Warp:
    """Where the pixels of a square output come from."""

    size: int
    matrix: np.ndarray  # (3, 3), output position to input position
    bend: np.ndarray | None = None  # (size, size, 2) float32, added to the output position before the matrix

    @property
    def minification(self) -> float:
        """Input pixels per output pixel, in the direction in which there are fewest."""
        return float(np.linalg.svd(self.matrix[:2, :2], compute_uv=False)[-1])

    def apply(
        self, image: np.ndarray, reduced: int = 1, nearest: bool = False, fill: Sequence[int] = (0,)
    ) -> np.ndarray:
        """The warped image or label map: (H, W) or (H, W, C) uint8 -> (size, size) or (size, size, C) uint8.

        `reduced`: the image was decoded at 1 / reduced of its size. `nearest`: for labels. `fill`: a value per channel.
        """
        matrix = _translate(-0.5, -0.5) @ _scale(1 / reduced, 1 / reduced) @ self.matrix @ _translate(0.5, 0.5)
        flags = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
        if self.bend is None:
            flags |= cv2.WARP_INVERSE_MAP
            return cv2.warpAffine(image, matrix[:2], (self.size, self.size), None, flags, cv2.BORDER_CONSTANT, fill)
        columns, rows = np.meshgrid(*(np.arange(self.size, dtype=np.float32),) * 2)
        places = cv2.transform(np.dstack([columns, rows]) + self.bend, matrix[:2].astype(np.float32))
        return cv2.remap(image, places[..., 0], places[..., 1], flags, None, cv2.BORDER_CONSTANT, fill)


def _translate(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _scale(x: float, y: float) -> np.ndarray:
    return np.diag([x, y, 1.0])


def _around(width: float, height: float, matrix: np.ndarray) -> np.ndarray:
    """The same transform with the centre of the image as its fixed point."""
    return _translate(width / 2, height / 2) @ matrix @ _translate(-width / 2, -height / 2)


def _rotate_shear(rotation: float, shear: float) -> np.ndarray:
    """The inverse of a shear along x followed by a rotation, both in degrees."""
    cos, sin = np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(rotation))
    rotate = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    slant = np.array([[1.0, np.tan(np.deg2rad(shear)), 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return np.linalg.inv(rotate @ slant)


def _flip(width: int) -> np.ndarray:
    return _translate(width, 0) @ _scale(-1, 1)


def between(limits: Sequence[float] | np.ndarray, generator: np.random.Generator) -> float:
    """A number drawn uniformly from [limits[0], limits[1])."""
    low, high = limits
    return float(generator.uniform(low, high))


def random_crop_box(
    height: int, width: int, scale: Sequence[float], ratio: Sequence[float], generator: np.random.Generator
) -> tuple[float, float, float, float]:
    """Left, top, width and height of a crop that covers `scale` of the image's area, `ratio` being width / height.

    It makes ten attempts to fit such a crop into the image, then takes the largest one with a permitted ratio from the
    centre (the rule of torchvision.transforms.RandomResizedCrop).
    """
    for _ in range(10):
        area = height * width * between(scale, generator)
        aspect = np.exp(between(np.log(ratio), generator))
        crop_width, crop_height = np.sqrt(area * aspect), np.sqrt(area / aspect)
        if crop_width <= width and crop_height <= height:
            left, top = generator.random() * (width - crop_width), generator.random() * (height - crop_height)
            return left, top, crop_width, crop_height
    aspect = min(max(width / height, ratio[0]), ratio[1])
    crop_width, crop_height = min(width, height * aspect), min(height, width / aspect)
    return (width - crop_width) / 2, (height - crop_height) / 2, crop_width, crop_height


def random_video_warp(
    height: int, width: int, size: int, settings: VideoWarpConfig, generator: np.random.Generator
) -> Warp:
    """Flips, rotates and shears the frame, then takes a random crop and resizes it to (size, size)."""
    rotation, shear = generator.uniform(-1, 1, 2) * (settings.rotation, settings.shear)
    matrix = _around(width, height, _rotate_shear(rotation, shear))
    if generator.random() < settings.flip_probability:
        matrix = _flip(width) @ matrix
    left, top, crop_width, crop_height = random_crop_box(
        height, width, settings.crop_scale, settings.crop_ratio, generator
    )
    crop = _translate(left, top) @ _scale(crop_width / size, crop_height / size)
    return Warp(size, matrix @ crop)


def random_view(num_frames: int, size: int, settings: VideoWarpConfig, generator: np.random.Generator) -> np.ndarray:
    """(T, 3, 3): how the view of a clip moves, from positions in each frame's crop to those in the first frame's."""
    if settings.zoom == 1 and not settings.pan:
        return np.broadcast_to(np.eye(3), (num_frames, 3, 3))
    zoom = settings.zoom ** generator.uniform(-1, 1)
    pan = size * generator.uniform(-settings.pan, settings.pan, 2)
    done = np.linspace(0.0, 1.0, num_frames)
    return np.stack([_around(size, size, _translate(*(k * pan)) @ _scale(zoom**-k, zoom**-k)) for k in done])


def random_image_warps(
    height: int, width: int, size: int, num_frames: int, settings: ImageWarpConfig, generator: np.random.Generator
) -> list[Warp]:
    """A warp for each frame of a clip made from one image.

    The image is flipped and zoomed in the same way in all frames, and rotated, sheared, zoomed and perhaps bent
    differently in each. Each frame shows a square window, as large as the short side, at a random position.
    """
    clip_zoom = between(settings.clip_scale, generator)
    flip = _flip(width) if generator.random() < settings.flip_probability else np.eye(3)
    moves = _random_moves(num_frames, settings, generator)
    bends = _random_bends(num_frames, size, settings, generator)
    side = min(height, width)
    warps = []
    for move, bend in zip(moves, bends, strict=True):
        rotation, shear, frame_zoom, x, y = move
        zoom = 1 / (clip_zoom * frame_zoom)
        matrix = flip @ _around(width, height, _scale(zoom, zoom) @ _rotate_shear(rotation, shear))
        window = _translate(x * (width - side), y * (height - side)) @ _scale(side / size, side / size)
        warps.append(Warp(size, matrix @ window, bend))
    return warps


def random_path(num_frames: int, reach: float, generator: np.random.Generator) -> np.ndarray:
    """Shifts (T, 2) in whole pixels along a line to a random point within `reach`; in half of the cases and back."""
    done = np.linspace(0.0, 1.0, num_frames)
    if generator.random() < 0.5:
        done = 1 - np.abs(2 * done - 1)
    return np.rint(done[:, None] * generator.uniform(-reach, reach, 2)).astype(int)


def _random_moves(num_frames: int, settings: ImageWarpConfig, generator: np.random.Generator) -> np.ndarray:
    """(T, 5): rotation, shear, zoom, and the window's position in [0, 1] along x and y."""
    low = np.array([-settings.rotation, -settings.shear, settings.frame_scale[0], 0.0, 0.0])
    high = np.array([settings.rotation, settings.shear, settings.frame_scale[1], 1.0, 1.0])
    moves = generator.uniform(low, high, (2 if settings.steady else num_frames, 5))
    return _over_time(moves, num_frames, settings.steady)


def _random_bends(
    num_frames: int, size: int, settings: ImageWarpConfig, generator: np.random.Generator
) -> list[np.ndarray] | list[None]:
    """For each frame the displacements (size, size, 2) of a spline through the same points, or None."""
    if generator.random() >= settings.bend_probability:
        return [None] * num_frames
    points = control_points(settings.bend_points, generator)
    shifts = generator.normal(0.0, settings.bend_sigma, (2 if settings.steady else num_frames, *points.shape))
    return [displacement_field(points, shift, size) for shift in _over_time(shifts, num_frames, settings.steady)]


def _over_time(draws: np.ndarray, num_frames: int, steady: bool) -> np.ndarray:
    """(T, …): one draw per frame, or those of the first and last frame with linear interpolation in between."""
    if not steady:
        return draws
    share = np.linspace(0.0, 1.0, num_frames).reshape(-1, *(1,) * (draws.ndim - 1))
    return draws[0] + share * (draws[1] - draws[0])


@dataclass(frozen=True)
class Colour:
    """A change of a frame's colours to `spread @ (colour - mean) + middle @ mean`, where mean is its mean colour.

    Brightness, contrast, saturation, hue and grey are linear in the colours and in their mean, so any sequence of them
    is one pair of matrices. Values are clamped to [0, 1] once, at the end, not after each change.
    """

    spread: torch.Tensor  # (..., T, 3, 3) float32
    middle: torch.Tensor  # (..., T, 3, 3) float32


def random_colour(
    num_frames: int,
    clip: ColourConfig,
    frame: ColourConfig,
    grey_probability: float,
    generator: np.random.Generator,
) -> Colour:
    """One change for the whole clip, sometimes to grey, then a change for each frame: matrices (T, 3, 3)."""
    spread, middle = _random_change(clip, generator)
    if generator.random() < grey_probability:
        grey = _towards_grey(0.0)
        spread, middle = grey @ spread, grey @ middle
    changes = [_random_change(frame, generator) for _ in range(num_frames)]
    spreads = np.stack([change[0] @ spread for change in changes])
    middles = np.stack([change[1] @ middle for change in changes])
    return Colour(torch.from_numpy(spreads).float(), torch.from_numpy(middles).float())


def apply_colour(images: torch.Tensor, colour: Colour) -> torch.Tensor:
    """Images (B, T, 3, H, W) uint8 RGB -> float32 in [0, 1] of the same shape, changed by matrices (B, T, 3, 3).

    Everything happens on the images' device, where `colour` has to be as well.
    """
    pixels = images.flatten(-2).float() / 255  # (B, T, 3, H * W)
    mean = pixels.mean(-1, keepdim=True)
    changed = _per_pixel(colour.middle - colour.spread, mean) + _per_pixel(colour.spread, pixels)
    return changed.clamp_(0, 1).unflatten(-1, images.shape[-2:])


def _per_pixel(matrices: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """`matrices @ pixels`, (…, 3, 3) with (…, 3, P), in full float32 even if matmul is set to be less precise."""
    red, green, blue = pixels.split(1, dim=-2)
    product = matrices[..., 0:1] * red
    return product.addcmul_(matrices[..., 1:2], green).addcmul_(matrices[..., 2:3], blue)


def _random_change(settings: ColourConfig, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(3, 3) for the differences from the mean colour, (3, 3) for the mean colour itself."""
    largest = (settings.brightness, settings.contrast, settings.saturation, settings.hue)
    brightness, contrast, saturation, turn = generator.uniform(-1, 1, 4) * largest
    same_for_both = (1 + brightness) * _hue(turn) @ _towards_grey(1 + saturation)
    return (1 + contrast) * same_for_both, _towards_grey(1 + contrast) @ same_for_both


def _towards_grey(keep: float) -> np.ndarray:
    """Mixes each colour with the grey of its brightness; keep = 0 leaves only the grey, above 1 is more colourful."""
    return keep * np.eye(3) + (1 - keep) * np.outer(np.ones(3), _GREY)


def _hue(turn: float) -> np.ndarray:
    """Rotates colours around the axis of greys by `turn` of a full turn."""
    axis = np.full(3, 1 / np.sqrt(3))
    return cv2.Rodrigues(2 * np.pi * turn * axis)[0]
