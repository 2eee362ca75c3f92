"""Runs the graphs with OpenVINO, on the CPU in float32 or bfloat16."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from livos.engines.graphs import GRAPHS
from livos.engines.network import Arrays, Runner

_HINTS = {"float32": "f32", "tf32": "f32", "bfloat16": "bf16"}
_MOST_KEPT = 8  # compiled graphs of each kind, for the most recently used sizes and numbers of objects


class OpenVinoRunner(Runner):
    """Takes the folder of the graphs and a precision. Raises ImportError if openvino is not installed.

    Graphs are compiled for each size and number of objects when first needed, which takes about a second with `lite`;
    with dynamic axes they would be a quarter slower.
    """

    def __init__(self, folder: Path, precision: str):
        import openvino

        self.core = openvino.Core()
        self.hints = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self.files = {graph.name: folder / f"{graph.name}.onnx" for graph in GRAPHS}
        self.requests: dict[str, dict[tuple, Any]] = {graph.name: {} for graph in GRAPHS}

    def run(self, graph: str, inputs: Arrays) -> list[np.ndarray]:
        request = self._request(graph, tuple(x.shape for x in inputs))
        results = request.infer(dict(enumerate(inputs)), share_inputs=True)
        return [results[i] for i in range(len(results))]  # copies, so that states can be kept

    def _request(self, graph: str, shapes: tuple[tuple[int, ...], ...]) -> Any:
        known = self.requests[graph]
        request = known.pop(shapes, None)
        if request is None:
            import openvino

            model = self.core.read_model(self.files[graph])
            model.reshape({i: openvino.PartialShape(list(shape)) for i, shape in enumerate(shapes)})
            request = self.core.compile_model(model, "CPU", self.hints).create_infer_request()
        known[shapes] = request  # the newest last
        while len(known) > _MOST_KEPT:
            del known[next(iter(known))]
        return request
