"""Which engine runs the network fastest on this machine's CPU.

python benchmarks/engines.py                                  lite, 480 x 864, 1 and 3 objects, every engine in float32
python benchmarks/engines.py --models lite base --sizes 480x864 --objects 1 --runs torch openvino openvino:bfloat16

Engines take turns, frame by frame, in one process, so other load on the machine slows all of them equally. Under heavy
load, --processor-time with --threads 1 counts the CPU time, without the waiting. The table shows, for each engine, the
seconds for the fastest frame, the median speed-up over the first run on the same frame, the peak memory of a separate
process, and the largest difference of its probabilities from the first run's. lite uses its bundled weights, the others
random ones.
"""

import argparse
import functools
import itertools
import multiprocessing
import statistics
import time
from dataclasses import dataclass

import numpy as np
import torch

from livos import VideoSegmenter, build_model, load_model, model_names
from livos.allocation import reuse_freed_memory
from livos.model.network import LiVOS
from livos.pipeline.speed import peak_memory


@dataclass(frozen=True)
class Case:
    """A video to segment: some rows of the table."""

    model: str
    size: tuple[int, int]
    objects: int
    frames: int
    threads: int | None
    processor_time: bool


def main() -> None:
    """Prints the table."""
    arguments = parse_arguments()
    print(f"{torch.get_num_threads()} threads, {processor()}")
    print("model    size      objects engine       precision  s/frame  times as fast  peak MiB  largest difference")
    for model, size, objects in itertools.product(arguments.models, arguments.sizes, arguments.objects):
        case = Case(model, size, objects, arguments.frames, arguments.threads, arguments.processor_time)
        rows = alone(functools.partial(compare, case, arguments.runs))
        for run, (seconds, speedup, difference) in zip(arguments.runs, rows, strict=True):
            engine, _, precision = run.partition(":")
            peak = alone(functools.partial(peak_of, case, run))
            print(
                f"{model:8} {size[0]:4}x{size[1]:<5} {objects:6} {engine:12} {precision or 'float32':9} {seconds:8.3f} "
                f"{speedup:14.2f} {peak / 2**20:9.0f} {difference:19.1e}",
                flush=True,
            )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["lite"], choices=model_names(), metavar="MODEL")
    parser.add_argument("--sizes", nargs="+", type=_size, default=[(480, 864)], metavar="HxW")
    parser.add_argument("--objects", nargs="+", type=int, default=[1, 3], metavar="N")
    parser.add_argument("--runs", nargs="+", default=["torch", "onnxruntime", "openvino"], metavar="ENGINE[:PRECISION]")
    parser.add_argument("--frames", type=int, default=10, help="frames that are timed")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's)")
    parser.add_argument("--processor-time", action="store_true", help="CPU time of all threads, not wall-clock time")
    return parser.parse_args()


def compare(case: Case, runs: list[str]) -> list[tuple[float, float, float]]:
    """Seconds of the fastest frame, median speed-up and largest difference of every run."""
    clock = time.process_time if case.processor_time else time.perf_counter
    segmenters = [make_segmenter(case, run) for run in runs]
    images, labels = video(case)
    seconds: list[list[float]] = [[] for _ in runs]
    differences = [0.0 for _ in runs]
    for t in range(case.frames + 2):
        results = []
        for segmenter, taken in zip(segmenters, seconds, strict=True):
            begun = clock()
            results.append(segmenter.step(images[t % len(images)], labels if t == 0 else None).probabilities)
            taken.append(clock() - begun)
        for i, result in enumerate(results):
            differences[i] = max(differences[i], (result - results[0]).abs().max().item())
    timed = [taken[2:] for taken in seconds]  # the first frames compile
    ratios = [statistics.median(a / b for a, b in zip(timed[0], taken, strict=True)) for taken in timed]
    return list(zip(map(min, timed), ratios, differences, strict=True))


def peak_of(case: Case, run: str) -> int:
    """Bytes used by a process that does nothing else."""
    segmenter = make_segmenter(case, run)
    images, labels = video(case)
    for t in range(3):
        segmenter.step(images[t], labels if t == 0 else None)
    return peak_memory(segmenter.device) or 0


def make_segmenter(case: Case, run: str) -> VideoSegmenter:
    reuse_freed_memory()  # as the commands do
    if case.threads:
        torch.set_num_threads(case.threads)
    engine, _, precision = run.partition(":")
    size = min(case.size)  # otherwise lite would work at the size that suits its weights
    return VideoSegmenter(network(case.model), "cpu", precision or "float32", size=size, engine=engine)


def network(model: str) -> LiVOS:
    return load_model("lite") if model == "lite" else build_model(model, seed=0)


def video(case: Case) -> tuple[list[np.ndarray], np.ndarray]:
    """A few frames of noise, and the mask of the first one: vertical stripes."""
    height, width = case.size
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(4)]
    columns = np.arange(width) * case.objects // width + 1
    return images, np.where(np.arange(height)[:, None] < height // 2, columns[None], 0).astype(np.int32)


def alone(work):
    """What a function returns in a separate process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work)


def processor() -> str:
    """The name of the CPU and its relevant features."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line)
    except OSError:
        return "unknown processor"
    entries = {name.strip(): value.strip() for name, value in lines.items()}
    flags = [flag for flag in ("avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16") if flag in entries["flags"].split()]
    return f"{entries['model name']} ({', '.join(flags)})"


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return int(height), int(width)


if __name__ == "__main__":
    main()
