"""Writes a picture as lossless WebP in two colours, a dark one and the first of its hues.

With a palette of two, eight pixels share a byte, and as a cell is eight pixels wide that byte is
all ones or all zeros. So the file is one bit per cell and pixel row, and every code table in it has
the format's short form of one or two words. The format writes its bits lowest first.
"""

from __future__ import annotations

import struct

from gateway.simulators.picture import Picture

_SIDE = 1 << 14
_DARK, _LETTERS, _WARNING = 0, 1, 2


def encode(picture: Picture) -> bytes:
    """Return the file's bytes; `ValueError` beyond the format's 16,384 pixels a side."""
    if max(picture.width, picture.height) > _SIDE:
        raise ValueError(f"WebP holds at most {_SIDE} pixels a side, not {picture.width} x {picture.height}")
    size = _number(picture.width - 1, 14) + _number(picture.height - 1, 14)
    head = _number(0x2F, 8) + size + "0" + _number(0, 3)  # no alpha, version 0
    nothing_more = "0" + "0" + "0"  # no further transform, no colour cache, one set of code tables
    tables = _table(0, 255) + _table(0) + _table(0) + _table(255) + _table(0)
    pixels = "".join(_line(row) * count for row, count in picture.lines())
    bits = head + _two_colours(picture) + nothing_more + tables + pixels
    data = int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _number(value: int, bits: int) -> str:
    return format(value, f"0{bits}b")[::-1]


def _table(*words: int) -> str:
    """Return a code table of one word, which then costs no bits, or of two, the lower coded 0."""
    distinct = sorted(set(words))
    return "1" + _number(len(distinct) - 1, 1) + "1" + "".join(_number(word, 8) for word in distinct)


def _two_colours(picture: Picture) -> str:
    """Return the palette transform: the palette is itself a picture of two pixels, the second as a difference."""
    dark, light = picture.palette[_DARK], picture.palette[min(3, len(picture.palette) - 1)]
    red, green, blue = ((low, (high - low) % 256) for low, high in zip(dark, light, strict=True))
    parts = (green, red, blue, (255, 0))  # the format's order; alpha stays 255
    pixels = "".join(
        "" if first == second else str(int(value == max(first, second)))
        for pixel in (0, 1)
        for first, second in parts
        for value in ((first, second)[pixel],)
    )
    return "1" + _number(3, 2) + _number(1, 8) + "0" + "".join(_table(*part) for part in parts) + _table(0) + pixels


def _line(row: bytes) -> str:
    return "".join("1" if index in (_LETTERS, _WARNING) or (index > _WARNING and index % 2) else "0" for index in row)
