"""The bundled weights fit the network whatever the version of timm, from the oldest that requirements.txt allows on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_bundled_weights_load_with_the_oldest_timm(tmp_path):
    floor = re.search(r"^timm>=(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), f"timm=={floor}"]
    installed = subprocess.run(pip, capture_output=True, text=True, timeout=200)
    if installed.returncode:
        pytest.skip(f"timm {floor} cannot be installed here")
    program = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import timm, livos; "
        "livos.load_model('lite'); print(timm.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200)
    assert done.stdout.strip() == floor, done.stderr
