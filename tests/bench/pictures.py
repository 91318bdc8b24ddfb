"""What the far end delivers: real files, for what is delivered is looked at before it is kept."""

from __future__ import annotations

import random
import struct
import zlib

from gateway.simulators import media
from gateway.simulators.jobs import Output


def png(width: int, height: int, seed: int = 1) -> bytes:
    """A picture of noise, which does not get smaller by packing: about 3 bytes for each of its points."""
    dice = random.Random(seed)
    rows = b"".join(b"\0" + dice.randbytes(width * 3) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


SMALL = png(4, 4)
LARGE = png(590, 592)  # 1.05 MB
CLIP = media.draw(Output("mp4", 64, 64, 5.0), "waves")

FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x08free"  # how a film of this kind begins
FILM_BYTES = 200_000_000
