"""J&F of predicted masks: python benchmark.py -g TRUTH -m PREDICTION (see README.md)."""

import sys

from vos_benchmark.command import main

if __name__ == "__main__":
    sys.exit(main())
