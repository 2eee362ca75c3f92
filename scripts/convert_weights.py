"""Convert weights: `livos convert` under its earlier name.

python scripts/convert_weights.py model_0101_2027/first_try/weights/last.pth my-weights.safetensors --half
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the repository, if LiVOS is not installed

from livos.commands.convert import main

if __name__ == "__main__":
    sys.exit(main())
