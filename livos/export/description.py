"""What a program must know to run exported graphs, as JSON."""

from typing import Any

from livos import __version__
from livos.engines.graphs import FEATURES, GRAPHS, Axis, length, tensor_axes
from livos.model.config import ModelConfig
from livos.model.masks import STRIDE
from livos.model.state_tensors import STATE_TENSORS

FILE_NAME = "description.json"


def describe(
    config: ModelConfig, weights: str, checksum: str, short_side: int | None, fixed: tuple[tuple[int, int], int] | None
) -> dict[str, Any]:
    """The content of `description.json`.

    Args:
        weights: The name of the weights.
        checksum: Of the weights, as in saved states.
        short_side: Short side in pixels that suits the weights, if they contain it.
        fixed: Cells (h, w) and number of objects for graphs of fixed shapes; None: for any.
    """
    axes = tensor_axes(config)
    return {
        "format": 1,
        "livos": __version__,
        "weights": weights,
        "checksum": checksum,
        "suitable_short_side": short_side,
        "graphs": {
            graph.name: {
                "file": f"{graph.name}.onnx",
                "inputs": {name: _shape(axes[name], fixed) for name in graph.inputs},
                "outputs": {name: _shape(axes[name.removeprefix("new_")], fixed) for name in graph.outputs},
            }
            for graph in GRAPHS
        },
        "letters": {"N": "objects", "h": f"rows of {STRIDE} pixels", "w": f"columns of {STRIDE} pixels"},
        "types": "every tensor is float32",
        "image": {
            "colours": "RGB in [0, 1], channels first",
            "normalisation": "inside the graph",
            "padding": {
                "multiple": STRIDE,
                "rule": "zeros, split evenly, the extra pixel at the bottom and the right; masks likewise",
            },
        },
        "features": list(FEATURES),
        "state": {
            "tensors": list(STATE_TENSORS),
            "first": "zeros, for as many objects as are given",
            "next": "the output new_NAME of `remember` is the input NAME on the next frame",
            "new_objects": "append zeros along the second axis of every tensor; in graphs of fixed shapes, "
            "set the entries of the slot to zero, because empty slots have remembered that they saw nothing",
            "removed_objects": "delete their entries along the second axis of every tensor",
        },
        "frame": [
            "encode: image -> features",
            "if there are objects, segment: features and state -> probabilities (background first, then the objects), "
            "new_sensory, which replaces sensory",
            "insert given masks into the probabilities",
            "remember: features, masks (the probabilities without the background) and state -> the next state",
        ],
        "given_masks": [
            "first frame: the probability of an object is 1 inside its mask, else 0; the background's is the rest",
            "a corrected object: set its probability to 0, divide all by their sum; where that is 0, it is background",
            "then set all probabilities to 0 where a mask is given, and the object's own to its mask",
        ],
        "present": "1 for an entry that contains an object, 0 for an empty one (graphs of a fixed number of objects)",
        "ids": "positions are not ids: keep a list of the caller's ids in the order of the objects; the label of a "
        "pixel is 0 where the background is most likely, else the id of the most likely object",
    }


def _shape(axes: tuple[Axis, ...], fixed: tuple[tuple[int, int], int] | None) -> list[Axis]:
    if fixed is None:
        return list(axes)
    cells, num_objects = fixed
    return [length(axis, num_objects, cells) for axis in axes]
