"""Power cuts: what was promised is there afterwards, and with a weaker sync it would not be.

Run alone: `python -m tests.harness.powercut --cuts 20000`. A process makes generations through the real store and keeps their outputs
in the real folder while its system calls are traced; the trace is then cut at many places, what was not synced is lost or not
by dice, and the store is opened on what is left. `--synchronous NORMAL` shows that the harness sees a loss: it exits 1.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.artifacts.disk import Disk as Outputs
from gateway.generation import Kind
from gateway.ledger import accounts, attempts, credits, generations
from gateway.ledger.checks import run_checks
from gateway.ledger.database import Database
from gateway.ledger.lane import Done
from gateway.ledger.sqlite import look
from gateway.simulators import media
from gateway.simulators.jobs import Output
from tests.harness import trace
from tests.harness.process import now_ms

_RANK = {"accepted": 0, "submitting": 1, "running": 2, "storing": 3, "succeeded": 4}
_AT_ONCE = 3  # generations under way together, so that commits are shared
_PRICE = 50_000


@dataclass
class Figures:
    """What is counted. All from `lost` on has to be zero."""

    cuts: int = 0
    promises: int = 0
    events: int = 0
    seconds: float = 0.0
    lost: int = 0
    damaged: int = 0
    without_bytes: int = 0
    ledger_findings: int = 0
    notes: list[str] = field(default_factory=list)

    def bad(self) -> bool:
        """Whether a figure that has to be zero is not."""
        return any((self.lost, self.damaged, self.without_bytes, self.ledger_findings))

    def line(self) -> str:
        """One line, as it goes into the results."""
        shown = {name: value for name, value in vars(self).items() if name != "notes"}
        return " ".join(f"{name}={value:.0f}" if isinstance(value, float) else f"{name}={value}" for name, value in shown.items())  # fmt: skip


async def play(folder: Path, count: int, synchronous: str) -> None:
    """Make generations, and say of every step when it is promised to be safe. This is what is traced."""
    store = await Database.open(folder / "gateway.db", now=now_ms)
    if synchronous != "FULL":
        await store._engine._writing.execute_fetchall(f"PRAGMA synchronous = {synchronous}")
    outputs = Outputs(folder / "outputs")
    await outputs.start()
    await store.write(accounts.ensure("local", "local", now_ms()))
    await store.write(credits.add("local", count * _PRICE * 2, "opening", "", now_ms()))
    picture = media.draw(Output("png", 64, 64), "seal")
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with turns:
            await _life(store, outputs, f"cut-{number}", picture + bytes([number % 251]))

    await asyncio.gather(*(one(number) for number in range(count)))
    await outputs.close()
    await store.close()


async def _life(store: Database, outputs: Outputs, name: str, picture: bytes) -> None:
    new = generations.NewGeneration(
        id=name,
        account="local",
        kind=Kind.IMAGE,
        model="lab/still",
        request={"prompt": name},
        plan={},
        order=("north",),
        price=_PRICE,
        created=now_ms(),
        deadline=now_ms() + 60_000,
    )
    await store.write(generations.accept(new))
    _promise(name, "accepted")
    attempt = await store.write(attempts.open_attempt(name, 1, provider="north", native="n", form=0, price=_PRICE, at=now_ms()))  # fmt: skip
    _promise(name, "submitting")
    assert attempt is not None
    await store.write(attempts.submitted(attempt, name, {"id": name}, now_ms()))
    _promise(name, "running")
    await store.write(attempts.storing(attempt, [{"url": "https://north.example/1"}], now_ms()))
    _promise(name, "storing")
    kept = await outputs.write(name, 0, _pieces(picture), kind="image", limit=1 << 20)
    ending = generations.succeed(name, attempt, [kept], captured=_PRICE, at=now_ms(), provider="north")
    assert await store.write(ending)
    _promise(name, "succeeded")


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _promise(name: str, state: str) -> None:
    os.write(1, f"{name} {state}\n".encode())


def run(cuts: int, seed: int, folder: Path, synchronous: str = "FULL") -> Figures:
    """Trace one process, then cut it many times."""
    figures, began, dice = Figures(cuts=cuts), time.monotonic(), random.Random(seed)
    lives = folder / "lives"
    lives.mkdir()
    playing = [sys.executable, "-m", __spec__.name, "--play", str(lives), "--synchronous", synchronous]
    with (folder / "said").open("wb") as said:
        subprocess.run([*trace.command(folder / "trace"), *playing], stdout=said, check=True, timeout=300)
    events = trace.read(folder / "trace")
    promises = (folder / "said").read_text().splitlines()
    assert trace.promised(events) == promises, "the trace does not tell what the process said"
    figures.events, figures.promises = len(events), len(promises)
    disk, promised, done = trace.Disk(lives), dict[str, int](), 0
    for cut in trace.cuts(events, cuts, dice):
        for number in range(done, cut):
            event = events[number]
            disk.take(number, event)
            if isinstance(event, trace.Said):
                name, state = event.text.split()
                promised[name] = _RANK[state]
        done = cut
        _look(figures, disk.after_cut(dice), promised, lives, folder)
    figures.seconds = time.monotonic() - began
    return figures


def _look(figures: Figures, files: Mapping[str, bytes], promised: Mapping[str, int], lives: Path, folder: Path) -> None:
    """Open what is left of the store, and see whether every promise is kept."""
    base = folder / "left.db"
    for end in ("", "-wal", "-shm"):
        path = base.with_name(base.name + end)
        path.unlink(missing_ok=True)
        content = files.get(f"{lives}/gateway.db{end}")
        if content is not None and end != "-shm":
            path.write_bytes(content)
    connection = sqlite3.connect(base, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        whole = connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        rows = {row["id"]: row for row in connection.execute("SELECT id, state, seq FROM generation")} if whole else {}
        if promised and whole:
            _hold_against(figures, connection, rows, promised, files, lives)
    except sqlite3.Error as error:
        # Before the first promise there may be no table; after it there has to be one.
        if promised:
            figures.lost += len(promised)
            figures.notes.append(f"{type(error).__name__}: {error}")
        return
    finally:
        connection.close()
    if not whole:
        figures.damaged += 1
        figures.notes.append("the store is damaged")


def _hold_against(
    figures: Figures,
    connection: sqlite3.Connection,
    rows: Mapping[str, sqlite3.Row],
    promised: Mapping[str, int],
    files: Mapping[str, bytes],
    lives: Path,
) -> None:
    for name, rank in promised.items():
        row = rows.get(name)
        if row is None or _RANK[row["state"]] < rank:
            figures.lost += 1
            figures.notes.append(f"{name} was promised step {rank} and is {row['state'] if row else 'gone'}")
    for row in connection.execute("SELECT uri, sha256 FROM artifact"):
        content = files.get(f"{lives}/outputs/{row['uri'].removeprefix('file:')}")
        if content is None or hashlib.sha256(content).hexdigest() != row["sha256"]:
            figures.without_bytes += 1
            figures.notes.append(f"{row['uri']} is {'gone' if content is None else 'not whole'}")
    [outcome] = look(connection, [run_checks(now_ms(), 600_000)])
    assert isinstance(outcome, Done), outcome
    figures.ledger_findings += len(outcome.value)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--synchronous", default="FULL", choices=("FULL", "NORMAL", "OFF"), help="NORMAL and OFF must lose"
    )
    parser.add_argument("--play", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.play is not None:
        asyncio.run(play(asked.play, 150, asked.synchronous))
        return 0
    if not trace.has_strace():
        print("powercut: strace is not installed, nothing was cut")
        return 2
    with tempfile.TemporaryDirectory(dir=_memory()) as scratch:
        figures = run(asked.cuts, asked.seed, Path(scratch), asked.synchronous)
    print(f"powercut synchronous={asked.synchronous} {figures.line()} seed={asked.seed}")
    for note in figures.notes[:10]:
        print("note:", note)
    return 1 if figures.bad() else 0


def _memory() -> Path | None:
    """Where thousands of stores are opened quickly: what they were told is in the trace, whatever lies below."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
