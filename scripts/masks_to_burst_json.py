"""Write masks as JSON for the BURST benchmark's evaluator.

    python scripts/masks_to_burst_json.py --annotations ../BURST/val/first_frame_annotations.json \\
        --masks ./results/burst-val/Annotations --output ./results/burst-val/predictions.json

The file has the format of the annotations with `segmentations` replaced: one run-length code for each object on every
annotated frame. Masks are looked for at MASKS/<dataset>/<sequence>/<frame>.png; a missing one is an error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from livos.evaluation.burst import write_predictions


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotations", type=Path, required=True, help="BURST's JSON of the first masks")
    parser.add_argument("--masks", type=Path, required=True, help="folder with <dataset>/<sequence>/<frame>.png")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    options = parser.parse_args(arguments)
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        write_predictions(options.annotations, options.masks, options.output)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
