"""Files of annotation programs: labelme, COCO and YOLO."""

import base64
import io
import json
import random
from pathlib import Path

import numpy as np
from fuzz.damage import damaged
from fuzz.json_trees import damaged_json
from fuzz.watch import problems_of
from PIL import Image

from livos.masks.run_lengths import encode_mask
from livos.pipeline.ranges import FrameRange
from livos.pipeline.video_masks import masks_of_video
from livos.video.sources import FrameSource

SIZE = (48, 64)


class Source:
    """Stands in for a video of ten frames."""

    size, num_frames, first_number = SIZE, 10, 0

    def number_of(self, name: str, exact: bool = False) -> int | None:
        return int(name) if name.isascii() and name.isdecimal() and len(name) < 9 else None


def labelme() -> dict:
    data = io.BytesIO()
    Image.fromarray(np.ones((5, 7), bool)).save(data, "PNG")
    shapes = [
        {"label": "cat", "points": [[5, 5], [30, 5], [30, 30]], "shape_type": "polygon", "group_id": None},
        {"label": "dog", "points": [[40, 5], [60, 30]], "shape_type": "rectangle"},
        {"label": "x", "points": [[30, 30], [35, 30]], "shape_type": "circle", "group_id": 3},
        {"label": "y", "points": [[30, 30], [35, 40]], "shape_type": "ellipse"},
        {
            "label": "z",
            "points": [[4, 6], [10, 10]],
            "shape_type": "mask",
            "mask": base64.b64encode(data.getvalue()).decode(),
        },
    ]
    return {"version": "5", "imageHeight": SIZE[0], "imageWidth": SIZE[1], "shapes": shapes}


def coco() -> dict:
    area = np.zeros(SIZE, bool)
    area[5:20, 5:25] = True
    flat = area.T.ravel()
    runs = np.diff(np.flatnonzero(np.concatenate([[True], np.diff(flat.astype(int)) != 0, [True]]))).tolist()
    images = [{"id": n, "file_name": f"a/{n:05d}.jpg", "height": SIZE[0], "width": SIZE[1]} for n in range(2)]
    annotations = [
        {"id": 1, "image_id": 0, "category_id": 1, "track_id": 1, "segmentation": [[5, 5, 30, 5, 30, 30]]},
        {"id": 2, "image_id": 1, "track_id": 1, "segmentation": {"size": [*SIZE], "counts": encode_mask(area)}},
        {"id": 3, "image_id": 1, "attributes": {"track_id": 0}, "segmentation": {"size": [*SIZE], "counts": runs}},
        {"id": 4, "image_id": 0, "category_id": 1, "track_id": 2, "bbox": [1, 2, 30, 10]},
    ]
    return {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": annotations}


class Drawings:
    """A damaged JSON file of labelme or COCO, read as `track` reads it."""

    name = "labelme and COCO"

    def __init__(self, folder: Path) -> None:
        self.path, self.trees = folder / "input.json", (labelme(), coco())

    def make(self, chance: random.Random) -> None:
        self.path.write_bytes(damaged_json(chance.choice(self.trees), chance))

    def read(self) -> str | None:
        source: FrameSource = Source()  # type: ignore[assignment]
        masks = masks_of_video(self.path, source, FrameRange(0, None, 0)).by_number
        once = [mask.read().labels for mask in masks.values()]
        rubbish = [np.full(SIZE, 7, np.uint8) for _ in range(40)]  # in the memory that is taken next
        del rubbish
        again = [mask.read().labels for mask in masks.values()]
        if not all(np.array_equal(first, second) for first, second in zip(once, again, strict=True)):
            return "read twice, two results: memory that nothing was written to"
        return None


class Lines(Drawings):
    """A damaged text file of YOLO."""

    name = "YOLO"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "input.txt"
        self.whole = b"0 0.1 0.1 0.5 0.1 0.5 0.6 0.1 0.6\n1 0.5 0.5 0.2 0.3\n2 0.2 0.2 0.9 0.2 0.9 0.95\n"

    def make(self, chance: random.Random) -> None:
        words = self.whole.split()
        words[chance.randrange(len(words))] = chance.choice((b"nan", b"inf", b"1e308", b"-1", b"9" * 400, b"x", b""))
        self.path.write_bytes(damaged(self.whole, chance) if chance.random() < 0.6 else b" ".join(words))


def run(seed: int, count: int, folder: Path) -> list[str]:
    """The problems with `count` damaged inputs of each kind; see tests/fuzz/watch.py."""
    assert json.loads(json.dumps(coco()))
    return [problem for kind in (Drawings, Lines) for problem in problems_of(kind(folder), seed, count)]
