"""Random bytes for names: drawn from the system many at a time, for each draw lets another thread go first."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable

_DRAWN = 4096  # bytes at a time: two hundred names


class Entropy:
    """Gives random bytes that were not given before. They name things; a secret is drawn by itself."""

    def __init__(self, draw: Callable[[int], bytes] = os.urandom) -> None:
        """Have none yet."""
        self._draw = draw
        self._drawn = b""
        self._at = 0

    def __call__(self, size: int) -> bytes:
        """So many of them."""
        if size > _DRAWN:
            return self._draw(size)
        if self._at + size > len(self._drawn):
            self._drawn, self._at = self._draw(_DRAWN), 0
        given = self._drawn[self._at : self._at + size]
        self._at += size
        return given

    def uuid(self) -> str:
        """A version 4 UUID."""
        return str(uuid.UUID(bytes=self(16), version=4))
