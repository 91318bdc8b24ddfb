"""How much two processes over one PostgreSQL do, beside one, and beside one over a file: side by side, in one run.

Run alone, on a machine that does nothing else: `python -m tests.harness.throughput --seconds 20 --rounds 3`. Clients create pictures
in a closed loop and read them until they are there; far ends, server, gateways and clients share the machine, so on a small one the
ratios say more about its cores than about the store. What the store would bear is told apart: how long a generation holds the
writers' turn, which all processes share, in milliseconds of one process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from gateway.ledger import accounts, credits
from gateway.ledger.database import Database
from tests import postgres
from tests.harness.process import OPENING, Gateway, far_ends, free_port, fund, now_ms, policy

_SECRET = "0123456789abcdef0123456789abcdef"
_SUM = re.compile(r"^tidegate_store_commit_seconds_sum (\S+)$", re.MULTILINE)


@dataclass
class Run:
    """What one way of doing it did: generations a second, and the ms each held the writers' turn."""

    rate: float
    turn: float


async def measure(folder: Path, seconds: float, rounds: int, clients: int) -> dict[str, list[Run]]:
    """Measure each way in turn, several times over."""
    found: dict[str, list[Run]] = {"file": [], "one": [], "two": []}
    with postgres.own() as server:
        for number in range(rounds):
            for way, runs in found.items():
                own = folder / f"{way}-{number}"
                own.mkdir()
                runs.append(await _one(own, way, server, seconds, clients))
                print(f"{way} {runs[-1].rate:.1f}/s {runs[-1].turn:.1f} ms", file=sys.stderr)
    return found


async def _one(folder: Path, way: str, server: postgres.Server, seconds: float, clients: int) -> Run:
    async with AsyncExitStack() as stack:
        _, bases, secrets = await stack.enter_async_context(far_ends([], 1, "image=0.05,video=1"))
        gateways = []
        for number in range(2 if way == "two" else 1):
            own = folder / f"g{number}"
            own.mkdir()
            port = free_port()
            text = policy(folder, bases, port, f"secret: {_SECRET}\n").replace("level: info", "level: warning")
            if way != "file":
                text = text.replace("store: sqlite:gateway.db", f"store: {server.address(folder.name)}")
            environ = {**secrets, "XDG_STATE_HOME": str(own), "HOME": str(own)}
            gateways.append(Gateway(own, text, environ, port))
        if way == "file":
            await fund(folder / "g0")
        else:
            await _fund(server, folder.name)
        for gateway in gateways:
            await gateway.start()
            stack.push_async_callback(gateway.stop)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        before = await _held(session, gateways)
        ends = time.monotonic() + seconds
        origins = [gateway.origin for gateway in gateways]
        done = await asyncio.gather(*(_client(session, origins, n, ends) for n in range(clients)))
        total = sum(done)
        held = await _held(session, gateways) - before
        return Run(total / seconds, held * 1000 / max(1, total))


async def _client(session: aiohttp.ClientSession, origins: Sequence[str], number: int, ends: float) -> int:
    done = 0
    origin = origins[number % len(origins)]
    body = {"generation_prompt": f"seal {number}", "generation_ratio": "16:9"}
    while time.monotonic() < ends:
        url = f"{origin}/v1/generate/image/bytedance/seedream-4.5"
        async with session.post(url, json=body, headers={"Prefer": "wait=30"}) as answer:
            await answer.read()
            done += answer.status == 200
    return done


async def _held(session: aiohttp.ClientSession, gateways: Sequence[Gateway]) -> float:
    total = 0.0
    for gateway in gateways:
        async with session.get(gateway.origin + "/metrics") as answer:
            found = _SUM.search(await answer.text())
            total += float(found[1]) if found else 0.0
    return total


async def _fund(server: postgres.Server, name: str) -> None:
    with postgres.connected(server.address()) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    store = await Database.open(server.address(name), now=now_ms)
    await store.write(accounts.ensure("local", "local", now_ms()))
    await store.write(credits.add("local", OPENING, "opening", "", now_ms()))
    await store.close()


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=48)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = asyncio.run(measure(Path(scratch), options.seconds, options.rounds, options.clients))
    rate = {way: statistics.median(run.rate for run in runs) for way, runs in found.items()}
    turn = {way: statistics.median(run.turn for run in runs) for way, runs in found.items()}
    print(
        f"throughput file={rate['file']:.1f}/s one={rate['one']:.1f}/s two={rate['two']:.1f}/s"
        f" one:file={rate['one'] / rate['file']:.2f} two:one={rate['two'] / rate['one']:.2f}"
        f" turn_file={turn['file']:.1f}ms turn_one={turn['one']:.1f}ms clients={options.clients}"
        f" seconds={options.seconds:g} rounds={options.rounds}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
