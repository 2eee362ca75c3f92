"""Convert weights: a training checkpoint or state dict to .safetensors or .pth, on request in half precision.

python scripts/convert_weights.py model_0101_2027/first_try/weights/last.pth my-weights.safetensors --model lite --half
"""

import argparse
import sys

from livos.build import build_model, model_names
from livos.checkpoints import load_weights, save_weights


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a released file, a checkpoint of livos/train.py, or .safetensors")
    parser.add_argument("target", help="the file to write, .safetensors or .pth")
    parser.add_argument("--model", default="base", choices=model_names(), help="the network that they are for")
    parser.add_argument("--half", action="store_true", help="floats as float16: half the size")
    parser.add_argument(
        "--short-side", type=int, help="short side in pixels at which they work best (default: SOURCE's)"
    )
    options = parser.parse_args(arguments)
    if not options.target.endswith((".safetensors", ".pth")):
        parser.error(f"{options.target}: expected a name that ends in .safetensors or .pth")
    try:
        network = load_weights(build_model(options.model), options.source)
        save_weights(network, options.target, options.half, options.short_side)
    except (ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
