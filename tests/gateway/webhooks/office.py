"""An outbox on a real store, a clock that stands still, and receivers that are functions."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from gateway.generation import Kind
from gateway.ledger import accounts, checks, deliveries, endpoints, generations
from gateway.ledger.credits import add
from gateway.ledger.database import Database
from gateway.ledger.deliveries import Delivery
from gateway.ledger.endpoints import Endpoint, Source
from gateway.ledger.events import EventType
from gateway.webhooks.event import Words
from gateway.webhooks.outbox import Outbox
from gateway.webhooks.schedule import Answered, Outcome, Rules
from gateway.webhooks.sign import Secrets
from tests.clock import VirtualClock

WAITS = (0, 1_000, 4_000, 16_000, 60_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000)
RULES = Rules(WAITS, timeout=15_000, disable_after=15, keep_queued=72 * 3_600_000)
DAY = 86_400.0
OK = Answered(204)

Answer = Outcome | Callable[[], Awaitable[Outcome]]


@dataclass(frozen=True)
class Sent:
    """One attempt as a receiver sees it; `at` in virtual seconds since the start."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    at: float

    @property
    def id(self) -> str:
        """The delivery's id."""
        return self.headers["webhook-id"]

    @property
    def data(self) -> Any:
        """What it tells."""
        return json.loads(self.body)["webhook_data"]


@dataclass
class Office:
    """The outbox and what a test needs around it. `answers` is how a receiver answers, by URL; others take everything."""

    store: Database
    clock: VirtualClock
    secrets: Secrets
    outbox: Outbox = field(init=False)
    sent: list[Sent] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)
    words: Words = field(default_factory=lambda: Words(lambda generation, _: f"https://m.test/{generation}", lambda _: ("no", "BSE1")))  # fmt: skip
    hung: int = 0
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: Any = field(default_factory=lambda: count(1))

    def open(self) -> None:
        """Begin, or begin again as another process would."""
        self.outbox = Outbox(
            self.store, self.send, self.words, self.secrets, rules=RULES, clock=self.clock, random=Random(1)
        )
        self.store.observe = lambda *_: self.outbox.wake()
        self.outbox.start()

    async def send(self, url: str, body: bytes, headers: Mapping[str, str], _seconds: float) -> Outcome:
        """Take an attempt to its receiver."""
        self.sent.append(Sent(url, body, headers, self.clock.monotonic()))
        for key in (url, "all"):
            self.at_once[key] += 1
            self.most_at_once[key] = max(self.most_at_once[key], self.at_once[key])
        try:
            answer = self.answers.get(url, OK)
            return answer if isinstance(answer, Outcome) else await answer()
        finally:
            for key in (url, "all"):
                self.at_once[key] -= 1

    async def hang(self) -> Outcome:
        """Be a receiver that does not answer before the office closes."""
        self.hung += 1
        try:
            await self.closing.wait()
        finally:
            self.hung -= 1
        return OK

    async def listen(self, name: str, *, account: str = "acme", hears: Any = (EventType.FAILED,)) -> str:
        """Make an endpoint, and give its URL."""
        url = f"https://{name}.test/"
        new = Endpoint(f"we_{name}", account, Source.API, url, tuple(hears), self.clock.now_ms())
        await self.store.write(endpoints.create(new))
        return url

    async def fail(self, account: str = "acme") -> str:
        """Let a generation fail: the event used here."""
        name, now = f"g{next(self.numbers)}", self.clock.now_ms()
        new = generations.NewGeneration(name, account, Kind.IMAGE, "lab/m", {}, {}, (), 1, now, now + 10**12)
        await self.store.write(generations.accept(new))
        assert await self.store.write(generations.fail(name, {"name": "x"}, now))
        return name

    async def settle(self) -> None:
        """Wait until the outbox rests: nothing under way but what hangs, and its look done."""
        calm = 0
        async with asyncio.timeout(20):
            while calm < 3:
                await asyncio.sleep(0.001)
                calm = calm + 1 if self.clock.sleeping and self.outbox.busy == self.hung else 0

    async def go(self, seconds: float, step: float | None = None) -> None:
        """Let time pass in steps, and let what is due be done at each."""
        end, step = self.clock.monotonic() + seconds, step or seconds
        await self.settle()
        while (left := end - self.clock.monotonic()) > 1e-9:
            await self.clock.advance(min(step, left))
            await self.settle()

    async def log(self, name: str) -> list[Delivery]:
        """The deliveries to an endpoint, oldest first."""
        return (await self.store.report(deliveries.page(f"we_{name}", 100)))[::-1]

    async def endpoint(self, name: str) -> Endpoint:
        """An endpoint as it is now."""
        found = await self.store.report(endpoints.find(f"we_{name}"))
        assert found is not None
        return found


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    """Open one; at the end the ledger's checks find nothing."""
    clock = VirtualClock()
    store = await Database.open(folder / "store.db", now=clock.now_ms)
    made = Office(store, clock, Secrets(b"a key of the tests"))
    for account in ("acme", "brass"):
        await store.write(accounts.ensure(account, "", 1))
        await store.write(add(account, 10**9, "first", "", 1))
    made.open()
    try:
        yield made
        assert await store.report(checks.run_checks(clock.now_ms(), 10**9)) == []
    finally:
        made.closing.set()
        await made.outbox.stop()
        await store.close()
