"""The wheel contains all that the tool needs, under its own name."""

import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from mask_folders import MaskFolders, square
from vos_benchmark import __version__

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network from a copy, so that nothing is left in the checkout."""
    pytest.importorskip("setuptools", minversion="77", reason="building the wheel needs setuptools 77")
    pytest.importorskip("pip", reason="building the wheel needs pip")
    folder = tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns("*.egg-info", "build", "dist", "__pycache__")
    shutil.copytree(REPOSITORY / "vos-benchmark", folder / "source", ignore=unwanted)
    command = [sys.executable, "-m", "pip", "wheel", "--verbose", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(folder / "source")], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "vos_benchmark.page" not in done.stdout + done.stderr  # setuptools would say that it leaves it out
    (built,) = folder.glob("*.whl")
    return built


def test_distribution_is_not_named_like_another_project(wheel):
    assert wheel.name == f"livos_scoring-{__version__}-py3-none-any.whl"


def test_wheel_holds_the_page_the_licence_and_the_types(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = message_from_bytes(archive.read(f"livos_scoring-{__version__}.dist-info/METADATA"))
        licence = archive.read(f"livos_scoring-{__version__}.dist-info/licenses/LICENSE")
    assert {f"vos_benchmark/page/report.{kind}" for kind in ("html", "css", "js")} <= names
    assert "vos_benchmark/py.typed" in names
    assert metadata["License-Expression"] == "MIT"
    assert licence == (REPOSITORY / "LICENSE").read_bytes()
    assert metadata.get_payload().startswith("# vos-benchmark")


def test_wheel_scores_and_writes_a_page_outside_of_the_checkout(wheel, tmp_path):
    folders = MaskFolders(tmp_path)
    folders.add("video", [square(10 + i, 20) for i in range(5)])
    options = ["-g", folders.truth, "-m", folders.prediction, "-n", 1, "--html", tmp_path / "page.html"]
    imports = f"import sys; sys.path.insert(0, {str(wheel)!r}); from vos_benchmark.command import main"
    program = f"{imports}; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, options)],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"Global score.*100\.00", done.stdout)
    assert "</html>" in (tmp_path / "page.html").read_text(encoding="utf-8")
