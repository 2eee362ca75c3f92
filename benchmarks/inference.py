"""How fast the network segments, what it computes, and how much memory it takes.

python benchmarks/inference.py                                   base, 480 x 864, 1 and 3 objects, float32
python benchmarks/inference.py --models base lite --sizes 480x864 720x1280 --objects 1 10 --precisions float32 bfloat16
python benchmarks/inference.py --models lite --memory system reused   what livos.allocation gives on a CPU
python benchmarks/inference.py --long 2000 --sizes 240x432        memory over that many frames

Weights are random; speed does not depend on them. Each row runs in a separate process, so its peak memory is its own.
The rate at which this machine multiplies matrices is measured in the same process. The share of this rate that the
network reaches (its GFLOP, counted on the plain network, per second) can be compared between machines.
"""

import argparse
import functools
import itertools
import multiprocessing
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from livos import VideoSegmenter, build_model, model_names
from livos.allocation import reuse_freed_memory
from livos.pipeline.speed import StepTimer, peak_memory
from livos.segmenter.segmenter import PRECISIONS


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    model: str
    size: tuple[int, int]
    objects: int
    precision: str
    device: str
    frames: int
    threads: int | None
    memory: str


def main() -> None:
    arguments = parse_arguments()
    multiprocessing.set_start_method("spawn")
    run = functools.partial(long_run, num_frames=arguments.long) if arguments.long else measure
    if not arguments.long:
        print("model            size        objects precision memory  s/frame  GFLOP  GFLOP/s  of matmul  peak MiB")
    choices = (arguments.models, arguments.sizes, arguments.objects, arguments.precisions, arguments.memory)
    for model, size, objects, precision, memory in itertools.product(*choices):
        case = Case(model, size, objects, precision, arguments.device, arguments.frames, arguments.threads, memory)
        process = multiprocessing.Process(target=run, args=(case,))
        process.start()
        process.join()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["base"], choices=model_names(), metavar="MODEL")
    parser.add_argument("--sizes", nargs="+", type=_size, default=[(480, 864)], metavar="HxW")
    parser.add_argument("--objects", nargs="+", type=int, default=[1, 3], metavar="N")
    parser.add_argument("--precisions", nargs="+", default=["float32"], choices=list(PRECISIONS))
    parser.add_argument(
        "--memory", nargs="+", default=["reused"], choices=["reused", "system"], help="reused: as the commands do"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--frames", type=int, default=10, help="frames that are timed; the fastest one counts")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's)")
    parser.add_argument("--long", type=int, metavar="FRAMES", help="run this many frames and show the memory instead")
    return parser.parse_args()


def measure(case: Case) -> None:
    """Times one case and prints its row."""
    segmenter, images, labels = prepare(case)
    segmenter.step(images[0], labels)
    segmenter.step(images[1])
    times = []
    for t in range(case.frames):
        timer = StepTimer(segmenter.device)
        with timer.step():
            segmenter.step(images[t % len(images)])
        times.append(timer.seconds())
    best, work = min(times), gflop_per_frame(case)
    reference = matmul_rate(segmenter.device, PRECISIONS[case.precision] or torch.float32)
    peak = peak_memory(segmenter.device)
    print(
        f"{case.model:16} {case.size[0]:4}x{case.size[1]:<5} {case.objects:7} {case.precision:9} {case.memory:6} "
        f"{best:8.3f} {work:6.0f} {work / best:8.0f} {work / best / reference:9.0%} {(peak or 0) / 2**20:9.0f}",
        flush=True,
    )


def long_run(case: Case, num_frames: int) -> None:
    """Runs a long video and prints the memory in use at intervals."""
    segmenter, images, labels = prepare(case)
    print(f"{case.model}, {case.size[0]}x{case.size[1]}, {case.objects} objects: MiB in use")
    for t in range(num_frames):
        segmenter.step(images[t % len(images)], labels if t == 0 else None)
        if (t + 1) % max(1, num_frames // 10) == 0:
            print(f"  after {t + 1:6} frames: {memory_in_use(segmenter.device) / 2**20:8.0f}", flush=True)


def prepare(case: Case) -> tuple[VideoSegmenter, list[np.ndarray], np.ndarray]:
    """A segmenter, a few frames of noise, and the mask of the first one."""
    if case.memory == "reused":
        reuse_freed_memory()
    if case.threads:
        torch.set_num_threads(case.threads)
    height, width = case.size
    network = build_model(case.model, seed=0)
    segmenter = VideoSegmenter(network, device=case.device, precision=case.precision)
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(4)]
    columns = np.arange(width) * case.objects // width + 1  # vertical stripes
    labels = np.where(np.arange(height)[:, None] < height // 2, columns[None], 0).astype(np.int32)
    return segmenter, images, labels


def gflop_per_frame(case: Case) -> float:
    """Multiplications and additions (two for each pair) of encode, segment and remember, in 10^9."""
    height, width = (side + -side % 16 for side in case.size)
    network = build_model(case.model, seed=0)
    with torch.inference_mode():
        image, masks = torch.rand(1, 3, height, width), torch.zeros(1, case.objects, height, width)
        features = network.encode(image)
        state = network.remember(features, masks, network.begin(features, case.objects))
        with FlopCounterMode(display=False) as counter:
            features = network.encode(image)
            _, state = network.segment(features, state)
            network.remember(features, masks, state)
    return counter.get_total_flops() / 1e9


def matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """GFLOP/s of a large matrix product, the best of several."""
    side = 8192 if device.type == "cuda" else 2048
    a = torch.rand(side, side, device=device, dtype=dtype)
    a @ a
    times = []
    for _ in range(5):
        timer = StepTimer(device)
        with timer.step():
            a @ a
        times.append(timer.seconds())
    return 2 * side**3 / min(times) / 1e9


def memory_in_use(device: torch.device) -> int:
    """Bytes now: of the GPU's memory on CUDA, otherwise the peak of this process."""
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else peak_memory(device) or 0


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return int(height), int(width)


if __name__ == "__main__":
    main()
