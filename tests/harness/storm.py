"""A storm of events into receivers of which most are ill: what the healthy ones notice of it.

Run alone: `python -m tests.harness.storm --events 1000`. It prints its figures and exits 1 when one that has to hold does not: every
event arrives at every healthy receiver, the slowest hundredth within two seconds of its commit, and none is lost or altered.
Half of the receivers hang, a tenth answer 500, one in twenty says it is gone; in the middle every secret is rotated.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import standardwebhooks
from aiohttp import web

from gateway.clock import SystemClock
from gateway.egress import Policy
from gateway.generation import Kind
from gateway.ledger import accounts, checks, endpoints, generations
from gateway.ledger.credits import add
from gateway.ledger.database import Database
from gateway.ledger.endpoints import Endpoint, Source
from gateway.ledger.events import EventType
from gateway.webhooks import post
from gateway.webhooks.event import Words
from gateway.webhooks.outbox import Outbox
from gateway.webhooks.schedule import Rules
from gateway.webhooks.sign import OVERLAP, Secrets
from tests.gateway.webhooks.receiver import Receiver, hang, receiving

_ACCOUNTS = 20
_PER_ACCOUNT = 5  # endpoints: a hundred receivers in all
_HEALTHY_P99 = 2.0  # seconds
_PATIENCE = 60.0  # seconds in which everything has to have arrived at healthy receivers
_WAITS = (0, 1_000, 4_000, 16_000, 60_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000)


@dataclass
class Figures:
    """What is counted. The second block has to be zero."""

    events: int = 0
    receivers: int = 0
    healthy: int = 0
    owed_to_healthy: int = 0
    attempts: int = 0
    seconds: float = 0.0
    p50_seconds: float = 0.0
    p99_seconds: float = 0.0
    worst_seconds: float = 0.0
    most_at_once: int = 0
    memory_mib: float = 0.0
    missing: int = 0
    unverified: int = 0
    repeated: int = 0
    findings: int = 0
    slow: int = 0

    def bad(self) -> int:
        """How many of the figures that have to be zero are not."""
        return sum(map(bool, (self.missing, self.unverified, self.repeated, self.findings, self.slow)))

    def line(self) -> str:
        """One line, as it goes into the results."""
        return " ".join(f"{name}={value:.3f}" if isinstance(value, float) else f"{name}={value}" for name, value in vars(self).items())  # fmt: skip


@dataclass
class Storm:
    """What the run is made of."""

    store: Database
    outbox: Outbox
    secrets: Secrets
    receiver: Receiver
    dice: Random
    figures: Figures = field(default_factory=Figures)
    committed: dict[str, float] = field(default_factory=dict)  # by generation, on the clock that never steps back
    taken: list[float] = field(default_factory=list)
    arrived: Counter[tuple[str, str]] = field(default_factory=Counter)  # by path and generation

    async def people(self) -> None:
        """Open the accounts and their endpoints, and make most of these ill."""
        kinds = ["hang"] * 50 + ["error"] * 10 + ["gone"] * 5 + ["well"] * 35
        self.dice.shuffle(kinds)
        for n, kind in enumerate(kinds):
            account = f"account-{n % _ACCOUNTS}"
            await self.store.write(accounts.ensure(account, "", 1))
            await self.store.write(add(account, 10**9, "opening", "", 1))
            path = f"/{kind}/{n}"
            self.receiver.does[path] = {"hang": hang, "error": 500, "gone": 410, "well": self.take}[kind]
            hears = (EventType.FAILED,)
            new = Endpoint(f"we_{n}", account, Source.API, self.receiver.origin + path, hears, _now())
            await self.store.write(endpoints.create(new))
            self.figures.healthy += kind == "well"
        self.figures.receivers = len(kinds)

    async def take(self, request: web.Request) -> int:
        """Be a healthy receiver: verify, and note how long it took from the commit."""
        body = await request.read()
        generation = json.loads(body)["webhook_data"]["generation_id"]
        self.taken.append(time.monotonic() - self.committed.get(generation, time.monotonic()))
        self.arrived[request.path, generation] += 1
        endpoint = f"we_{request.path.rpartition('/')[2]}"
        try:
            # Who still has the first secret has to be able to verify after the rotation too.
            standardwebhooks.Webhook(self.secrets.derived(endpoint, 1)).verify(body, dict(request.headers))
        except standardwebhooks.WebhookVerificationError:
            self.figures.unverified += 1
        return 204

    async def happen(self, number: int, after: float) -> None:
        """Let one generation fail, some seconds from now, which everybody who listens in its account is told."""
        await asyncio.sleep(after)
        name, now = f"gen-{number}", _now()
        account = f"account-{number % _ACCOUNTS}"
        new = generations.NewGeneration(name, account, Kind.IMAGE, "lab/m", {}, {}, (), 1, now, now + 10**9)
        await self.store.write(generations.accept(new))
        await self.store.write(generations.fail(name, {"name": "x"}, _now()))
        self.committed[name] = time.monotonic()

    async def rotate(self) -> None:
        """Give every endpoint a new secret."""
        for each in await self.store.report(endpoints.list_()):
            await self.store.write(endpoints.rotate(each.id, _now() + OVERLAP, _now()))


def _now() -> int:
    return SystemClock().now_ms()


async def run(events: int, rate: float, seed: int, folder: Path) -> Figures:
    """Run the whole thing and give its figures."""
    policy, secrets = Policy.parse(["127.0.0.0/8"]), Secrets(b"a key of the storm")
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving())
        store = await Database.open(folder / "storm.db", now=_now)
        stack.push_async_callback(store.close)
        send = await stack.enter_async_context(post.opened(policy))
        words = Words(lambda generation, _: f"https://media.test/{generation}", lambda _: ("nobody could", "BSE4006"))
        rules = Rules(_WAITS, timeout=15_000, disable_after=15, keep_queued=72 * 3_600_000)
        outbox = Outbox(store, send, words, secrets, rules=rules, clock=SystemClock(), random=Random(seed))
        storm = Storm(store, outbox, secrets, receiver, Random(seed))
        store.observe = lambda *_: outbox.wake()
        await storm.people()
        outbox.start()
        stack.push_async_callback(outbox.stop)
        began, before = time.monotonic(), _memory()
        happening = [asyncio.create_task(storm.happen(n, n / rate)) for n in range(events)]
        await happening[events // 2]
        await storm.rotate()
        await asyncio.gather(*happening)
        wanted = _wanted(storm, events)
        for _ in range(int(_PATIENCE * 20)):
            if len(storm.arrived) >= len(wanted):
                break
            await asyncio.sleep(0.05)
        await _count(storm, events, wanted, time.monotonic() - began, before)
        return storm.figures


def _wanted(storm: Storm, events: int) -> set[tuple[str, str]]:
    """Which healthy receiver has to have which event."""
    well = [path for path in storm.receiver.does if path.startswith("/well/")]
    of = {path: int(path.rpartition("/")[2]) % _ACCOUNTS for path in well}
    return {(path, f"gen-{n}") for path in well for n in range(events) if n % _ACCOUNTS == of[path]}


async def _count(storm: Storm, events: int, wanted: set[tuple[str, str]], seconds: float, before: float) -> None:
    figures, taken = storm.figures, sorted(storm.taken)
    figures.events, figures.owed_to_healthy, figures.seconds = events, len(wanted), seconds
    figures.attempts, figures.most_at_once = len(storm.receiver.got), storm.receiver.most_at_once
    figures.p50_seconds, figures.p99_seconds = _part(taken, 0.5), _part(taken, 0.99)
    figures.worst_seconds = taken[-1] if taken else 0.0
    figures.memory_mib = _memory() - before
    figures.missing = len(wanted - set(storm.arrived))
    figures.repeated = sum(times - 1 for times in storm.arrived.values())
    figures.slow = int(figures.p99_seconds >= _HEALTHY_P99)
    found = await storm.store.report(checks.run_checks(_now(), 10**12))
    figures.findings = len(found)


def _part(taken: Sequence[float], share: float) -> float:
    return taken[min(len(taken) - 1, int(len(taken) * share))] if taken else 0.0


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description="events into receivers of which most are ill")
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100, help="events a second; each is told to five endpoints")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidegate-storm-") as folder:
        figures = asyncio.run(run(asked.events, asked.rate, asked.seed, Path(folder)))
    print(figures.line(), flush=True)
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
