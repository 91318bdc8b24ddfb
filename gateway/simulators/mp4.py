"""Writes pictures as a playable MP4: Motion-JPEG samples in one video track, index before data.

The format is a tree of boxes (ISO/IEC 14496-12). The track says its samples are JPEG through an
`mp4v` entry whose decoder description carries object type 0x6C (ISO/IEC 10918-1).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

# Ticks per second in which all durations are counted.
_SCALE = 1000
_UNIT_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_JPEG = 0x6C


def encode(frames: Sequence[bytes], width: int, height: int, seconds: float) -> bytes:
    """Return a film that shows JPEG frames of one size, each for an equal part of `seconds`."""
    ticks = max(1, round(seconds * _SCALE / len(frames)))
    brand = _box(b"ftyp", b"isom" + struct.pack(">I", 0x200) + b"isommp41")
    # The index holds the data's position and comes before it, so it is written twice: its size does not change.
    start = len(brand) + len(_index(frames, width, height, ticks, 0)) + 8
    return brand + _index(frames, width, height, ticks, start) + _box(b"mdat", b"".join(frames))


def _index(frames: Sequence[bytes], width: int, height: int, ticks: int, start: int) -> bytes:
    total = ticks * len(frames)
    film = struct.pack(">IIIIIH10x", 0, 0, _SCALE, total, 0x10000, 0x100) + _UNIT_MATRIX + bytes(24) + _u32(2)
    track = struct.pack(">IIIII8xHHHH", 0, 0, 1, 0, total, 0, 0, 0, 0) + _UNIT_MATRIX
    track += struct.pack(">II", width << 16, height << 16)
    media = struct.pack(">IIIIHH", 0, 0, _SCALE, total, 0x55C4, 0)  # 0x55C4: language undetermined
    handler = bytes(4) + b"vide" + bytes(12) + b"simulated\0"
    data = _box(b"dinf", _full(b"dref", 0, _u32(1) + _full(b"url ", 1)))
    picture = _full(b"vmhd", 1, bytes(8)) + data + _samples(frames, width, height, ticks, start)
    inside = _full(b"mdhd", 0, media) + _full(b"hdlr", 0, handler) + _box(b"minf", picture)
    return _box(
        b"moov",
        _full(b"mvhd", 0, film) + _box(b"trak", _full(b"tkhd", 3, track) + _box(b"mdia", inside)),
    )


def _samples(frames: Sequence[bytes], width: int, height: int, ticks: int, start: int) -> bytes:
    count = len(frames)
    sizes = b"".join(_u32(len(frame)) for frame in frames)
    return _box(
        b"stbl",
        _full(b"stsd", 0, _u32(1) + _entry(width, height))
        + _full(b"stts", 0, struct.pack(">III", 1, count, ticks))
        + _full(b"stsc", 0, struct.pack(">IIII", 1, 1, count, 1))
        + _full(b"stsz", 0, struct.pack(">II", 0, count) + sizes)
        + _full(b"stco", 0, struct.pack(">II", 1, start)),
    )


def _entry(width: int, height: int) -> bytes:
    # 0x480000: 72 dots an inch; one frame a sample; no name; 24 bits deep; no colour table.
    look = struct.pack(">HHIIIH32xHh", width, height, 0x480000, 0x480000, 0, 1, 24, -1)
    # 0x11: a visual stream, with the bit that is always set; buffer and bit rates are left open.
    decoder = _descriptor(4, bytes([_JPEG, 0x11]) + bytes(11))
    stream = _descriptor(3, struct.pack(">HB", 1, 0) + decoder + _descriptor(6, b"\x02"))
    return _box(b"mp4v", bytes(6) + struct.pack(">H", 1) + bytes(16) + look + _full(b"esds", 0, stream))


def _descriptor(tag: int, data: bytes) -> bytes:
    return bytes([tag, len(data)]) + data


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def _full(kind: bytes, flags: int, data: bytes = b"") -> bytes:
    return _box(kind, _u32(flags) + data)


def _u32(value: int) -> bytes:
    return struct.pack(">I", value)
