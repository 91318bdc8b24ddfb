"""The store's disk in trouble: full, locked by somebody, read-only, gone, damaged, or already in use.

Run alone: `python -m tests.harness.disk [--only locked]`. Each case is a gateway of its own, real files and real vendors' formats; what is
answered meanwhile and what is left afterwards is judged. A full and a read-only disk are small file systems in memory, which take
root to mount; without it these cases are left out, and said so. Exits 1 on any finding.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.harness.application import Client, settle
from tests.harness.judge import Figures, judge
from tests.harness.process import Gateway, far_ends, free_port, fund, policy

_PATH = "image/bytedance/seedream-4.5"
_START = 60.0  # seconds a start may take to refuse, on a machine that does other things
_LOCKED = 13.0  # seconds somebody holds the store's lock: those who came while one batch waited wait for two


@dataclass
class Case:
    """One trouble: its gateway, an application that uses it, and what was found wrong."""

    gateway: Gateway
    client: Client
    folder: Path
    figures: Figures
    wrong: list[str] = field(default_factory=list)
    _asked: int = 0

    async def ask(self, session: aiohttp.ClientSession) -> tuple[int, Mapping[str, str], Any]:
        """Ask for a picture under a new key; status, headers and answer. What is refused is asked again at the end."""
        self._asked += 1
        key, body = f"wish-{self._asked}", {"generation_prompt": f"seal number {self._asked}"}
        url = f"{self.gateway.origin}/v1/generate/{_PATH}"
        async with session.post(url, json=body, headers={"Idempotency-Key": key}) as answer:
            said = await answer.json()
            if answer.status == 200:
                self.client.known[key] = said["data"]["generation_id"]
            else:
                self.client.unanswered[key] = (_PATH, body)
            return answer.status, answer.headers, said

    def expect(self, holds: object, what: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(what)

    def refused(self, status: int, headers: Mapping[str, str], said: Any) -> None:
        """Expect an answer that says to come again."""
        self.expect(status == 503, f"answered {status} instead of 503: {said}")
        self.expect("Retry-After" in headers, "the refusal does not say when to come again")
        self.expect(said.get("error", {}).get("retryable") is True, f"the refusal cannot be repeated: {said}")


async def locked(case: Case) -> None:
    """F64: somebody holds the lock; new work is refused with 503, reads are served, and what is live goes on afterwards."""
    async with aiohttp.ClientSession() as session:
        for _ in range(5):
            await case.ask(session)
        tool = sqlite3.connect(case.folder / "gateway.db", isolation_level=None)
        tool.execute("BEGIN IMMEDIATE")
        until = time.monotonic() + _LOCKED
        answers = [asyncio.ensure_future(case.ask(session)) for _ in range(3)]
        while time.monotonic() < until:
            async with session.get(f"{case.gateway.origin}/v1/content/list") as answer:
                case.expect(answer.status == 200, f"a read was answered {answer.status} while the store was locked")
            await asyncio.sleep(0.5)
        tool.execute("ROLLBACK")
        tool.close()
        for answered in await asyncio.gather(*answers):
            case.refused(*answered)


async def full(case: Case) -> None:
    """F65, F41: the disk fills up; new work is refused with 503, and when there is room again everything goes on."""
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            await case.ask(session)
        filler = case.folder / "filler"
        _fill(filler)
        refusals = 0
        for _ in range(6):
            status, headers, said = await case.ask(session)
            case.expect(status in {200, 503}, f"answered {status} on a full disk: {said}")
            if status == 503:
                refusals += 1
                case.refused(status, headers, said)
            await asyncio.sleep(0.2)
        case.expect(refusals, "nothing was refused although the disk was full")
        case.expect(case.gateway.code is None, "the process ended because the disk was full")
        filler.unlink()


async def gone(case: Case) -> None:
    """The file is taken away under a running process: it must end and acknowledge nothing more."""
    async with aiohttp.ClientSession() as session:
        await settle(session, case.gateway.origin)
        saved = case.folder / "gateway.db.saved"
        (case.folder / "gateway.db").rename(saved)
        status, _, said = await case.ask(session)
        case.expect(status == 503, f"answered {status} although the store was gone: {said}")
    code = await case.gateway.ended(15)
    case.expect(code == 1, f"ended with {code} instead of 1 when its store was gone")
    await case.gateway.kill()
    saved.rename(case.folder / "gateway.db")
    await case.gateway.start()


async def damaged(case: Case) -> None:
    """F66: a store with broken pages is refused at the start, with a word about backups."""
    await case.gateway.stop()
    path = case.folder / "gateway.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + os.urandom(len(whole) - 8192))
    await _refuses(case, "backup")
    path.write_bytes(whole)
    await case.gateway.start()


async def used_twice(case: Case) -> None:
    """F68: a second process on the same store is refused by the name of the first, which is not disturbed."""
    port = free_port()
    config = (case.folder / "config.yaml").read_text().replace(case.gateway.origin.rpartition(":")[2], str(port), 1)
    second = case.folder / "second"
    second.mkdir()
    other = Gateway(second, config.replace("sqlite:gateway.db", f"sqlite://{case.folder}/gateway.db"), {}, port)
    await other.launch()
    code = await other.ended(_START)
    said = other.log.read_text()
    case.expect(code == 1, f"the second process ended with {code}")
    case.expect(f"in use by process {case.gateway.pid}" in said, f"it does not say who uses the store: {said[-300:]}")
    case.expect("Traceback" not in said, "it ends in a traceback")
    await other.kill()


async def read_only(case: Case) -> None:
    """A store that cannot be written is refused at the start, without a traceback."""
    await case.gateway.stop()
    _mount("-o", "remount,ro", case.folder)
    await _refuses(case, "")
    _mount("-o", "remount,rw", case.folder)
    await case.gateway.start()


async def _refuses(case: Case, word: str) -> None:
    own = case.gateway.log
    with tempfile.TemporaryDirectory() as elsewhere:
        case.gateway.log = Path(elsewhere) / "gateway.log"
        await case.gateway.launch()
        code = await case.gateway.ended(_START)
        await case.gateway.kill()  # one that is too slow must not come to life in the next step
        said = case.gateway.log.read_text()
        case.gateway.log = own
    case.expect(code == 1, f"the start ended with {code} instead of 1")
    case.expect("Traceback" not in said, f"the start ends in a traceback: {said[-400:]}")
    case.expect(word in said, f"it does not speak of {word!r}: {said[-300:]}")


CASES: Mapping[str, Callable[[Case], Awaitable[None]]] = {
    "locked": locked,
    "full": full,
    "gone": gone,
    "damaged": damaged,
    "used_twice": used_twice,
    "read_only": read_only,
}
NEED_ROOT = frozenset({"full", "read_only"})


def may_mount() -> bool:
    """Whether small file systems can be mounted here."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as scratch:
        try:
            with _small(Path(scratch), 64):
                return True
        except subprocess.CalledProcessError:
            return False


@contextmanager
def _small(place: Path, kibibytes: int) -> Iterator[Path]:
    """A file system of this size, in memory."""
    _mount("-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", place)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True, capture_output=True)


def _mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True)


def _fill(path: Path) -> None:
    """Take every byte there is."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


@asynccontextmanager
async def _begun(name: str, folder: Path, bases: Mapping[str, str], secrets: Mapping[str, str]) -> AsyncIterator[Case]:
    place, port = folder / name, free_port()
    place.mkdir()
    with _small(place, 4096) if name in NEED_ROOT else _plain(place):
        await fund(place)
        gateway, figures = Gateway(place, policy(place, bases, port), secrets, port), Figures()
        await gateway.start()
        try:
            yield Case(gateway, Client(gateway.origin, figures, random.Random(0)), place, figures)
        finally:
            await gateway.kill()


@contextmanager
def _plain(place: Path) -> Iterator[Path]:
    yield place


async def play(name: str, far: str, folder: Path, bases: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """One case to its end: what was found wrong."""
    async with aiohttp.ClientSession() as session, session.post(far + "/_simulators/reset"):
        pass
    async with _begun(name, folder, bases, secrets) as case:
        async with aiohttp.ClientSession() as session:
            await case.ask(session)
        await CASES[name](case)
        async with aiohttp.ClientSession() as session:
            for key, (path, body) in list(case.client.unanswered.items()):
                await case.client.ask(session, key, path, body)
            await settle(session, case.gateway.origin)
            async with session.get(far + "/_simulators/jobs") as answer:
                jobs = await answer.json()
        case.expect(await case.gateway.stop() == 0, "the last stop was not clean")
        await judge(case.folder, case.client.known, jobs, case.figures)
        if case.figures.bad():
            case.wrong += [case.figures.line(), *case.figures.notes[:5]]
        case.expect(len(case.client.known) >= 1, "nothing was ever accepted")
        broke = [line[:300] for line in case.gateway.log.read_text().splitlines() if "_broke" in line]
        case.expect(not broke, f"the log tells of defects: {broke[:1]}")
        return [f"{name}: {what}" for what in case.wrong]


async def run(names: list[str], folder: Path) -> list[str]:
    """All of these cases, one after another."""
    found: list[str] = []
    async with far_ends((), 1, "image=0.3,video=1") as (far, bases, secrets):
        for name in names:
            found += await play(name, far, folder, bases, secrets)
    return found


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=tuple(CASES), help="this case alone")
    asked = parser.parse_args()
    names, began = [asked.only] if asked.only else list(CASES), time.monotonic()
    left_out = [] if may_mount() else [name for name in names if name in NEED_ROOT]
    with tempfile.TemporaryDirectory() as scratch:
        found = asyncio.run(run([name for name in names if name not in left_out], Path(scratch)))
    print(
        f"disk cases={len(names) - len(left_out)} left_out={len(left_out)} wrong={len(found)} seconds={time.monotonic() - began:.0f}"
    )
    for what in found:
        print("note:", what)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
