"""When memory runs out: recognising it among other errors, freeing memory, and what to advise."""

import gc
from typing import Any

import torch

from livos.engines.choice import obstacle

# In the errors that torch raises for CUDA (with cuDNN and cuBLAS), MPS and the CPU.
_SIGNS = ("out of memory", "can't allocate memory", "ALLOC_FAILED")


class MemoryShortageError(ValueError):
    """Memory ran out while a frame was segmented. The message says which settings need less."""

    @classmethod
    def of(cls, error: BaseException, segmenter: Any) -> "MemoryShortageError":
        """segmenter: the VideoSegmenter that ran out of memory."""
        return cls(f"{saving_advice(segmenter)} ({str(error).splitlines()[0]})")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, rather than that something is wrong."""
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _SIGNS)


def free_memory(segmenter: Any) -> None:
    """Frees what a failed video has left behind."""
    segmenter.reset()
    gc.collect()
    if segmenter.device.type == "cuda":
        torch.cuda.empty_cache()
    elif segmenter.device.type == "mps":
        torch.mps.empty_cache()


def saving_advice(segmenter: Any) -> str:
    """The settings with which a video needs less memory, as far as the engine has them."""
    engine, device = segmenter.engine, segmenter.device
    advice = f"not enough memory on {device}; try a smaller size (now {segmenter.size or -1})"
    if segmenter.chunk_size != 1:
        with_torch = "" if segmenter.computes_chunks else "engine=torch with "
        advice += f", {with_torch}chunk_size=1 (objects at a time; now {segmenter.chunk_size or -1})"
    halves = [half for half in ("bfloat16", "float16") if obstacle(engine, device, half) is None]
    if segmenter.precision == "float32" and halves:
        advice += f", precision={' or '.join(halves)}"
    return advice
