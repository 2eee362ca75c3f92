"""The page's own modules: their tests in node, and their types. Nothing of this is needed on a user's machine."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from livos.studio.document import default_colour

ROOT = Path(__file__).parents[2]
DEVELOPMENT_PACKAGES = json.loads((ROOT / "package.json").read_text())["devDependencies"]
TESTS = sorted((ROOT / "tests" / "studio" / "page").glob("*.test.mjs"))


def run(*command: str) -> str:
    """What a command prints that is run in the repository. That is also the message if it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_modules_of_the_page_do_what_they_say():
    assert TESTS
    run("node", "--test", *map(str, TESTS))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_page_and_server_give_objects_the_same_colours():
    module = (ROOT / "livos" / "studio" / "page" / "colours.js").as_uri()
    script = f"import {{ defaultColour }} from {module!r}; for (let i = 1; i <= 50; i++) console.log(defaultColour(i));"
    assert run("node", "--input-type=module", "-e", script).split() == [default_colour(i) for i in range(1, 51)]


@pytest.mark.skipif(
    shutil.which("npx") is None or not all((ROOT / "node_modules" / name).is_dir() for name in DEVELOPMENT_PACKAGES),
    reason="node or a package of package.json is not installed (npm install)",
)
@pytest.mark.parametrize("page", ["livos/studio/page", "docs/browser"])
def test_modules_of_the_pages_have_sound_types(page):
    run("npx", "tsc", "-p", f"{page}/jsconfig.json")
