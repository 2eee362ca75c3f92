"""Damaged files end in an error that names them: never in a traceback, and never in another score."""

import io
import json
import os
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mask_folders import square
from PIL import Image
from vos_benchmark import ScoringError, read_groups, score
from vos_benchmark.comparison import compare
from vos_benchmark.masks import read_labels
from vos_benchmark.tables import full_json

COUNT = int(os.environ.get("VOS_BENCHMARK_DAMAGES", "150"))  # of each kind
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Bits flipped, bytes replaced, a stretch removed, repeated, or the end cut off."""
    spoilt = bytearray(data)
    start, end = sorted(rng.choices(range(len(data) + 1), k=2))
    kind = rng.randrange(5)
    if kind == 0:
        for _ in range(rng.randint(1, 4)):
            spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        for _ in range(rng.randint(1, 20)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
    elif kind == 2:
        del spoilt[start:end]
    elif kind == 3:
        spoilt[start:start] = spoilt[start:end]
    else:
        del spoilt[start:]
    return bytes(spoilt)


def chunks_of(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(SIGNATURE)
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        yield kind, data[position + 8 : position + 8 + length]
        position += 12 + length


def damaged_with_right_checksums(data: bytes, rng: random.Random) -> bytes:
    """One chunk damaged, moved or doubled, or one of another kind inserted: what a checksum does not reveal."""
    chunks = list(chunks_of(data))
    place = rng.randrange(len(chunks))
    kind, body = chunks[place]
    choice = rng.randrange(4)
    if choice == 0 and body:
        chunks[place] = kind, damaged(body, rng)
    elif choice == 1:
        chunks.insert(rng.randrange(len(chunks) + 1), chunks.pop(place))
    elif choice == 2:
        chunks.insert(rng.randrange(len(chunks) + 1), (kind, body))
    else:
        other = rng.choice([b"tRNS", b"iCCP", b"zTXt", b"iTXt", b"acTL", b"fcTL", b"fdAT", b"eXIf", b"sBIT", b"gAMA"])
        chunks.insert(rng.randrange(1, len(chunks)), (other, rng.randbytes(rng.randrange(40))))
    parts = (struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    return SIGNATURE + b"".join(parts)


def encoded(mode: str) -> bytes:
    labels = np.maximum(square(5, 5), square(25, 40, id=2))
    image = Image.fromarray(labels)
    if mode == "P":
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    elif mode == "I;16":
        image = Image.fromarray(labels.astype(np.uint16))
    elif mode != "L":
        image = image.convert(mode)
    data = io.BytesIO()
    image.save(data, "png")
    return data.getvalue()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("spoil", [damaged, damaged_with_right_checksums])
@pytest.mark.parametrize("mode", ["P", "L", "I;16", "RGB", "RGBA", "LA"])
def test_damaged_masks_are_refused_by_name_or_read(tmp_path, mode, spoil):
    rng, path = random.Random(f"{mode} {spoil.__name__}"), tmp_path / "mask.png"
    whole = encoded(mode)
    path.write_bytes(whole)
    expected = read_labels(path)
    for _ in range(COUNT):
        path.write_bytes(spoil(whole, rng))
        try:
            labels = read_labels(path, max_pixels=1_000_000)
        except ScoringError as error:
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)
        else:
            assert spoil is not damaged or np.array_equal(labels, expected)


@pytest.fixture
def stored(folders) -> str:
    folders.spoil("two", 2, square(5, 13))
    return full_json(score(folders.truth, folders.prediction))


def assert_named_or_fine(path: Path, action) -> None:
    try:
        action()
    except ScoringError as error:
        assert str(path) in str(error)


def test_damaged_results_are_refused_by_name_or_compared(tmp_path, stored):
    rng, path, whole = random.Random(0), tmp_path / "spoilt.json", tmp_path / "whole.json"
    whole.write_text(stored)
    for _ in range(COUNT):
        path.write_bytes(damaged(stored.encode(), rng))
        assert_named_or_fine(path, lambda: compare(path, whole))
        assert_named_or_fine(path, lambda: compare(whole, path))


ODD_VALUES = (None, [], {}, "x", -1, 2, True, 1e400, float("nan"), 10**400, [[]], {"a": {}}, "\ud800")


def places_in(value: object, path: tuple = ()) -> Iterator[tuple]:
    yield path
    for key in value if isinstance(value, dict) else ():
        yield from places_in(value[key], (*path, key))


def test_odd_values_in_results_are_refused_with_their_place_or_do_not_matter(tmp_path, stored):
    path, whole = tmp_path / "odd.json", tmp_path / "whole.json"
    whole.write_text(stored)
    rng = random.Random(2)
    places = list(places_in(json.loads(stored)))
    for _ in range(COUNT):
        place, value = ("whole", *rng.choice(places)), rng.choice(ODD_VALUES)
        document = {"whole": json.loads(stored)}
        container = document
        for key in place[:-1]:
            container = container[key]
        container[place[-1]] = value
        path.write_text(json.dumps(document["whole"]))
        assert_named_or_fine(path, lambda: compare(path, whole))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("videos", "one", "objects", "1", "J"), 1.5, "videos/one/objects/1/J is 1.5, expected a number from 0 to 1"),
        (("videos", "one", "objects", "1", "J"), float("nan"), "videos/one/objects/1/J is nan, expected a number"),
        (("videos", "one", "objects", "1"), [], r"videos/one/objects/1 is \[\], expected a dictionary"),
        (("videos", "one"), 3, "videos/one is 3, expected a dictionary"),
        (("settings",), "x", "settings is 'x', expected a dictionary"),
        (("settings", "tool"), "other", "settings/tool is 'other', expected vos-benchmark"),
    ],
)
def test_error_about_a_result_says_where_and_what(tmp_path, stored, place, value, message):
    document = json.loads(stored)
    container = document
    for key in place[:-1]:
        container = container[key]
    container[place[-1]] = value
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(document))
    with pytest.raises(
        ScoringError, match=rf"odd\.json: expected a file that this tool wrote with --json, but {message}"
    ):
        compare(path, path)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"\xff\xfe{", b"", b"{", b"9" * 5000])
def test_invalid_json_is_refused_by_name(tmp_path, text):
    path = tmp_path / "odd.json"
    path.write_bytes(text)
    with pytest.raises(ScoringError, match=r"odd\.json: "):
        compare(path, path)
    with pytest.raises(ScoringError, match=r"odd\.json: "):
        read_groups(seen=["cat"], meta=path)


META = b'{"videos": {"one": {"objects": {"1": {"category": "cat", "frames": ["00000"]}}}}}'


def test_damaged_lists_and_categories_are_refused_by_name_or_read(tmp_path):
    rng, path = random.Random(1), tmp_path / "meta.json"
    for _ in range(COUNT):
        path.write_bytes(damaged(META, rng))
        assert_named_or_fine(path, lambda: read_groups(seen=["cat"], meta=path))
        path.write_bytes(damaged(b'["cat", "dog/2", "one"]', rng))
        assert_named_or_fine(path, lambda: read_groups(seen=path))


def test_lists_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "seen.txt"
    path.write_bytes(b"\xef\xbb\xbfcat\ndog\n")
    assert read_groups(seen=path).seen == {"cat", "dog"}
