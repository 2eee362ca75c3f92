"""Seen and unseen objects, for LVOS and YouTube-VOS."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .errors import ScoringError
from .files import read_json, read_text

SEEN, UNSEEN = "seen", "unseen"


@dataclass(frozen=True)
class Groups:
    """Names of seen and unseen things: videos, objects as `video/id`, or categories.

    If there is only one list, everything else belongs to the other group.

    Attributes:
        seen, unseen: The lists; None if there is none.
        categories: The category of an object by (video, id), needed if lists name categories.
    """

    seen: frozenset[str] | None = None
    unseen: frozenset[str] | None = None
    categories: dict[tuple[str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.seen is None and self.unseen is None:
            raise ScoringError("this protocol needs to know what is seen or unseen in training: pass a list of either")
        both = sorted((self.seen or frozenset()) & (self.unseen or frozenset()))
        if both:
            raise ScoringError(f"listed both as seen and as unseen: {', '.join(both)}")

    def group_of(self, video: str, id: int) -> str:
        """SEEN or UNSEEN. Raises ScoringError if the lists say both or, with two lists, neither."""
        names = self._names(video, id)
        seen, unseen = bool(names & (self.seen or set())), bool(names & (self.unseen or set()))
        if seen != unseen:
            return SEEN if seen else UNSEEN
        if seen or (self.seen is not None and self.unseen is not None):
            found = "both the seen and the unseen" if seen else "neither the seen nor the unseen"
            raise ScoringError(f"{video}, object {id}: among {found} ({', '.join(sorted(names))})")
        return UNSEEN if self.unseen is None else SEEN

    def unused(self, objects: Iterable[tuple[str, int]]) -> list[str]:
        """Listed names that match none of `objects`, which are (video, id)."""
        used = set().union(*(self._names(video, id) for video, id in objects))
        return sorted(((self.seen or set()) | (self.unseen or set())) - used)

    def _names(self, video: str, id: int) -> set[str]:
        category = self.categories.get((video, id))
        return {video, f"{video}/{id}"} | ({category} if category is not None else set())


Names = str | Path | Collection[str]


def read_groups(seen: Names | None = None, unseen: Names | None = None, meta: str | Path | None = None) -> Groups:
    """Groups from names, or from files with one name per line or a JSON array; categories from `meta.json`.

    Raises:
        ScoringError: If a file is missing or invalid, or the lists contradict each other.
    """
    return Groups(
        seen=_read_names(seen) if seen is not None else None,
        unseen=_read_names(unseen) if unseen is not None else None,
        categories=_read_categories(meta) if meta is not None else {},
    )


def _read_names(source: Names) -> frozenset[str]:
    if not isinstance(source, str | Path):
        return frozenset(source)
    text = read_text(source)
    if not text.lstrip().startswith("["):
        return frozenset(line.strip() for line in text.splitlines() if line.strip())
    names = read_json(source)
    if not isinstance(names, list) or not all(isinstance(name, str | int) for name in names):
        raise ScoringError(f"{source}: expected an array of names, or one name per line")
    return frozenset(map(str, names))


def _read_categories(path: str | Path) -> dict[tuple[str, int], str]:
    try:
        videos = read_json(path)["videos"]
        return {
            (video, int(id)): str(entry["category"])
            for video, description in videos.items()
            for id, entry in description["objects"].items()
        }
    except ScoringError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ScoringError(
            f'{path}: expected {{"videos": {{NAME: {{"objects": {{ID: {{"category": NAME}}}}}}}}}} (at {error})'
        ) from error
