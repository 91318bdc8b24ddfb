"""Tells what a file is by its first bytes, and a picture's pixels, as the vendors do with what they are sent."""

from __future__ import annotations

import base64
import binascii
import struct

# JPEG markers that begin a frame and so carry the size; the gaps are tables (C4, C8, CC).
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


def decoded(text: str) -> bytes | None:
    """Return the bytes of bare base64, nothing when it is none or empty."""
    try:
        return base64.b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def inline(text: str) -> bytes | None:
    """Return the bytes of a base64 data URI, nothing when it is none."""
    head, comma, rest = text.partition(",")
    return decoded(rest) if comma and head.startswith("data:") and head.endswith(";base64") else None


def form(data: bytes) -> str | None:
    """Return `png`, `jpeg`, `webp` or `mp4`, nothing for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return "mp4" if data[4:8] == b"ftyp" else None


def pixels(data: bytes) -> tuple[int, int] | None:
    """Return a picture's width and height, nothing when its head cannot be read."""
    try:
        match form(data):
            case "png":
                width, height = struct.unpack(">II", data[16:24])
            case "jpeg":
                width, height = _jpeg(data)
            case "webp":
                width, height = _webp(data)
            case _:
                return None
    except (struct.error, IndexError):
        return None
    return (width, height) if width and height else None


def has_alpha(png: bytes) -> bool:
    """Whether a PNG can be transparent anywhere."""
    return png[25:26] in (b"\x04", b"\x06") or b"tRNS" in png


def _jpeg(data: bytes) -> tuple[int, int]:
    place = 2
    while data[place + 1] not in _FRAMES:
        place += 2 + struct.unpack(">H", data[place + 2 : place + 4])[0]
    height, width = struct.unpack(">HH", data[place + 5 : place + 9])
    return width, height


def _webp(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L":
            packed = struct.unpack("<I", data[21:25])[0]
            return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
        case _:
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
