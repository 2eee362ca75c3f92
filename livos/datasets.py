"""`python -m livos.datasets`: `livos datasets` under its earlier name."""

import sys

from livos.commands.datasets import main

if __name__ == "__main__":
    sys.exit(main())
