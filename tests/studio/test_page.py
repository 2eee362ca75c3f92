"""The page's own modules: their tests in node, and their types. Nothing of this is needed on a user's machine."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests" / "studio" / "page").glob("*.test.mjs"))


def run(*command: str) -> None:
    """Runs a command in the repository; what it prints is the message of the failure."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_modules_of_the_page_do_what_they_say():
    assert TESTS
    run("node", "--test", *map(str, TESTS))


@pytest.mark.skipif(
    shutil.which("npx") is None or not (ROOT / "node_modules" / "typescript").is_dir(),
    reason="node or its package typescript is not installed (npm install)",
)
def test_modules_of_the_page_have_sound_types():
    run("npx", "tsc", "-p", "livos/studio/page/jsconfig.json")
