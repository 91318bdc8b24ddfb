"""Nothing lost by two processes over one PostgreSQL: either is killed or frozen, the server is killed, connections are cut.

Run alone: `python -m tests.harness.replicas --minutes 10`, and with `--bucket` for outputs in a bucket that both share. It prints its figures and exits 1 when one that has to be zero is not,
or when somebody's work lay about for longer than a lease. Far ends and server are processes of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from gateway.ledger import accounts, credits
from gateway.ledger.database import Database
from tests import postgres
from tests.bucket import Service, service
from tests.harness.application import Client
from tests.harness.bucket import PLACE, gather
from tests.harness.judge import Figures, judge
from tests.harness.kills import CHAOS
from tests.harness.process import OPENING, Gateway, far_ends, free_port, now_ms, policy

LEASE = 30.0  # seconds within which whatever a dead process had is under way again
_FREEZE = 60.0
_SECRET = "0123456789abcdef0123456789abcdef"
_LIVE = "state NOT IN ('succeeded', 'failed', 'canceled')"


@dataclass
class Ours(Figures):
    """What is counted beside what every kill leaves."""

    server_kills: int = 0
    cut: int = 0
    frozen: int = 0
    taken_over: int = 0
    slowest: float = 0.0  # seconds from a kill until nothing of the dead process was left


@dataclass
class Scene:
    """Everything that runs."""

    folder: Path
    server: postgres.Server
    gateways: list[Gateway]
    figures: Ours
    dice: random.Random
    epochs: dict[int, int] = field(default_factory=dict)  # of each gateway, by its place
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one gateway at a time is hurt: the other goes on

    @property
    def place(self) -> str:
        """Where the store is."""
        return self.server.address("tidegate")

    def asked(self, sql: str) -> Any:
        """What the store says, asked past all; None while it cannot be asked."""
        try:
            with postgres.connected(self.place) as connection:
                return connection.execute(sql).fetchone()
        except psycopg.Error:
            return None

    async def start(self, which: int) -> None:
        """Start a gateway, again and again while the server is away, and learn its epoch."""
        gateway = self.gateways[which]
        while True:
            await gateway.launch()
            try:
                if await gateway.ready(60):
                    break
            except RuntimeError:
                await gateway.kill()
            await asyncio.sleep(0.5)
        row = None
        while row is None:
            row = await asyncio.to_thread(self.asked, "SELECT max(seq) AS epoch FROM replica")
            await asyncio.sleep(0.1)
        self.epochs[which] = row["epoch"]


async def run(seconds: float, rate: float, seed: int, folder: Path, own: Service | None = None) -> Ours:
    """Hurt them for so many seconds, at so many requests a second, and give the figures. Outputs go to `own`, or to a folder."""
    figures, dice, began = Ours(), random.Random(seed), time.monotonic()
    server = postgres.Server(folder / "server")
    server.start()
    try:
        await _fund(server)
        async with far_ends(CHAOS, seed) as (far, bases, secrets):
            scene = Scene(folder, server, _gateways(folder, server, bases, secrets, own), figures, dice)
            for which in (0, 1):
                await scene.start(which)
            client = Client(scene.gateways[0].origin, figures, dice)
            ends = time.monotonic() + seconds
            await asyncio.gather(
                _ask(scene, client, rate, ends),
                _supervise(scene, ends),
                *(_now_and_then(scene, ends, low, high, hurt) for low, high, hurt in _HURTS),
            )
            await _quiet(scene, client, far)
            async with aiohttp.ClientSession() as session, session.get(far + "/_simulators/jobs") as answer:
                jobs = await answer.json()
            for gateway in scene.gateways:
                if (code := await gateway.stop()) != 0:
                    figures.notes.append(f"the last stop ended with {code}")
        if own is not None:
            await gather(own, folder, scene.place)
        await judge(folder, client.known, jobs, figures, scene.place)
    finally:
        server.kill()
    figures.seconds = time.monotonic() - began
    return figures


def _gateways(
    folder: Path, server: postgres.Server, bases: Mapping[str, str], secrets: Mapping[str, str], bucket: Service | None
) -> list[Gateway]:
    made = []
    beside = bucket.environ if bucket is not None else {}
    for name in ("a", "b"):
        port, own = free_port(), folder / name
        own.mkdir()
        text = policy(folder, bases, port, f"secret: {_SECRET}\n")
        text = text.replace("store: sqlite:gateway.db", f"store: {server.address('tidegate')}")
        if bucket is not None:
            text = text.replace(f"'file://{folder}/outputs'", f"'{PLACE}'")
        environ = {**secrets, **beside, "XDG_STATE_HOME": str(own), "HOME": str(own), "TMPDIR": str(own)}
        made.append(Gateway(own, text, environ, port))
    return made


async def _fund(server: postgres.Server) -> None:
    with postgres.connected(server.address()) as connection:
        connection.execute("CREATE DATABASE tidegate")
    store = await Database.open(server.address("tidegate"), now=now_ms)
    await store.write(accounts.ensure("local", "local", now_ms()))
    await store.write(credits.add("local", OPENING, "opening", "", now_ms()))
    await store.close()


async def _ask(scene: Scene, client: Client, rate: float, ends: float) -> None:
    """Ask whichever comes first; what got no answer is asked again, and anywhere."""
    asking: set[asyncio.Task[None]] = set()
    number = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as session:
        while time.monotonic() < ends:
            client.origin = scene.dice.choice(scene.gateways).origin
            asking.add(asyncio.create_task(client.wish(session, number)))
            number += 1
            if client.unanswered and scene.dice.random() < 0.5:
                key, (path, body) = scene.dice.choice(list(client.unanswered.items()))
                asking.add(asyncio.create_task(client.ask(session, key, path, body)))
            await asyncio.sleep(scene.dice.expovariate(rate))
            asking = {task for task in asking if not task.done()}
        await asyncio.gather(*asking)


async def _supervise(scene: Scene, ends: float) -> None:
    """Start again what ended by itself, as a platform would."""
    while time.monotonic() < ends:
        for which, gateway in enumerate(scene.gateways):
            if gateway.code is not None and not scene.turn.locked():
                async with scene.turn:
                    await scene.start(which)
        await asyncio.sleep(0.5)


async def _now_and_then(
    scene: Scene, ends: float, low: float, high: float, hurt: Callable[[Scene], Awaitable[None]]
) -> None:
    while True:
        await asyncio.sleep(scene.dice.uniform(low, high))
        if time.monotonic() >= ends:
            return
        await hurt(scene)


async def _kill_gateway(scene: Scene) -> None:
    """Kill one, and leave it dead until the other has taken over all it had; or start it again at once."""
    async with scene.turn:
        which = scene.dice.randrange(2)
        if scene.gateways[which].code is not None:
            return
        await scene.gateways[which].kill()
        scene.figures.kills += 1
        if scene.dice.random() < 0.7:
            await _taken_over(scene, scene.epochs[which])
        await scene.start(which)


async def _taken_over(scene: Scene, epoch: int) -> None:
    """Wait until nothing of an epoch is left, and note how long that took. What the server was away for does not count."""
    began, away = time.monotonic(), 0.0
    while time.monotonic() - began < 4 * LEASE:
        asked = time.monotonic()
        row = await asyncio.to_thread(
            scene.asked, f"SELECT count(*) AS n FROM generation WHERE owner = {epoch} AND {_LIVE}"
        )
        await asyncio.sleep(0.2)
        if row is None:
            away += time.monotonic() - asked
        elif row["n"] == 0:
            break
    scene.figures.taken_over += 1
    scene.figures.slowest = max(scene.figures.slowest, time.monotonic() - began - away)


async def _freeze(scene: Scene) -> None:
    """Stop one for a minute: it wakes to find that others have what it had, and ends."""
    async with scene.turn:
        which = scene.dice.randrange(2)
        gateway = scene.gateways[which]
        if gateway.code is not None:
            return
        os.kill(gateway.pid, signal.SIGSTOP)
        scene.figures.frozen += 1
        await asyncio.sleep(_FREEZE)
        os.kill(gateway.pid, signal.SIGCONT)
        if await gateway.ended(20) is None:
            scene.figures.notes.append("a process that slept through its lease went on")
            scene.figures.stuck += 1
        else:
            await scene.start(which)


async def _kill_server(scene: Scene) -> None:
    await asyncio.to_thread(scene.server.kill)
    scene.figures.server_kills += 1
    await asyncio.sleep(scene.dice.uniform(0, 3))
    await asyncio.to_thread(scene.server.start)


async def _cut(scene: Scene) -> None:
    """Cut the connections that write, in whatever they do."""
    sql = (
        "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity WHERE application_name = 'tidegate writer'"
    )
    row = await asyncio.to_thread(scene.asked, sql)
    scene.figures.cut += row["n"] if row is not None else 0


# The least and the most seconds between two of a kind.
_HURTS = (
    (10.0, 40.0, _kill_gateway),
    (5.0, 40.0, _kill_server),
    (1.0, 6.0, _cut),
    (70.0, 150.0, _freeze),
)


async def _quiet(scene: Scene, client: Client, far: str) -> None:
    """Let all that was begun come to its end."""
    for which, gateway in enumerate(scene.gateways):
        if gateway.code is not None:
            await scene.start(which)
    async with aiohttp.ClientSession() as session:
        async with session.put(far + "/_simulators/chaos", json=[]):
            pass
        for _ in range(20):
            for key, (path, body) in list(client.unanswered.items()):
                client.origin = scene.dice.choice(scene.gateways).origin
                await client.ask(session, key, path, body)
            if not client.unanswered:
                break
            await asyncio.sleep(0.5)
    if client.unanswered:
        scene.figures.lost += len(client.unanswered)
        scene.figures.notes.append(f"never answered: {list(client.unanswered)[:5]}")
    for _ in range(300):
        row = await asyncio.to_thread(scene.asked, f"SELECT count(*) AS n FROM generation WHERE {_LIVE}")
        if row is not None and row["n"] == 0:
            return
        await asyncio.sleep(0.5)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--rate", type=float, default=8, help="requests a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the store and the logs here")
    parser.add_argument("--bucket", action="store_true", help="keep outputs in a bucket")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # the server is another user
        with service(folder / "s3") if options.bucket else nullcontext() as own:
            figures = asyncio.run(run(options.minutes * 60, options.rate, options.seed, folder, own))
    print(f"replicas {figures.line()} seed={options.seed}")
    for note in figures.notes[:20]:
        print("note:", note)
    return 1 if figures.bad() or figures.slowest > LEASE else 0


if __name__ == "__main__":
    sys.exit(main())
