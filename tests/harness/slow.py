"""A siege by slow clients, and what good ones notice of it.

Run alone: `python -m tests.harness.slow --connections 1000`. The gateway and the siege are processes of their own. Good clients create
pictures and read them, first in peace, then in the siege; it prints their times, how long each kind of bad connection was let, and
what the gateway grew by. It exits 1 when a good request failed, when the slowest hundredth took a quarter of a second, or when a bad
connection was let longer than its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.harness.process import Gateway, far_ends, free_port, fund, policy

IMAGE = "/v1/generate/image/bytedance/seedream-4.5"
_GOOD = 10  # clients that mean well; each asks ten times a second
_PAUSE = 0.1
_P99 = 0.25  # seconds
# How long each kind may be let: its limit, a look of the watch, and what a busy machine adds; a reader's second minute may have begun.
_LET = {"silent": 11.0, "half_a_head": 11.0, "half_a_body": 36.0, "reader": 70.0}


@dataclass
class Figures:
    """What is measured. The last block has to be zero."""

    connections: int = 0
    seconds: float = 0.0
    requests: int = 0
    peace_p50_ms: float = 0.0
    peace_p99_ms: float = 0.0
    siege_p50_ms: float = 0.0
    siege_p99_ms: float = 0.0
    ratio_p50: float = 0.0
    ratio_p99: float = 0.0
    closed: dict[str, list[float]] = field(default_factory=dict)
    grown_mib: float = 0.0
    failed: int = 0
    slow: int = 0
    let_too_long: int = 0

    def bad(self) -> int:
        """How much of what has to be zero is not."""
        return self.failed + self.slow + self.let_too_long

    def line(self) -> str:
        """One line, as it goes into the results."""
        shown = {**vars(self), "closed": ",".join(f"{kind}:{n:g}/{most:g}s" for kind, (n, most) in self.closed.items())}
        return " ".join(
            f"{name}={value:.2f}" if isinstance(value, float) else f"{name}={value}" for name, value in shown.items()
        )


class Good:
    """Clients that mean well."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        """Ask this gateway."""
        self.session = session
        self.origin = origin
        self.times: list[float] = []
        self.failed = 0

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Ask once, and note how long it took."""
        began = time.perf_counter()
        try:
            async with self.session.request(method, self.origin + path, json=body) as answer:
                said: dict[str, object] = await answer.json()
                self.failed += answer.status != 200
        except (aiohttp.ClientError, TimeoutError):
            self.failed += 1
            return {}
        self.times.append(time.perf_counter() - began)
        return said

    async def live(self, ends: float) -> None:
        """Create and read, until then."""
        while time.monotonic() < ends:
            made = await self.ask("POST", IMAGE, {"generation_prompt": "a seal"})
            name = dict(made.get("data") or {}).get("generation_id", "none")  # type: ignore[call-overload] # of an answer
            for _ in range(4):
                await asyncio.sleep(_PAUSE)
                await self.ask("GET", f"/v1/content/{name}")
            await asyncio.sleep(_PAUSE)

    async def all(self, seconds: float) -> tuple[float, float]:
        """All of them for so long; the median and the slowest hundredth in milliseconds."""
        self.times.clear()
        ends = time.monotonic() + seconds
        await asyncio.gather(*(self.live(ends) for _ in range(_GOOD)))
        taken = sorted(self.times)
        return taken[len(taken) // 2] * 1000, taken[int(len(taken) * 0.99)] * 1000


def _mebibytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) / 256  # pages have 4 KiB


async def run(folder: Path, connections: int, peace: float, siege: float) -> Figures:
    """Run the whole thing and give its figures."""
    found, port = Figures(connections=connections, seconds=siege), free_port()
    async with far_ends((), 1, "image=0.2,video=1") as (_, bases, secrets):
        await fund(folder)
        gateway = Gateway(folder, policy(folder, bases, port), secrets, port)
        await gateway.start()
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
                good = Good(session, gateway.origin)
                await good.all(min(peace, 3))
                found.peace_p50_ms, found.peace_p99_ms = await good.all(peace)
                before = _mebibytes(gateway.pid)
                command = ("-m", "tests.harness.besiege", str(port), str(connections), str(siege))
                bad = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
                await asyncio.sleep(2)
                found.siege_p50_ms, found.siege_p99_ms = await good.all(siege - 3)
                found.grown_mib = _mebibytes(gateway.pid) - before
                said, _ = await bad.communicate()
        finally:
            await gateway.kill()
    found.closed, found.requests, found.failed = json.loads(said), len(good.times), good.failed
    found.ratio_p50 = found.siege_p50_ms / found.peace_p50_ms
    found.ratio_p99 = found.siege_p99_ms / found.peace_p99_ms
    found.slow = int(found.siege_p99_ms >= _P99 * 1000)
    found.let_too_long = sum(most > _LET[kind] for kind, (_, most) in found.closed.items())
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description="a siege by slow clients")
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--peace", type=float, default=15, help="seconds without them")
    parser.add_argument("--siege", type=float, default=80, help="seconds with them")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tidegate-slow-") as folder:
        figures = asyncio.run(run(Path(folder), asked.connections, asked.peace, asked.siege))
    print(figures.line(), flush=True)
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
