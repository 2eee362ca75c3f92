"""Names of frames: their order, and whether two lists of them start counting at different numbers."""

import re
from collections.abc import Sequence
from typing import Any

_NUMBER = re.compile("([0-9]+)")


def frame_order(name: str | int) -> tuple[list[Any], str]:
    """A sorting key that compares numbers in names by value: frame10 follows frame9."""
    parts: list[Any] = _NUMBER.split(str(name))  # text and numbers alternate
    for index in range(1, len(parts), 2):
        digits = parts[index].lstrip("0")
        parts[index] = (len(digits), digits)  # compares like the number, however long it is
    return parts, str(name)


def counted_otherwise(truth: Sequence[str], prediction: Sequence[str]) -> str:
    """Why frames seem to be the same but counted from another number; empty if they do not.

    They do if there are equally many, the numbers differ by a constant, and all frames of the truth except the first or
    the last are among the predicted ones.

    Args:
        truth, prediction: Names without suffix, in order.
    """
    missing, surplus = set(truth).difference(prediction), set(prediction).difference(truth)
    if len(missing) != 1 or len(surplus) != 1 or len(truth) != len(prediction):
        return ""
    shifts = {_shift(*pair) for pair in zip(truth, prediction, strict=True)}
    if len(shifts) != 1 or None in shifts:
        return ""
    (absent,), (extra,) = missing, surplus
    place = "first" if absent == truth[0] else "last"
    counted = f"counted from {_last_number(prediction[0])} instead of {_last_number(truth[0])}?"
    return f"the {place} frame, {absent}, is missing and {extra} is one too many: {counted}"


def _shift(true: str, predicted: str) -> int | None:
    """By how much the last number of a name differs, if everything else is the same."""
    (*true_rest, true_number), (*predicted_rest, predicted_number) = _split(true), _split(predicted)
    if true_rest != predicted_rest or not true_number or not predicted_number:
        return None
    return int(predicted_number) - int(true_number)


def _last_number(name: str) -> int:
    return int(_split(name)[-1])


def _split(name: str) -> tuple[str, str, str]:
    """What is before the last number, what is after it, and the number; empty if there is none."""
    parts = _NUMBER.split(name)
    return ("".join(parts[:-2]), parts[-1], parts[-2]) if len(parts) > 1 else (name, "", "")
