"""The far end, a process of its own: a static responder behind all that is compared, as cheap as can be.

Answers are found by method and path, made beforehand, and counted (`GET /_counts`). It plays:

* `POST /small/v1/images/generations`, `POST /large/…`: a picture of some bytes, or of 1 MB, in the answer itself
* `POST /jobs/v1/predictions`, `POST /jobs/v1/models/{owner}/{name}/predictions`: a job, which runs until `POST /_finish` is told
  (one whose words have `broken` in them is refused in the end, one with `feature film` makes what `GET /film` gives)
* `GET /jobs/v1/predictions/{id}`: its state; `GET /picture`, `GET /clip`: what it made
* `POST /hook`: a receiver of events; `POST /told` another, which `GET /_told` gives the figures of, since `POST /_told`
* `GET /film`: 200 MB of zeros behind the head of a film
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

from tests.bench.pictures import CLIP, FILM, FILM_BYTES, LARGE, SMALL
from tests.bench.process import Process, free_port, module, started

_PIECE = bytes(1 << 20)
_MADE = {"film": "clip", "feature": "film", "still": "picture", "broken": "picture"}  # by the mark of a job
_NO_SUCH = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def far_end(scratch: Path) -> Iterator[tuple[str, Process]]:
    """Its origin, such as `http://127.0.0.1:1234`, and the process."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with started("far", module("tests.bench.far", str(port)), scratch, url=f"{origin}/_counts") as process:
        yield origin, process


def answer(body: bytes, kind: str = "application/json", status: str = "200 OK") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def images(picture: bytes) -> bytes:
    """What the images API says when it made one picture."""
    return answer(
        json.dumps({
            "created": 1_760_000_000,
            "data": [{"b64_json": base64.b64encode(picture).decode()}],
            "usage": {"input_tokens": 8, "output_tokens": 1056, "total_tokens": 1064},
        }).encode()
    )  # fmt: skip


@dataclass
class Far:
    """What it knows: the answers made beforehand, the jobs, and how often each path was asked for."""

    origin: str
    counts: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    is_finishing: bool = False
    told: list[float] = field(default_factory=list)  # when each event came
    told_bytes: int = 0
    canned: dict[bytes, bytes] = field(default_factory=dict)  # by method and path

    def __post_init__(self) -> None:
        self.canned |= {
            b"POST /small/v1/images/generations": images(SMALL),
            b"POST /large/v1/images/generations": images(LARGE),
            b"GET /picture": answer(SMALL, "image/png"),
            b"GET /clip": answer(CLIP, "video/mp4"),
            b"POST /hook": answer(b"{}"),
        }

    def made(self, asked: bytes, body: bytes) -> bytes | None:
        """An answer that is not there beforehand; None for a path nobody knows."""
        method, _, path = asked.partition(b" ")
        if path.startswith(b"/jobs/v1/"):
            return self._job(method, path, body)
        match asked:
            case b"GET /_counts":
                return answer(json.dumps({**self.counts, "jobs": self.jobs}).encode())
            case b"POST /_finish":
                self.is_finishing = bool(json.loads(body or b"true"))
                return answer(b"{}")
            case _:
                return self._receiver(asked, body)

    def _receiver(self, asked: bytes, body: bytes) -> bytes | None:
        match asked:
            case b"POST /told":
                self.told.append(time.perf_counter())
                self.told_bytes += len(body)
            case b"POST /_told":
                self.told, self.told_bytes = [], 0
            case b"GET /_told":
                seconds = self.told[-1] - self.told[0] if self.told else 0.0
                figures = {"count": len(self.told), "bytes": self.told_bytes, "seconds": seconds}
                return answer(json.dumps(figures).encode())
            case _:
                return None
        return answer(b"{}")

    def _job(self, method: bytes, path: bytes, body: bytes) -> bytes:
        if method == b"POST" and path.endswith(b"/predictions"):
            self.jobs += 1
            self.counts["submit"] += 1
            mark = "broken" if b"broken" in body else "film" if b'"duration"' in body else "still"
            mark = "feature" if b"feature film" in body else mark
            return answer(self._state(f"job{self.jobs}-{mark}", is_new=True), status="201 Created")
        job = path.split(b"/")[4].decode()
        self.counts["cancel" if path.endswith(b"/cancel") else "status"] += 1
        return answer(self._state(job, is_new=False))

    def _state(self, job: str, *, is_new: bool) -> bytes:
        is_done = self.is_finishing and not is_new
        is_broken = is_done and job.endswith("broken")
        made = f"{self.origin}/{_MADE[job.rpartition('-')[2]]}"
        state = "failed" if is_broken else "succeeded" if is_done else "starting" if is_new else "processing"
        address = f"{self.origin}/jobs/v1/predictions/{job}"
        return json.dumps({
            "id": job,
            "model": "any",
            "version": "hidden",
            "input": {},
            "logs": "",
            "output": [made] if is_done and not is_broken else None,
            "error": "the words were flagged as sensitive (E005)" if is_broken else None,
            "status": state,
            "created_at": "2026-01-01T00:00:00.000Z",
            "urls": {"get": address, "cancel": f"{address}/cancel"},
            "metrics": {"predict_time": 1.0} if is_done else {},
        }).encode()  # fmt: skip


class _Connection(asyncio.Protocol):
    """Reads requests whole and answers each at once."""

    def __init__(self, far: Far) -> None:
        self._far = far
        self._transport: asyncio.Transport | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._needs = 0  # bytes at which there may be a whole request
        self._left = 0  # bytes of a film that are still to be sent
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer all requests that are whole."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size < self._needs:
            return
        data = b"".join(self._pieces) if len(self._pieces) > 1 else data
        while (taken := self._request(data)) > 0:
            data = data[taken:]
        self._pieces, self._size = [data], len(data)

    def _request(self, data: bytes) -> int:
        """Answer the first request: its bytes, or 0 when it is not whole."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._needs = len(data) + 1
            return 0
        whole = end + 4 + _length(data, end)
        if len(data) < whole:
            self._needs = whole
            return 0
        self._needs = 0
        asked = data[: data.find(b" HTTP/1.1\r\n")].partition(b"?")[0]
        far = self._far
        assert self._transport is not None
        if canned := far.canned.get(asked):
            far.counts[asked.decode("latin-1")] += 1
            self._transport.write(canned)
        elif asked == b"GET /film":
            self._film()
        else:
            self._transport.write(far.made(asked, data[end + 4 : whole]) or _NO_SUCH)
        return whole

    def pause_writing(self) -> None:
        """The other side is slower."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """The other side has caught up."""
        self._is_paused = False
        if self._left:
            self._more()

    def _film(self) -> None:
        assert self._transport is not None
        self._far.counts["film"] += 1
        self._far.counts["film_begun"] = time.time_ns() // 1_000_000
        self._transport.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {FILM_BYTES}\r\n\r\n".encode() + FILM
        )
        self._left = FILM_BYTES - len(FILM)
        self._more()

    def _more(self) -> None:
        """Write for as long as the other side takes it."""
        assert self._transport is not None
        while self._left and not self._is_paused and not self._transport.is_closing():
            piece = _PIECE[: self._left] if self._left < len(_PIECE) else _PIECE
            self._left -= len(piece)
            self._transport.write(piece)


def _length(data: bytes, end: int) -> int:
    """Bytes of the body behind a head that ends there; all that is compared here says them."""
    head = data[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    return int(head[at + 17 :].partition(b"\r\n")[0]) if at >= 0 else 0


async def _main(port: int) -> None:
    far = Far(f"http://127.0.0.1:{port}")
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(far), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1])))
