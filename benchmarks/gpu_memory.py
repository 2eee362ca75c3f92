"""How much GPU memory a step takes, computed without a GPU.

python benchmarks/gpu_memory.py                                base, 2 objects, 480p to 4096p, float32 and bfloat16
python benchmarks/gpu_memory.py --sizes 4096x7280 --precisions bfloat16 --chunk-sizes 1 --largest

Every operation of three frames, and every block of memory, is followed with tensors that contain no numbers. Weights
are included; the workspaces of cuDNN and cuBLAS, fragmentation in the allocator, and CUDA itself (a few hundred MiB)
are not.
"""

import argparse
import itertools

from livos import build_model, model_names
from livos.segmenter.dry_run import measure_step, segmenter_on_pretended_gpu
from livos.segmenter.segmenter import PRECISIONS


def main() -> None:
    """Prints the table."""
    arguments = parse_arguments()
    print("model    size       objects precision chunk  peak MiB  kept between frames")
    choices = (arguments.models, arguments.sizes, arguments.objects, arguments.precisions, arguments.chunk_sizes)
    for model, size, objects, precision, chunk_size in itertools.product(*choices):
        network = build_model(model, seed=0)
        segmenter = segmenter_on_pretended_gpu(network, precision=precision, chunk_size=chunk_size)
        meter = measure_step(segmenter, size, objects)
        chunk = "all" if chunk_size == -1 else chunk_size
        print(
            f"{model:8} {size[0]:4}x{size[1]:<5} {objects:7} {precision:9} {chunk:>5} {meter.peak / 2**20:9.0f} "
            f"{meter.in_use / 2**20:9.0f}",
            flush=True,
        )
        for num_bytes, what in meter.largest if arguments.largest else ():
            print(f"    {num_bytes / 2**20:7.0f} MiB {what}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["base"], choices=model_names(), metavar="MODEL")
    sizes = [(480, 864), (1024, 1824), (2048, 3648), (4096, 7280)]
    parser.add_argument("--sizes", nargs="+", type=_size, default=sizes, metavar="HxW")
    parser.add_argument("--objects", nargs="+", type=int, default=[2], metavar="N")
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"], choices=list(PRECISIONS))
    parser.add_argument("--chunk-sizes", nargs="+", type=int, default=[-1], metavar="OBJECTS", help="-1: all")
    parser.add_argument("--largest", action="store_true", help="list what takes the most memory at the peak")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return int(height), int(width)


if __name__ == "__main__":
    main()
