"""Runs the graphs with ONNX Runtime, on the CPU in float32."""

from pathlib import Path

import numpy as np
import torch

from livos.engines.graphs import GRAPHS
from livos.engines.network import Arrays, Runner


class OnnxRuntimeRunner(Runner):
    """Takes the folder of the graphs. Raises ImportError if onnxruntime is not installed."""

    def __init__(self, folder: Path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors
        self.sessions = {
            graph.name: onnxruntime.InferenceSession(
                folder / f"{graph.name}.onnx", options, providers=["CPUExecutionProvider"]
            )
            for graph in GRAPHS
        }

    def run(self, graph: str, inputs: Arrays) -> list[np.ndarray]:
        session = self.sessions[graph]
        names = [argument.name for argument in session.get_inputs()]
        return session.run(None, dict(zip(names, inputs, strict=True)))
