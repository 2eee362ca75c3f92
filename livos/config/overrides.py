"""Settings from the command line, checked before Hydra sees them: for a typo, the known names are listed."""

import difflib
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, NoReturn

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import OverrideParseException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

_CONFIG = Path(__file__).parent


def refuse_unknown_settings(
    schema: type, arguments: list[str] | None = None, groups: Collection[str] | None = None
) -> None:
    """Ends the program with status 2, naming the known settings, if an argument KEY=VALUE is not one of them.

    groups: folders next to this file, e.g. model, whose files are chosen by name; by default all of them. Hydra's own
    keys are left to Hydra.
    """
    words = sys.argv[1:] if arguments is None else arguments
    typed = [word for word in words if "=" in word and not word.startswith("-")]
    if groups is None:
        groups = {path.name for path in _CONFIG.iterdir() if path.is_dir() and any(path.glob("*.yaml"))}
    for override in _parse(typed):
        key = override.key_or_group
        if key.split(".")[0] == "hydra":
            continue
        if override.package is not None or key.split("@")[0] in groups:
            _check_choice(key, override.value())
        else:
            _check_key(OmegaConf.structured(schema), key, groups)
            if not override.is_sweep_override() and not override.is_delete():
                _check_value(OmegaConf.structured(schema), key, override)


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(2)


def _parse(typed: list[str]) -> list[Override]:
    try:
        return OverridesParser.create().parse_overrides(typed)
    except OverrideParseException as error:
        key = error.override.partition("=")[0]
        _refuse(
            f"{error.override}: {str(error).splitlines()[0]}. "
            f"A value with spaces, commas, brackets or = needs two pairs of quotes: {key}='\"VALUE\"'"
        )


def _check_choice(group: str, choice: object) -> None:
    names = sorted(path.stem for path in (_CONFIG / group).glob("*.yaml"))
    if isinstance(choice, str) and choice not in names:
        _refuse(f"{group}={choice} is not known{_suggestion(choice, names)}. Known: {', '.join(names)}")


def _check_key(node: DictConfig, key: str, groups: Collection[str]) -> None:
    """Follows a dotted key down the schema; dictionaries of free names end the check."""
    path: list[str] = []
    for part in key.split("."):
        if not isinstance(node, DictConfig) or (not OmegaConf.get_type(node) or OmegaConf.get_type(node) is dict):
            return
        if part not in list(node):  # `in` would miss a key without a value
            names = sorted({str(name) for name in node} | (set() if path else set(groups)))
            place = f" in {'.'.join(path)}" if path else ""
            _refuse(f"unknown setting {key}{_suggestion(part, names)}. Known{place}: {', '.join(names)}")
        path.append(part)
        node = node._get_node(part)  # type: ignore[assignment]


def _check_value(settings: DictConfig, key: str, override: Override) -> None:
    """Checks that the value has the type in the schema; below dictionaries of free names, Hydra checks it."""
    *path, name = key.split(".")
    node: Any = OmegaConf.select(settings, ".".join(path)) if path else settings
    if not isinstance(node, DictConfig) or name not in list(node):
        return
    try:
        OmegaConf.update(node, name, override.value())
    except OmegaConfBaseException as error:
        hint = f". A list is written {key}=[A,B]" if isinstance(node._get_node(name), ListConfig) else ""
        _refuse(f"{override.input_line}: {str(error).splitlines()[0]}{hint}")


def _suggestion(word: str, names: list[str]) -> str:
    close = difflib.get_close_matches(word, names, 1)
    return f" (did you mean {close[0]}?)" if close else ""
