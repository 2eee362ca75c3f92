"""Track a project of LiVOS Studio without its page: whatever its given masks require and is not done yet.

    livos track --project video.livos
    livos track --project video.livos --write masks overlay --output results/video

Masks are saved in the project, whose settings and in and out points apply. To continue an interrupted run, run the same
command again. With --write, the results are then exported to a new folder, as in Studio.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from tqdm import tqdm

from livos.allocation import reuse_freed_memory
from livos.studio.jobs import Progress

INTERRUPTED = 130  # the exit status that shells expect


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    options = parse_arguments(arguments)
    reuse_freed_memory()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    from livos.studio.headless import track_project

    bars = _Bars()
    try:
        folder = track_project(options.project, write=options.write, output=options.output, progress=bars.show)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command continues where it stopped", file=sys.stderr)
        return INTERRUPTED
    finally:
        bars.close()
    print(folder or options.project)
    return 0


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command."""
    from livos.studio.exporting import KINDS

    parser = argparse.ArgumentParser(
        prog="livos track", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", type=Path, required=True, help="the project folder, which ends in .livos")
    parser.add_argument("--write", nargs="+", choices=KINDS, default=[], help="files to export (default: none)")
    parser.add_argument("--output", type=Path, help="a new folder for them (default: one next to the project)")
    return parser.parse_args(arguments)


class _Bars:
    """A progress bar for each part of the work."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._shown: object = None

    def show(self, progress: Progress) -> None:
        """Shows the progress of the current part."""
        part = (progress.kind, progress.first, progress.last)
        if part != self._shown:
            self.close()
            self._shown = part
        if self._bar is None and progress.total:
            self._bar = tqdm(total=progress.total, unit="frame", desc=progress.title)
        if self._bar is not None:
            self._bar.update(progress.done - self._bar.n)

    def close(self) -> None:
        """Ends the current bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
