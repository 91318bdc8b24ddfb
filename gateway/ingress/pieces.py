"""A large answer out of memory, sent piece by piece: whoever does not take it holds a piece of it, not a copy of the whole."""

from __future__ import annotations

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

_PIECE = 64 * 1024  # bytes: as much as a line holds before it asks for no more


class Pieces(Payload):
    """Bytes as the body of an answer."""

    def __init__(self, value: bytes) -> None:
        """Send these."""
        super().__init__(value)
        self._size = len(value)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as a text."""
        return str(self._value.decode(encoding, errors))

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send it as it is taken."""
        whole = memoryview(self._value)
        for at in range(0, self._size or 0, _PIECE):
            await writer.write(whole[at : at + _PIECE])
