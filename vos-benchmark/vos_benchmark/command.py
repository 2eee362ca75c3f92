"""The command: scores folders of masks, or compares two results."""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from .comparison import compare, comparison_json, comparison_text
from .errors import ScoringError
from .files import write_text
from .palettes import PALETTE_POLICIES
from .png import MAX_PIXELS
from .protocols import PROTOCOLS, VOID_POLICIES
from .results import Result
from .scoring import MISSING_POLICIES, score
from .tables import full_csv, full_json, text_table, write_results_csv
from .terminal import printable, say
from .version import VERSION
from .workers import available_processors

_INTERRUPTED = 130  # the exit status of a command interrupted by Ctrl-C, as in shells


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status: 0 done, 1 could not be scored, 2 wrong usage, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if arguments[:1] == ["compare"]:
            return _compare(_comparison_parser().parse_args(arguments[1:]))
        options = _parse(arguments)
        _check_paths(options)
        return _score_all(options)
    except ScoringError as error:
        for problem in error.problems:
            say(f"error: {printable(problem)}", sys.stderr)
        return 1
    except OSError as error:  # folders that cannot be listed; the message names them
        say(f"error: {printable(str(error))}", sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return _INTERRUPTED


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = _scoring_parser()
    options = parser.parse_args(arguments)
    if len(options.gt) == 1:
        options.gt *= len(options.mask)
    if len(options.gt) != len(options.mask):
        parser.error(f"{len(options.gt)} folders of truth for {len(options.mask)} folders of predictions")
    reports = [name for name in ("json", "csv", "html") if getattr(options, name)]
    if len(options.mask) > 1 and reports:
        parser.error(f"--{reports[0]} takes one prediction folder, found {len(options.mask)}")
    if options.num_processes < 1:
        parser.error(f"--num_processes {options.num_processes}: expected at least 1")
    if options.max_pixels < 1:
        parser.error(f"--max-pixels {options.max_pixels}: expected at least 1")
    if options.images and not options.html:
        parser.error("--images is for --html")
    return options


def _scoring_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vos-benchmark",
        description="vos-benchmark -g TRUTH -m PREDICTION scores masks <video>/<frame>.png by J&F.",
        epilog="`vos-benchmark compare A.json B.json` compares two results written with --json.",
    )
    add = parser.add_argument
    add("-g", "--gt", action="extend", nargs="+", required=True, metavar="DIR", help="true masks")
    add("-m", "--mask", action="extend", nargs="+", required=True, metavar="DIR", help="predicted masks")
    add("-n", "--num_processes", type=int, default=available_processors(), metavar="N", help="default: all processors")
    add("-s", "--strict", action="store_true", help="require the same videos on both sides")
    add("-d", "--do_not_skip_first_and_last_frame", action="store_true", help="also score the first and last frame")
    add("--protocol", choices=PROTOCOLS, default="vos-benchmark", help="scoring rules (default: %(default)s)")
    add("--void", choices=VOID_POLICIES, help="what id 255 in the truth means (default: by protocol)")
    add("--missing", choices=MISSING_POLICIES, default="error", help="a missing predicted mask is an error, or empty")
    add("--palettes", choices=PALETTE_POLICIES, default="check", help="refuse palettes that contradict each other")
    add("--max-pixels", type=int, default=MAX_PIXELS, metavar="N", help="refuse larger masks (default: %(default)s)")
    add("--seen", metavar="FILE", help="names of seen videos, objects (video/id) or categories: lvos, youtube")
    add("--unseen", metavar="FILE", help="names of unseen ones; one list is enough")
    add("--meta", metavar="FILE", help="meta.json of the data set, if lists name categories")
    add("--json", metavar="FILE", help="write everything at full precision")
    add("--csv", metavar="FILE", help="the same as a table")
    add("--html", metavar="FILE", help="write a page with charts and the worst frames")
    add("--images", metavar="DIR", help="video frames <video>/<frame>.jpg to show below the masks of the page")
    add("--version", action="version", version=f"vos-benchmark {VERSION}")
    return parser


def _check_paths(options: argparse.Namespace) -> None:
    """Refuses reports that cannot be written or illustrated, before any work."""
    problems = [
        f"{path}: cannot be written, {Path(path).parent} is not a folder"
        for path in (options.json, options.csv, options.html)
        if path and not Path(path).parent.is_dir()
    ]
    if options.images and not Path(options.images).is_dir():
        problems.append(f"{options.images}: no such folder (the video frames)")
    if problems:
        raise ScoringError(problems)


def _score_all(options: argparse.Namespace) -> int:
    for truth, prediction in zip(options.gt, options.mask, strict=True):
        if len(options.mask) > 1:
            say(f"{printable(prediction)} against {printable(truth)}", sys.stdout)
        _score_one(options, truth, prediction)
    return 0


def _score_one(options: argparse.Namespace, truth: str, prediction: str) -> None:
    progress = _Progress()
    result = score(
        truth,
        prediction,
        protocol=options.protocol,
        processes=options.num_processes,
        strict=options.strict,
        all_frames=options.do_not_skip_first_and_last_frame,
        void=options.void,
        missing=options.missing,
        palettes=options.palettes,
        max_pixels=options.max_pixels,
        seen=options.seen,
        unseen=options.unseen,
        meta=options.meta,
        progress=progress,
    )
    progress.clear()
    _say_notes(result.notes)
    say(text_table(result), sys.stdout)
    _write_reports(options, result, prediction)


def _write_reports(options: argparse.Namespace, result: Result, prediction: str) -> None:
    fault = write_results_csv(result, prediction)
    _say_notes([fault] if fault else [])
    if options.json:
        write_text(options.json, full_json(result))
    if options.csv:
        write_text(options.csv, full_csv(result))
    if options.html:
        from .html_report import html_page  # imports more than scoring needs

        write_text(options.html, html_page(result, options.images))


def _comparison_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vos-benchmark compare", description="Compares two results, B against A.")
    parser.add_argument("a", metavar="A.json", help="written with --json")
    parser.add_argument("b", metavar="B.json", help="written with --json")
    parser.add_argument("--top", type=int, default=10, metavar="N", help="objects to list (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write all differences at full precision")
    return parser


def _compare(options: argparse.Namespace) -> int:
    comparison = compare(options.a, options.b)
    _say_notes(comparison.notes)
    say(comparison_text(comparison, options.top), sys.stdout)
    if options.json:
        write_text(options.json, comparison_json(comparison))
    return 0


def _say_notes(notes: Iterable[str]) -> None:
    for note in notes:
        say(f"note: {printable(note)}", sys.stderr)


class _Progress:
    """Shows finished frames and the remaining time, on a terminal."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        if self._shown:
            left = (time.monotonic() - self._start) * (total - done) / done
            print(f"\r{done} of {total} frames, {left:.0f} s left ", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown:
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)
