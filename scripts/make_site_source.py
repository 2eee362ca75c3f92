"""Collect the pages of the documentation, and everything that they link to, for `make docs`.

    python scripts/make_site_source.py

README.md, docs/ and the pages of other folders are copied with their paths in the repository, so that their links work
on the site as they do on GitHub. Link targets (a picture, a source file) are copied as well.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "build" / "site-source"
PAGES = ("*.md", "docs/**/*.md", "weights/*.md", "vos-benchmark/*.md", "examples/**/*.md")
LINK = re.compile(r"(?<=\]\()[^)#\s]+")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--target", type=Path, default=TARGET, help="folder, which is emptied first (default: build/site-source)"
    )
    copy_pages(parser.parse_args(arguments).target)


def copy_pages(target: Path) -> None:
    """Copies the pages and what they link to into a folder, which is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    for path in files_of_site():
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, copy)


def pages() -> list[Path]:
    """The pages, relative to the repository."""
    return sorted(path.relative_to(ROOT) for pattern in PAGES for path in ROOT.glob(pattern))


def files_of_site() -> list[Path]:
    """The pages and the files that they link to, relative to the repository."""
    found = set(pages())
    for page in pages():
        found |= {path for link in links_of(page) if (path := target_of(page, link)) is not None}
    return sorted(found)


def links_of(page: Path) -> list[str]:
    """The links of a page within the repository, without the parts after #; code is ignored."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    return [link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]


def target_of(page: Path, link: str) -> Path | None:
    """The file that a page's link refers to, relative to the repository; None for folders and missing files."""
    path = (ROOT / page).parent.joinpath(link).resolve()
    return path.relative_to(ROOT) if path.is_file() and path.is_relative_to(ROOT) else None


if __name__ == "__main__":
    main()
