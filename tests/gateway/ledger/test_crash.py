"""A killed process: what it acknowledged is there, and the ledger is whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from gateway.generation import State
from gateway.ledger import checks, generations
from gateway.ledger.database import Database

# Eight workers take generations through their whole life and say aloud what was acknowledged.
WORK = """
import asyncio, itertools, os, sys
from gateway.generation import Kind
from gateway.ledger import accounts, attempts, generations
from gateway.ledger.credits import add
from gateway.ledger.database import Database
from gateway.ledger.records import Artifact

def say(*words):
    os.write(1, (" ".join(words) + "\\n").encode())

async def life(store, name, end):
    new = generations.NewGeneration(name, "acme", Kind.IMAGE, "m", {}, {}, (), 10, 1, 10**12)
    await store.write(generations.accept(new))
    say("accepted", name)
    attempt = await store.write(attempts.open_attempt(name, 1, provider="a", native="x", form=0, price=1, at=2))
    await store.write(attempts.submitted(attempt, name, {}, 3))
    await store.write(attempts.storing(attempt, [], 4))
    if end == 0:
        await store.write(generations.fail(name, {}, 5))
        say("failed", name)
    elif end == 1:
        await store.write(generations.cancel("acme", name, 5))
        say("canceled", name)
    else:
        picture = Artifact(0, "file:x", "c0ffee", 1, None, None, None)
        await store.write(generations.succeed(name, attempt, [picture], captured=7, at=5, provider="a"))
        say("succeeded", name)

async def main():
    store = await Database.open(sys.argv[1], now=lambda: 1)
    run = sys.argv[2]
    await store.write(accounts.ensure("acme", "", 1))
    await store.write(add("acme", 10**9, run, "", 1))
    async def worker(number):
        for n in itertools.count():
            await life(store, f"{run}.{number}.{n}", n % 4)
    await asyncio.gather(*(worker(number) for number in range(8)))

asyncio.run(main())
"""


def killed(path: Path, run: int, lines: int) -> list[tuple[str, str]]:
    """Let a process work until it has said so many lines, kill it, and give everything it said."""
    command = [sys.executable, "-c", WORK, str(path), str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    return [(word, name) for word, name in (line.split() for line in said if line.endswith("\n"))]


async def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    """After each kill every acknowledged generation is there in the state acknowledged, and every check is silent."""
    path = tmp_path / "x.db"
    said: list[tuple[str, str]] = []
    for run, lines in enumerate((1, 40, 203)):
        said += killed(path, run, lines)
        store = await Database.open(path, now=lambda: 1)
        for word, name in said:
            record = await store.read(generations.find("acme", name))
            assert record is not None
            assert word == "accepted" or record.state is State(word)
        assert await store.report(checks.run_checks(now=10, grace=0)) == []
        await store.close()
    assert len(said) >= 1 + 40 + 203
