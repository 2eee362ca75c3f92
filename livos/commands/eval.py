"""`livos eval`: livos/eval.py, from anywhere."""

import sys


def main(arguments: list[str]) -> None:
    """Ends the program with livos/eval.py's exit status."""
    sys.argv = ["livos eval", *arguments]
    from livos.eval import run

    run()
