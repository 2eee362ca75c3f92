"""LiVOS: video object segmentation in constant memory.

What is promised to programs is here; everything deeper may move.
"""

from livos.build import build_model, model_names
from livos.checkpoints import load_weights, save_weights
from livos.loading import load_model, weight_names
from livos.masks.label_maps import LabelCoding, LabelMap, read_labels, write_labels
from livos.segmenter.segmenter import SegmentationResult, VideoSegmenter
from livos.segmenter.state import SegmenterState

__all__ = [
    "LabelCoding",
    "LabelMap",
    "SegmentationResult",
    "SegmenterState",
    "VideoSegmenter",
    "build_model",
    "load_model",
    "load_weights",
    "model_names",
    "read_labels",
    "save_weights",
    "weight_names",
    "write_labels",
]
__version__ = "1.0.0"
