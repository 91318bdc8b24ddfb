"""Requests as bytes, sent as they are: a client that neither mends nor refuses what it is given."""

from __future__ import annotations

import asyncio
import gzip
import shlex
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

_PATIENCE = 45.0  # seconds for an answer; the longest that is asked for is a wait of one
_LARGEST = 16 * 1024 * 1024  # bytes of an answer that are read
_WITHOUT_BODY = frozenset({204, 304})


class Broken(Exception):  # noqa: N818 - named for what happened
    """The connection ended, or said nothing that is HTTP, instead of an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: what stands on its first line, its headers in order, its body; `notes` say how it was bent."""

    method: str
    target: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    body: bytes | None = None
    notes: tuple[str, ...] = ()

    def header(self, name: str) -> str | None:
        """The first header of a name."""
        return next((value.decode("latin-1") for known, value in self.headers if known.lower() == name.lower()), None)

    def written(self, host: str) -> bytes:
        """The bytes that are sent."""
        headers = list(self.headers)
        if self.header("Host") is None:
            headers.insert(0, ("Host", host.encode()))
        if self.body is not None:
            headers.append(("Content-Length", str(len(self.body)).encode()))
        lines = b"".join(name.encode("latin-1") + b": " + value + b"\r\n" for name, value in headers)
        return (
            self.method.encode("latin-1") + b" " + self.target + b" HTTP/1.1\r\n" + lines + b"\r\n" + (self.body or b"")
        )

    def curl(self, origin: str) -> str:
        """The same for a person's shell."""
        parts = ["curl", "-sS", "-i", "--path-as-is", "-X", self.method]
        for name, value in self.headers:
            parts += ["-H", f"{name}: {value.decode('latin-1')}" if value else f"{name};"]
        line = " ".join(shlex.quote(part) for part in parts)
        if self.body is not None:
            escaped = "".join(f"\\x{byte:02x}" for byte in self.body[:4_000])
            sent = shlex.quote(self.body.decode()) if _is_plain(self.body) else f"@<(printf %b {shlex.quote(escaped)})"
            line += f" --data-binary {sent}"
        return line + " " + shlex.quote(origin + self.target.decode("latin-1"))


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    seconds: float = field(default=0.0, compare=False)

    def header(self, name: str) -> str | None:
        """The first header of a name, which is written in small letters."""
        return next((value for known, value in self.headers if known == name), None)

    def all(self, name: str) -> list[str]:
        """Every header of a name, which is written in small letters."""
        return [value for known, value in self.headers if known == name]


class Line:
    """One connection after another to the same place; the next one is opened when the last one ended."""

    def __init__(self, host: str, port: int) -> None:
        """Nothing is opened yet."""
        self._host = host
        self._port = port
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: Request) -> Answer:
        """Send a request and read its answer. Raises Broken."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._ask(request)
        except TimeoutError as exc:
            self.close()
            raise Broken(f"no answer within {_PATIENCE:g} s") from exc
        except (
            OSError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ValueError,
            EOFError,
            zlib.error,
        ) as exc:
            self.close()
            raise Broken(f"{type(exc).__name__}: {exc}") from exc
        return Answer(answer.status, answer.headers, answer.body, loop.time() - began)

    async def _ask(self, request: Request) -> Answer:
        if self._open is None or self._open[1].is_closing() or self._open[0].at_eof():
            self.close()
            self._open = await asyncio.open_connection(self._host, self._port, limit=2**20)
        reader, writer = self._open
        writer.write(request.written(f"{self._host}:{self._port}"))
        with suppress(ConnectionError):  # refused before it was read to its end: the answer may be there all the same
            await writer.drain()
        answer = await _read(reader, request.method)
        if (answer.header("connection") or "").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        """End the connection there is."""
        if self._open is not None:
            self._open[1].close()
            self._open = None


async def _read(reader: asyncio.StreamReader, method: str) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100 "):
        head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ", 2)
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise ValueError(f"{first!r} is no answer")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    found = dict(headers)
    body = b""
    if method == "HEAD" or int(status) in _WITHOUT_BODY or status.startswith("1"):
        pass
    elif "chunked" in found.get("transfer-encoding", ""):
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    elif "content-length" in found:
        if int(found["content-length"]) > _LARGEST:
            raise ValueError("an answer that large")
        body = await reader.readexactly(int(found["content-length"]))
    else:
        body = await reader.read(_LARGEST)
    if found.get("content-encoding") == "gzip" and body:
        body = gzip.decompress(body)
    return Answer(int(status), headers, body)


def _is_plain(body: bytes) -> bool:
    try:
        return body.decode().isprintable()
    except UnicodeDecodeError:
        return False
