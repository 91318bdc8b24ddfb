"""Asked to stop under load: every client has an answer, every generation goes on, and the process is gone in time.

Run alone: `python -m tests.harness.drain --terms 20 --live 1000`. The gateway is sent SIGTERM while so many generations are under way
and clients create, read and wait, each again and again on a connection that it keeps. A client that finds nobody between two
processes is counted apart: where there is a balancer it is sent elsewhere. Prints its figures and exits 1 when one that has to be
zero is not, or a process took longer than 25 s to go; the 5 s until all is taken up again are told, and depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.harness import judge
from tests.harness.application import settle
from tests.harness.process import Gateway, far_ends, few, free_port, fund, policy

PATIENCE = 120.0  # seconds for a start on a machine that does much else
_LONGEST = 25.0  # seconds from SIGTERM to the end
PACE = "image=2,video=20"  # seconds; pictures are drawn while the line is held, films stay under way from one process to the next
_FILM = ("video/bytedance/seedance-1-pro", {"generation_duration": 5, "generation_resolution": "480p"})
_PICTURES = (
    ("image/bytedance/seedream-4.5", {"generation_ratio": "16:9"}),
    ("image/bfl/flux-schnell", {"generation_ratio": "1:1"}),
)
_AT_ONCE = 50  # films that are asked for together
_BREATH = 0.25  # seconds between what one client asks, at most
_GAP = 0.25  # seconds after which a client that found nobody looks again


@dataclass
class Figures:
    """What is counted. `turned_away` are answers 503 with a time to come back; all from `unanswered` on has to be zero."""

    terms: int = 0
    answers: int = 0
    turned_away: int = 0
    found_nobody: int = 0
    live_at_term: int = 0  # the fewest
    slowest_exit: float = 0.0
    slowest_start: float = 0.0  # until ready, with all that was left taken up
    in_doubt: int = 0
    unanswered: int = 0  # a connection that ended without an answer
    errors: int = 0  # any other answer than a success or 503 with Retry-After
    exits: int = 0  # with another code than 0
    late: int = 0  # exits after 25 s
    not_resumed: int = 0
    notes: list[str] = field(default_factory=list)
    ends: judge.Figures = field(default_factory=judge.Figures)

    def bad(self) -> bool:
        """Whether a figure that has to be zero is not."""
        own = (self.unanswered, self.errors, self.exits, self.late, self.not_resumed, self.ends.failed)
        return any(own) or self.ends.bad() > 0

    def line(self) -> str:
        """One line, as it goes into the results."""
        own = {name: value for name, value in vars(self).items() if name not in {"notes", "ends", "in_doubt"}}
        names = ("generations", "succeeded", "failed", "in_doubt", "lost", "stuck", "mischarged", "orphan_holds", "without_bytes", "unknown_jobs", "ledger_findings", "damaged")  # fmt: skip
        shown = {**own, **{name: getattr(self.ends, name) for name in names}}
        return " ".join(f"{name}={value:.2f}" if isinstance(value, float) else f"{name}={value}" for name, value in shown.items())  # fmt: skip


class Crowd:
    """Clients that keep their connections, and what they were told."""

    def __init__(self, origin: str, figures: Figures, dice: random.Random, name: str = "wish") -> None:
        """Nobody has asked yet; every key begins with `name`."""
        self._name = name
        self.known: dict[str, str] = {}  # generation by key
        self._origin = origin
        self._figures = figures
        self._dice = dice
        self._asked = 0

    async def ask(self, session: aiohttp.ClientSession, method: str, path: str, **more: Any) -> Any:
        """Ask once; the answer's JSON where it is a success."""
        try:
            async with session.request(method, self._origin + path, **more) as answer:
                said = await answer.json()
        except aiohttp.ClientConnectorError:
            self._figures.found_nobody += 1
            await asyncio.sleep(_GAP)
            return None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._figures.unanswered += 1
            self._figures.notes.append(f"{method} {path[:40]}: {error!r}")
            return None
        self._figures.answers += 1
        if answer.status == 200:
            return said
        if answer.status == 503 and answer.headers.get("Retry-After"):
            self._figures.turned_away += 1
            await asyncio.sleep(_GAP)
            return None
        self._figures.errors += 1
        self._figures.notes.append(f"{method} {path[:40]}: {answer.status} {said}")
        return None

    async def create(self, session: aiohttp.ClientSession, path: str, extra: Mapping[str, Any], wait: int = 0) -> None:
        """Have a wish until it is taken: the same key again when nobody was there."""
        self._asked += 1
        key = f"{self._name}-{self._asked}"
        body = {"generation_prompt": f"seal number {self._asked}", **extra}
        headers = {"Idempotency-Key": key, **({"Prefer": f"wait={wait}"} if wait else {})}
        while True:
            said = await self.ask(session, "POST", f"/v1/generate/{path}", json=body, headers=headers)
            if said is not None:
                self.known[key] = said["data"]["generation_id"]
                return

    async def live(self, over: asyncio.Event) -> None:
        """One client: it creates, reads and waits until all is over."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            while not over.is_set():
                turn = self._dice.random()
                if turn < 0.2:
                    await self.create(session, *self._dice.choice(_PICTURES), wait=self._dice.choice((0, 20)))
                elif self.known:
                    generation = self._dice.choice(list(self.known.values()))
                    await self.ask(session, "GET", f"/v1/content/{generation}")
                await asyncio.sleep(self._dice.uniform(0, _BREATH))

    async def fill(self, films: int) -> None:
        """Ask for so many films."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_AT_ONCE)) as session:
            await asyncio.gather(*(self.create(session, *_FILM) for _ in range(films)))

    async def occupy(self) -> None:
        """Ask for a picture that is still being drawn when the drain is over: until then the process turns others away."""
        async with aiohttp.ClientSession() as session:
            await self.create(session, *_PICTURES[0])


async def run(terms: int, live: int, clients: int, seed: int, folder: Path, pace: str = PACE) -> Figures:
    """Run the whole thing and give its figures."""
    figures, dice = Figures(), random.Random(seed)
    async with AsyncExitStack() as stack:
        far, bases, secrets = await stack.enter_async_context(far_ends((), seed, pace))
        port = free_port()
        gateway = Gateway(folder, _policy(folder, bases, port), secrets, port)
        await fund(folder)
        await gateway.start(PATIENCE)
        stack.push_async_callback(gateway.kill)
        crowd, over = Crowd(gateway.origin, figures, dice), asyncio.Event()
        asking = [asyncio.create_task(crowd.live(over)) for _ in range(clients)]
        figures.live_at_term = live * 10
        for _ in range(terms):
            await crowd.fill(max(0, live + live // 10 - await _live(gateway)))
            await asyncio.sleep(dice.uniform(0, 1))
            await crowd.occupy()
            await _term(gateway, figures)
            print(figures.line(), file=sys.stderr)
        over.set()
        await asyncio.gather(*asking)
        async with aiohttp.ClientSession() as session:
            await settle(session, gateway.origin)
            async with session.get(far + "/_simulators/jobs") as answer:
                jobs = await answer.json()
        figures.exits += await gateway.stop() != 0
    await judge.judge(folder, crowd.known, jobs, figures.ends)
    figures.in_doubt = figures.ends.in_doubt
    return figures


def _policy(folder: Path, bases: Mapping[str, str], port: int) -> str:
    """The policy of the harness, with time enough for films that outlive several processes."""
    packs = few(folder, "byteplus", "replicate", "fal")
    usual = policy(folder, bases, port, f"limits: {{live: 100000}}\ndrain: 500ms\n{packs}")
    return usual.replace("level: info", "level: warning").replace(
        "60s, video_deadline: 90s", "10m, video_deadline: 10m"
    )


async def _term(gateway: Gateway, figures: Figures) -> None:
    left = await _live(gateway)
    figures.live_at_term = min(figures.live_at_term, left)
    began = time.monotonic()
    gateway.terminate()
    code = await gateway.ended(2 * _LONGEST)
    took = time.monotonic() - began
    if code is None:
        await gateway.kill()
    figures.exits += code != 0
    figures.slowest_exit = max(figures.slowest_exit, took)
    began = time.monotonic()
    await gateway.start(PATIENCE)
    started = time.monotonic() - began
    figures.slowest_start = max(figures.slowest_start, started)
    figures.late += took > _LONGEST
    figures.not_resumed += int(await _live(gateway) < left * 0.5)
    figures.terms += 1


async def _live(gateway: Gateway) -> int:
    async with aiohttp.ClientSession() as session, session.get(gateway.origin + "/metrics") as answer:
        [line] = [each for each in (await answer.text()).splitlines() if each.startswith("tidegate_generations_live ")]
        return int(float(line.split()[1]))


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--terms", type=int, default=20)
    parser.add_argument("--live", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the store and the log here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(run(options.terms, options.live, options.clients, options.seed, folder))
        print(f"drain {figures.line()} seed={options.seed}")
        for note in [*figures.notes, *figures.ends.notes][:20]:
            print("note:", note)
        if figures.bad():
            print(json.dumps({"folder": str(folder)}))
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
