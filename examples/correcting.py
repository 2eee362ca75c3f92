"""Go back to where a mask went wrong, correct it, and continue from there.

    python examples/correcting.py

In the bundled clip, the cat walks behind a column and comes back. This program tracks it and keeps the state before
frame 48. Then it goes back there, gives the mask of the cat once more, and compares both runs with the true masks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from livos import VideoSegmenter, read_labels

DEMO = Path(__file__).resolve().parent / "demo"
FRAMES = sorted((DEMO / "JPEGImages" / "launch-pad-cafe").iterdir())
CAT = 2
CORRECTED = 48  # the frame on which the cat is given once more


def main(arguments: list[str] | None = None) -> None:
    options = parse_arguments(arguments)
    segmenter = VideoSegmenter("lite", size=options.size)
    follow(segmenter, range(0, CORRECTED, options.every))
    before = segmenter.state()  # immutable: keeping it is enough

    rest = range(CORRECTED, len(FRAMES), options.every)
    uncorrected = follow(segmenter, rest)
    segmenter.restore(before)
    corrected = follow(segmenter, rest, correct=True)

    print("J of the cat from the correction on:")
    for number in rest:
        truth = read_labels(mask_path("Annotations", number)).labels == CAT
        print(
            f"frame {number}: {overlap(uncorrected[number] == CAT, truth):.2f} without, "
            f"{overlap(corrected[number] == CAT, truth):.2f} with it"
        )


def follow(segmenter: VideoSegmenter, numbers: range, correct: bool = False) -> dict[int, np.ndarray]:
    """The labels of these frames; with `correct`, the cat's second mask is also given."""
    labels = {}
    for number in numbers:
        given = mask_path("GivenMasks", number)
        wanted = number != CORRECTED or correct
        mask = read_labels(given).labels if wanted and given.is_file() else None
        labels[number] = segmenter.step(Image.open(FRAMES[number]), mask).labels
    return labels


def mask_path(folder: str, number: int) -> Path:
    """A mask of the clip: given (GivenMasks) or true (Annotations)."""
    return DEMO / folder / "launch-pad-cafe" / f"{number:05d}.png"


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    """J: the intersection of two boolean masks as a share of their union; 1 if both are empty."""
    union = np.logical_or(mask, truth).sum()
    return float(np.logical_and(mask, truth).sum() / union) if union else 1.0


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, help="short side for the network (default: what suits the weights)")
    parser.add_argument("--every", type=int, default=1, help="use only every N-th frame (default: all)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
