"""Files made to hurt whoever opens them, and files that pretend."""

from __future__ import annotations

import struct
import zlib

PNG_START = b"\x89PNG\r\n\x1a\n"
GIB = 1 << 30


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, packed: bytes = b"") -> bytes:
    """A PNG of black and white whose rows are packed already."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return PNG_START + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def bomb() -> bytes:
    """A sound PNG of some 48 kB that unfolds to 400 million pixels, 50 MB even at one bit each."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(2501 * 100)) for _ in range(200))
    return png(20_000, 20_000, rows + packer.flush())


def gif(frames: int, width: int = 2, height: int = 2) -> bytes:
    """A GIF of so many frames, each one pixel."""
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\x00\x00" + bytes(3) + b"\xff\xff\xff"
    frame = b"\x21\xf9\x04\x00\x01\x00\x00\x00" + b"\x2c" + bytes(4) + b"\x01\x00\x01\x00\x00" + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b"\x3b"


def box(name: bytes, body: bytes = b"", length: int | None = None) -> bytes:
    """A box of an MP4, MOV or AVIF; `length` may lie."""
    return struct.pack(">I", 8 + len(body) if length is None else length) + name + body


def ispe(width: int, height: int) -> bytes:
    """The box in which an AVIF says its size."""
    return box(b"ispe", struct.pack(">III", 0, width, height))


def avif(*inside: bytes) -> bytes:
    """An AVIF with these boxes."""
    return box(b"ftyp", b"avif\0\0\0\0mif1avif") + b"".join(inside)


def webp(width: int, height: int, claimed: int = 30) -> bytes:
    """An extended WebP of this size that claims so many bytes."""
    sizes = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return b"RIFF" + struct.pack("<I", claimed) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + sizes


def jpeg(width: int, height: int, before: bytes = b"") -> bytes:
    """A JPEG with a frame of this size, after these bytes."""
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    return b"\xff\xd8" + before + frame + b"\xff\xd9"


FILM = box(b"ftyp", b"isom\0\0\0\0isomiso2avc1mp41") + box(b"moov", bytes(2000)) + box(b"mdat", bytes(50_000))
SCRIPT = b"<script>document.title = 'run'</script>"

# Refused by what they say of themselves, for good: the same bytes say the same again.
TOO_MANY_PIXELS = {
    "png bomb": bomb(),
    "png of 2**64 pixels": png(0xFFFFFFFF, 0xFFFFFFFF),
    "gif screen": gif(1, 65_535, 65_535),
    "webp canvas": webp(1 << 24, 1 << 24),
    "avif": avif(box(b"meta", bytes(4) + ispe(10, 10) + ispe(100_000, 100_000))),
    "jpeg": jpeg(65_535, 65_535),
}
# No pictures and no films, whatever they were declared as.
NOT_MEDIA = {
    "tiff": b"II*\0\x08\0\0\0" + bytes(100),
    "tiff from the other end": b"MM\0*\0\0\0\x08" + bytes(100),
    "bigtiff": b"II+\0\x08\0\0\0" + bytes(100),
    "jxl stream": b"\xff\x0a" + bytes(100),
    "jxl box": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100),
    "heic": box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(100),
    "bmp": b"BM" + bytes(100),
    "ico": b"\0\0\x01\0\x01\0" + bytes(100),
    "psd": b"8BPS\0\x01" + bytes(100),
    "ftyp of a gigabyte": box(b"ftyp", b"isom" * 300, GIB),
    "ftyp without an end": box(b"ftyp", b"isom" * 300, 0),
    "webp of no form": b"RIFF\xff\xff\xff\xffWEBQ" + bytes(100),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "svg after a mark": b"\xef\xbb\xbf<svg xmlns='http://www.w3.org/2000/svg'/>",
    "html": b"<!DOCTYPE html>" + SCRIPT,
    "html before a png": SCRIPT + png(1, 1, zlib.compress(b"\0\0")),
    "pdf": b"%PDF-1.7\n" + bytes(100),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(100),
    "script": b"#!/bin/sh\nid\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "playlist": b"#EXTM3U\nfile:///etc/passwd\n",
}
# Taken as what their first bytes say, unread: type, and width and height where they are told.
UNREAD = {
    "gif of 10,000 frames": (gif(10_000), "image/gif", (2, 2)),
    "png before html": (png(1, 1, zlib.compress(b"\0\0")) + SCRIPT, "image/png", (1, 1)),
    "gif that is a script": (b"GIF89a/*" + gif(1)[8:] + b"*/=0;alert(1)", "image/gif", (10799, 2)),
    "png that is no png": (PNG_START + SCRIPT, "image/png", None),
    "png without a size": (png(0, 0), "image/png", None),
    "webp that claims 4 GB": (webp(10, 20, 0xFFFFFFFF), "image/webp", (10, 20)),
    "avif that says nothing": (avif(box(b"mdat", ispe(100_000, 100_000))), "image/avif", None),
    "jpeg of padding": (jpeg(9, 9, b"\xff" * 900_000), "image/jpeg", None),
    "jpeg of empty segments": (jpeg(9, 9, b"\xff\xe0\x00\x02" * 200_000), "image/jpeg", None),
    "jpeg behind a picture of its own": (jpeg(7, 5, b"\xff\xe1\x00\x13" + jpeg(65_535, 65_535)), "image/jpeg", (7, 5)),
}
FILMS = {
    "film cut short": (FILM[:3000], "video/mp4"),
    "film that claims 16 EB": (FILM[:36] + struct.pack(">I", 1) + b"mdat" + b"\xff" * 8, "video/mp4"),
    "film before html": (FILM + SCRIPT, "video/mp4"),
}
