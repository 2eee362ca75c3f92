"""Fetch the released weights into ./weights, or into the user's cache if there is no such folder.

    livos download                              all of them
    livos download nomose-480p nomose-ft-480p   these
    livos download --list                       what is available

Existing intact files are left alone, and an interrupted download continues where it stopped. Every file is checked
before it gets its name: its size, and whether it is a checkpoint of this network. Its SHA-256 is written to
weights/checksums.txt the first time, and compared with it from then on.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from livos.files.checksums import CHECKSUMS, read_checksums, sha256
from livos.loading import cache_dir
from livos.released_weights import PARTS, RELEASED_WEIGHTS, RESULT_TITLES, ReleasedWeights, find_released_weights

SIZE_TOLERANCE = 0.1

Fetch = Callable[[str, Path], None]
"""Takes a Google Drive id and the path to write; continues a partial download if there is one; raises on failure."""


class DownloadProblem(RuntimeError):
    """A file could not be downloaded, or is not what it should be. The message says what to do."""


def fetch_from_drive(drive_id: str, path: Path) -> None:
    """Downloads with gdown, showing its progress bar; its partial file next to `path` is continued next time."""
    import gdown

    if gdown.download(id=drive_id, output=str(path), resume=True) is None:  # how older versions signal failure
        raise DownloadProblem("gdown could not retrieve the file")


def download(weights: ReleasedWeights, directory: Path, fetch: Fetch = fetch_from_drive) -> str:
    """Makes sure that `directory` contains these weights, verified; returns a line that says what was done.

    The newest Drive id is tried first, then the older ones. Raises DownloadProblem.
    """
    path = directory / weights.file_name
    if path.exists():
        return check_present(path, weights)
    directory.mkdir(parents=True, exist_ok=True)
    failures = []
    for drive_id in weights.drive_ids:
        incoming = directory / f".{weights.name}.{drive_id}.download"  # a name per id: partial files must not be mixed
        try:
            fetch_checked(drive_id, incoming, weights, fetch)
        except Exception as error:  # whatever went wrong, the next id may work; all errors are reported below
            failures.append(f"  Drive id {drive_id}: {type(error).__name__}: {_first_line(error)}")
            continue
        verify_checksum(incoming, path)
        os.replace(incoming, path)
        return f"{path}: downloaded" + ("" if drive_id == weights.drive_ids[0] else f" (older upload, {drive_id})")
    reasons = "\n".join(failures)
    raise DownloadProblem(f"{weights.name} could not be downloaded:\n{reasons}\n{_advice(weights, path)}")


def fetch_checked(drive_id: str, incoming: Path, weights: ReleasedWeights, fetch: Fetch) -> None:
    """Fetches to `incoming`; anything but a checkpoint of this network is deleted and raises DownloadProblem."""
    if incoming.exists():  # complete, but interrupted before it was checked
        incoming.unlink()
    fetch(drive_id, incoming)
    if not incoming.exists():
        raise DownloadProblem("nothing was written")
    problem = problem_with(incoming, weights)
    if problem:
        incoming.unlink()
        raise DownloadProblem(problem)


def check_present(path: Path, weights: ReleasedWeights) -> str:
    """Checks an existing file. Raises DownloadProblem, without touching the file."""
    problem = problem_with(path, weights)
    if problem:
        raise DownloadProblem(f"{path} exists, but {problem}. Delete it and run this again.")
    verify_checksum(path, path)
    return f"{path}: already there, intact"


def problem_with(path: Path, weights: ReleasedWeights) -> str | None:
    """What is wrong with a downloaded file, in words, or None if it is a checkpoint of the network."""
    with path.open("rb") as file:
        start = file.read(65536)
    if start.lstrip()[:1] == b"<":
        return _describe_page(start)
    size = path.stat().st_size
    if abs(size - weights.num_bytes) > SIZE_TOLERANCE * weights.num_bytes:
        return f"it has {size / 1e6:.1f} MB instead of about {weights.num_bytes / 1e6:.0f} MB (truncated?)"
    return _problem_with_entries(path)


def _problem_with_entries(path: Path) -> str | None:
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        return f"it is not a readable checkpoint ({type(error).__name__}: {_first_line(error)})"
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        return "it is not a plain state dict (names and tensors)"
    found = {name.split(".")[0] for name in state}
    missing, unknown = sorted(set(PARTS) - found), sorted(found - set(PARTS))
    if missing or unknown:
        return f"it is a checkpoint of another network (parts missing: {missing}, unknown: {unknown})"
    return None


def _describe_page(start: bytes) -> str:
    text = start.decode("utf-8", errors="replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    words = f" titled {title.group(1).strip()!r}" if title else ""
    quota = (
        " (the file's download quota is exceeded)" if re.search(r"quota|too many users", text, re.IGNORECASE) else ""
    )
    return f"it is a web page{words} instead of the file{quota}"


def verify_checksum(path: Path, final_path: Path) -> None:
    """Compares the SHA-256 of `path` with the one recorded for `final_path`, or records it if there is none.

    Raises DownloadProblem if they differ.
    """
    checksums_path = final_path.parent / CHECKSUMS
    recorded = read_checksums(checksums_path)
    digest = sha256(path)
    expected = recorded.get(final_path.name)
    if expected is None:
        write_checksums(checksums_path, {**recorded, final_path.name: digest})
    elif digest != expected:
        raise DownloadProblem(
            f"{path} has SHA-256 {digest}, but {checksums_path} recorded {expected} for {final_path.name}. If the file "
            f"was damaged, delete it and run this again; if it changed on purpose, delete its line in {CHECKSUMS}."
        )


def write_checksums(path: Path, checksums: dict[str, str]) -> None:
    aside = path.with_name(f".{path.name}.partial")
    aside.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(checksums.items())), encoding="utf-8")
    os.replace(aside, path)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]


def _advice(weights: ReleasedWeights, path: Path) -> str:
    pages = " or ".join(f"https://drive.google.com/file/d/{drive_id}/view" for drive_id in weights.drive_ids)
    return (
        "Google Drive refuses popular files for up to a day. Try again later, or download it in a browser where you "
        f"are signed in,\nfrom {pages}, and save it as {path}; then run this again to verify it."
    )


def default_directory() -> Path:
    """./weights if it is a folder, as in a checkout; otherwise the cache, in which `load_model` also looks."""
    return Path("weights") if Path("weights").is_dir() else cache_dir()


def list_text() -> str:
    """The table that `--list` prints."""
    lines = [f"{'name':16}{'MB':>5}  " + "".join(f"{title:>18}" for title in RESULT_TITLES.values()) + "  what"]
    for weights in RELEASED_WEIGHTS:
        scores = (weights.results.get(dataset) for dataset in RESULT_TITLES)
        cells = "".join(f"{'-' if score is None else format(score, '.1f'):>18}" for score in scores)
        lines.append(f"{weights.name:16}{weights.num_bytes / 1e6:5.0f}  {cells}  {weights.note}")
    return "\n".join(lines)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="livos download", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which weights (default: all)")
    parser.add_argument("--list", action="store_true", help="print the table of weights and published results")
    parser.add_argument("--directory", type=Path, help="where to save them (default: ./weights, or the user's cache)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None, fetch: Fetch = fetch_from_drive) -> int:
    """Returns the exit status: 0 if all requested files are there and intact."""
    options = parse_arguments(arguments)
    if options.list:
        print(list_text())
        return 0
    try:
        wanted = [find_released_weights(name) for name in options.names] or list(RELEASED_WEIGHTS)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    status = 0
    for weights in wanted:
        try:
            print(download(weights, options.directory or default_directory(), fetch))
        except (DownloadProblem, OSError) as problem:  # OSError: the folder is not writable
            print(problem, file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
