"""One account floods, others ask as ever: what becomes of their answers, and of when their work begins.

Run alone: `python -m tests.harness.fairness --seconds 20 --connections 500`. Gateway, played vendors and flood are processes of their
own. With `--rate 0` nothing limits the account that floods but what the gateway does for the others by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from gateway.clock import parse_iso
from gateway.ledger import accounts, credits
from gateway.ledger.accounts import Allowance
from gateway.ledger.checks import run_checks
from gateway.ledger.database import Database
from tests.harness.process import OPENING, Gateway, far_ends, free_port, now_ms, policy

IMAGE = "/v1/generate/image/bytedance/seedream-4.5"
BODY = json.dumps({"generation_prompt": "a seal"}).encode()
FLOOD, OTHERS = "flood", ("calm", "quiet")


@dataclass
class Seen:
    """What the others met: seconds until answers, and until their work began, by what they did."""

    taken: dict[str, list[float]] = field(default_factory=lambda: {"create": [], "read": []})
    refused: int = 0
    begun: list[float] = field(default_factory=list)

    def p(self, what: str, percent: int) -> float:
        """A percentile in milliseconds."""
        return percentile(self.taken[what], percent) * 1000


@dataclass
class Figures:
    """What came of it, in milliseconds and as ratios of the others' answers under the flood and without it."""

    idle: Seen
    flooded: Seen
    answers: Counter[int] = field(default_factory=Counter)
    findings: int = 0

    def ratio(self, what: str, percent: int = 99) -> float:
        """How many times longer answers take under the flood."""
        return self.flooded.p(what, percent) / self.idle.p(what, percent)

    def lines(self) -> list[str]:
        """The figures as one reads them."""
        found = []
        for what in ("create", "read"):
            idle = [f"{self.idle.p(what, percent):.1f}" for percent in (50, 99)]
            flood = [f"{self.flooded.p(what, percent):.1f}" for percent in (50, 99)]
            found.append(
                f"{what} idle_p50={idle[0]}ms idle_p99={idle[1]}ms flood_p50={flood[0]}ms flood_p99={flood[1]}ms"
                f" ratio_p50={self.ratio(what, 50):.2f} ratio_p99={self.ratio(what):.2f} count={len(self.flooded.taken[what])}"
            )
        begun = [percentile(each.begun, 50) for each in (self.idle, self.flooded)]
        late = [percentile(each.begun, 99) for each in (self.idle, self.flooded)]
        found.append(
            f"begin idle_p50={begun[0]:.2f}s idle_p99={late[0]:.2f}s flood_p50={begun[1]:.2f}s flood_p99={late[1]:.2f}s"
            f" refused={self.flooded.refused} findings={self.findings}"
        )
        answers = " ".join(f"{status}={count}" for status, count in sorted(self.answers.items()))
        return [*found, f"flood answers {answers}"]


def percentile(taken: Sequence[float], percent: int) -> float:
    """The value below which so many of a hundred lie."""
    if len(taken) < 2:
        return taken[0] if taken else 0.0
    return statistics.quantiles(taken, n=100, method="inclusive")[percent - 1]


async def run(folder: Path, seconds: float, connections: int, rate: int, pace: str, more: str = "") -> Figures:
    """Measure without the flood, then under it."""
    async with _served(folder, rate, pace, more) as (origin, keys):
        idle = await _ask_all(origin, keys, seconds)
        flood = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.harness.fairness", "--flood", origin, keys[FLOOD], str(connections),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert flood.stdout is not None
        await flood.stdout.readline()  # the rush of the first requests is over
        flooded = await _ask_all(origin, keys, seconds)
        assert flood.stdin is not None
        flood.stdin.close()
        said = await flood.stdout.read()
        await flood.wait()
        figures = Figures(idle, flooded, Counter({int(status): n for status, n in json.loads(said).items()}))
    store = await Database.open(folder / "gateway.db", now=now_ms)
    figures.findings = len(await store.report(run_checks(now_ms(), 600_000)))
    await store.close()
    return figures


@asynccontextmanager
async def _served(folder: Path, rate: int, pace: str, more: str) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
    """A gateway with three accounts, one of them held to a rate; its origin and their keys."""
    port = free_port()
    async with far_ends((), 1, pace) as (_, bases, secrets):
        config = (
            policy(folder, bases, port, more)
            .replace("auth: none", "auth: keys")
            .replace("level: info", "level: warning")
        )
        gateway = Gateway(folder, config, secrets, port)
        store = await Database.open(folder / "gateway.db", now=now_ms)
        for account in (FLOOD, *OTHERS):
            await store.write(accounts.create(account, account, now_ms()))
            await store.write(credits.add(account, OPENING, "opening", "", now_ms()))
        if rate:
            await store.write(accounts.change(FLOOD, FLOOD, Allowance(requests=rate, generations=rate)))
        await store.close()
        keys = {account: await _key(folder, account, gateway.environ) for account in (FLOOD, *OTHERS)}
        await gateway.start()
        try:
            yield gateway.origin, keys
        finally:
            await gateway.kill()


async def _key(folder: Path, account: str, environ: Mapping[str, str]) -> str:
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "keys", "create", account, "--account", account, "-c", str(folder / "config.yaml"),
        env=dict(environ), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    said, _ = await made.communicate()
    return said.decode().strip()


async def _ask_all(origin: str, keys: Mapping[str, str], seconds: float) -> Seen:
    """Have the others ask at their pace for so long."""
    seen = Seen()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as client:
        made = [
            await _create(client, origin, keys[each], Seen()) for each in OTHERS
        ]  # a connection, and a key that is known
        tasks = [_ask(client, origin, keys[each], seconds, seen) for each in OTHERS]
        made = [one for some in await asyncio.gather(*tasks) for one in some]
        for key, one in made:
            await _begun(client, origin, key, one, seen)
    return seen


async def _ask(
    client: aiohttp.ClientSession, origin: str, key: str, seconds: float, seen: Seen
) -> list[tuple[str, str]]:
    """Begin something five times a second, and read five times as often; the key and id of what was begun."""
    made, ends, number = list[tuple[str, str]](), time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        due = time.monotonic() + 0.04
        number += 1
        if number % 5 == 0 or not made:
            one = await _create(client, origin, key, seen)
            made += [(key, one)] if one is not None else []
        else:
            await _read(client, origin, key, made[-1][1], seen)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    return made


async def _create(client: aiohttp.ClientSession, origin: str, key: str, seen: Seen) -> str | None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    before = time.perf_counter()
    async with client.post(origin + IMAGE, data=BODY, headers=headers) as answer:
        said = await answer.json()
    seen.taken["create"].append(time.perf_counter() - before)
    if answer.status != 200:
        seen.refused += 1
        return None
    return str(said["data"]["generation_id"])


async def _read(client: aiohttp.ClientSession, origin: str, key: str, generation: str, seen: Seen) -> Any:
    before = time.perf_counter()
    async with client.get(f"{origin}/v1/content/{generation}", headers={"Authorization": f"Bearer {key}"}) as answer:
        said = await answer.json()
    seen.taken["read"].append(time.perf_counter() - before)
    seen.refused += answer.status != 200
    return said.get("data")


async def _begun(client: aiohttp.ClientSession, origin: str, key: str, generation: str, seen: Seen) -> None:
    """Wait until a generation has begun, and take note how long that took by its record."""
    for _ in range(600):
        record = await _read(client, origin, key, generation, Seen())
        if record["generation_started_at"]:
            created, started = (_seconds(record[f"generation_{each}_at"]) for each in ("created", "started"))
            seen.begun.append(started - created)
            return
        await asyncio.sleep(0.2)
    seen.begun.append(120.0)


def _seconds(written: str) -> float:
    return parse_iso(written) / 1000


async def flood(origin: str, key: str, connections: int) -> Counter[int]:
    """Ask over so many connections at once, each time at once again, until told to stop; how often it was answered what."""
    host, port = origin.removeprefix("http://").rsplit(":", 1)
    head = f"Host: {host}\r\nAuthorization: Bearer {key}\r\n"
    create = f"POST {IMAGE} HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    requests = (create.encode() + BODY, f"GET /v1/content/list?limit=10 HTTP/1.1\r\n{head}\r\n".encode())
    answers, stop = Counter[int](), asyncio.Event()

    async def hammer(number: int) -> None:
        while not stop.is_set():
            try:
                reader, writer = await asyncio.open_connection(host, int(port))
                while True:
                    number += 1
                    writer.write(requests[number % 2])
                    said = await reader.readuntil(b"\r\n\r\n")
                    length = next(line for line in said.split(b"\r\n") if line.lower().startswith(b"content-length"))
                    await reader.readexactly(int(length.split(b":")[1]))
                    answers[int(said.split()[1])] += 1
            except (OSError, asyncio.IncompleteReadError):
                answers[0] += 1
                await asyncio.sleep(0.1)

    tasks = [asyncio.create_task(hammer(number)) for number in range(connections)]
    for _ in range(100):
        if answers.total() >= connections:
            break
        await asyncio.sleep(0.1)
    print("flooding", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    stop.set()
    for task in tasks:
        task.cancel()
    return answers


def main() -> None:
    """Run as the command line says, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--rate", type=int, default=600, help="requests and generations a minute; 0 for any number")
    parser.add_argument("--pace", default="image=0.5,video=1.5")
    parser.add_argument("--flood", nargs=3, metavar=("ORIGIN", "KEY", "CONNECTIONS"))
    asked = parser.parse_args()
    if asked.flood:
        origin, key, connections = asked.flood
        print(json.dumps(asyncio.run(flood(origin, key, int(connections)))))
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(run(Path(folder), asked.seconds, asked.connections, asked.rate, asked.pace))
    print(*figures.lines(), sep="\n")


if __name__ == "__main__":
    main()
