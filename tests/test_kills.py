"""Programs that are killed at random moments and continued leave the same results; many more kills by hand:
`python tests/kills/campaign.py training 200`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from processes import needs_proc

PROGRAM = Path(__file__).parent / "kills" / "campaign.py"


@needs_proc
@pytest.mark.parametrize(
    ("program", "kills", "processes"),
    [("training", 8, 1), ("evaluation", 8, 1), ("training", 2, 2), ("evaluation", 2, 2)],
)
def test_kills_change_nothing(program, kills, processes):
    command = [sys.executable, str(PROGRAM), program, str(kills), f"--processes={processes}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert sum(summary["killed"].values()) >= kills and summary["finished"] >= 1 and summary["faults"] == 0
