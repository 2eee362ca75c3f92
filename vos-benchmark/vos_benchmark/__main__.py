"""python -m vos_benchmark: the same as benchmark.py."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
