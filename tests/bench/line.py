"""One kept connection on which a request waits for the answer before it: for those whose answers are timed one by one, in turn."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from tests.bench.answers import Answers

_PATIENCE = 60.0  # seconds for the next byte
_TAKEN = 1 << 16
_KEPT = 1 << 16  # bytes of a body that are looked at


class Line:
    """A connection to one origin; every request carries the same headers."""

    def __init__(self, origin: str, headers: Mapping[str, str]) -> None:
        """Connect."""
        parts = urlsplit(origin)
        said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = f" HTTP/1.1\r\nHost: {parts.netloc}\r\n{said}".encode()
        self._line = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=_PATIENCE)
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._found: list[tuple[int, bytes, int]] = []
        self._answers = Answers(lambda *found: self._found.append(found), _KEPT)

    def __enter__(self) -> Self:
        """Give it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._line.close()

    def ask(self, method: str, path: str, body: str = "") -> tuple[float, int, bytes, int]:
        """Milliseconds from the first byte sent to the last one read; the status, the beginning of the body, and how long it was."""
        sent = body.encode()
        sized = f"Content-Length: {len(sent)}\r\n\r\n" if body else "\r\n"
        request = f"{method} {path}".encode() + self._head + sized.encode() + sent
        begun = time.perf_counter()
        self._line.sendall(request)
        while not self._found:
            data = self._line.recv(_TAKEN)
            if not data:
                raise ConnectionError(f"closed under {method} {path}")
            self._answers.feed(data)
        ended = time.perf_counter()
        return (ended - begun) * 1000, *self._found.pop()
