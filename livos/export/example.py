"""Segments a folder of frames with the exported graphs, using ONNX Runtime, NumPy, and Pillow for the pictures.

python segment_frames.py FRAMES MASKS OUTPUT

FRAMES contains the frames in order; MASKS contains one PNG of object ids, named after the frame, for each frame with
given masks (new objects, or corrections of known ones); a PNG of object ids for every frame is written to OUTPUT.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

HERE = Path(__file__).resolve().parent
ABOUT = json.loads((HERE / "description.json").read_text())
STATE = ABOUT["state"]["tensors"]
SLOTS = ABOUT["graphs"]["segment"]["inputs"]["present"][1]  # "N", or the number of objects that the graphs are for
GRAPHS = {name: onnxruntime.InferenceSession(HERE / graph["file"]) for name, graph in ABOUT["graphs"].items()}


def run(name, known):
    graph = ABOUT["graphs"][name]
    inputs = {key: np.ascontiguousarray(known[key], np.float32) for key in graph["inputs"]}
    names = list(graph["outputs"])
    return dict(zip(names, GRAPHS[name].run(names, inputs), strict=True))


def padding(height, width):
    rows, columns = -height % 16, -width % 16
    return (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)


class Tracker:
    """Tracks objects from frame to frame. `ids` are the caller's, in the order of the objects."""

    def __init__(self):
        self.ids, self.state, self.cells = [], {}, (0, 0)

    def step(self, pixels, labels=None):
        """pixels (H, W, 3) uint8, labels (H, W) ids where masks are given -> ids (H, W)."""
        height, width = pixels.shape[:2]
        around, self.cells = padding(height, width), (-(-height // 16), -(-width // 16))
        features = run("encode", {"image": np.pad(pixels.transpose(2, 0, 1) / 255, ((0, 0), *around))[None]})
        probabilities = np.ones((1, height + sum(around[0]), width + sum(around[1])), np.float32)  # background
        if self.ids:
            seen = run("segment", {**features, **self.state, "present": self.present()})
            probabilities, self.state["sensory"] = seen["probabilities"][0, : 1 + len(self.ids)], seen["new_sensory"]
        if labels is not None:
            probabilities = self.insert(probabilities, np.pad(labels, around))
        if self.ids:
            masks = np.zeros((1, self.slots(), *probabilities.shape[1:]), np.float32)
            masks[0, : len(self.ids)] = probabilities[1:]
            written = run("remember", {**features, **self.state, "masks": masks})
            self.state = {name: written[f"new_{name}"] for name in STATE}
        inside = probabilities[:, around[0][0] : around[0][0] + height, around[1][0] : around[1][0] + width]
        return np.array([0, *self.ids])[inside.argmax(axis=0)]

    def insert(self, probabilities, labels):
        """Inserts given masks into the probabilities: corrections of known objects, and new ones."""
        given = [int(i) for i in np.unique(labels) if i]
        known = [1 + self.ids.index(i) for i in given if i in self.ids]
        if known:
            probabilities = probabilities.copy()
            probabilities[known] = 0
            total = probabilities.sum(axis=0)
            probabilities = probabilities / np.where(total > 1e-6, total, 1)
            probabilities[0, total <= 1e-6] = 1
        for i in given:
            if i not in self.ids:
                self.add(i)
                probabilities = np.concatenate([probabilities, np.zeros_like(probabilities[:1])])
        probabilities = probabilities * (labels == 0)
        for i in given:
            probabilities[1 + self.ids.index(i)] += labels == i
        return probabilities

    def add(self, new_id):
        self.ids.append(new_id)
        if len(self.state) == 0 or SLOTS == "N":
            shapes = {name: ABOUT["graphs"]["remember"]["outputs"][f"new_{name}"] for name in STATE}
            self.state = {name: self.with_zeros(name, shapes[name]) for name in STATE}
        for tensor in self.state.values():
            tensor[:, len(self.ids) - 1] = 0  # an empty slot has remembered that it saw nothing

    def with_zeros(self, name, shape):
        lengths = {"N": self.slots(), "h": self.cells[0], "w": self.cells[1]}
        zeros = np.zeros([lengths.get(axis, axis) for axis in shape], np.float32)
        if name in self.state:
            zeros[:, : self.state[name].shape[1]] = self.state[name]
        return zeros

    def remove(self, old_id):
        """Stops tracking an object."""
        slot = self.ids.index(old_id)
        del self.ids[slot]
        for name, tensor in self.state.items():
            kept = np.delete(tensor, slot, axis=1)
            self.state[name] = kept if SLOTS == "N" else np.concatenate([kept, np.zeros_like(kept[:, :1])], axis=1)

    def slots(self):
        return len(self.ids) if SLOTS == "N" else SLOTS

    def present(self):
        return (np.arange(self.slots()) < len(self.ids))[None]


def main(frames, masks, output):
    tracker = Tracker()
    Path(output).mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(frames).iterdir()):
        pixels = np.asarray(Image.open(path, formats=("PNG", "JPEG")).convert("RGB"))
        given = Path(masks) / f"{path.stem}.png"
        labels = np.asarray(Image.open(given, formats=("PNG",))) if given.is_file() else None
        ids = tracker.step(pixels, labels)
        Image.fromarray(ids.astype(np.uint8)).save(Path(output) / f"{path.stem}.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
