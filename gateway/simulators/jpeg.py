"""Writes a picture as baseline JPEG: every block one flat colour, so only its mean is coded.

Each row of blocks ends in a restart marker. A row then does not depend on the one before, and
rows that look alike are coded once.
"""

from __future__ import annotations

import functools
import struct

from gateway.simulators.picture import Colour, Picture, runs

# The mean of a block is coded in units of 8 / _STEP grey levels: with 8, exactly.
_STEP = 8
# How many codes there are of each length from 1 to 16 bits, for the sizes 0 to 11 of a mean's difference.
_LENGTHS = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
_SIZES = bytes(range(12))
# One code, a zero bit: "nothing more in this block".
_END_LENGTHS = bytes([1]) + bytes(15)
_END = "0"


def encode(picture: Picture) -> bytes:
    """Return the file's bytes."""
    means = tuple(_ycc(colour) for colour in picture.palette)
    coded: dict[bytes, bytes] = {}
    scan = bytearray()
    for index, row in enumerate(picture.rows):
        if index:
            scan += bytes([0xFF, 0xD0 + (index - 1) % 8])
        if row not in coded:
            coded[row] = _row(row, means)
        scan += coded[row]
    frame = struct.pack(">BHHB", 8, picture.height, picture.width, 3)
    frame += b"".join(bytes([part, 0x11, 0]) for part in (1, 2, 3))
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xFE, b"simulated, no model ran: " + picture.words.encode()[:60_000]),
            _segment(0xDB, bytes([0]) + bytes([_STEP]) * 64),
            _segment(0xC0, frame),
            _segment(0xC4, b"\x00" + _LENGTHS + _SIZES),
            _segment(0xC4, b"\x10" + _END_LENGTHS + b"\0"),
            _segment(0xDD, struct.pack(">H", len(picture.rows[0]))),
            _segment(0xDA, b"\x03\x01\0\x02\0\x03\0\0\x3f\0"),
            bytes(scan),
            b"\xff\xd9",
        ]
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _ycc(colour: Colour) -> tuple[int, int, int]:
    """Return a colour as luminance and two colour differences (JFIF), each less 128."""
    red, green, blue = colour
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(luma) - 128, round((blue - luma) / 1.772), round((red - luma) / 1.402)


def _row(row: bytes, means: tuple[tuple[int, int, int], ...]) -> bytes:
    """Return one row of blocks: the first of a run carries the change, the rest repeat it."""
    bits = []
    before = (0, 0, 0)
    for index, count in runs(row):
        mean = means[index]
        bits += [_difference(new - old) + _END for new, old in zip(mean, before, strict=True)]
        bits.append((_difference(0) + _END) * (3 * (count - 1)))
        before = mean
    joined = "".join(bits)
    joined += "1" * (-len(joined) % 8)
    # A byte of ones would read as a marker unless a zero byte follows.
    return int(joined, 2).to_bytes(len(joined) // 8, "big").replace(b"\xff", b"\xff\0")


@functools.cache
def _difference(value: int) -> str:
    size = abs(value).bit_length()
    code = _codes()[size]
    if not size:
        return code
    return code + format(value if value > 0 else value + (1 << size) - 1, f"0{size}b")


@functools.cache
def _codes() -> tuple[str, ...]:
    codes, code = [], 0
    for length, count in enumerate(_LENGTHS, 1):
        for _ in range(count):
            codes.append(format(code, f"0{length}b"))
            code += 1
        code <<= 1
    return tuple(codes)
