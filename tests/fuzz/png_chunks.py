"""PNG files with correct checksums but wrong content."""

import random
import struct
import zlib

from fuzz.damage import damaged

_KINDS = (b"tRNS", b"PLTE", b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"acTL", b"fcTL", b"fdAT", b"gAMA", b"eXIf", b"XXXX")

Chunk = tuple[bytes, bytes]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def joined(chunks: list[Chunk]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


def chunks_of(png: bytes) -> list[Chunk]:
    found, position = [], 8
    while position + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, position)
        found.append((kind, png[position + 8 : position + 8 + length]))
        position += length + 12
    return found


def damaged_chunks(png: bytes, chance: random.Random) -> bytes:
    """One kind of damage to the chunks of a whole PNG: to one of them, their order, the header, or the pixels."""
    chunks = chunks_of(png)
    place = chance.randrange(len(chunks))
    kind, body = chunks[place]
    what = chance.randrange(8)
    if what == 0:
        chunks[place] = kind, damaged(body, chance)
    elif what == 1:
        chunks.pop(place)
    elif what == 2:
        chunks.insert(chance.randrange(len(chunks)), chunks[place])
    elif what == 3:
        chance.shuffle(chunks)
    elif what == 4:
        chunks[0] = b"IHDR", _other_header(chunks[0][1], chance)
    elif what == 5:
        rubbish = chance.randbytes(chance.choice((0, 1, 6, 256)))
        chunks.insert(chance.randrange(1, len(chunks)), (chance.choice(_KINDS), rubbish))
    else:
        pixels = b"".join(body for kind, body in chunks if kind == b"IDAT")
        pixels = damaged(pixels, chance) if what == 6 else zlib.compress(damaged(zlib.decompress(pixels), chance))
        chunks = [part for part in chunks if part[0] not in (b"IDAT", b"IEND")] + [(b"IDAT", pixels), (b"IEND", b"")]
    return joined(chunks)


def _other_header(header: bytes, chance: random.Random) -> bytes:
    fields = list(struct.unpack(">IIBBBBB", header))
    field = chance.randrange(7)
    sides, others = (0, 1, 7, 65535, 70000, 2**31 - 1, 2**32 - 1), (0, 1, 2, 3, 4, 6, 8, 16, 255)
    fields[field] = chance.choice(sides if field < 2 else others)
    return struct.pack(">IIBBBBB", *fields)
