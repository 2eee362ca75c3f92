"""JSON files as other programs, editors and attackers write them: other values, keys, nesting, and damaged bytes."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from fuzz.damage import damaged

NAN, INFINITY = float("nan"), float("inf")
EVIL: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, 1e308, -1e308, NAN, INFINITY, 2**31, 2**63, 2**64, 10**30, 10**4000, "", "x",
    "../../x", "/tmp/escaped", "..", "a/b", "\0", "\ud800", "<script>alert(1)</script>", "=1+1", "\x1b[31mred",
    "9" * 5000, "x" * 100_000, [], [[]], {}, {"a": 1}, [None], [-1, -2], [1e9] * 6, [NAN] * 8, [1], [0, 0, 5], "٣", "²",
    " 7 ", "1e5", [[1e8, 1e8, -1e8, 1e8, 1e8, -1e8]], [[0, 0, 60, 40] * 20_000],
)  # fmt: skip


def damaged_json(tree: Any, chance: random.Random) -> bytes:
    """The tree as JSON, with one to three changes to it or to its bytes."""
    if chance.random() < 0.15:
        return damaged(json.dumps(tree).encode(), chance)
    if chance.random() < 0.02:
        return b"[" * chance.choice((900, 5000, 200_000))
    tree = copy.deepcopy(tree)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if not isinstance(tree, (dict, list)):
            break
        tree = _changed(tree, chance)
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def _changed(tree: Any, chance: random.Random) -> Any:
    way = chance.choice(list(_ways(tree)))
    if not way:
        return copy.deepcopy(chance.choice(EVIL)) if chance.random() < 0.1 else tree
    holder = tree
    for key in way[:-1]:
        holder = holder[key]
    key, value, what = way[-1], holder[way[-1]], chance.randrange(6)
    if what == 0 and isinstance(holder, dict):
        del holder[key]
    elif what == 1 and isinstance(holder, list):
        holder.insert(chance.randrange(len(holder) + 1), copy.deepcopy(value))
    elif what == 2 and isinstance(holder, dict):
        holder[chance.choice([evil for evil in EVIL if isinstance(evil, str)])] = holder.pop(key)
    elif what == 3 and isinstance(value, (int, float)) and not isinstance(value, bool):
        holder[key] = value * chance.choice((-1, 0, 10**6, 10**12, 0.3, NAN)) if abs(value) < 1e300 else 0
    elif what == 4 and isinstance(value, str):
        holder[key] = damaged(value.encode("utf-8", "surrogatepass")[:1000], chance).decode("latin1")
    else:
        holder[key] = copy.deepcopy(chance.choice(EVIL))
    return tree


def _ways(tree: Any, way: tuple = ()) -> Iterator[tuple]:
    yield way
    if isinstance(tree, dict):
        for key in tree:
            yield from _ways(tree[key], (*way, key))
    elif isinstance(tree, list) and len(tree) < 1000:
        for place in range(len(tree)):
            yield from _ways(tree[place], (*way, place))
