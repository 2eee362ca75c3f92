"""Choosing a video on this machine: the page receives names and ids, and answers with an id. It never sends a path."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from livos.files.images import IMAGE_SUFFIXES
from livos.files.names import natural_order
from livos.studio.project import is_project
from livos.video.sources import VIDEO_SUFFIXES

MOST_ENTRIES = 2000
_LOOKED_AT = 20  # entries of a folder, to find out whether it contains frames


class FileChooser:
    """Lists folders, starting from some places. An id always stands for a path that was listed."""

    def __init__(self, places: Sequence[Path]):
        self._places = list(dict.fromkeys(place.resolve() for place in places if place.is_dir()))
        self._paths: dict[str, Path] = {}
        self._ids: dict[Path, str] = {}

    def list(self, chosen: str | None) -> dict[str, Any]:
        """The folders, videos, folders of frames and projects in a folder; None: the places to start from.

        Raises LookupError for an unknown id, OSError if the folder cannot be read.
        """
        if chosen is None:
            entries = [self._entry(place, str(place)) for place in self._places]
            return {"title": "This computer", "parent": None, "entries": entries}
        folder = self.path(chosen)
        found = sorted(islice(folder.iterdir(), MOST_ENTRIES), key=lambda path: natural_order(path.name.lower()))
        entries = [self._entry(path, path.name) for path in found if not path.name.startswith(".")]
        parent = None if folder.parent == folder else self._id(folder.parent)
        return {"title": str(folder), "parent": parent, "entries": [entry for entry in entries if entry["kind"]]}

    def path(self, chosen: Any) -> Path:
        """The path that an id stands for. Raises LookupError for an unknown id."""
        if not isinstance(chosen, str) or chosen not in self._paths:
            raise LookupError("This file is no longer in the list: open the list again.")
        return self._paths[chosen]

    def _entry(self, path: Path, name: str) -> dict[str, Any]:
        kind = kind_of(path)
        size = path.stat().st_size if kind == "video" else None
        return {"id": self._id(path), "name": name, "kind": kind, "size": size}

    def _id(self, path: Path) -> str:
        if path not in self._ids:
            self._ids[path] = secrets.token_hex(8)
            self._paths[self._ids[path]] = path
        return self._ids[path]


def kind_of(path: Path) -> str | None:
    """project, frames (a folder of images), folder or video; None if it cannot be opened."""
    try:
        if path.is_file():
            return "video" if path.suffix.lower() in VIDEO_SUFFIXES else None
        if not path.is_dir():
            return None
        if is_project(path):
            return "project"
        with os.scandir(path) as entries:
            looked_at = [Path(entry.name).suffix.lower() for entry in islice(entries, _LOOKED_AT)]
        return "frames" if any(suffix in IMAGE_SUFFIXES for suffix in looked_at) else "folder"
    except OSError:
        return None
