"""Answers of HTTP/1.1 as they come off a connection: status, the beginning of the body, and how long it was."""

from __future__ import annotations

from collections.abc import Callable

_MOST = 65_536  # bytes of a head; more is no answer
_LINE = 256  # bytes of the line before a chunk


class Unreadable(Exception):  # noqa: N818 - named for what it is
    """What came is no answer that can be read."""


class Answers:
    """Reads answers one after another. Bodies have a length or come in chunks; neither is kept beyond its beginning."""

    def __init__(self, answered: Callable[[int, bytes, int], None], kept: int) -> None:
        """Call `answered` with status, at most `kept` bytes of the body, and the length of all of it."""
        self._answered = answered
        self._kept = kept
        self._rest = b""
        self._step: Callable[[bytes], bytes | None] = self._start  # gives what is left, None when it needs more
        self._status = 0
        self._left = 0  # bytes of the body, or of the chunk, that are still to come
        self._size = 0
        self._head = b""

    def feed(self, data: bytes) -> None:
        """Take what came. Unreadable when it is no HTTP."""
        data = self._rest + data if self._rest else data
        self._rest = b""
        while data:
            left = self._step(data)
            if left is None:
                self._rest = data
                return
            data = left

    def _start(self, data: bytes) -> bytes | None:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) > _MOST:
                raise Unreadable("a head without end")
            return None
        head = data[:end].lower()
        if not head.startswith(b"http/1.1 "):
            raise Unreadable(repr(data[:100]))
        self._status = int(head[9:12])
        self._size, self._head = 0, b""
        if self._status == 100:
            pass
        elif b"\r\ntransfer-encoding: chunked" in head:
            self._step = self._line
        else:
            self._left = _length(head)
            if self._left == 0:
                self._end()
            else:
                self._step = self._sized
        return data[end + 4 :]

    def _sized(self, data: bytes) -> bytes:
        left = self._content(data)
        if self._left == 0:
            self._end()
        return left

    def _line(self, data: bytes) -> bytes | None:
        line, found, after = data.partition(b"\r\n")
        if not found:
            if len(data) > _LINE:
                raise Unreadable("a chunk without a size")
            return None
        self._left = int(line.partition(b";")[0], 16)
        self._step = self._chunk if self._left else self._close
        return after

    def _chunk(self, data: bytes) -> bytes:
        left = self._content(data)
        if self._left == 0:
            self._step = self._close
            self._left = -1  # more chunks follow
        return left

    def _close(self, data: bytes) -> bytes | None:
        """Read the end of a line that closes a chunk, or all of them."""
        if len(data) < 2:
            return None
        if not data.startswith(b"\r\n"):
            raise Unreadable("a chunk longer than it says, or trailers")
        if self._left < 0:
            self._step = self._line
        else:
            self._end()
        return data[2:]

    def _content(self, data: bytes) -> bytes:
        taken = data[: self._left]
        self._left -= len(taken)
        self._size += len(taken)
        if len(self._head) < self._kept:
            self._head += taken[: self._kept - len(self._head)]
        return data[len(taken) :]

    def _end(self) -> None:
        self._step = self._start
        self._answered(self._status, self._head, self._size)


def _length(head: bytes) -> int:
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise Unreadable(f"an answer without a length: {head[:200]!r}")
    return int(head[at + 17 :].partition(b"\r\n")[0])
