"""The load generator, a process of its own: so many connections that each ask again as soon as they are answered.

`apply(Load(…))` runs one and gives its `Told`. Raw protocols, for a client library would need more of the machine than what it measures.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from tests.bench.answers import Answers, Unreadable
from tests.bench.process import module, run

_SHOWN = 3  # wrong answers that are kept to be looked at
_PATIENCE = 30  # seconds without any answer, after which those that are owed count as errors
_HEAD = 65_536  # bytes of an answer that are searched for what it has to hold


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked, by how many connections, for so many seconds or so many times; one of both is given."""

    url: str  # http://host:port/path
    connections: int
    seconds: float = 0.0
    count: int = 0  # of requests in all; with `seconds` too, whatever comes first ends it
    warm: float = 0.0  # seconds of the same before, which count for nothing
    method: str = "GET"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    paths: Sequence[str] = ()  # asked in turn, instead of the path of `url`
    status: int = 200  # that every answer has
    holds: str = ""  # a text within the first 64 KiB of every answer
    least: int = 0  # bytes that every answer has
    every: float = 0.0  # seconds between a connection's requests at least; 0 asks at once

    @property
    def origin(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it. Times of answers are milliseconds and go from the first byte sent to the last byte read."""

    requests: int
    errors: int
    seconds: float
    rate: float  # right answers a second: the sum over connections, so that one that waits long does not stand for all
    p50: float
    p90: float
    p99: float
    worst: float
    bytes: int  # of bodies
    cpu: float  # seconds of processor the generator used
    wrong: Sequence[str] = ()

    def __str__(self) -> str:
        """In one line, for whoever waits."""
        failed = f", {self.errors} errors: {self.wrong[0] if self.wrong else '?'}" if self.errors else ""
        return f"{self.rate:,.0f}/s, p50 {self.p50:.2f} ms, p99 {self.p99:.2f} ms of {self.requests}{failed}"


def apply(load: Load) -> Told:
    """Run one in a process of its own. RuntimeError when it cannot run at all."""
    longest = 60 + load.warm + (load.seconds or 600)
    said = run(module("tests.bench.load"), given=json.dumps(asdict(load)), seconds=longest)
    told: dict[str, Any] = json.loads(said)
    return Told(**told)


class _Run:
    """Counts while it runs; all of its connections share it."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.requests = _requests(load)
        self.holds = load.holds.encode()
        self.spans: list[float] = []
        self.wrong: list[str] = []
        self.errors = 0
        self.bytes = 0
        self.sent = 0
        self.open = 0
        self.ends = float("inf")
        self.most = sys.maxsize
        self.rate = 0.0
        self.last = 0.0
        self.done = asyncio.Event()

    def next(self, now: float) -> bytes | None:
        """The next request, or None when there is none any more."""
        if now >= self.ends or self.sent >= self.most:
            return None
        self.sent += 1
        return self.requests[self.sent % len(self.requests)]

    def take(self, status: int, head: bytes, size: int, span: float, now: float) -> bool:
        """Judge an answer: whether it is right."""
        load = self.load
        self.last = now
        if status == load.status and size >= load.least and (not self.holds or self.holds in head):
            self.spans.append(span)
            self.bytes += size
            return True
        self.fail(f"{status}, {size} bytes: {head[:300]!r}")
        return False

    def fail(self, why: str) -> None:
        """Count an error."""
        self.errors += 1
        if len(self.wrong) < _SHOWN:
            self.wrong.append(why)

    def left(self, rate: float = 0.0) -> None:
        """A connection has ended that had so many right answers a second, until its last one."""
        self.rate += rate
        self.open -= 1
        if self.open == 0:
            self.done.set()


class _Connection(asyncio.Protocol):
    """One connection that is kept: a request, its answer, the next."""

    def __init__(self, whole: _Run) -> None:
        self._whole = whole
        self._answers = Answers(self._answered, _HEAD)
        self._transport: asyncio.Transport | None = None
        self._begun = 0.0
        self._opened = 0.0
        self._last = 0.0
        self._right = 0
        self._is_asking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = cast(asyncio.Transport, transport)
        self._opened = time.perf_counter()
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Read on; what is no answer ends the connection."""
        try:
            self._answers.feed(data)
        except Unreadable as error:
            self._whole.fail(f"not HTTP: {error}")
            self._is_asking = False
            assert self._transport is not None
            self._transport.abort()

    def give_up(self) -> None:
        """Wait no longer for an answer."""
        if self._is_asking:
            self._is_asking = False
            self._whole.fail(f"no answer within {_PATIENCE} s")
        assert self._transport is not None
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that is closed under a request is an error; one between requests is not, and is not opened again."""
        if self._is_asking:
            self._whole.fail(f"the connection was closed: {exc}")
        self._whole.left(self._right / (self._last - self._opened) if self._right else 0.0)

    def _ask(self) -> None:
        now = time.perf_counter()
        request = self._whole.next(now)
        assert self._transport is not None
        if request is None:
            self._transport.close()
            return
        self._begun = now
        self._is_asking = True
        self._transport.write(request)

    def _answered(self, status: int, head: bytes, size: int) -> None:
        now = time.perf_counter()
        self._is_asking = False
        self._last = now
        self._right += self._whole.take(status, head, size, now - self._begun, now)
        wait = self._whole.load.every - (now - self._begun)
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._ask)
        else:
            self._ask()


def _requests(load: Load) -> list[bytes]:
    parts = urlsplit(load.url)
    body = load.body.encode()
    sized = f"Content-Length: {len(body)}\r\n" if body or load.method != "GET" else ""
    said = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
    plain = parts.path + (f"?{parts.query}" if parts.query else "")
    return [
        f"{load.method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{said}{sized}\r\n".encode() + body
        for path in (load.paths or [plain])
    ]


async def _play(load: Load, seconds: float, count: int) -> tuple[_Run, float]:
    """One stretch, and the seconds it took."""
    whole = _Run(load)
    whole.open = load.connections
    whole.most = count or sys.maxsize
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    whole.ends = begun + seconds if seconds else float("inf")
    host, port = load.origin
    factory: Callable[[], _Connection] = lambda: _Connection(whole)  # noqa: E731 - asked for by name below
    made = await asyncio.gather(
        *(loop.create_connection(factory, host, port) for _ in range(load.connections)), return_exceptions=True
    )
    for one in made:
        if isinstance(one, BaseException):
            whole.fail(f"no connection: {one}")
            whole.left()
    while not await _ended(whole):
        if time.perf_counter() - max(whole.last, begun) > _PATIENCE:
            for one in made:
                if not isinstance(one, BaseException):
                    one[1].give_up()
    return whole, max(whole.last - begun, 1e-9)


async def _ended(whole: _Run) -> bool:
    """Whether it has ended; if it has not, a second has passed."""
    try:
        await asyncio.wait_for(whole.done.wait(), 1)
    except TimeoutError:
        return False
    return True


async def _main(load: Load) -> Told:
    if load.warm:
        await _play(load, load.warm, 0)
    before = sum(os.times()[:2])
    whole, seconds = await _play(load, load.seconds, load.count)
    spans = sorted(whole.spans)
    return Told(
        requests=len(spans) + whole.errors,
        errors=whole.errors,
        seconds=seconds,
        rate=whole.rate,
        p50=_at(spans, 0.5),
        p90=_at(spans, 0.9),
        p99=_at(spans, 0.99),
        worst=_at(spans, 1.0),
        bytes=whole.bytes,
        cpu=sum(os.times()[:2]) - before,
        wrong=whole.wrong,
    )


def _at(spans: Sequence[float], share: float) -> float:
    """Milliseconds within which such a share was answered; the spans are sorted."""
    return spans[min(int(len(spans) * share), len(spans) - 1)] * 1000 if spans else 0.0


def main() -> None:
    """Read what is to be asked from stdin, and print what came of it as JSON."""
    given = json.load(sys.stdin)
    known = {each.name for each in fields(Load)}
    load = Load(**{name: value for name, value in given.items() if name in known})
    print(json.dumps(asdict(uvloop.run(_main(load)))))


if __name__ == "__main__":
    main()
