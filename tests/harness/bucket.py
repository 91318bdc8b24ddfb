"""Nothing lost while outputs go to a bucket on its bad days: killed, standing still, slow, full of errors, and refusing the key.

Run alone: `python -m tests.harness.bucket --days 5`. A real service that speaks S3, the gateway and the far ends, each in a process of
its own; between gateway and service lies a wire that can be spoilt. Each day has one trouble, and the gateway itself may be killed in
it. Afterwards every artifact is fetched from the bucket and held against its hash. It prints one line of figures and exits 1 when one
that has to be zero is not. `--memory` measures instead what one large output costs.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import aiohttp
import obstore

from gateway.artifacts.access import Place
from gateway.artifacts.bucket import Bucket
from tests.bucket import Service, service
from tests.harness.application import Client, settle
from tests.harness.judge import Figures, judge, opened
from tests.harness.process import Gateway, far_ends, free_port, fund, policy

PLACE = Place("outputs", "tidegate/harness")
_PIECE = 65_536
_SLOW_S = 2.0  # before each answer
_LARGE = 200  # MiB
_MOST_MIB = 16  # what such an output may cost in memory
_REFUSED: Mapping[str, bytes] = MappingProxyType(
    {
        "errors": b"500 Internal Server Error",
        "full": b"507 Insufficient Storage",
        "refusing": b"403 Forbidden",
    }
)
_CODES = MappingProxyType({"errors": "InternalError", "full": "XMinioStorageFull", "refusing": "SignatureDoesNotMatch"})


@dataclass
class Wire:
    """What lies between the gateway and the service: clear, slow, or answering in the service's place."""

    endpoint: str
    weather: str = "clear"
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    def turn(self, weather: str) -> None:
        """Change the weather; what is open is dropped, so that it counts for everybody."""
        self.weather = weather
        for task in list(self._open):
            task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if self.weather in _REFUSED:
                await self._refuse(reader, writer)
            else:
                await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await reader.readexactly(int(length[0].partition(b":")[2]) if length else 0)
        body = f"<Error><Code>{_CODES[self.weather]}</Code><Message>so it is</Message></Error>".encode()
        status = _REFUSED[self.weather]
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body))
        await writer.drain()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = urlsplit(self.endpoint)
        upstream, outward = await asyncio.open_connection(there.hostname, there.port)
        back = asyncio.ensure_future(self._copy(upstream, writer, _SLOW_S if self.weather == "slow" else 0.0))
        try:
            await self._copy(reader, outward, 0.0)
        finally:
            back.cancel()
            outward.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: float) -> None:
        while piece := await reader.read(_PIECE):
            await asyncio.sleep(rest)
            writer.write(piece)
            await writer.drain()


@asynccontextmanager
async def wired(own: Service) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the service, and the endpoint at its other end."""
    wire = Wire(own.endpoint)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    try:
        yield wire, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        wire.turn("clear")


@dataclass
class Run:
    """What a run is made of."""

    own: Service
    wire: Wire
    gateway: Gateway
    bad: float  # seconds that each trouble lasts

    async def killed(self) -> None:
        """The service dies, and is started again."""
        self.own.kill()
        await asyncio.sleep(self.bad)
        self.own.start()
        await asyncio.to_thread(self.own.await_ready)

    async def still(self) -> None:
        """The service takes connections and says nothing."""
        self.own.pause()
        await asyncio.sleep(self.bad)
        self.own.resume()

    async def spoilt(self, weather: str) -> None:
        """The wire is as it is told."""
        self.wire.turn(weather)
        await asyncio.sleep(self.bad)
        self.wire.turn("clear")

    def troubles(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Each kind of trouble by its name."""
        weathers = ("slow", "errors", "refusing", "full")
        spoilt = {name: lambda name=name: self.spoilt(name) for name in weathers}
        return {"killed": self.killed, "still": self.still, **spoilt}


async def run(
    own: Service, days: int, bad: float, seed: int, folder: Path, *, kills: bool, wishes: int = 20
) -> Figures:
    """Run so many days, each with one trouble and so many wishes, and give the figures."""
    figures, dice, began = Figures(), random.Random(seed), time.monotonic()
    async with far_ends([], seed) as (far, bases, secrets), wired(own) as (wire, endpoint):
        port = free_port()
        environ = {**secrets, **own.environ, "AWS_ENDPOINT_URL": endpoint, "TMPDIR": str(folder)}
        gateway = Gateway(folder, _policy(folder, bases, port), environ, port)
        await fund(folder)
        await gateway.start()
        client = Client(gateway.origin, figures, dice)
        days_of = list(Run(own, wire, gateway, bad).troubles().items())
        async with aiohttp.ClientSession() as session:
            for day in range(days):
                name, trouble = days_of[day % len(days_of)]
                print(f"day {day + 1}: {name}, {len(client.known)} generations", file=sys.stderr)
                asking = [_later(client, session, day * wishes + n, dice.uniform(0, bad)) for n in range(wishes)]
                happening = asyncio.gather(trouble(), *asking)
                if kills:
                    await asyncio.sleep(dice.uniform(0.3, 0.9) * bad)
                    await gateway.kill()
                    figures.kills += 1
                    await gateway.start()
                await happening
                for key, (path, body) in list(client.unanswered.items()):
                    await client.ask(session, key, path, body)
            await settle(session, gateway.origin, 240)
            async with session.get(far + "/_simulators/jobs") as answer:
                jobs = await answer.json()
        code = await gateway.stop()
        if code != 0:
            figures.notes.append(f"the last stop ended with {code}")
    await gather(own, folder)
    await judge(folder, client.known, jobs, figures)
    # No provider failed, so every failure and every second job was the store's doing.
    figures.lost += figures.failed
    if not kills:
        figures.unknown_jobs += len(jobs) - figures.generations
    figures.seconds = time.monotonic() - began
    return figures


def _policy(folder: Path, bases: Mapping[str, str], port: int) -> str:
    text = policy(folder, bases, port)
    text = text.replace(f"'file://{folder}/outputs'", f"'{PLACE}'")
    return text.replace("image_deadline: 60s, video_deadline: 90s", "image_deadline: 300s, video_deadline: 300s")


async def _later(client: Client, session: aiohttp.ClientSession, number: int, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await client.wish(session, number)


async def gather(own: Service, folder: Path, place: str | None = None) -> None:
    """Put what the bucket holds to where the judge looks, under the URIs that the store has: a file, or a database at `place`."""
    bucket = Bucket(PLACE, own.access, folder / "spool")
    with opened(folder, place) as base:
        uris = [row["uri"] for row in base.execute("SELECT uri FROM artifact").fetchall()]
    for uri in uris:
        path = folder / "outputs" / uri
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(await (await obstore.get_async(bucket._store, uri.removeprefix("s3:"))).bytes_async()))
    await bucket.close()


async def memory(own: Service, folder: Path) -> bool:
    """Store and read one large output in this process; say what it costs, and whether that is little enough."""
    bucket = Bucket(replace(PLACE, prefix="memory"), own.access, folder / "spool")
    await bucket.start()

    async def film(mib: int) -> AsyncIterator[bytes]:
        yield b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41" + bytes(1024 * 1024 - 24)
        for _ in range(mib - 1):
            yield bytes(1024 * 1024)

    await bucket.write("warm", 0, film(12), kind="video", limit=1 << 31)
    before, began = _resident(), time.monotonic()
    kept = await bucket.write("large", 0, film(_LARGE), kind="video", limit=1 << 31)
    written, size = time.monotonic(), 0
    stored = await bucket.open(kept.uri)
    async for piece in stored.read(0, stored.size):
        size += len(piece)
    read = time.monotonic()
    grown = _resident() - before
    await bucket.close()
    print(
        f"bucket memory mib={_LARGE} more_mib={grown:.1f} write_mib_s={_LARGE / (written - began):.0f}"
        f" read_mib_s={_LARGE / (read - written):.0f} whole={size == kept.size}"
    )
    return grown < _MOST_MIB and size == kept.size


def _resident() -> float:
    """The most memory this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=6, help="troubles, one after another")
    parser.add_argument("--bad", type=float, default=20.0, help="seconds that each lasts")
    parser.add_argument("--wishes", type=int, default=20, help="generations asked for in each")
    parser.add_argument("--kills", action="store_true", help="kill the gateway in each of them as well")
    parser.add_argument("--memory", action="store_true", help="measure one large output instead")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidegate-bucket-") as scratch, service(Path(scratch) / "s3") as own:
        if asked.memory:
            return 0 if asyncio.run(memory(own, Path(scratch))) else 1
        folder = Path(scratch) / "gateway"
        folder.mkdir()
        figures = asyncio.run(
            run(own, asked.days, asked.bad, asked.seed, folder, kills=asked.kills, wishes=asked.wishes)
        )
        print(f"bucket days={asked.days} bad={asked.bad:g} {figures.line()} seed={asked.seed}")
        for note in figures.notes[:20]:
            print("note:", note)
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
