"""A far end that says exactly the bytes it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

Piece = bytes | float


class Far:
    """A server on loopback; `tell` scripts a path: bytes are sent, a number is a pause in seconds, then the line is cut."""

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[bytes] = []
        self._scripts: dict[str, Callable[[], Iterable[Piece]]] = {}

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def tell(self, path: str, *pieces: Piece) -> str:
        """Script a path and give its address."""
        return self.endless(path, lambda: pieces)

    def endless(self, path: str, pieces: Callable[[], Iterable[Piece]]) -> str:
        """Script a path whose pieces are made as they are sent."""
        self._scripts[path] = pieces
        return self.url(path)

    def serve(self, path: str, body: bytes, *lines: str, status: str = "200 OK", length: int | None = None) -> str:
        """Script a well-formed answer, or one whose length lies."""
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *lines, "", ""]
        return self.tell(path, "\r\n".join(head).encode() + body)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            first = await reader.read(1)
            if not first.isalpha():
                return  # a TLS greeting: this end speaks plain HTTP
            head = first + await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            for piece in self._scripts[head.split()[1].decode().partition("?")[0]]():
                if isinstance(piece, float):
                    await asyncio.sleep(piece)
                else:
                    writer.write(piece)
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side had enough
        finally:
            writer.close()
