"""Convert weights: a training checkpoint or state dict to .safetensors or .pth, optionally in half precision.

livos convert model_0101_2027/first_try/weights/last.pth my-weights.safetensors --half
"""

import argparse
import sys

from livos.build import model_names
from livos.checkpoints import save_weights
from livos.loading import load_model


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="livos convert", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="a released file, a checkpoint of livos/train.py, or .safetensors")
    parser.add_argument("target", help="the file to write, .safetensors or .pth")
    parser.add_argument(
        "--model", choices=model_names(), help="the network of the weights (default: the one that they fit)"
    )
    parser.add_argument("--half", action="store_true", help="store floats as float16: half the size")
    parser.add_argument(
        "--short-side", type=int, help="short side in pixels at which they work best (default: SOURCE's)"
    )
    options = parser.parse_args(arguments)
    if not options.target.endswith((".safetensors", ".pth")):
        parser.error(f"{options.target}: expected a name ending in .safetensors or .pth")
    try:
        network = load_model(options.source, options.model)
        save_weights(network, options.target, options.half, options.short_side)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
