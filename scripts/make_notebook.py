"""Write examples/first_steps.ipynb from examples/first_steps.py, whose cells begin with `# %%`.

    python scripts/make_notebook.py
    python scripts/make_notebook.py --check        only say whether the notebook is up to date

The notebook has no outputs. Cells that begin with `# %% [markdown]` are text, in comments.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "examples" / "first_steps.py"
NOTEBOOK = PROGRAM.with_suffix(".ipynb")
MARKDOWN = "[markdown]"


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 with --check if the notebook is not up to date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the notebook is old")
    options = parser.parse_args(arguments)
    text = json.dumps(notebook_of(PROGRAM.read_text(encoding="utf-8")), indent=1, ensure_ascii=False) + "\n"
    if not options.check:
        NOTEBOOK.write_text(text, encoding="utf-8")
    elif not NOTEBOOK.is_file() or NOTEBOOK.read_text(encoding="utf-8") != text:
        print(f"{NOTEBOOK.relative_to(ROOT)} is not up to date: run python scripts/make_notebook.py", file=sys.stderr)
        return 1
    return 0


def notebook_of(program: str) -> dict[str, Any]:
    """A notebook (format 4.5) of a program's cells."""
    parts = re.split(r"^# %%(.*)\n", program, flags=re.MULTILINE)
    cells = [cell_of(number, *pair) for number, pair in enumerate(zip(parts[1::2], parts[2::2], strict=True))]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def cell_of(number: int, kind: str, body: str) -> dict[str, Any]:
    """One cell, from what follows its `# %%` and its lines."""
    lines = body.strip().splitlines()
    if kind.strip() == MARKDOWN:
        lines = [re.sub(r"^# ?", "", line) for line in lines]
    source = [line + "\n" for line in lines[:-1]] + lines[-1:]
    if kind.strip() == MARKDOWN:
        return {"cell_type": "markdown", "id": f"cell-{number}", "metadata": {}, "source": source}
    empty: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "id": f"cell-{number}", "metadata": {}, **empty, "source": source}


if __name__ == "__main__":
    sys.exit(main())
