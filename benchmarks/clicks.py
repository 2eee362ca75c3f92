"""How good masks from clicks are: the click head against OpenCV's GrabCut, on images that it was not trained on.

    python benchmarks/clicks.py --data ../data

--data is the folder that scripts/train_click_head.py takes. 100 images each of COCO and Clothing Co-Parsing were kept
out of training. In each, one object that covers 1 % of the image or more is chosen at random; images without one are
left out. Each method gets clicks of its own: the first in the middle of the object, the others in the middle of what it
got wrong (the pixel farthest from the border of an error). Boxes are those of the true masks. The program prints the
mean IoU over images after each click, and for the head the seconds from the click to the mask of the whole image.
GrabCut is used as by Studio's box and scribbles: a click is a spot of 3 % of the image's longer side.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from livos.clicks.clicker import Clicker, ClickNetwork, load_click_network, network_with_head
from livos.clicks.head import INSIDE
from livos.clicks.simulation import next_click
from livos.studio.tools import Stroke, from_box, from_strokes
from livos.training.click_data import KEPT_OUT_SEED, SMALLEST_TESTED, click_pictures, split, tested_object

SHOWN = (1, 2, 3, 5)


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Of two masks (H, W), in [0, 1]."""
    return float((mask & truth).sum() / max(1, (mask | truth).sum()))


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return left, top, left + width, top + height


class GrabCut:
    """GrabCut as in Studio: each answer uses all clicks so far, as small strokes.

    Without a box, the strokes alone mark the object; with one, they change the last answer.
    """

    def __init__(self, image: np.ndarray):
        self.image = image
        self.radius = max(2.0, 0.015 * max(image.shape[:2]))
        self.last = np.zeros(image.shape[:2], bool)

    def mask(self, clicks: list, box: tuple | None) -> np.ndarray:
        """(H, W) bool."""
        if box is not None and not clicks:
            self.last = from_box(self.image, box)
            return self.last
        strokes = [Stroke(((x, y),), self.radius, label == INSIDE) for x, y, label in clicks]
        start = np.zeros_like(self.last) if box is None else self.last
        self.last = from_strokes(self.image, start, strokes)
        return self.last


METHODS = ("head", "grabcut")


def clicked(method: Any, truth: np.ndarray, box: tuple | None, most: int) -> list[float]:
    """The IoU with the true mask after 0 (with a box) or 1 to `most` clicks."""
    clicks: list[tuple[float, float, int]] = []
    answer = np.zeros_like(truth) if box is None else method.mask([], box)
    overlaps = [iou(answer, truth)]
    while len(clicks) < most:
        new = next_click(truth, answer)
        if new is not None:
            clicks.append(new)
            answer = method.mask(list(clicks), box)
        overlaps.append(iou(answer, truth))
        if new is None:
            overlaps += [overlaps[-1]] * (most + 1 - len(overlaps))
            break
    return overlaps


def timed(network: ClickNetwork, image: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Seconds for the first click, and the mean for further ones."""
    clicks: list[tuple[float, float, int]] = []
    seconds = []
    clicker, answer = None, np.zeros_like(truth)
    while len(clicks) < 4 and (new := next_click(truth, answer)) is not None:
        clicks.append(new)
        begin = time.perf_counter()
        clicker = clicker or Clicker(image, network)
        answer = clicker.mask(clicks)
        seconds.append(time.perf_counter() - begin)
    return seconds[0], float(np.mean(seconds[1:])) if seconds[1:] else np.nan


def measure(options: argparse.Namespace) -> tuple[dict[tuple[str, str, str], list], np.ndarray]:
    """The IoU after each click by method, start (clicks or box) and set; and the head's seconds, (images, 2).

    Raises:
        ValueError: If a picture or the head is damaged, or if no image has an object that is large enough.
        OSError: If pictures, masks or weights are missing.
    """
    kept_out = split(click_pictures(options.data))[1]
    network = network_with_head(options.head) if options.head else load_click_network()
    methods: dict[str, Callable] = {"head": lambda image: Clicker(image, network), "grabcut": GrabCut}
    results: dict[tuple[str, str, str], list] = {}
    times = []
    for name, pictures in kept_out.items():
        for number, picture in list(enumerate(pictures))[:: options.every]:
            image, labels = picture.read()
            truth = tested_object(labels, np.random.default_rng((KEPT_OUT_SEED, number)))
            if truth is None:
                continue
            if "head" in options.methods:
                times.append(timed(network, image, truth))
            for method in options.methods:
                for start, box in (("clicks", None), ("box", box_of(truth))):
                    overlaps = clicked(methods[method](image), truth, box, max(SHOWN))
                    results.setdefault((method, start, name), []).append(overlaps)
    if not results:
        raise ValueError(f"{options.data}: no image has an object that covers {SMALLEST_TESTED:.0%} of it or more")
    return results, np.array(times)


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--head", type=Path, help="weights of another head")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--every", type=int, default=1, help="only every n-th image")
    options = parser.parse_args(arguments)
    if options.every < 1:
        parser.error(f"--every {options.every}: expected 1 or more")
    return options


def main(arguments: list[str] | None = None) -> None:
    options = parse_options(arguments)
    try:
        report(*measure(options))
    except (ValueError, OSError) as error:
        sys.exit(str(error))


def report(results: dict[tuple[str, str, str], list], times: np.ndarray) -> None:
    """Prints the tables."""
    sets = sorted({name for _, _, name in results})
    for start in ("clicks", "box"):
        counts = SHOWN if start == "clicks" else (0, *SHOWN)
        print(f"\nmean IoU, {start} and then", "  ".join(f"{n:>5}" for n in counts), "clicks")
        for method in dict.fromkeys(method for method, _, _ in results):
            parts = {name: np.array(results[method, start, name]) for name in sets}
            parts["all"] = np.concatenate(list(parts.values()))
            for name, overlaps in parts.items():
                means = "  ".join(f"{overlaps[:, n].mean():.3f}" for n in counts)
                print(f"{method:10} {name:6} ({len(overlaps):3})  {means}")
    if len(times):
        first, further = np.nanmedian(times, axis=0)
        threads = f"{torch.get_num_threads()} threads"
        print(f"\nseconds, median: first click {first:.3f}, further clicks {further:.3f} ({threads})")


if __name__ == "__main__":
    main()
