"""Write docs/reference.md, the reference of the public names of `livos`, from their docstrings.

    python scripts/make_reference.py
    python scripts/make_reference.py --check        only say whether the page is up to date

The source is parsed rather than imported. Docstrings are in Google style.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference.md"

SECTIONS = {
    "Segmenting videos": ["segment_video", "SegmentedFrame", "VideoSegmenter", "SegmentationResult", "SegmenterState"],
    "Clicks on an image": ["click", "Clicker"],
    "Mask files": ["read_labels", "write_labels", "LabelMap", "LabelCoding"],
    "Networks and weights": [
        *("load_model", "weight_names", "build_model", "model_names", "load_weights", "save_weights"),
    ],
}
"""The order of the page. Names that are not listed here come at its end."""

INTRODUCTION = """\
# Reference

These are the public names of `livos`: `from livos import VideoSegmenter`. Modules inside `livos` may move. Shapes are
written as in `(1 + N, H, W)`: N objects on a frame of H x W pixels.

*This page is generated from the docstrings by `python scripts/make_reference.py`.*
"""


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 with --check if the page is not up to date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the page is old")
    options = parser.parse_args(arguments)
    page = reference_page()
    if not options.check:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page:
        print(f"{PAGE.relative_to(ROOT)} is not up to date: run python scripts/make_reference.py", file=sys.stderr)
        return 1
    return 0


def reference_page() -> str:
    """The whole page, as Markdown."""
    objects = public_objects()
    listed = [name for names in SECTIONS.values() for name in names]
    sections = {**SECTIONS, "More": [name for name in objects if name not in listed]}
    parts = [INTRODUCTION]
    for title, names in sections.items():
        if present := [name for name in names if name in objects]:
            parts += [f"## {title}\n", *("\n".join(entry_of(objects[name], 3)) for name in present)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).strip() + "\n"


def public_objects() -> dict[str, griffe.Object]:
    """The objects behind `livos.__all__`, by name, in that order."""
    package = griffe.load("livos", search_paths=[ROOT], docstring_parser="google")
    assert isinstance(package, griffe.Module) and package.exports is not None
    return {str(name): resolved(package[str(name)]) for name in package.exports}


def resolved(found: griffe.Object | griffe.Alias) -> griffe.Object:
    """What an import in `livos/__init__.py` refers to."""
    target = found.final_target if isinstance(found, griffe.Alias) else found
    assert isinstance(target, griffe.Object)
    return target


def public_members(cls: griffe.Class) -> list[griffe.Function | griffe.Attribute]:
    """Methods and properties of a class, except those with a leading underscore; plain fields are in its text."""
    members = [member for name, member in cls.members.items() if not name.startswith("_")]
    return [
        member
        for member in members
        if isinstance(member, griffe.Function) or (isinstance(member, griffe.Attribute) and is_property(member))
    ]


def is_property(member: griffe.Object) -> bool:
    """Whether a member is computed when it is read."""
    return bool({"property", "cached"} & member.labels)


def entry_of(entry: griffe.Object, level: int, owner: str = "") -> Iterator[str]:
    """The lines about one name, under a heading of this level."""
    yield f"{'#' * level} `{owner}{entry.name}`\n"
    if not is_property(entry):
        yield f"```py\n{signature_of(entry, owner)}\n```\n"
    elif isinstance(entry, griffe.Attribute) and entry.annotation is not None:
        yield f"*Property, `{entry.annotation}`.*\n"
    yield from text_of(entry)
    if isinstance(entry, griffe.Class):
        for member in public_members(entry):
            yield from entry_of(member, level + 1, f"{entry.name}.")


def signature_of(entry: griffe.Object, owner: str) -> str:
    """How a function, method or class is called; on several lines if it is long."""
    if isinstance(entry, griffe.Function):
        parameters, returns = entry.parameters, entry.returns
    else:
        assert isinstance(entry, griffe.Class)
        parameters, returns = entry.parameters, None
    words = list(parameter_words(p for p in parameters if p.name not in ("self", "cls")))
    start, end = f"{owner}{entry.name}(", ")" if returns is None else f") -> {returns}"
    line = f"{start}{', '.join(words)}{end}"
    if len(line) <= 88:
        return line
    return "\n".join([start, *(f"    {word}," for word in words), end])


STARS = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}


def parameter_words(parameters: Iterable[griffe.Parameter]) -> Iterator[str]:
    """Parameters as in a signature, with the star before those that must be named."""
    starred = False
    for parameter in parameters:
        kind = parameter.kind
        starred = starred or kind is griffe.ParameterKind.var_positional
        if kind is griffe.ParameterKind.keyword_only and not starred:
            yield "*"
            starred = True
        stars = "" if kind is None else STARS.get(kind, "")
        word = f"{stars}{parameter.name.lstrip('*')}"
        if parameter.annotation is not None:
            word += f": {parameter.annotation}"
        if parameter.default is not None and not stars:
            word += f" = {parameter.default}" if parameter.annotation is not None else f"={parameter.default}"
        yield word


TITLES = {"parameters": "Arguments", "attributes": "Attributes", "raises": "Raises"}


def text_of(entry: griffe.Object) -> Iterator[str]:
    """The docstring as Markdown."""
    for section in entry.docstring.parsed if entry.docstring else []:
        kind = section.kind.value
        if kind == "text":
            yield f"{section.value.strip()}\n"
        elif kind in TITLES:
            yield f"**{TITLES[kind]}**\n"
            yield from (f"- {described(item, kind)}" for item in section.value)
            yield ""
        elif kind in ("returns", "yields"):
            yield f"**{kind.capitalize()}**\n"
            yield from (f"- {one_line(item.description)}" for item in section.value)
            yield ""
        else:
            raise ValueError(f"{entry.path}: its docstring has a section {kind}, which this program does not write")


def described(item: griffe.DocstringElement, kind: str) -> str:
    """One argument, attribute or error, with its text."""
    name = str(item.annotation) if kind == "raises" else getattr(item, "name", "")
    return f"`{name}`: {one_line(item.description)}"


def one_line(text: str) -> str:
    """Text without the line breaks of the source."""
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
