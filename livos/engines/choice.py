"""Which engine runs the network, and how it gets its graphs."""

import hashlib
import importlib.util
import logging
import os
import shutil
from pathlib import Path

import torch

from livos.engines.network import GraphNetwork, Runner
from livos.engines.onnx_files import write_graphs
from livos.model.network import LiVOS

log = logging.getLogger(__name__)

ENGINES = ("torch", "onnxruntime", "openvino", "auto")
EXTRAS = {"onnxruntime": "onnx", "openvino": "onnx,openvino"}
"""What to install for an engine: pip install 'livos[EXTRA]'."""

_PRECISIONS = {"onnxruntime": ("float32", "tf32"), "openvino": ("float32", "tf32", "bfloat16")}
_GRAPHS_FORMAT = 1  # with a new number, all graphs are exported again
_WIDE = 128  # value_dim from which PyTorch with Winograd convolutions is the fastest in float32


def choose_engine(
    engine: str, network: LiVOS, device: torch.device, precision: str, chunk_size: int | None, compiled: bool
) -> str:
    """Returns the name of the engine to use: `engine` itself, or for `auto` the one listed in docs/performance.md.

    Raises:
        ValueError: If there is no such engine, or it does not support the other settings.
        ImportError: If it is not installed.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine={engine!r}: expected one of {', '.join(ENGINES)}")
    if engine == "torch":
        return engine
    if engine == "auto":
        return _fastest(network, device, precision, chunk_size, compiled)
    reason = obstacle(engine, device, precision, chunk_size, compiled)
    if reason:
        raise ValueError(f"engine={engine} {reason}")
    if not _installed(engine):
        raise ImportError(f"engine={engine} is not installed: pip install 'livos[{EXTRAS[engine]}]'")
    return engine


def _fastest(network: LiVOS, device: torch.device, precision: str, chunk_size: int | None, compiled: bool) -> str:
    """Chooses by the table in docs/performance.md: narrow networks on the CPU are faster outside PyTorch."""
    if network.config.value_dim >= _WIDE and precision != "bfloat16":
        return "torch"
    for engine in ("onnxruntime", "openvino"):
        if _installed(engine) and not obstacle(engine, device, precision, chunk_size, compiled):
            return engine
    return "torch"


def obstacle(
    engine: str, device: torch.device, precision: str, chunk_size: int | None = None, compiled: bool = False
) -> str | None:
    """Why an engine does not support these settings, in words; None if it does."""
    if engine == "torch":
        return None
    if device.type != "cpu":
        return f"runs on the CPU, not on {device}: use engine=torch"
    if precision not in _PRECISIONS[engine]:
        return f"supports {' or '.join(_PRECISIONS[engine])}, not precision={precision}"
    if chunk_size is not None:
        return f"processes all objects at once, not chunk_size={chunk_size}: use engine=torch"
    if compiled:
        return "compiles the network itself: compile=True needs engine=torch"
    return None


def _installed(engine: str) -> bool:
    return all(importlib.util.find_spec(name) is not None for name in (engine, "onnx", "onnxscript"))


def network_on(engine: str, network: LiVOS, checksum: str, precision: str) -> GraphNetwork:
    """A network run by `onnxruntime` or `openvino`.

    Args:
        checksum: The checksum of the network's weights. Its graphs are exported once and kept in the user's cache.
    """
    folder = kept_graphs(network, checksum)
    runner: Runner
    if engine == "openvino":
        from livos.engines.openvino_engine import OpenVinoRunner

        runner = OpenVinoRunner(folder, precision)
    else:
        from livos.engines.onnxruntime_engine import OnnxRuntimeRunner

        runner = OnnxRuntimeRunner(folder)
    return GraphNetwork(runner, network.config)


def kept_graphs(network: LiVOS, checksum: str) -> Path:
    """The folder with a network's graphs, for every size and number of objects. Exports them if there are none yet."""
    key = hashlib.sha256(f"{_GRAPHS_FORMAT} {checksum} {network.config}".encode()).hexdigest()[:16]
    folder = graphs_dir() / key
    if folder.is_dir():
        return folder
    log.info("exporting the network for other engines; this happens once and takes about a minute")
    aside = folder.with_name(f".{key}-{os.getpid()}")
    aside.mkdir(parents=True)
    try:
        write_graphs(network, aside)
        aside.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was faster
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def graphs_dir() -> Path:
    """Where exported graphs are kept: next to the user's downloaded weights."""
    return Path(torch.hub.get_dir()) / "livos-graphs"
