"""Which packets of a video do not produce a picture, according to their formats.

VP8 has reference frames that are never shown. H.264 may code the two fields of an interlaced picture in two packets.
MPEG-4 files contain packets of a few bytes that mean "no new picture", some of which a decoder replaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av

SHOWN, HIDDEN, PERHAPS = "shown", "hidden", "perhaps"

_MOST_BYTES_OF_NO_PICTURE = 19  # MAX_NVOP_SIZE of FFmpeg's mpeg4 decoder
_SLICES = (1, 5)  # types of H.264 NAL units
_SEQUENCE = 7
_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


class PictureOfPacket:
    """Says for each packet, in file order, whether it will produce a picture."""

    def __init__(self, stream: av.VideoStream):
        self._codec = stream.codec_context.name
        self._fields: FieldPairs | None = None
        if self._codec == "h264":
            self._fields = FieldPairs(stream.codec_context.extradata or b"")

    def __call__(self, packet: av.Packet) -> str:
        """SHOWN, HIDDEN, or PERHAPS if only the decoder knows."""
        if packet.size == 0 or packet.is_discard:
            return HIDDEN
        if self._codec == "vp8":
            return SHOWN if bytes(packet)[0] & 0x10 else HIDDEN
        if self._codec == "mpeg4" and packet.size <= _MOST_BYTES_OF_NO_PICTURE:
            return PERHAPS
        if self._fields is not None and self._fields.is_second_field(packet):
            return HIDDEN
        return SHOWN


@dataclass(frozen=True)
class _Field:
    frame: int  # frame_num
    bottom: bool


class FieldPairs:
    """Finds H.264 packets that hold only the second field of the frame that the previous packet began."""

    def __init__(self, extradata: bytes):
        self._length_bytes = (extradata[4] & 3) + 1 if extradata[:1] == b"\x01" and len(extradata) > 6 else 0
        self._waiting: _Field | None = None
        self._frame_bits = 0  # of frame_num; 0: pictures are whole frames, or it is not known yet
        self._separate_planes = False
        header = extradata[8:] if self._length_bytes else extradata
        self._read_sequence(header if self._length_bytes else next(_units(header, 0, (_SEQUENCE,)), b""))

    def is_second_field(self, packet: av.Packet) -> bool:
        if not self._frame_bits and not self._may_begin_a_sequence(packet):
            return False
        fields = self._fields_of(bytes(packet))
        first, self._waiting = self._waiting, None
        if len(fields) != 1:
            return False
        field = fields.pop()
        if first is not None and first.frame == field.frame and first.bottom != field.bottom:
            return True
        self._waiting = field
        return False

    def _may_begin_a_sequence(self, packet: av.Packet) -> bool:
        return not self._length_bytes and bool(packet.is_keyframe)

    def _fields_of(self, data: bytes) -> set[_Field]:
        """The field pictures in a packet; empty if it holds a frame."""
        found = set()
        for unit in _units(data, self._length_bytes, (*_SLICES, _SEQUENCE)):
            if unit[0] & 31 == _SEQUENCE:
                self._read_sequence(unit)
            elif self._frame_bits:
                field = self._field_of(unit)
                if field is None:
                    return set()
                found.add(field)
        return found

    def _field_of(self, unit: bytes) -> _Field | None:
        bits = _Bits(unit[1:32])
        for _ in range(3):  # first_mb_in_slice, slice_type, pic_parameter_set_id
            bits.golomb()
        if self._separate_planes:
            bits.take(2)
        frame = bits.take(self._frame_bits)
        if not bits.take(1):
            return None
        return _Field(frame, bool(bits.take(1)))

    def _read_sequence(self, unit: bytes) -> None:
        """Reads from a sequence parameter set (ITU-T H.264, 7.3.2.1.1) if fields are possible, and their coding."""
        if len(unit) < 5:
            return
        bits = _Bits(unit[4:128])
        bits.golomb()
        self._separate_planes = False
        if unit[1] in _HIGH_PROFILES:
            chroma = bits.golomb()
            self._separate_planes = chroma == 3 and bool(bits.take(1))
            bits.golomb(), bits.golomb(), bits.take(1)
            if bits.take(1):
                _skip_scaling_lists(bits, 8 if chroma != 3 else 12)
        frame_bits = bits.golomb() + 4
        _skip_order_count(bits)
        bits.golomb(), bits.take(1), bits.golomb(), bits.golomb()
        only_frames = bits.take(1)
        self._frame_bits = 0 if only_frames or bits.ended else frame_bits


def _skip_scaling_lists(bits: _Bits, count: int) -> None:
    for place in range(count):
        if not bits.take(1):
            continue
        last = following = 8
        for _ in range(16 if place < 6 else 64):
            if following:
                following = (last + bits.signed_golomb()) % 256
            last = following or last


def _skip_order_count(bits: _Bits) -> None:
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.take(1), bits.golomb(), bits.golomb()
        for _ in range(min(bits.golomb(), 255)):
            bits.golomb()


class _Bits:
    """Bits of an H.264 NAL unit, without its emulation prevention bytes."""

    def __init__(self, data: bytes):
        data = data.replace(b"\0\0\3", b"\0\0")
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)
        self.ended = False

    def take(self, count: int) -> int:
        if count > self._left:
            self.ended, self._left = True, 0
            return 0
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """An unsigned Exp-Golomb code (9.1)."""
        zeros = 0
        while not self.ended and zeros < 32 and not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_golomb(self) -> int:
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _units(data: bytes, length_bytes: int, kinds: tuple[int, ...]) -> Iterator[bytes]:
    """The beginnings of the NAL units of these types: after start codes, or after a length of this many bytes."""
    place = 0
    while True:
        if length_bytes:
            begin = place + length_bytes
            length = int.from_bytes(data[place:begin], "big")
            place = begin + max(0, length)
        else:
            begin = data.find(b"\0\0\1", place) + 3
            if begin == 2:
                return
            place = begin
        if begin >= len(data):
            return
        if data[begin] & 31 in kinds:
            yield data[begin : begin + 256]
