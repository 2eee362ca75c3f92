"""Damaged weights and checkpoints are refused in one sentence; more of them: `python tests/fuzz/tensor_files.py`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "fuzz" / "tensor_files.py"


@pytest.mark.skipif(sys.platform == "win32", reason="stops endless reading with a signal that Windows does not have")
@pytest.mark.parametrize("kind", ["weights", "checkpoints"])
def test_damaged_files_are_refused_with_a_sentence(kind):
    command = [sys.executable, str(PROGRAM), kind, "--count", "100"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = json.loads(done.stdout.splitlines()[-1])
    assert sum(verdicts.values()) == 100 and verdicts["refused"] > 80
