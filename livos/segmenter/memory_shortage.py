"""When memory runs out: telling it from other errors, giving memory back, and what to advise."""

import gc

import torch

from livos.segmenter.segmenter import VideoSegmenter

# In what torch raises for CUDA, MPS and the CPU, and cuDNN and cuBLAS through it.
_SIGNS = ("out of memory", "can't allocate memory", "ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, rather than that something is wrong."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _SIGNS)


def free_memory(segmenter: VideoSegmenter) -> None:
    """Gives back what a video that failed has left behind."""
    segmenter.reset()
    gc.collect()
    if segmenter.device.type == "cuda":
        torch.cuda.empty_cache()
    elif segmenter.device.type == "mps":
        torch.mps.empty_cache()


def saving_advice(segmenter: VideoSegmenter) -> str:
    """The settings with which a video needs less memory."""
    advice = f"not enough memory on {segmenter.device}; try a smaller size= (now {segmenter.internal_size or -1})"
    if segmenter.chunk_size != 1:
        advice += f", chunk_size=1 (objects at a time; now {segmenter.chunk_size or -1})"
    if segmenter.precision == "float32":
        advice += ", precision=bfloat16 or float16"
    return advice
