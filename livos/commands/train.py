"""`livos train`: livos/train.py, from anywhere."""

import sys

from livos.interruptions import end_at_once_when_told


def main(arguments: list[str]) -> None:
    """Ends the program with livos/train.py's exit status."""
    sys.argv = ["livos train", *arguments]
    end_at_once_when_told()  # before the imports, which take seconds
    from livos.train import run

    run()
