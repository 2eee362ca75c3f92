"""Damaged inputs are refused in one sentence that names the file; make fuzz does the same with many more."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NAMES = sorted(path.stem.removeprefix("fuzz_") for path in (HERE / "fuzz").glob("fuzz_*.py"))
NAMES.remove("tensors")  # see test_fuzz_tensor_files.py

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is watched through /proc")


@pytest.mark.parametrize("name", NAMES)
def test_damaged_inputs_are_refused_in_a_sentence(name):
    command = [sys.executable, str(HERE / "fuzz"), "30", "--only", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("no problems\n")


def test_the_watch_sees_crashes_hangs_and_nameless_errors(tmp_path):
    target = tmp_path / "target.py"
    target.write_text(
        "import os, sys\n"
        f"sys.path[:0] = [{str(HERE)!r}]\n"
        "from pathlib import Path\n"
        "from fuzz import watch\n"
        "watch.SECONDS = 3\n"
        f"numbers = Path({str(tmp_path / 'numbers')!r})\n"
        "numbers.write_text('0')\n"
        "kinds = 'crash hang nameless traceback memory lines refused read'.split()\n"
        "class Target:\n"
        "    name, path, number = 'bad reader', Path('input'), -1\n"
        "    def make(self, chance):\n"
        "        numbers.write_text(str(int(numbers.read_text()) + 1))\n"
        "        self.what = kinds[int(numbers.read_text()) - 1]\n"
        "    def read(self):\n"
        "        if self.what == 'crash': os.abort()\n"
        "        while self.what == 'hang': pass\n"
        "        if self.what == 'memory': self.kept = b'1' * (5 * 2**28)\n"
        "        if self.what == 'traceback': {}['key']\n"
        "        text = {'nameless': 'oh', 'lines': 'input\\nis bad', 'refused': 'input is bad'}.get(self.what)\n"
        "        if text: raise ValueError(text)\n"
        "for problem in watch.problems_of(Target(), 0, 8): print(problem)\n"
    )
    done = subprocess.run([sys.executable, str(target)], capture_output=True, text=True, timeout=200, check=False)
    expected = [
        "crash: signal 6",
        "hang",
        "error without the path",
        "KeyError in target.py:read",
        "GiB more",
        "no line of text",
    ]
    for wanted in ["1 refused, 1 read", *expected]:
        assert wanted in done.stdout, done.stdout + done.stderr
