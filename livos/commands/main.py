"""`livos`: one command for everything. It imports each program only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

COMMANDS = {
    "track": "segment your own videos, from the masks of some objects on some frames",
    "studio": "draw, track, correct and export in the browser",
    "demo": "segment the bundled clip and show the result",
    "eval": "segment a test set and write its masks",
    "train": "train a network",
    "score": "compare masks with the true ones: J and F",
    "download": "fetch the released weights",
    "datasets": "list the test sets, and check which are there and intact",
    "convert": "write weights in another format",
    "export": "write a network as ONNX graphs, for other engines",
}


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if words[0] in ("-V", "--version"):
        from livos import __version__

        print(f"livos {__version__}")
        return 0
    if words[0] not in COMMANDS:
        print(f"livos: there is no command {words[0]!r}\n\n{overview()}", file=sys.stderr)
        return 2
    return import_module(f"livos.commands.{words[0]}").main(words[1:]) or 0


def overview() -> str:
    """An overview, for people who type only `livos`."""
    lines = [f"  livos {name:10} {what}" for name, what in COMMANDS.items()]
    example = "livos track --video video.mp4 --masks mask.png --output results/video"
    return "\n".join(
        [
            *("Track objects through a video, in constant memory.", "", f"  {example}", ""),
            *("Commands:", *lines, "", "livos COMMAND --help says more about each."),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
