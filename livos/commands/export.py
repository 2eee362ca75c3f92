"""Export a network for other engines: ONNX graphs, a description, and an example that runs them.

livos export --model lite --output exported
livos export --weights weights/mine.safetensors --size 320x576 --objects 4 --output exported-320

Needs the extra `onnx`: pip install 'livos[onnx]'. See docs/export.md.
"""

import argparse
import sys

from livos.build import model_names
from livos.export.folder import export
from livos.loading import default_weights, load_model, weight_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add("--model", choices=model_names(), help="the network (default: the one that matches the weights)")
    add("--weights", help=f"{', '.join(weight_names())}, or a file (default: lite; with --model base: nomose-480p)")
    add("--output", required=True, metavar="FOLDER", help="a new or empty folder, or an earlier export")
    add("--size", type=_size, metavar="HxW", help="size of the frames, for graphs with fixed shapes (with --objects)")
    add("--objects", type=int, metavar="N", help="largest number of objects, for fixed shapes (with --size)")
    add("--dynamic", action="store_true", help="graphs for any size and number of objects: the default")


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 if it exported; 2 if that was not possible, after printing the reason."""
    parser = argparse.ArgumentParser(
        prog="livos export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if options.dynamic and (options.size or options.objects):
        parser.error("--dynamic is for any size and number of objects: leave out --size and --objects")
    if (options.size is None) != (options.objects is None):
        parser.error("fixed shapes need both --size and --objects")
    try:
        weights = options.weights or default_weights(options.model or "lite")
        if weights is None:
            raise ValueError(f"--model {options.model} has no default weights: use --weights")
        network = load_model(weights, options.model)
        done = export(network, options.output, options.size, options.objects, print)
    except (ValueError, OSError, ImportError) as error:
        print(f"livos export: {error}", file=sys.stderr)
        return 2
    print(f"{done.folder}: {done.num_bytes / 2**20:.1f} MiB of graphs; largest difference in probabilities from")
    print(f"PyTorch over {done.num_frames} frames: {done.largest_difference:.1e}")
    return 0


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r}: expected height and width in pixels, such as 320x576")
    return int(height), int(width)


if __name__ == "__main__":
    sys.exit(main())
