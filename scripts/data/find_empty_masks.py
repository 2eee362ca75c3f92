"""Find masks that show no object: frames that cannot begin a video, and often annotation mistakes.

    python scripts/data/find_empty_masks.py ../YouTube/train/Annotations --output empty_masks.txt

Prints, or writes, one line `video/frame.png` for each. A mask of only background and void (255) is also empty.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tqdm import tqdm

from livos.files.atomic import written_aside
from livos.files.names import is_hidden, natural_order
from livos.training.data.empty_masks import VOID, is_empty


def find_empty_masks(directory: Path, void_id: int | None = VOID, first_only: bool = False) -> list[Path]:
    """Empty masks below `directory`, in order. `first_only`: check only the first mask of each folder.

    Raises ValueError if there are no masks at all.
    """
    found = (path.relative_to(directory) for path in directory.rglob("*.png"))
    names = sorted((name for name in found if not is_hidden(name)), key=lambda name: natural_order(name.as_posix()))
    paths = [directory / name for name in names]
    if not paths:
        raise ValueError(f"{directory}: expected masks (.png) in it or its folders, found none")
    if first_only:
        paths = list({path.parent: path for path in reversed(paths)}.values())[::-1]
    with ThreadPoolExecutor() as pool:
        verdicts = tqdm(pool.map(partial(is_empty, void_id=void_id), paths), total=len(paths), unit="mask")
        return [path for path, empty in zip(paths, verdicts, strict=True) if empty]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="folder of folders of masks")
    parser.add_argument("--output", type=Path, help="text file to write (default: print)")
    parser.add_argument("--first-only", action="store_true", help="check only the first mask of each video")
    parser.add_argument("--no-void", action="store_true", help="treat 255 as an object like any other")
    options = parser.parse_args(arguments)
    try:
        empty = find_empty_masks(options.directory, None if options.no_void else VOID, options.first_only)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    lines = "".join(f"{path.relative_to(options.directory).as_posix()}\n" for path in empty)
    if options.output is None:
        print(lines, end="")
    else:
        with written_aside(options.output) as aside:
            aside.write_text(lines, encoding="utf-8")
        print(f"{options.output}: {len(empty)} empty masks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
