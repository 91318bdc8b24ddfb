"""One life of one generation, with each of its system calls failing in turn: killed there, or told that the disk is ill or full.

Run alone: `python -m tests.harness.syscalls`. The gateway is traced from the moment it serves, the n-th call of a kind is tampered with, for
every n of a life; then it is started again and everything is held against everything. `--points 12` takes some of them by dice.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.harness.application import Client, settle
from tests.harness.judge import Figures, judge
from tests.harness.life import PACKS
from tests.harness.process import Gateway, far_ends, free_port, fund, policy
from tests.harness.trace import has_strace

_PATH, _BODY = (
    "image/bytedance/seedream-4.5",
    {"generation_prompt": "a seal", "generation_provider_order": "replicate, fal"},
)
_PACKS = ("replicate/provider.yaml", "replicate/bytedance/seedream-4.5.yaml", "fal/provider.yaml", "fal/bytedance/seedream-4.5.yaml")  # fmt: skip
_STORE = ("pwrite64", "fdatasync")
_OUTPUTS = ("fsync", "rename")
# Whatever the loop in use speaks to sockets with; those that a life does not make drop out by themselves.
_LINES = ("write", "writev", "sendmsg", "sendto", "read", "readv", "recvmsg", "recvfrom")


@dataclass(frozen=True, slots=True)
class Point:
    """One tampering: the n-th call of a kind by one thread, and what is done to it."""

    call: str
    n: int
    does: str

    @property
    def is_kill(self) -> bool:
        """Whether the process dies there."""
        return self.does == "signal=SIGKILL"


@dataclass
class Swept(Figures):
    """What is counted; `survived` and `unworded` have to be zero as well."""

    points: int = 0
    reached: int = 0
    survived: int = 0  # an ill disk, and the process went on
    unworded: int = 0  # an answer that is no refusal the caller can act on
    unready: int = 0  # it did not come up again

    def bad(self) -> int:
        """How many of the figures that have to be zero are not."""
        return super().bad() + sum(1 for each in (self.survived, self.unworded, self.unready) if each)


class Bench:
    """What all points share: far ends, a funded store to begin from, and a few packs, so that a start is quick."""

    def __init__(self, folder: Path, far: str, bases: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """Lay out the packs; nothing runs yet."""
        self.folder = folder
        self.far = far
        self._bases = {name: bases[name] for name in ("replicate", "fal")}
        self._secrets = secrets
        for name in _PACKS:
            (folder / "packs" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PACKS / name, folder / "packs" / name)

    async def gateway(self, name: str) -> Gateway:
        """A gateway over a fresh copy of the funded store, not started."""
        place, port = self.folder / name, free_port()
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        if not (self.folder / "gateway.db").exists():
            await fund(self.folder)
        shutil.copy(self.folder / "gateway.db", place / "gateway.db")
        config = policy(place, self._bases, port, f"catalog: ['{self.folder}/packs']\n")
        return Gateway(place, config, self._secrets, port)


async def calls_of_a_life(bench: Bench) -> dict[str, int]:
    """How many calls of each kind one thread makes in a life, at the most."""
    gateway = await bench.gateway("counted")
    await gateway.start()
    names = ",".join((*_STORE, *_OUTPUTS, *_LINES))
    async with _traced(gateway, ["-e", f"trace={names}"], bench.folder / "counted.trace"):
        await _live(gateway, Client(gateway.origin, Figures(), random.Random(0)), 30)
    await gateway.stop()
    found: Counter[tuple[str, str]] = Counter()
    for line in (bench.folder / "counted.trace").read_text().splitlines():
        if made := re.match(r"(\d+) +(\w+)\(", line):
            found[made[1], made[2]] += 1
    return {name: max((n for (_, call), n in found.items() if call == name), default=0) for name in (*_STORE, *_OUTPUTS, *_LINES)}  # fmt: skip


def points_of(counts: Mapping[str, int]) -> list[Point]:
    """Every point of a life."""
    found = [Point(call, n, "signal=SIGKILL") for call, most in counts.items() for n in range(1, most + 1)]
    found += [Point("fdatasync", n, "error=EIO") for n in range(1, counts["fdatasync"] + 1)]
    found += [Point("pwrite64", n, "error=ENOSPC") for n in range(1, counts["pwrite64"] + 1)]
    return found


@asynccontextmanager
async def _traced(gateway: Gateway, options: Sequence[str], output: Path) -> AsyncIterator[None]:
    """Trace a running gateway; on leaving it is let go, or is dead."""
    tracer = await asyncio.create_subprocess_exec(
        "strace", "-f", "-q", "-s", "16", "-o", str(output), *options, "-p", str(gateway.pid),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(500):
            if _is_traced(gateway.pid):
                break
            await asyncio.sleep(0.01)
        yield
    finally:
        if tracer.returncode is None:
            tracer.terminate()
        await tracer.wait()


def _is_traced(pid: int) -> bool:
    """Whether every thread of a process has a tracer."""
    tasks = list(Path(f"/proc/{pid}/task").glob("*/status"))
    return bool(tasks) and all("TracerPid:\t0" not in task.read_text() for task in tasks)


async def _live(gateway: Gateway, client: Client, seconds: float) -> None:
    """Ask for one picture and wait for its end, or for the process's."""
    ends = time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        await client.ask(session, "wish", _PATH, dict(_BODY))
        generation = client.known.get("wish")
        while generation is not None and time.monotonic() < ends and gateway.code is None:
            try:
                async with session.get(f"{gateway.origin}/v1/content/{generation}") as answer:
                    said = await answer.json()
                    if answer.status == 200 and said["data"]["generation_status"] not in {"pending", "processing"}:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.03)


async def play(bench: Bench, point: Point, figures: Swept) -> None:
    """One life with one tampering, the restart after it, and the judgement."""
    async with aiohttp.ClientSession() as session, session.post(bench.far + "/_simulators/reset"):
        pass
    gateway = await bench.gateway("life")
    await gateway.start()
    own = Swept()
    client = Client(gateway.origin, own, random.Random(0))
    options = ["-e", f"trace={point.call}", "-e", f"inject={point.call}:{point.does}:when={point.n}"]
    trace = bench.folder / "life.trace"
    async with _traced(gateway, options, trace):
        await _live(gateway, client, 12)
        reached = "INJECTED" in trace.read_text() or gateway.code is not None or "killed by" in trace.read_text()
        code = await gateway.ended(5) if reached and (point.is_kill or point.does == "error=EIO") else gateway.code
    figures.reached += reached
    if point.does == "error=EIO" and reached and not code:
        figures.survived += 1
        figures.notes.append(f"{point}: went on with code {code}")
    if code is None and gateway.code is None:
        await _finish(gateway, client)
        await gateway.stop()
    else:
        await gateway.launch()
        if await gateway.ready():
            await _finish(gateway, client)
            await gateway.stop()
        else:
            figures.unready += 1
            figures.notes.append(f"{point}: did not come up: {gateway.log.read_text()[-300:]}")
    async with aiohttp.ClientSession() as session, session.get(bench.far + "/_simulators/jobs") as answer:
        jobs = await answer.json()
    await judge(gateway.folder, client.known, jobs, own)
    _add(figures, own, point)


async def _finish(gateway: Gateway, client: Client) -> None:
    """Ask again for what got no answer, as applications do, and wait for quiet."""
    async with aiohttp.ClientSession() as session:
        for key, (path, body) in list(client.unanswered.items()):
            await client.ask(session, key, path, body)
        await settle(session, gateway.origin, 75)


def _add(figures: Swept, own: Swept, point: Point) -> None:
    for name, value in vars(own).items():
        if isinstance(value, int | float):
            setattr(figures, name, getattr(figures, name) + value)
    if own.bad() or own.notes:
        figures.notes.append(f"{point}: {own.line()} {own.notes[:3]}")
    figures.unworded += own.server_errors
    figures.kills += point.is_kill
    figures.points += 1


async def run(most: int | None, seed: int, folder: Path) -> Swept:
    """Sweep a life, or as many points of it as are asked for."""
    figures, began = Swept(), time.monotonic()
    async with far_ends((), seed, "image=0.3,video=1") as (far, bases, secrets):
        bench = Bench(folder, far, bases, secrets)
        points = points_of(await calls_of_a_life(bench))
        if most is not None and most < len(points):
            points = random.Random(seed).sample(points, most)
        for point in points:
            await play(bench, point, figures)
    figures.seconds = time.monotonic() - began
    return figures


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, help="how many, by dice; all of one life without it")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if not has_strace():
        print("syscalls: strace is not installed, nothing was tampered with")
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        figures = asyncio.run(run(asked.points, asked.seed, Path(scratch)))
    print(f"syscalls {figures.line()} seed={asked.seed}")
    for note in figures.notes[:20]:
        print("note:", note)
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
