"""Nothing lost: the gateway is killed at random moments while generations run and providers misbehave.

Run alone: `python -m tests.harness.kills --kills 1000 --generations 50000`. It prints its figures and exits 1 when one that has to
be zero is not. The far ends live in a process of their own, so their list of jobs is the proof of what the gateway really sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.harness.application import Client, settle
from tests.harness.judge import Figures, judge
from tests.harness.process import Gateway, far_ends, free_port, fund, policy

# What goes wrong at the far ends while the gateway is being killed; every kind the gateway has to survive.
CHAOS: Sequence[Mapping[str, Any]] = (
    {"call": "submit", "chance": 0.06, "do": "status", "status": 503},
    {"call": "submit", "chance": 0.04, "do": "status", "status": 429},
    {"call": "submit", "chance": 0.03, "do": "status", "status": 500},
    {"call": "submit", "chance": 0.03, "do": "drop_before"},
    {"call": "submit", "chance": 0.03, "do": "drop_after"},
    {"call": "submit", "chance": 0.02, "do": "html"},
    {"call": "submit", "chance": 0.03, "do": "fail"},
    {"call": "submit", "chance": 0.02, "do": "refuse_content"},
    {"call": "submit", "chance": 0.02, "do": "no_output"},
    {"call": "submit", "chance": 0.05, "do": "late", "seconds": 3},
    {"call": "status", "chance": 0.05, "do": "status", "status": 502},
    {"call": "status", "chance": 0.03, "do": "html"},
    {"call": "output", "chance": 0.05, "do": "output_404"},
    {"call": "output", "chance": 0.03, "do": "output_truncated"},
)


_LIFE = (0.02, 2.4)  # seconds between being ready and being killed
_AT_ONCE = 50  # requests that are repeated together


async def run(kills: int, generations: int, seed: int, folder: Path) -> Figures:
    """Run the whole thing, at least so many of both, and give its figures."""
    figures, dice, began = Figures(), random.Random(seed), time.monotonic()
    async with far_ends(CHAOS, seed) as (far, bases, secrets):
        port = free_port()
        gateway = Gateway(folder, policy(folder, bases, port), secrets, port)
        await fund(folder)
        await gateway.start()
        client = Client(gateway.origin, figures, dice)
        asked = 0
        while figures.kills < kills or len(client.known) < generations:
            seconds = dice.uniform(*_LIFE)
            # Lives are of unequal length, so the wishes go by it: each second sees as many.
            wishes = round(generations / kills * seconds * 2 / sum(_LIFE))
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_AT_ONCE)) as session:
                again = [client.ask(session, key, *wish) for key, wish in client.unanswered.items()]
                fresh = [_later(client, session, asked + n, dice.uniform(0, seconds)) for n in range(wishes)]
                asked += wishes
                asking = asyncio.gather(*again, *fresh)
                await asyncio.sleep(seconds)
                await gateway.kill()
                figures.kills += 1
                await asking
            if figures.kills % 50 == 0:
                print(f"{figures.kills} kills, {len(client.known)} generations", file=sys.stderr)
            await gateway.start()
        async with aiohttp.ClientSession() as session:
            async with session.put(far + "/_simulators/chaos", json=[]):
                pass
            for key, (path, body) in list(client.unanswered.items()):
                await client.ask(session, key, path, body)
            await settle(session, gateway.origin)
            async with session.get(far + "/_simulators/jobs") as answer:
                jobs = await answer.json()
        code = await gateway.stop()
        if code != 0:
            figures.notes.append(f"the last stop ended with {code}")
    await judge(folder, client.known, jobs, figures)
    figures.seconds = time.monotonic() - began
    return figures


async def _later(client: Client, session: aiohttp.ClientSession, number: int, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await client.wish(session, number)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--generations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the store and the log here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(run(options.kills, options.generations, options.seed, folder))
        print(f"kills {figures.line()} seed={options.seed}")
        for note in figures.notes[:20]:
            print("note:", note)
        if figures.bad():
            print(json.dumps({"folder": str(folder)}))
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
