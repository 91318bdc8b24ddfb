"""What a file is, told from its first bytes: media type, extension and, for pictures, width and height.

Only headers are looked at; nothing is decoded. What is not in the list is not media here: SVG, HTML, PDF and programs have no
entry, so they can never be stored as a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.artifacts.fault import OutputFault

Kind = Literal["image", "video", "audio"]


@dataclass(frozen=True, slots=True)
class Media:
    """A kind of file: its media type and the extension it is stored under, without the dot."""

    kind: Kind
    type: str
    extension: str


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, both above zero."""

    width: int
    height: int


PNG = Media("image", "image/png", "png")
JPEG = Media("image", "image/jpeg", "jpg")
WEBP = Media("image", "image/webp", "webp")
GIF = Media("image", "image/gif", "gif")
AVIF = Media("image", "image/avif", "avif")
MP4 = Media("video", "video/mp4", "mp4")
MOV = Media("video", "video/quicktime", "mov")
WEBM = Media("video", "video/webm", "webm")
MP3 = Media("audio", "audio/mpeg", "mp3")
M4A = Media("audio", "audio/mp4", "m4a")
WAV = Media("audio", "audio/wav", "wav")
ALL = (PNG, JPEG, WEBP, GIF, AVIF, MP4, MOV, WEBM, MP3, M4A, WAV)

# Above this a decoder at the reader's end can be made to use gigabytes by a file of kilobytes.
MOST_PIXELS = 100_000_000

_STARTS: tuple[tuple[bytes, Media], ...] = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"ID3", MP3),
    (b"\xff\xfb", MP3),  # MPEG-1 layer III without a tag; the next two are MPEG-2 and with a checksum
    (b"\xff\xf3", MP3),
    (b"\xff\xfa", MP3),
)
_MOVING_BRANDS = (
    b"isom",
    b"iso",
    b"mp4",
    b"avc",
    b"hvc",
    b"hev",
    b"M4V",
    b"MSNV",
    b"dash",
    b"cmf",
    b"3gp",
    b"f4v",
    b"av01",
)
_LONGEST_BRANDS = 1024  # bytes of an `ftyp` box; real ones hold a dozen brands of four bytes each
# JPEG: start-of-frame markers carry the size; of C0 to CF three are other things (tables, arithmetic coding).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
# Segments that are looked at: real files have some dozen before the frame, one made to cost time has one for each two bytes.
_MOST_SEGMENTS = 1000
_MOST_BOXES = 100  # looked at in search of the one that describes the pictures: it is the second in real files
_MOST_SIZES = 1000  # `ispe` boxes that are looked at: one for the picture, and one for each of its tiles and thumbnails


def identify(head: bytes) -> Media | None:
    """Say what begins with these bytes (a few hundred suffice), or None when it is no media we store."""
    for start, media in _STARTS:
        if head.startswith(start):
            return media
    if head.startswith(b"RIFF"):
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12])
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return WEBM if b"\x42\x82\x84webm" in head[:128] else None  # DocType, four bytes long
    return _boxed(head) if head[4:8] == b"ftyp" else None


def admit(head: bytes, kind: Kind) -> Media:
    """Say what begins with these bytes, refusing what is not of the expected kind or has too many pixels (OutputFault)."""
    if not head:
        raise OutputFault("truncated", "the output is empty", retryable=True)
    media = identify(head)
    # An error page in place of a picture may be gone a second later, hence retryable.
    if media is None:
        raise OutputFault("not_media", f"the output is no {kind}: its first bytes are not those of one", retryable=True)
    if media.kind != kind:
        raise OutputFault(
            "not_media", f"the output is {media.type} where a kind of {kind} was expected", retryable=True
        )
    size = measure(media, head)
    if size is not None and size.width * size.height > MOST_PIXELS:
        most = MOST_PIXELS // 1_000_000
        raise OutputFault(
            "not_media",
            f"the output claims {size.width}x{size.height} pixels; at most {most} million are taken",
            retryable=False,
        )
    return media


def measure(media: Media, head: bytes) -> Size | None:
    """Read a picture's width and height from its header, or None where it does not say within these bytes."""
    found: tuple[int, int] | None = None
    if media is PNG and head[12:16] == b"IHDR":
        found = _numbers(head, 16, 20, width=4, order="big")
    elif media is GIF:
        found = _numbers(head, 6, 8, width=2, order="little")
    elif media is JPEG:
        found = _jpeg(head)
    elif media is WEBP:
        found = _webp(head)
    elif media is AVIF:
        found = _avif(head)
    return Size(*found) if found is not None and min(found) > 0 else None


def _boxed(head: bytes) -> Media | None:
    length = int.from_bytes(head[:4], "big")
    if not 16 <= length <= _LONGEST_BRANDS:
        return None
    box = head[:length]
    major, brands = box[8:12], [box[8:12], *(box[at : at + 4] for at in range(16, len(box), 4))]
    if b"avif" in brands or b"avis" in brands:
        return AVIF
    if major in (b"qt  ", b"M4A "):
        return MOV if major == b"qt  " else M4A
    return MP4 if any(brand.startswith(_MOVING_BRANDS) for brand in brands) else None


def _numbers(
    head: bytes, first: int, second: int, *, width: int, order: Literal["big", "little"]
) -> tuple[int, int] | None:
    if len(head) < second + width:
        return None
    return int.from_bytes(head[first : first + width], order), int.from_bytes(head[second : second + width], order)


def _jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if at + 9 > len(head) or head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        elif marker in _JPEG_FRAMES:
            size = _numbers(head, at + 5, at + 7, width=2, order="big")
            return size and size[::-1]
        else:
            at += 2 + max(2, int.from_bytes(head[at + 2 : at + 4], "big"))
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    form = head[12:16]
    if form == b"VP8X":
        size = _numbers(head, 24, 27, width=3, order="little")
        return size and (size[0] + 1, size[1] + 1)
    if form == b"VP8L" and len(head) >= 25:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        size = _numbers(head, 26, 28, width=2, order="little")
        return size and (size[0] & 0x3FFF, size[1] & 0x3FFF)  # the upper two bits are a scale for display
    return None


def _avif(head: bytes) -> tuple[int, int] | None:
    # A file holds one `ispe` for the picture and one for each tile and thumbnail: the largest is the picture's. The bytes of
    # the pictures themselves may spell it by chance, so only the box that describes them is searched.
    meta = _meta(head)
    sizes: list[tuple[int, int]] = []
    at = meta.find(b"ispe")
    while at >= 0 and len(sizes) < _MOST_SIZES:
        size = _numbers(meta, at + 8, at + 12, width=4, order="big")
        if size is not None:
            sizes.append(size)
        at = meta.find(b"ispe", at + 4)
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _meta(head: bytes) -> bytes:
    """Give the box that describes the pictures of a file, as far as it is in these bytes; empty where it comes later."""
    at = 0
    for _ in range(_MOST_BOXES):
        length, start = int.from_bytes(head[at : at + 4], "big"), 8
        if length == 1:  # the length follows, in eight bytes
            length, start = int.from_bytes(head[at + 8 : at + 16], "big"), 16
        if head[at + 4 : at + 8] == b"meta":
            return head[at + start : at + length] if length else head[at + start :]
        if length < start:
            break
        at += length
    return b""
