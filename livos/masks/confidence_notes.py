"""What a mask file written by LiVOS says besides its pixels: how far the mask of each object can be trusted.

It is in a text chunk of the PNG, which other programs ignore, so that it stays available for later processing.
"""

import json
from collections.abc import Mapping
from os import PathLike

from PIL.PngImagePlugin import PngInfo

from livos.files.images import read_header

_KEYWORD = "livos:confidence"


def confidence_note(confidence: Mapping[int, float]) -> PngInfo | None:
    """The text chunk with these values by object, to three decimals; None if there are none."""
    if not confidence:
        return None
    note = PngInfo()
    note.add_text(_KEYWORD, json.dumps({str(key): round(value, 3) for key, value in confidence.items()}))
    return note


def read_confidence(path: str | PathLike[str]) -> dict[int, float]:
    """The values by object that a mask file holds; empty if it holds none.

    Raises:
        ValueError: If it is not a picture.
        OSError: If it cannot be read.
    """
    text = read_header(path).texts.get(_KEYWORD)
    try:
        return {int(key): float(value) for key, value in json.loads(text or "{}").items()}
    except (ValueError, AttributeError, TypeError):  # a text of another program
        return {}
