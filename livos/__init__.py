"""LiVOS: video object segmentation in constant memory.

The public names are here; everything deeper may move. Names are imported when they are first used, so `import livos`
itself takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livos.build import build_model, model_names
    from livos.checkpoints import load_weights, save_weights
    from livos.clicks.clicker import Clicker, click
    from livos.loading import load_model, weight_names
    from livos.masks.label_maps import LabelCoding, LabelMap, read_labels, write_labels
    from livos.pipeline.frames import SegmentedFrame
    from livos.pipeline.segment_video import segment_video
    from livos.segmenter.segmenter import SegmentationResult, VideoSegmenter
    from livos.segmenter.state import SegmenterState

__all__ = [
    "Clicker",
    "LabelCoding",
    "LabelMap",
    "SegmentationResult",
    "SegmentedFrame",
    "SegmenterState",
    "VideoSegmenter",
    "build_model",
    "click",
    "load_model",
    "load_weights",
    "model_names",
    "read_labels",
    "save_weights",
    "segment_video",
    "weight_names",
    "write_labels",
]
__version__ = "1.0.0"

_MODULES = {
    "livos.build": ("build_model", "model_names"),
    "livos.checkpoints": ("load_weights", "save_weights"),
    "livos.clicks.clicker": ("Clicker", "click"),
    "livos.loading": ("load_model", "weight_names"),
    "livos.masks.label_maps": ("LabelCoding", "LabelMap", "read_labels", "write_labels"),
    "livos.pipeline.frames": ("SegmentedFrame",),
    "livos.pipeline.segment_video": ("segment_video",),
    "livos.segmenter.segmenter": ("SegmentationResult", "VideoSegmenter"),
    "livos.segmenter.state": ("SegmenterState",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
