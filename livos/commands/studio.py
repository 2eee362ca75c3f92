"""Draw, track, correct and export in the browser, on your own machine.

    livos studio video.mp4
    livos studio frames/
    livos studio video.livos
    livos studio

Serves a page and opens it; other machines can reach it only with --host. Your work is saved after every step in a
project: a folder next to the video, `video.livos`, which can be opened again. Without an argument, the page asks for a
video.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
import threading
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from livos.allocation import reuse_freed_memory

if TYPE_CHECKING:
    from livos.studio.document import Settings
    from livos.studio.guard import Door

logger = logging.getLogger(__name__)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="livos studio", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("path", nargs="?", type=Path, metavar="VIDEO | FOLDER | PROJECT", help="a video, a folder of frames, a project")
    add("--project", type=Path, help="folder of the video's project (default: next to the video)")
    add("--port", type=port, help="(default: 8765, or any free one)")
    add("--host", default="127.0.0.1", help="address to listen on, to make it reachable from other machines")
    add("--no-browser", action="store_true", help="only print the address")
    settings = parser.add_argument_group("settings of a new project", "In one that exists, change them in the page.")
    add = settings.add_argument
    add("--weights", default="lite", help="a name or a file (default: lite)")
    add("--size", type=int, help="short side for the network (default: what suits the weights)")
    add("--precision", default="float32", help="float32, bfloat16 or float16 (default: float32)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    return parser.parse_args(arguments)


def port(text: str) -> int:
    """The number of a TCP port; 0 is any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text}: expected a port from 0 to 65535")
    return int(text)


def check_settings(settings: Settings) -> None:
    """Raises ValueError or OSError, with a sentence, for what this machine does not have."""
    from livos.devices import choose_device
    from livos.loading import find_weights
    from livos.studio.choices import Choices

    find_weights(settings.weights)
    choose_device(settings.device)
    Choices.here(settings.weights).check(replace(settings, device="auto"))


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    options = parse_arguments(arguments)
    reuse_freed_memory()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        from livos.studio.document import Settings
        from livos.studio.guard import Door
        from livos.studio.pages import Pages
        from livos.studio.server import listen, serve
        from livos.studio.session import Session
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn", "websockets"):
            raise
        print(f'Studio needs the package {error.name}: pip install "livos[studio]"', file=sys.stderr)
        return 2
    try:
        settings = Settings(options.weights, options.size, options.precision, options.device)
        check_settings(settings)
        session = Session(Pages(), settings, options.project)
        listener = listen(options.host, options.port)
        door = Door(secrets.token_urlsafe(24), options.host, listener.getsockname()[1])
        if options.path is not None:
            if not options.path.exists():
                raise FileNotFoundError(f"{options.path}: there is no such file or folder")
            session.open(options.path)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    serve(session, door, listener, lambda: _tell_address(door, options.no_browser))
    return 0


def _tell_address(door: Door, no_browser: bool) -> None:
    if not door.is_loopback:
        logger.warning(
            "Anyone who can reach %s and knows the address below can see the video and change the project. The "
            "connection is not encrypted.",
            door.host,
        )
    shown = f"[{door.host}]" if ":" in door.host else door.host
    address = f"http://{shown}:{door.port}/?token={door.token}"
    print(f"LiVOS Studio: {address}\nPress Ctrl-C to stop; everything is saved.", flush=True)
    if not no_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
