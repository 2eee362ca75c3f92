"""Damage to files as disks, networks and editors do it, at random."""

import random

_VALUES = (b"\0", b"\xff", b"\x7f", b"\x80", bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", bytes(7) + b"\1", b"\xff" * 8)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with one to three kinds of damage."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice(KINDS)(content, chance)
    return content


def flip_bits(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 8, 32)) if content else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def set_values(content: bytes, chance: random.Random) -> bytes:
    """Numbers at the edge of their range in place of what was there."""
    start, value = chance.randrange(len(content) + 1), chance.choice(_VALUES)
    return content[:start] + value + content[start + len(value) :]


def cut_off(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def cut_out(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) + 1)
    return content[:start] + content[start + chance.choice((1, 2, 16, 100)) :]


def insert(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) + 1)
    return content[:start] + chance.randbytes(chance.choice((1, 2, 16, 100))) + content[start:]


def append(content: bytes, chance: random.Random) -> bytes:
    return content + chance.randbytes(chance.choice((1, 100, 1000)))


def erase_block(content: bytes, chance: random.Random) -> bytes:
    start, size = chance.randrange(len(content) + 1), chance.choice((4, 64, 512))
    return content[:start] + bytes(len(content[start : start + size])) + content[start + size :]


def swap_blocks(content: bytes, chance: random.Random) -> bytes:
    size = max(1, len(content) // 8)
    first, second = sorted(chance.randrange(max(1, len(content) - size)) for _ in range(2))
    first_block, second_block = content[first : first + size], content[second : second + size]
    changed = content[:first] + second_block + content[first + size :]
    return changed[:second] + first_block + changed[second + size :]


KINDS = (flip_bits, flip_bits, set_values, cut_off, cut_out, insert, append, erase_block, swap_blocks)


def damaged_near_an_end(content: bytes, chance: random.Random, reach: int = 60_000) -> bytes:
    """Damage to the first or last bytes, where names and directories are, or anywhere."""
    reach = min(reach, len(content) // 2)
    where = chance.random()
    if where < 0.3:
        return damaged(content[:reach], chance) + content[reach:]
    if where < 0.6:
        return content[:-reach] + damaged(content[-reach:], chance)
    return damaged(content, chance)
