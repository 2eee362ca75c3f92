"""Track objects in frames that arrive one at a time, from a camera or from your own code.

    python examples/streaming.py                                  frames of the bundled clip, as arrays
    python examples/streaming.py --camera 0 --mask mask.png       Ctrl-C ends it

It prints, for each frame, the area of every object and how much its mask can be trusted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from livos import SegmentedFrame, VideoSegmenter, segment_video

CLIP = Path(__file__).resolve().parent / "demo"


def main(arguments: list[str] | None = None) -> None:
    options = parse_arguments(arguments)
    video = frames_of_the_clip() if options.camera is None else options.camera
    segmenter = VideoSegmenter("lite", size=options.size)
    for result in islice(segment_video(video, options.mask, segmenter), options.frames):
        print(summary(result))


def frames_of_the_clip() -> Iterator[np.ndarray]:
    """A placeholder for your own code: anything that yields (H, W, 3) uint8 RGB arrays of one size."""
    for path in sorted((CLIP / "JPEGImages" / "launch-pad-cafe").iterdir()):
        yield np.asarray(Image.open(path).convert("RGB"))


def summary(result: SegmentedFrame) -> str:
    """One line about the objects of a frame."""
    ids, areas = np.unique(result.labels[result.labels > 0], return_counts=True)
    objects = [
        f"object {i}: {n} pixels, J {result.confidence.get(int(i), 0):.2f}" for i, n in zip(ids, areas, strict=True)
    ]
    return f"frame {result.number}: " + ("; ".join(objects) or "no object in sight")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    first_mask = CLIP / "GivenMasks" / "launch-pad-cafe" / "00000.png"
    parser.add_argument("--camera", type=int, help="number of a camera, 0 for the first (default: the bundled clip)")
    parser.add_argument("--mask", type=Path, default=first_mask, help="mask of the first frame (default: the clip's)")
    parser.add_argument("--size", type=int, help="short side for the network (default: what suits the weights)")
    parser.add_argument("--frames", type=int, help="stop after this many frames (default: all)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
