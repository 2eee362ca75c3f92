"""`livos train`: livos/train.py, from anywhere."""

import sys


def main(arguments: list[str]) -> None:
    """Ends the program with livos/train.py's exit status."""
    sys.argv = ["livos train", *arguments]
    from livos.train import run

    run()
