"""Nothing lost: the gateway is killed at random moments while generations run and providers misbehave.

Run alone: `python -m tests.harness.kills --kills 200 --live 50`. It prints its figures and exits 1 when one that has to be zero
is not. The far ends live in a process of their own, so their list of jobs is the proof of what the gateway really sent.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from gateway.ledger.checks import run_checks
from gateway.ledger.database import Database

CREDIT = 1_000_000
OPENING = 10_000 * CREDIT

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

REQUESTS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("image/bytedance/seedream-4.5", {"generation_ratio": "16:9"}),
    ("image/bfl/flux-schnell", {"generation_ratio": "1:1", "generation_output_format": "png"}),
    ("image/bytedance/seedream-4.5", {"generation_input_file": ["https://example.com/a.jpg"]}),
    ("video/bytedance/seedance-1-pro", {"generation_duration": 5, "generation_resolution": "480p"}),
)


@dataclass
class Figures:
    """What is counted. Everything but the first block has to be zero."""

    kills: int = 0
    generations: int = 0
    succeeded: int = 0
    failed: int = 0
    replayed: int = 0
    provider_jobs: int = 0
    in_doubt: int = 0
    seconds: float = 0.0
    lost: int = 0
    stuck: int = 0
    mischarged: int = 0
    orphan_holds: int = 0
    without_bytes: int = 0
    unknown_jobs: int = 0
    ledger_findings: int = 0
    damaged: int = 0
    server_errors: int = 0
    notes: list[str] = field(default_factory=list)

    def bad(self) -> int:
        """How many of the figures that have to be zero are not."""
        names = ("lost", "stuck", "mischarged", "orphan_holds", "without_bytes", "unknown_jobs", "ledger_findings", "damaged", "server_errors")  # fmt: skip
        return sum(1 for name in names if getattr(self, name))

    def line(self) -> str:
        """One line, as it goes into the results."""
        return " ".join(f"{name}={value:.0f}" if isinstance(value, float) else f"{name}={value}" for name, value in vars(self).items() if name != "notes")  # fmt: skip


class Gateway:
    """The gateway in a process of its own, to be killed and started again."""

    def __init__(self, folder: Path, bases: Mapping[str, str], secrets: Mapping[str, str], port: int) -> None:
        self.folder = folder
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"
        self._environ = {**os.environ, **secrets}
        self._process: asyncio.subprocess.Process | None = None
        providers = "".join(f"  {name}: {{base: {base}}}\n" for name, base in bases.items())
        (folder / "config.yaml").write_text(
            f"listen: 127.0.0.1:{port}\nstore: sqlite:gateway.db\noutputs: {{store: 'file://{folder}/outputs'}}\n"
            f"auth: none\ncredits: enforce\negress: {{allow: [127.0.0.0/8]}}\nproviders:\n{providers}"
            "log: {format: json, level: warning}\n"
            # The clock of the run is short, so that what is stuck shows.
            "attempts: {image_deadline: 60s, video_deadline: 90s, in_doubt_max_cost: 0.5, poll_grace: 20s, submit_timeout: 10s}\n"
        )

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        log = (self.folder / "gateway.log").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "serve", "-c", str(self.folder / "config.yaml"),
            env=self._environ, stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        async with aiohttp.ClientSession() as session:
            for _ in range(600):
                if self._process.returncode is not None:
                    raise RuntimeError(
                        f"the gateway ended with {self._process.returncode}; see {self.folder}/gateway.log"
                    )
                try:
                    async with session.get(self.origin + "/readyz", timeout=aiohttp.ClientTimeout(total=2)) as answer:
                        if answer.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(0.05)
        raise RuntimeError("the gateway did not become ready in 30 s")

    async def kill(self) -> None:
        """SIGKILL: nothing is said goodbye to."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM, and its exit code."""
        assert self._process is not None
        self._process.terminate()
        return await self._process.wait()


@asynccontextmanager
async def far_ends(
    chaos: Sequence[Mapping[str, Any]], seed: int
) -> AsyncIterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
    """The simulators in a process of their own: origin, bases and the keys they take."""
    from gateway.simulators import Simulators

    secrets = Simulators().secrets
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.simulators", "--port", str(port), "--pace", "image=0.5,video=1.5", "--seed", str(seed),
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    origin = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as session:
            for _ in range(200):
                try:
                    async with session.get(origin + "/_simulators") as answer:
                        said = await answer.json()
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
            else:
                raise RuntimeError("the simulators did not start")
            async with session.put(origin + "/_simulators/chaos", json=list(chaos)) as answer:
                assert answer.status < 300, await answer.text()
        bases = said.get("bases", said)
        yield origin, bases, secrets
    finally:
        process.kill()
        await process.wait()


class Client:
    """An application that does what one should: an idempotency key per wish, and the same key again when no answer came."""

    def __init__(self, origin: str, figures: Figures, dice: random.Random) -> None:
        self._origin = origin
        self._figures = figures
        self._dice = dice
        self.known: dict[str, str] = {}  # generation by key
        self.unanswered: dict[str, tuple[str, dict[str, Any]]] = {}

    async def wish(self, session: aiohttp.ClientSession, number: int) -> None:
        """Ask for something new."""
        path, extra = self._dice.choice(REQUESTS)
        await self.ask(session, f"wish-{number}", path, {"generation_prompt": f"seal number {number}", **extra})

    async def ask(self, session: aiohttp.ClientSession, key: str, path: str, body: dict[str, Any]) -> None:
        """Ask once; what gets no answer is remembered and asked again later."""
        try:
            async with session.post(
                f"{self._origin}/v1/generate/{path}",
                json=body,
                headers={"Idempotency-Key": key},
                timeout=aiohttp.ClientTimeout(total=10),
            ) as answer:
                said = await answer.json()
                if answer.status == 200:
                    self._figures.replayed += answer.headers.get("Idempotency-Replayed") == "true"
                    earlier = self.known.setdefault(key, said["data"]["generation_id"])
                    if earlier != said["data"]["generation_id"]:
                        self._figures.lost += 1
                        self._figures.notes.append(f"{key}: {earlier} became {said['data']['generation_id']}")
                    self.unanswered.pop(key, None)
                elif not said["error"]["retryable"]:
                    self.unanswered.pop(key, None)
                    self._figures.notes.append(f"{key}: {answer.status} {said['error']}")
                else:
                    self.unanswered[key] = (path, body)
                if answer.status == 500:
                    self._figures.server_errors += 1
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            self.unanswered[key] = (path, body)


async def run(kills: int, live: int, seed: int, folder: Path) -> Figures:
    """Run the whole thing and give its figures."""
    figures, dice, began = Figures(), random.Random(seed), time.monotonic()
    async with far_ends(CHAOS, seed) as (far, bases, secrets):
        gateway = Gateway(folder, bases, secrets, _free_port())
        await gateway.start()
        await gateway.stop()
        await _fund(folder)
        await gateway.start()
        client = Client(gateway.origin, figures, dice)
        asked = 0
        for _ in range(kills):
            async with aiohttp.ClientSession() as session:
                for key, (path, body) in list(client.unanswered.items()):
                    await client.ask(session, key, path, body)
                lacking = live - await _count_live(session, gateway.origin)
                wishes = [client.wish(session, asked + n) for n in range(max(0, lacking))]
                asked += len(wishes)
                moment = asyncio.create_task(asyncio.sleep(dice.uniform(0.02, 1.2)))
                filling = asyncio.gather(*wishes)
                await moment
                await gateway.kill()
                figures.kills += 1
                await filling
            await gateway.start()
        async with aiohttp.ClientSession() as session:
            async with session.put(far + "/_simulators/chaos", json=[]):
                pass
            for key, (path, body) in list(client.unanswered.items()):
                await client.ask(session, key, path, body)
            await _settle(session, gateway.origin)
            async with session.get(far + "/_simulators/jobs") as answer:
                jobs = await answer.json()
        code = await gateway.stop()
        if code != 0:
            figures.notes.append(f"the last stop ended with {code}")
    await _judge(folder, client, jobs, figures)
    figures.seconds = time.monotonic() - began
    return figures


async def _fund(folder: Path) -> None:
    from gateway.ledger import credits

    store = await Database.open(folder / "gateway.db", now=_now)
    await store.write(credits.add("local", OPENING, "opening", "", _now()))
    await store.close()


async def _count_live(session: aiohttp.ClientSession, origin: str) -> int:
    async with session.get(origin + "/v1/content/list?limit=100") as answer:
        listed = (await answer.json())["data"]["generations"]
    return sum(item["generation_status"] in {"pending", "processing"} for item in listed)


async def _settle(session: aiohttp.ClientSession, origin: str) -> None:
    for _ in range(1200):
        if await _count_live(session, origin) == 0:
            return
        await asyncio.sleep(0.1)


async def _judge(folder: Path, client: Client, jobs: Sequence[Mapping[str, Any]], figures: Figures) -> None:
    """Hold the store, the client's list and the far ends' list against each other."""
    store = await Database.open(folder / "gateway.db", now=_now)
    findings = await store.read(run_checks(_now(), 60_000))
    await store.close()
    figures.ledger_findings = len(findings)
    figures.notes += [f"{finding.check.name}: {finding.rows[:5]}" for finding in findings]
    base = sqlite3.connect(folder / "gateway.db")
    base.row_factory = sqlite3.Row
    figures.damaged = int(base.execute("PRAGMA integrity_check").fetchone()[0] != "ok")
    rows = {row["id"]: row for row in base.execute("SELECT * FROM generation")}
    figures.generations = len(rows)
    figures.lost += sum(generation not in rows for generation in client.known.values())
    figures.succeeded = sum(row["state"] == "succeeded" for row in rows.values())
    figures.failed = sum(row["state"] == "failed" for row in rows.values())
    ended = {"succeeded", "failed", "canceled"}
    figures.stuck = sum(row["state"] not in ended for row in rows.values())
    posted, held = base.execute("SELECT posted, held FROM account WHERE id = 'local'").fetchone()
    owed = sum(row["settled"] for row in rows.values() if row["state"] == "succeeded")
    figures.mischarged = int(OPENING - posted != owed) + sum(
        row["settled"] > row["price"] for row in rows.values() if row["settled"] is not None
    )
    figures.orphan_holds = int(held != 0) + base.execute("SELECT count(*) FROM hold WHERE state = 'open'").fetchone()[0]
    for row in base.execute("SELECT * FROM artifact"):
        path = folder / "outputs" / row["uri"].removeprefix("file:")
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
            figures.without_bytes += 1
    attempts = base.execute("SELECT count(*) FROM attempt").fetchone()[0]
    figures.in_doubt = base.execute("SELECT count(*) FROM attempt WHERE state = 'in_doubt'").fetchone()[0]
    refs = {row["ref"] for row in base.execute("SELECT ref FROM attempt WHERE ref IS NOT NULL")}
    figures.provider_jobs = len(jobs)
    # A job the store has no reference for is one of those in doubt; there cannot be more of them than doubts.
    asynchronous = [job for job in jobs if "images" not in str(job.get("call", "")) and job["id"] not in refs]
    unreferenced = [job for job in asynchronous if not _is_synchronous(job)]
    figures.unknown_jobs = max(0, len(unreferenced) - figures.in_doubt) + max(0, len(jobs) - attempts)
    base.close()


def _is_synchronous(job: Mapping[str, Any]) -> bool:
    return job["provider"] == "byteplus" and "seedream" in job["model"]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--live", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the store and the log here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(run(options.kills, options.live, options.seed, folder))
        print(figures.line())
        for note in figures.notes[:20]:
            print("note:", note)
        if figures.bad():
            print(json.dumps({"folder": str(folder)}))
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
