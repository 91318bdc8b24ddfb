"""Writes a picture as PNG: sixteen colours, four bits a pixel, the words in a text chunk."""

from __future__ import annotations

import struct
import zlib

from gateway.simulators.picture import CELL, Picture, runs


def encode(picture: Picture) -> bytes:
    """Return the file's bytes."""
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 4, 3, 0, 0, 0)
    packer = zlib.compressobj(1)
    pixels = [packer.compress(_line(row, picture.width) * count) for row, count in picture.lines()]
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", b"".join(bytes(colour) for colour in picture.palette)),
            _chunk(b"tEXt", b"Software\0simulated, no model ran"),
            _words(picture.words),
            _chunk(b"IDAT", b"".join(pixels) + packer.flush()),
            _chunk(b"IEND", b""),
        ]
    )


def _line(row: bytes, width: int) -> bytes:
    """Return one pixel row with its filter byte; a cell is four bytes of the same two pixels."""
    packed = b"".join(bytes([index * 17]) * (CELL // 2 * count) for index, count in runs(row))
    return b"\0" + packed[: (width + 1) // 2]


def _words(words: str) -> bytes:
    try:
        return _chunk(b"tEXt", b"Description\0" + words.encode("latin-1"))
    except UnicodeEncodeError:
        return _chunk(b"iTXt", b"Description\0\0\0\0\0" + words.encode())


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
