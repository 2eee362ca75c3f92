"""Settings typed on the command line, checked before Hydra sees them: a typing mistake is told with the names."""

import difflib
import sys
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

_CONFIG = Path(__file__).parent


def refuse_unknown_settings(schema: type, arguments: list[str] | None = None) -> None:
    """Ends the program, naming the known settings, if an argument KEY=VALUE sets none of them.

    Groups (folders beside this file, e.g. model) take names of their files; hydra's own keys are left to it.
    """
    words = sys.argv[1:] if arguments is None else arguments
    typed = [word for word in words if "=" in word and not word.startswith("-")]
    groups = {path.name for path in _CONFIG.iterdir() if path.is_dir() and any(path.glob("*.yaml"))}
    known = OmegaConf.structured(schema)
    for override in OverridesParser.create().parse_overrides(typed):
        key = override.key_or_group
        if key.split(".")[0] == "hydra":
            continue
        if override.package is not None or key.split("@")[0] in groups:
            _check_choice(key, override.value())
        else:
            _check_key(known, key, groups)


def _check_choice(group: str, choice: object) -> None:
    names = sorted(path.stem for path in (_CONFIG / group).glob("*.yaml"))
    if isinstance(choice, str) and choice not in names:
        sys.exit(f"{group}={choice} is not known{_suggestion(choice, names)}. Known: {', '.join(names)}")


def _check_key(node: DictConfig, key: str, groups: set[str]) -> None:
    """Follows a dotted key down the schema; dictionaries of free names end the check."""
    path = []
    for part in key.split("."):
        if not isinstance(node, DictConfig) or (not OmegaConf.get_type(node) or OmegaConf.get_type(node) is dict):
            return
        if part not in list(node):  # `in` would pass over a key without a value
            names = sorted({str(name) for name in node} | (set() if path else groups))
            place = f" in {'.'.join(path)}" if path else ""
            sys.exit(f"unknown setting {key}{_suggestion(part, names)}. Known{place}: {', '.join(names)}")
        path.append(part)
        node = node._get_node(part)  # type: ignore[assignment]


def _suggestion(word: str, names: list[str]) -> str:
    close = difflib.get_close_matches(word, names, 1)
    return f" (did you mean {close[0]}?)" if close else ""
