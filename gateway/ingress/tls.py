"""TLS inside a connection: what comes is opened and what goes is sealed, while the walls around it see the line itself.

It is no layer of the loop's, because those begin before anybody counts a connection or looks how long it takes: here the
handshake is part of the time a head may take, and a balancer's preamble comes before it, as balancers send it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

_PIECE = 64 * 1024  # bytes asked for at once; a record of TLS has 16 KiB at most
_HANDSHAKE = b"\x16"  # the first byte of whoever speaks TLS; no method of HTTP begins so


def begins(data: bytes) -> bool:
    """Whether what came first is the beginning of TLS."""
    return data.startswith(_HANDSHAKE)


class Tls(asyncio.Transport):
    """A line that carries TLS, to whoever writes on it as if it carried the plain text."""

    def __init__(self, line: asyncio.Transport, context: ssl.SSLContext) -> None:
        """Serve on this line, with the certificate of this context."""
        super().__init__()
        self._line = line
        self._context = context
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._coming, self._going, server_side=True)
        self._is_agreed = False  # the handshake is over
        self._is_ended = False  # our end is closed
        self.is_over = False  # the other end said that nothing follows

    def open(self, data: bytes) -> bytes:
        """Take what came over the line, and give what it says so far. SSLError when it cannot be read."""
        self._coming.write(data)
        pieces = []
        try:
            if not self._is_agreed:
                self._tls.do_handshake()
                self._is_agreed = True
            while piece := self._tls.read(_PIECE):
                pieces.append(piece)
            self.is_over = True
        except ssl.SSLWantReadError:
            pass
        finally:
            self._send()
        return b"".join(pieces)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Send, sealed; before the handshake is over there is nobody to send it to."""
        if not self._is_agreed or self._is_ended or not len(data):
            return
        left = memoryview(data).cast("B")
        try:
            while len(left):
                left = left[self._tls.write(left) :]
        except ssl.SSLError:  # the other end broke it off; who reads the line is told that it is gone
            self._line.abort()
            return
        self._send()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        """Send several pieces, sealed together."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """Whether our end alone can be closed."""
        return self._line.can_write_eof()

    def write_eof(self) -> None:
        """Close our end; what the other sends is still taken."""
        self._end()
        self._line.write_eof()

    def close(self) -> None:
        """Close when what is written is out."""
        self._end()
        self._line.close()

    def abort(self) -> None:
        """Close at once."""
        self._line.abort()

    def is_closing(self) -> bool:
        """Whether it is closed, or soon."""
        return self._line.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Give what is known of the line, and of TLS on it."""
        match name:
            case "sslcontext":
                return self._context
            case "ssl_object":
                return self._tls
            case _:
                return self._line.get_extra_info(name, default)

    def is_reading(self) -> bool:
        """Whether what comes is taken."""
        return self._line.is_reading()

    def pause_reading(self) -> None:
        """Take nothing for now."""
        self._line.pause_reading()

    def resume_reading(self) -> None:
        """Take what comes again."""
        self._line.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Say how much may wait to be sent before the protocol is asked to pause."""
        self._line.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """How many bytes wait to be sent."""
        return self._line.get_write_buffer_size()

    def _end(self) -> None:
        """Say that nothing follows, so that whoever reads can tell the end from a line that was cut."""
        if self._is_agreed and not self._is_ended and not self._line.is_closing():
            self._is_ended = True
            with suppress(ssl.SSLError):  # the other end has not said the same yet, which is waited for by nobody
                self._tls.unwrap()
            self._send()

    def _send(self) -> None:
        if self._going.pending and not self._line.is_closing():
            self._line.write(self._going.read())
