"""Forged callbacks by the thousand: the API does not notice them, and no provider is asked for anything because of them.

Run alone: `python -m tests.harness.forged [--rate 10000] [--seconds 10]`. A gateway in a process of its own has a job under way at a
provider that was given an address to call back. Somebody who knows everything but the proof calls it, as often as he can, over
some connections; meanwhile an application reads its generation fifty times a second. Prints one line of figures, and exits 1 when
the slowest hundredth of the reads takes more than twice what it took before, or the provider was looked at once more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp

from tests.harness.process import Gateway, far_ends, free_port, fund, policy

_PUBLIC = "public_url: https://gate.example\n"
_READS = 0.02  # seconds between two reads of the application
_LINES = 64  # connections of whoever forges
_BATCH = 10  # callbacks at once on one line
_AHEAD = 64 * 1024  # bytes that wait to be taken off a line before nothing more is put on it
_MODEL = "video/bytedance/seedance-1-pro"
_FLOOR = 0.005  # seconds; twice less than that is the machine's own noise


@dataclass
class Figures:
    """What is counted; `cpu` in seconds a second. `looks` has to be zero, `ratio` at most two."""

    offered: int = 0
    answered: int = 0
    refused: int = 0
    reads: int = 0
    idle_p50_ms: float = 0.0
    idle_p99_ms: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    ratio: float = 0.0
    idle_cpu: float = 0.0
    cpu: float = 0.0
    looks: int = 0
    errors: int = 0

    def bad(self) -> bool:
        """Whether the application or the provider noticed something."""
        return self.ratio > 2 or self.looks > 0 or self.errors > 0 or self.answered != self.refused

    def line(self) -> str:
        """One line, as it goes into the results."""
        return " ".join(
            f"{name}={value:.2f}" if isinstance(value, float) else f"{name}={value}"
            for name, value in vars(self).items()
        )


async def run(rate: int, seconds: float, folder: Path) -> Figures:
    """Run the whole thing and give its figures."""
    figures, port = Figures(), free_port()
    async with far_ends([], 1, pace="image=600,video=600") as (far, bases, secrets), aiohttp.ClientSession() as client:
        gateway = Gateway(folder, policy(folder, bases, port, _PUBLIC), secrets, port)
        await fund(folder)
        await gateway.start()
        try:
            generation = await _begin(client, gateway.origin)
            first = await _looks(client, far)
            # The machine has the same work in both: at first whoever forges calls back himself.
            async with _forging(0, generation, rate, seconds):
                idle, figures.idle_cpu = await _read(client, gateway, generation, seconds, figures)
            before = await _looks(client, far)
            async with _forging(port, generation, rate, seconds) as said:
                taken, figures.cpu = await _read(client, gateway, generation, seconds, figures)
            figures.offered, figures.answered, figures.refused = said
            # The job's own pace goes on: so many looks as before the callbacks came, and one more by chance.
            figures.looks = max(0, await _looks(client, far) - before - (before - first) - 1)
        finally:
            await gateway.stop()
    figures.idle_p50_ms, figures.idle_p99_ms = _part(idle, 0.5), _part(idle, 0.99)
    figures.p50_ms, figures.p99_ms = _part(taken, 0.5), _part(taken, 0.99)
    figures.ratio = figures.p99_ms / max(figures.idle_p99_ms, _FLOOR * 1000)
    figures.reads = len(idle) + len(taken)
    return figures


@asynccontextmanager
async def _forging(port: int, generation: str, rate: int, seconds: float) -> AsyncIterator[list[int]]:
    """Have callbacks forged in a process of their own; at the end the list holds how many were offered, answered, refused."""
    forger = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.harness.forged", "--against", f"{port}/{generation}",
        "--rate", str(rate), "--seconds", str(seconds + 1), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert forger.stdout is not None
    said: list[int] = []
    try:
        await forger.stdout.readline()  # it begins
        yield said
        said += map(int, (await forger.communicate())[0].split())
    finally:
        if forger.returncode is None:
            forger.kill()
        await forger.wait()


async def _begin(client: aiohttp.ClientSession, origin: str) -> str:
    """Have a job under way, and wait until its provider has it."""
    body = {"generation_prompt": "waves", "generation_duration": 5, "generation_provider_order": "replicate"}
    async with client.post(f"{origin}/v1/generate/{_MODEL}", json=body) as answer:
        said = await answer.json()
        assert answer.status == 200, said
        generation: str = said["data"]["generation_id"]
    for _ in range(200):
        async with client.get(f"{origin}/v1/content/{generation}") as answer:
            if (await answer.json())["data"]["generation_started_at"]:
                return generation
        await asyncio.sleep(0.05)
    raise RuntimeError("the job did not begin")


async def _read(
    client: aiohttp.ClientSession, gateway: Gateway, generation: str, seconds: float, figures: Figures
) -> tuple[list[float], float]:
    """Read the generation at an even pace: how long each took, and the gateway's CPU share."""
    taken: list[float] = []
    spent, began = _spent(gateway.pid), time.perf_counter()
    due = began
    while due < began + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        due = time.perf_counter()
        async with client.get(f"{gateway.origin}/v1/content/{generation}") as answer:
            said = await answer.json()
        taken.append(time.perf_counter() - due)
        figures.errors += answer.status != 200 or said["data"]["generation_status"] != "processing"
        due += _READS
    return sorted(taken), (_spent(gateway.pid) - spent) / (time.perf_counter() - began)


async def _looks(client: aiohttp.ClientSession, far: str) -> int:
    """How often the providers were asked how a job stands."""
    async with client.get(f"{far}/_simulators/log") as answer:
        said = await answer.json()
    return sum(each["method"] == "GET" for each in said)


def _spent(pid: int) -> float:
    """The CPU seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _part(taken: list[float], share: float) -> float:
    return taken[min(len(taken) - 1, int(len(taken) * share))] * 1000


class _Line(asyncio.Protocol):
    """One connection of whoever forges: it counts the answers."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.answered = self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Count the answers, and the right ones among them."""
        self.answered += data.count(b"HTTP/1.1 ")
        self.refused += data.count(b"HTTP/1.1 404")

    def connection_lost(self, _exc: Exception | None) -> None:
        """It is gone."""
        self.transport = None


async def flood(port: int, generation: str, rate: int, seconds: float) -> tuple[int, int, int]:
    """Call back with made-up proofs; gives how many were put on the line, answered, and refused. Port 0 is nobody."""
    loop, dice, lines, at, offered = asyncio.get_running_loop(), Random(1), [_Line() for _ in range(_LINES)], 0, 0
    gone: list[_Line] = []
    calls = [b"".join(_call(generation, dice) for _ in range(_BATCH)) for _ in range(100)]
    nobody = await loop.create_server(_Line, "127.0.0.1", port) if port == 0 else None
    port = nobody.sockets[0].getsockname()[1] if nobody is not None else port
    began = loop.time()
    while (now := loop.time() - began) < seconds:
        while offered < now * rate:
            at = (at + 1) % _LINES
            line = lines[at]
            if line.transport is None or line.transport.is_closing():
                gone.append(line)
                lines[at] = line = _Line()
                with suppress(OSError):
                    await loop.create_connection(lambda line=line: line, "127.0.0.1", port)
            if line.transport is not None and line.transport.get_write_buffer_size() < _AHEAD:
                line.transport.write(dice.choice(calls))
            offered += _BATCH
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    return offered, sum(line.answered for line in (*lines, *gone)), sum(line.refused for line in (*lines, *gone))


def _call(generation: str, dice: Random) -> bytes:
    proof = "".join(dice.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789-_", k=22))
    return f"POST /v1/nudges/{generation}/1/{proof} HTTP/1.1\r\nHost: gate.example\r\nContent-Length: 2\r\n\r\n{{}}".encode()


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=int, default=10_000, help="forged callbacks a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--against", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.against:
        port, generation = asked.against.split("/")
        print("begins", flush=True)
        print(*asyncio.run(flood(int(port), generation, asked.rate, asked.seconds)), flush=True)
        return 0
    with tempfile.TemporaryDirectory(prefix="tidegate-forged-") as folder:
        figures = asyncio.run(run(asked.rate, asked.seconds, Path(folder)))
    print(f"forged {figures.line()} rate={asked.rate}", flush=True)
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
