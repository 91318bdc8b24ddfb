"""One large answer read to its end, by a process of its own that does nothing else: `take(Wanted(…))` gives its `Read`."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.process import module, run

_BUFFER = 1 << 20  # bytes taken at once, as a fast client does
_PATIENCE = 60  # seconds for the next byte


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    into: str = ""  # a file it is written to, and synced before the clock stops; it is removed again


@dataclass(frozen=True, slots=True)
class Read:
    """What came: its status, its declared length (0 where none was), the bytes behind its head, and the seconds to the last of them."""

    status: int
    declared: int
    bytes: int
    seconds: float

    @property
    def rate(self) -> float:
        """Megabytes a second."""
        return self.bytes / self.seconds / 1e6

    def __str__(self) -> str:
        """In one line, for whoever waits."""
        return f"{self.status}, {self.bytes:,} bytes in {self.seconds:.3f} s, {self.rate:,.0f} MB/s"


def take(wanted: Wanted) -> Read:
    """Read one. RuntimeError when it cannot be read at all."""
    said: dict[str, Any] = json.loads(run(module("tests.bench.taking"), given=json.dumps(asdict(wanted)), seconds=300))
    return Read(**said)


def _taken(wanted: Wanted) -> Read:
    parts = urlsplit(wanted.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    said = "".join(f"{name}: {value}\r\n" for name, value in wanted.headers.items())
    asked = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n{said}\r\n".encode()
    held = bytearray(_BUFFER)
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), timeout=_PATIENCE) as line:
        begun = time.perf_counter()
        line.sendall(asked)
        head = b""
        while b"\r\n\r\n" not in head:
            piece = line.recv(65_536)
            if not piece:
                raise RuntimeError(f"no answer: {head[:200]!r}")
            head += piece
        head, _, rest = head.partition(b"\r\n\r\n")
        size = len(rest)
        with Path(wanted.into or os.devnull).open("wb", buffering=0) as file:
            file.write(rest)
            while taken := line.recv_into(held):
                size += taken
                if wanted.into:
                    file.write(memoryview(held)[:taken])
            if wanted.into:
                os.fsync(file.fileno())
            seconds = time.perf_counter() - begun
        if wanted.into:
            Path(wanted.into).unlink()
    _, found, after = head.lower().partition(b"\r\ncontent-length:")
    return Read(int(head[9:12]), int(after.partition(b"\r\n")[0]) if found else 0, size, seconds)


if __name__ == "__main__":
    print(json.dumps(asdict(_taken(Wanted(**json.load(sys.stdin))))))
