"""Exporting a network to a folder that other programs can run: graphs, a description of them, and an example."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from livos.engines.onnx_files import require_exporter, write_graphs
from livos.export.check import largest_difference, padded_size
from livos.export.description import FILE_NAME, describe
from livos.loading import load_model
from livos.model.masks import STRIDE
from livos.model.network import LiVOS
from livos.segmenter.state import origin_of

TOLERANCE = 1e-3  # of probabilities
EXAMPLE = "segment_frames.py"
_CHECKED_FRAMES = 20


@dataclass(frozen=True)
class Exported:
    """What was written."""

    folder: Path
    num_bytes: int  # of the graphs
    largest_difference: float  # between their probabilities and PyTorch's
    num_frames: int  # how many were compared


def export(
    network: LiVOS | str | PathLike[str],
    output: str | PathLike[str],
    size: tuple[int, int] | None = None,
    num_objects: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Exported:
    """Writes a network as ONNX graphs, compares them with PyTorch on 20 frames, and adds a description and an example.

    Args:
        network: What `load_model` returns, or a name or path that it accepts.
        output: A folder that is new, empty, or an earlier export, which is replaced.
        size: (H, W) of the frames for graphs of fixed shapes, which some engines need. By default the graphs accept
            frames of every size from 32 x 32 pixels, and any number of objects.
        num_objects: The most objects for graphs of fixed shapes; with fewer, slots are left empty.
        report: Receives progress messages.

    Raises:
        ImportError: If onnx, onnxscript or onnxruntime is not installed.
        ValueError: If only one of size and num_objects is given or they are invalid, if the folder contains something
            else, or if the results of the graphs differ from PyTorch's.
    """
    _refuse_wrong_shapes(size, num_objects)
    require_exporter()
    output = Path(output)
    _refuse_other_content(output)
    name = "your own network" if isinstance(network, LiVOS) else str(network)
    network = network if isinstance(network, LiVOS) else load_model(network)
    padded = None if size is None else padded_size(*size)
    aside = output.with_name(f".{output.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        report("exporting encode, segment and remember; this takes about a minute")
        paths = write_graphs(network, aside, padded, num_objects or 1)
        report(f"comparing with PyTorch on {_CHECKED_FRAMES} frames")
        difference = largest_difference(network, aside, padded, num_objects, _CHECKED_FRAMES)
        if not difference <= TOLERANCE:
            raise ValueError(
                f"the graphs differ from PyTorch by up to {difference:.1e} in probabilities, expected at most "
                f"{TOLERANCE:.0e}: nothing was written to {output}"
            )
        fixed = None if padded is None else ((padded[0] // STRIDE, padded[1] // STRIDE), num_objects or 1)
        content = describe(network.config, name, origin_of(network, None, False)["network"], network.short_side, fixed)
        content["compared"] = {"frames": _CHECKED_FRAMES, "largest_difference": difference}
        (aside / FILE_NAME).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        shutil.copyfile(Path(__file__).with_name("example.py"), aside / EXAMPLE)
        if output.exists():
            shutil.rmtree(output)
        aside.rename(output)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Exported(output, sum((output / path.name).stat().st_size for path in paths), difference, _CHECKED_FRAMES)


def _refuse_wrong_shapes(size: tuple[int, int] | None, num_objects: int | None) -> None:
    if (size is None) != (num_objects is None):
        raise ValueError(f"size={size}, num_objects={num_objects}: fixed shapes need both, variable ones neither")
    if size is not None and min(size) < 2 * STRIDE:
        raise ValueError(f"size={size}: expected at least {2 * STRIDE} x {2 * STRIDE} pixels")
    if num_objects is not None and num_objects < 1:
        raise ValueError(f"num_objects={num_objects}: expected at least 1")


def _refuse_other_content(output: Path) -> None:
    if output.is_dir() and any(output.iterdir()) and not (output / FILE_NAME).is_file():
        raise ValueError(f"{output} contains something other than an export: give a new folder")
    if output.exists() and not output.is_dir():
        raise ValueError(f"{output} is a file: expected a folder, new or empty")
