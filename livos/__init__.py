"""LiVOS: video object segmentation in constant memory."""

from livos.build import build_model, model_names
from livos.checkpoints import load_weights, save_weights
from livos.inference.segmenter import SegmentationResult, VideoSegmenter

__all__ = ["SegmentationResult", "VideoSegmenter", "build_model", "load_weights", "model_names", "save_weights"]
__version__ = "1.0.0"
