"""`python -m livos`, which torchrun needs: the same as `livos`."""

import sys

from livos.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
