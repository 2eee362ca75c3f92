"""docs/reference.md matches the docstrings, and these say what a caller must know."""

from __future__ import annotations

import ast
import textwrap

import pytest
from script_modules import load_script

import livos

griffe = pytest.importorskip("griffe", reason="griffe is not installed; it comes with livos[dev]")
make_reference = load_script("scripts/make_reference.py")


def documented() -> dict[str, griffe.Object]:
    """Every public name, and every public method and property, by its name on the page."""
    found = {}
    for name, entry in make_reference.public_objects().items():
        found[name] = entry
        if isinstance(entry, griffe.Class):
            found |= {f"{name}.{member.name}": member for member in make_reference.public_members(entry)}
    return found


DOCUMENTED = documented()
FUNCTIONS = {name: entry for name, entry in DOCUMENTED.items() if isinstance(entry, griffe.Function)}
CLASSES = {name: entry for name, entry in DOCUMENTED.items() if isinstance(entry, griffe.Class)}


def section(entry: griffe.Object, kind: str) -> list:
    """The entries in one section of a docstring."""
    sections = entry.docstring.parsed if entry.docstring else []
    return [item for part in sections if part.kind.value == kind for item in part.value]


def raises_something(entry: griffe.Function) -> bool:
    tree = ast.parse(textwrap.dedent(entry.source))
    return any(isinstance(node, ast.Raise) and node.exc is not None for node in ast.walk(tree))


def test_the_page_is_up_to_date(capsys):
    assert make_reference.main(["--check"]) == 0, capsys.readouterr().err


def test_an_old_page_is_noticed(tmp_path, monkeypatch, capsys):
    old = tmp_path / "reference.md"
    old.write_text("# Reference\n", encoding="utf-8")
    monkeypatch.setattr(make_reference, "PAGE", old)
    monkeypatch.setattr(make_reference, "ROOT", tmp_path)
    monkeypatch.setattr(make_reference, "reference_page", lambda: "# Reference\n\nmore\n")
    assert make_reference.main(["--check"]) == 1
    assert "run python scripts/make_reference.py" in capsys.readouterr().err


def test_every_public_name_is_on_the_page():
    page = make_reference.PAGE.read_text(encoding="utf-8")
    assert all(f"### `{name}`\n" in page for name in livos.__all__)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_public_names_begin_with_a_sentence(name):
    docstring = DOCUMENTED[name].docstring
    assert docstring is not None, f"{name} has no docstring"
    first = docstring.value.splitlines()[0]
    assert first[0].isupper() and first.endswith((".", "]")), f"{name}: {first}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_say_what_they_take_return_and_raise(name):
    entry = FUNCTIONS[name]
    taken = [parameter.name for parameter in entry.parameters if parameter.name not in ("self", "cls")]
    described = [item.name.lstrip("*") for item in section(entry, "parameters")]
    assert described == [parameter.lstrip("*") for parameter in taken], name
    if str(entry.returns) != "None":
        assert section(entry, "returns") or section(entry, "yields"), f"{name} does not say what it returns"
    if raises_something(entry):
        assert section(entry, "raises"), f"{name} does not say what it raises"


@pytest.mark.parametrize("name", CLASSES)
def test_public_classes_describe_every_argument(name):
    entry = CLASSES[name]
    described = [item.name for kind in ("parameters", "attributes") for item in section(entry, kind)]
    wanted = [parameter.name for parameter in entry.parameters if parameter.name != "self"]
    assert [name for name in wanted if name not in described] == []
