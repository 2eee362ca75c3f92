"""Damage inputs of every kind at random and see how their readers respond.

    python tests/fuzz 2000                  # so many of each kind; make fuzz N=20000 for a night
    python tests/fuzz 300 --only pictures --seed 7

Every file tests/fuzz/fuzz_<name>.py has a function `run(seed, count, folder)` that returns the problems found. Ends
with status 1 where there are any. Needs Linux: memory is watched through /proc.
"""

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]


def main() -> int:
    names = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.py"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, help="inputs of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=names, nargs="+", default=names, help="kinds of inputs (default: all)")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads do not survive that a process is split in two
    if len(options.only) > 1:  # each in a process of its own, whatever libraries the others start threads with
        command = [sys.executable, str(HERE), str(options.count), "--seed", str(options.seed), "--only"]
        return max(subprocess.run([*command, name], check=False).returncode != 0 for name in options.only)
    (name,) = options.only
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        problems = importlib.import_module(f"fuzz.fuzz_{name}").run(options.seed, options.count, Path(folder))
    print(f"  {name}: {time.monotonic() - began:.0f} s")
    print("\n".join(problems) or "no problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
