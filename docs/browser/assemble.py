"""Put the page that runs LiVOS in the browser into a folder that any static server can serve.

    python docs/browser/assemble.py --output FOLDER
    python -m http.server --directory FOLDER

The folder gets the page, the modules that it shares with LiVOS Studio, the exported network, and ONNX Runtime from the
npm registry. Needs npm and the extra `onnx`: pip install 'livos[onnx]'. See docs/export.md.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

from livos.engines.onnx_files import require_exporter
from livos.export.folder import export
from livos.loading import weight_names

HERE = Path(__file__).resolve().parent
STUDIO_PAGE = HERE.parents[1] / "livos" / "studio" / "page"
RUNTIME = "onnxruntime-web@1.30.0"
RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)
MARKS = ("index.html", "tracker.js", "model/description.json", "onnxruntime-web")  # all of them: an earlier page
PATIENCE = 600  # seconds for npm


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: the page is in the folder; 2: not possible, with the reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, type=Path, metavar="FOLDER", help="new, empty, or an earlier page")
    parser.add_argument("--weights", default="lite", help=f"{', '.join(weight_names())}, or a file (default: lite)")
    options = parser.parse_args(arguments)
    output = options.output.resolve()
    try:
        assemble(output, options.weights)
    except (ValueError, OSError, ImportError) as error:
        print(f"assemble.py: {error}", file=sys.stderr)
        return 2
    print(f"The page is in {output}. To see it:")
    print(f"    cd {output}")  # needed even if it is the current folder, which has been replaced
    print(f"    {Path(sys.executable).name} -m http.server --bind 127.0.0.1 8000")
    print("and open http://127.0.0.1:8000")
    return 0


def assemble(output: Path, weights: str = "lite") -> None:
    """Writes the page with a network into a folder, complete or not at all.

    Args:
        output: New, empty, or an earlier page, which is replaced once the new one is complete.
        weights: A name or path that `load_model` takes.

    Raises:
        ValueError: If the folder contains something else, or the graphs do not agree with PyTorch.
        OSError: If npm is not installed or cannot fetch ONNX Runtime, or a file cannot be written.
        ImportError: If onnx, onnxscript or onnxruntime are not installed.
    """
    output = output.resolve()
    if output.exists() and not is_empty_or_page(output):
        raise ValueError(f"{output} contains something other than this page: choose a new folder")
    require_exporter()
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as aside:
        page = Path(aside) / "page"
        copy_page(page)
        fetch_runtime(page / "onnxruntime-web")
        export(weights, page / "model", report=print)
        replace(output, page, Path(aside) / "earlier")


def is_empty_or_page(path: Path) -> bool:
    """Whether a path is a folder that may be replaced."""
    return path.is_dir() and (not any(path.iterdir()) or all((path / mark).exists() for mark in MARKS))


def replace(output: Path, page: Path, earlier: Path) -> None:
    """Renames a complete page to its final name; what was there moves to `earlier`, and back if that fails."""
    if output.exists():
        output.rename(earlier)
    try:
        page.rename(output)
    except OSError:
        if earlier.exists():
            earlier.rename(output)
        raise


def copy_page(folder: Path) -> None:
    """Copies the page and what it shares with LiVOS Studio."""
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "*.json", "__pycache__"))
    shutil.copytree(STUDIO_PAGE, folder / "studio", ignore=shutil.ignore_patterns("*.html", "*.json"))


def fetch_runtime(folder: Path) -> None:
    """Puts the files of ONNX Runtime that a browser loads into a folder.

    Raises:
        OSError: If npm is not installed or cannot fetch them, or what it fetches does not contain them.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise OSError(f"npm is needed to fetch {RUNTIME}, but is not installed: see https://nodejs.org")
    print(f"fetching {RUNTIME} with npm")
    with tempfile.TemporaryDirectory() as temporary:
        words = [npm, "pack", "--silent", RUNTIME, "--pack-destination", temporary]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise OSError(f"npm did not fetch {RUNTIME} within {PATIENCE // 60} minutes") from None
        archives = list(Path(temporary).glob("*.tgz"))
        if done.returncode or not archives:
            raise OSError(
                f"npm cannot fetch {RUNTIME}: {(done.stderr or done.stdout).strip() or 'it does not say why'}"
            )
        unpack_runtime(archives[0], folder)


def unpack_runtime(path: Path, folder: Path) -> None:
    """Puts the files that a browser loads out of ONNX Runtime's archive into a new folder.

    Raises:
        OSError: If the archive cannot be read or lacks one of them.
    """
    folder.mkdir(parents=True)
    try:
        with tarfile.open(path) as archive:
            for name in RUNTIME_FILES:
                member = archive.extractfile(f"package/dist/{name}")
                if member is None:
                    raise KeyError(name)
                with member, (folder / name).open("wb") as target:
                    shutil.copyfileobj(member, target)
    except KeyError:
        raise OSError(f"the archive of {RUNTIME} has no file dist/{name}: fetch it again") from None
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise OSError(f"the archive of {RUNTIME} cannot be read ({error}): fetch it again") from None


if __name__ == "__main__":
    sys.exit(main())
