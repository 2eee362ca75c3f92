"""Masks from clicks and boxes, by the click network. What was computed for the last frame is kept."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from livos.clicks.clicker import Clicker
from livos.studio.tools import checked_numbers

MOST_CLICKS = 200


class ClickedFrame:
    """Answers clicks on frames, one frame at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: int | None = None
        self._clicker: Clicker | None = None

    def mask(self, frame: int, image: npt.NDArray[np.uint8], request: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
        """The mask (H, W) that the clicks and the box of a request mark on an (H, W, 3) RGB image.

        Args:
            frame: A number that identifies the image.
            image: The frame.
            request: `clicks`, a list of [x, y, 1 on the object or 0 off it], and possibly `box`, [x0, y0, x1, y1]; all
                in pixels of the frame.

        Raises:
            ValueError: If the clicks or the box are invalid, or neither marks an object.
        """
        clicks = request.get("clicks", [])
        if not isinstance(clicks, list) or len(clicks) > MOST_CLICKS:
            raise ValueError(f"clicks: expected a list of at most {MOST_CLICKS} clicks.")
        made = [checked_numbers(each, 3, "click") for each in clicks]
        box = request.get("box")
        given = None if box is None else checked_numbers(box, 4, "box")
        if given is None and not any(label == 1 for _, _, label in made):
            raise ValueError("Click on the object first.")
        with self._lock:
            if self._clicker is None or self._frame != frame:
                self._clicker, self._frame = Clicker(image), frame
            return self._clicker.mask(made, given)
