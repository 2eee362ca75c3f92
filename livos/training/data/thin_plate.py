"""Smooth random bending of an image: a thin-plate spline through a few shifted control points.

F. L. Bookstein, "Principal Warps: Thin-Plate Splines and the Decomposition of Deformations", PAMI 1989.
"""

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

_COARSE = 25  # the spline is smooth: evaluate it at 25 x 25 points and interpolate between them


def control_points(num_points: int, generator: np.random.Generator) -> np.ndarray:
    """(P, 2) positions (x, y) in [0, 1], one in the inner half of each cell of a grid over the image.

    Two control points that nearly coincide and move apart would tear the image, so they are kept apart.
    """
    columns = int(np.ceil(np.sqrt(num_points)))
    rows = -(-num_points // columns)
    cells = generator.permutation(columns * rows)[:num_points]
    corners = np.stack([cells % columns, cells // columns], axis=1)
    return (corners + generator.uniform(0.25, 0.75, (num_points, 2))) / (columns, rows)


def displacement_field(points: np.ndarray, shifts: np.ndarray, size: int) -> np.ndarray:
    """The offset at which each pixel of a square image samples: (size, size, 2) float32, (x, y) in pixels.

    `points` (P, 2) are in [0, 1]; the pixel at points[k] takes its colour from points[k] + shifts[k], and the spline
    bends the plane as little as possible in between.
    """
    spline = RBFInterpolator(points, shifts, kernel="thin_plate_spline")
    places = np.linspace(0.0, 1.0, _COARSE)
    grid = np.stack(np.meshgrid(places, places), axis=-1)
    coarse = spline(grid.reshape(-1, 2)).reshape(_COARSE, _COARSE, 2)
    return _upsample(coarse.astype(np.float32) * size, size)


def _upsample(coarse: np.ndarray, size: int) -> np.ndarray:
    """(G, G, 2) values at 0, 1 / (G - 1), … 1 of the image's side -> (size, size, 2) at pixel centres."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size * (len(coarse) - 1)
    columns, rows = np.meshgrid(centres, centres)
    return cv2.remap(coarse, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
