"""`livos score`: the scoring package's command, vos-benchmark."""

import sys


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    try:
        from vos_benchmark.command import main as score
    except ImportError:
        print("livos score needs the scoring package: pip install ./vos-benchmark, in the repository", file=sys.stderr)
        return 2
    return score(arguments)
