"""The three graphs of a network as ONNX files."""

import inspect
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from livos.acceleration.accelerate import without_batch_norms
from livos.acceleration.folding import replace_module
from livos.engines.graphs import GRAPHS, Axis, Graph, example_inputs, tensor_axes
from livos.files.atomic import written_aside
from livos.model.config import ModelConfig
from livos.model.masks import STRIDE
from livos.model.network import LiVOS

OPSET = 18  # the oldest that the exporter writes natively, for old engines
_TRACED = (2, (6, 10))  # objects and cells for tracing dynamic axes; a length of 1 would become a constant
_MOST = 1024  # objects, and cells along a side


@torch.no_grad()
def write_graphs(network: LiVOS, folder: Path, size: tuple[int, int] | None = None, num_objects: int = 1) -> list[Path]:
    """Writes `encode.onnx`, `segment.onnx` and `remember.onnx` into a folder that exists, and returns their paths.

    Args:
        size: (H, W) in pixels, multiples of 16, for graphs of only this size and number of objects. None: one set of
            graphs for all sizes (from 32 x 32 pixels) and any number of objects.

    Raises:
        ImportError: If onnx and onnxscript are not installed.
    """
    require_exporter()
    network = with_fixed_padding(without_batch_norms(network).cpu())
    cells = None if size is None else (size[0] // STRIDE, size[1] // STRIDE)
    paths = []
    for graph in GRAPHS:
        path = folder / f"{graph.name}.onnx"
        with quiet_exporter():
            program = _exported(graph, network, num_objects, cells)
        with written_aside(path) as aside:
            program.save(aside)
        paths.append(path)
    return paths


def require_exporter() -> None:
    """Raises ImportError, saying what to install, if graphs cannot be exported."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"exporting a network needs onnx and onnxscript: pip install 'livos[onnx]' ({error})"
        ) from None


def with_fixed_padding(network: LiVOS) -> LiVOS:
    """Replaces, in place, convolutions that compute their padding from the size of the map (TensorFlow's `same`).

    Here the sides of all maps are multiples of the stride, so the padding is always the same.
    """
    for name, module in list(network.named_modules()):
        if type(module).__name__ == "Conv2dSame":
            replace_module(network, name, _padded(module))
    return network


def _padded(conv: Any) -> nn.Module:
    sides: list[int] = []
    for kernel, stride in zip(reversed(conv.kernel_size), reversed(conv.stride), strict=True):
        total = max(kernel - stride, 0)
        sides += [total // 2, total - total // 2]
    plain = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        conv.stride,
        groups=conv.groups,
        bias=conv.bias is not None,
    )
    plain.weight, plain.bias = conv.weight, conv.bias
    left, right, top, bottom = sides
    return nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), plain)


def _exported(graph: Graph, network: LiVOS, num_objects: int, cells: tuple[int, int] | None) -> Any:
    module = graph.build(network).eval()
    fixed = cells is not None
    inputs = example_inputs(graph, network.config, *((num_objects, cells) if cells is not None else _TRACED))
    program = torch.export.export(
        module, inputs, dynamic_shapes=None if fixed else _open_axes(graph, module, network.config), strict=False
    )
    return torch.onnx.export(
        program,
        inputs,
        dynamo=True,
        opset_version=OPSET,
        input_names=list(graph.inputs),
        output_names=list(graph.outputs),
        verbose=False,
    )


def _open_axes(graph: Graph, module: nn.Module, config: ModelConfig) -> tuple:
    """What torch.export has to know about the axes of every input."""
    objects = torch.export.Dim("N", min=1, max=_MOST)
    sides = {side: torch.export.Dim(side, min=2, max=_MOST) for side in "hw"}

    def dim(axis: Axis) -> Any:
        if isinstance(axis, int):
            return None
        if axis == "N":
            return objects
        factor = int(axis[:-1] or 1)
        return factor * sides[axis[-1]] if factor > 1 else sides[axis[-1]]

    axes = tensor_axes(config)
    shapes: list[Any] = [{i: dim(axis) for i, axis in enumerate(axes[name])} for name in graph.inputs]
    kinds = [p.kind for p in inspect.signature(module.forward).parameters.values()]
    if kinds[-1] is inspect.Parameter.VAR_POSITIONAL:  # *state
        return (*shapes[: len(kinds) - 1], tuple(shapes[len(kinds) - 1 :]))
    return tuple(shapes)


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Silences the exporter's log, which is meant for its developers; it raises what a user must know."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
