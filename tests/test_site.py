"""The documentation as a site: every page is in its menu, and every link leads somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from script_modules import load_script

ROOT = Path(__file__).parent.parent
make_site_source = load_script("scripts/make_site_source.py")


def links_that_lead_nowhere(site: Path) -> list[str]:
    """Links within a site to files or headings that are not there."""
    found = []
    for page in site.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
            if page.name != "404.html" and not re.match(r"[a-z]+:", link) and not leads_somewhere(page, link):
                found.append(f"{page.relative_to(site)}: {link}")
    return found


def leads_somewhere(page: Path, link: str) -> bool:
    path, heading = urldefrag(link)
    target = page.parent / unquote(path) if path else page
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return False
    return not heading or target.suffix != ".html" or f'id="{heading}"' in target.read_text(encoding="utf-8")


def test_every_page_is_in_the_menu():
    menu = set(re.findall(r'= "([^"]+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8")))
    assert menu == {page.as_posix() for page in make_site_source.pages()}


@pytest.mark.skipif(find_spec("zensical") is None, reason="zensical is not installed; it comes with livos[docs]")
def test_the_site_is_built_and_its_links_lead_somewhere(tmp_path):
    make_site_source.copy_pages(tmp_path / "build" / "site-source")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    program = Path(sys.executable).with_name("zensical")
    done = subprocess.run([program, "build"], cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "site"
    assert "constant memory" in (site / "index.html").read_text(encoding="utf-8")
    assert (site / "docs" / "reference.html").is_file()
    assert links_that_lead_nowhere(site) == []


def test_a_broken_link_is_noticed(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top"></h1> <a href="b.html"></a> <a href="a.html#top"></a> <a href="#end">'
    )
    assert links_that_lead_nowhere(tmp_path) == ["a.html: b.html", "a.html: #end"]
