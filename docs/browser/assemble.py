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
MARK = "index.html"  # by which an earlier page is known
PATIENCE = 600  # seconds for npm


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: the page is in the folder; 2: not possible, with the reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, type=Path, metavar="FOLDER", help="new, empty, or an earlier page")
    parser.add_argument("--weights", default="lite", help=f"{', '.join(weight_names())}, or a file (default: lite)")
    options = parser.parse_args(arguments)
    try:
        assemble(options.output, options.weights)
    except (ValueError, OSError, ImportError) as error:
        print(f"assemble.py: {error}", file=sys.stderr)
        return 2
    print(f"The page is in {options.output}. To see it:")
    print(f"    {Path(sys.executable).name} -m http.server --directory {options.output} --bind 127.0.0.1 8000")
    print("and open http://127.0.0.1:8000")
    return 0


def assemble(output: Path, weights: str = "lite") -> None:
    """Writes the page with a network into a folder, complete or not at all.

    Args:
        output: New, empty, or an earlier page, which is replaced.
        weights: A name or path that `load_model` takes.

    Raises:
        ValueError: If the folder holds something else, or the graphs do not agree with PyTorch.
        OSError: If npm is not installed or cannot fetch ONNX Runtime, or a file cannot be written.
        ImportError: If onnx, onnxscript or onnxruntime are not installed.
    """
    if output.exists() and not (output.is_dir() and ((output / MARK).is_file() or not any(output.iterdir()))):
        raise ValueError(f"{output} holds something else than this page: give a new folder")
    require_exporter()
    aside = output.with_name(f".{output.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        copy_page(aside)
        fetch_runtime(aside / "onnxruntime-web")
        export(weights, aside / "model", report=print)
        if output.exists():
            shutil.rmtree(output)
        aside.rename(output)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def copy_page(folder: Path) -> None:
    """Copies the page and what it shares with LiVOS Studio."""
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "*.json", "__pycache__"))
    shutil.copytree(STUDIO_PAGE, folder / "studio", ignore=shutil.ignore_patterns("*.html", "*.json"))


def fetch_runtime(folder: Path) -> None:
    """Puts the files of ONNX Runtime that a browser loads into a folder.

    Raises:
        OSError: If npm is not installed or cannot fetch them.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise OSError(f"npm is needed to fetch {RUNTIME}, and is not installed: https://nodejs.org has it")
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
        folder.mkdir(parents=True)
        with tarfile.open(archives[0]) as archive:
            for name in RUNTIME_FILES:
                member = archive.extractfile(f"package/dist/{name}")
                assert member is not None, f"{RUNTIME} has no {name}"
                with member, (folder / name).open("wb") as target:
                    shutil.copyfileobj(member, target)


if __name__ == "__main__":
    sys.exit(main())
