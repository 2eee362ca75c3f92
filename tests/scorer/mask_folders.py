"""Folders of masks for tests to score and to damage."""

from pathlib import Path

import numpy as np
from PIL import Image


class MaskFolders:
    """A folder of true and one of predicted masks, for tests to damage."""

    def __init__(self, root: Path) -> None:
        self.truth = root / "truth"
        self.prediction = root / "prediction"
        for folder in (self.truth, self.prediction):
            folder.mkdir()

    def add(self, video: str, truth: list[np.ndarray], prediction: list[np.ndarray] | None = None) -> None:
        """Frames 00000, 00001… of a video; without a prediction, a perfect one."""
        for folder, frames in ((self.truth, truth), (self.prediction, truth if prediction is None else prediction)):
            (folder / video).mkdir()
            for index, labels in enumerate(frames):
                write_mask(folder / video / f"{index:05}.png", labels)

    def spoil(self, video: str, frame: int, labels: np.ndarray) -> None:
        """Replaces a predicted mask."""
        write_mask(self.prediction / video / f"{frame:05}.png", labels)


def write_mask(path: Path, labels: np.ndarray) -> None:
    """A palette PNG for uint8 labels, 16-bit grey for uint16."""
    image = Image.fromarray(labels)
    if labels.dtype == np.uint8:
        image.putpalette([value for id in range(256) for value in (id * 67 % 256, id * 29 % 256, 255 - id)])
    image.save(path)


def square(top: int, left: int, size: int = 12, id: int = 1, shape: tuple[int, int] = (48, 64)) -> np.ndarray:
    """A label map with one square."""
    labels = np.zeros(shape, np.uint8)
    labels[top : top + size, left : left + size] = id
    return labels
