"""Policy and packs swapped each second under load, as a mounted ConfigMap is: good ones are taken, bad ones refused, nobody notices.

Run alone: `python -m tests.harness.reloads --swaps 60`. Half of the swaps are told by SIGHUP, the others are left to be seen. Among
them are prices that double, an order turned round, a provider that is gone with its jobs under way, a key nobody knows and a pack
that is cut off in the middle. Prints its figures and exits 1 when one that has to be zero is not.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.harness import judge
from tests.harness.application import settle
from tests.harness.drain import PATIENCE, Crowd
from tests.harness.drain import Figures as Answers
from tests.harness.life import PACKS
from tests.harness.process import Gateway, far_ends, free_port, fund, policy

_PROVIDERS = ("byteplus", "replicate", "fal", "bfl")
_PACE = "image=0.5,video=4"


@dataclass
class Figures:
    """What is counted. All from `unanswered` on has to be zero."""

    swaps: int = 0
    loaded: int = 0
    refused: int = 0
    answers: int = 0
    unanswered: int = 0
    errors: int = 0
    notes: list[str] = field(default_factory=list)
    ends: judge.Figures = field(default_factory=judge.Figures)

    def bad(self) -> bool:
        """Whether a figure that has to be zero is not, or nothing was taken, or nothing refused."""
        idle = not self.loaded or not self.refused
        return bool(self.unanswered or self.errors or self.ends.failed) or self.ends.bad() > 0 or idle

    def line(self) -> str:
        """One line, as it goes into the results."""
        own = {name: value for name, value in vars(self).items() if name not in {"notes", "ends"}}
        names = ("generations", "succeeded", "failed", "in_doubt", "lost", "stuck", "mischarged", "unknown_jobs", "ledger_findings")  # fmt: skip
        return " ".join(
            f"{name}={value}" for name, value in {**own, **{n: getattr(self.ends, n) for n in names}}.items()
        )


Bend = Callable[[Path], None]


def _same(_volume: Path) -> None:
    """Leave everything as it is at first."""


def _dearer(volume: Path) -> None:
    """Double every price."""
    for path in volume.rglob("*/*/*.yaml"):
        path.write_text(re.sub(r"usd: ([0-9.]+)", lambda found: f"usd: {2 * float(found[1]):g}", path.read_text()))


def _turned(volume: Path) -> None:
    """Ask the others first."""
    with (volume / "config.yaml").open("a") as file:
        file.write("routes: [{order: [fal, replicate, byteplus]}]\n")


def _gone(volume: Path) -> None:
    """Take the provider away that most jobs are at."""
    shutil.rmtree(volume / "packs" / "byteplus")


def _unknown(volume: Path) -> None:
    """Misspell a key."""
    with (volume / "config.yaml").open("a") as file:
        file.write("roots: []\n")


def _cut(volume: Path) -> None:
    """Cut a pack off in the middle."""
    path = volume / "packs" / "fal" / "provider.yaml"
    text = path.read_text()
    path.write_text(text[: len(text) // 2] + "\n  {")


BENDS: tuple[Bend, ...] = (_same, _dearer, _unknown, _turned, _cut, _gone)


class Mount:
    """A mounted volume: its folder holds links to what lies behind one link, and that one is swapped."""

    def __init__(self, folder: Path, text: str) -> None:
        """Put the first version there."""
        self._folder = folder
        self._text = text
        self._number = 0
        folder.mkdir()
        self.swap(_same)
        for name in ("config.yaml", "packs"):
            (folder / name).symlink_to(f"..data/{name}")

    def swap(self, bend: Bend) -> None:
        """Put another version in the place of this one, which is removed."""
        self._number += 1
        volume, before = self._folder / f"..{self._number}", self._folder / f"..{self._number - 1}"
        volume.mkdir()
        (volume / "config.yaml").write_text(self._text)
        for name in _PROVIDERS:
            shutil.copytree(PACKS / name, volume / "packs" / name)
        bend(volume)
        (self._folder / "..next").symlink_to(volume.name)
        (self._folder / "..next").rename(self._folder / "..data")
        shutil.rmtree(before, ignore_errors=True)


async def run(swaps: int, clients: int, seed: int, folder: Path, rest: float = 1.0) -> Figures:
    """Run the whole thing and give its figures."""
    figures, answers, dice = Figures(), Answers(), random.Random(seed)
    async with AsyncExitStack() as stack:
        far, bases, secrets = await stack.enter_async_context(far_ends((), seed, _PACE))
        port = free_port()
        own = {name: base for name, base in bases.items() if name in _PROVIDERS}
        text = policy(folder, own, port, "limits: {live: 100000}\ncatalog: [packs]\n")
        text = text.replace("sqlite:gateway.db", f"sqlite://{folder}/gateway.db")
        mount = Mount(folder / "mounted", text)
        gateway = Gateway(folder, text, secrets, port)
        (folder / "config.yaml").unlink()
        (folder / "config.yaml").symlink_to(folder / "mounted" / "config.yaml")
        await fund(folder)
        await gateway.start(PATIENCE)
        stack.push_async_callback(gateway.kill)
        crowd, over = Crowd(gateway.origin, answers, dice), asyncio.Event()
        asking = [asyncio.create_task(crowd.live(over)) for _ in range(clients)]
        await crowd.fill(2 * clients)
        for number in range(swaps):
            await asyncio.to_thread(mount.swap, BENDS[number % len(BENDS)])
            figures.swaps += 1
            if dice.random() < 0.5:
                gateway.hang_up()
            await asyncio.sleep(rest)
        over.set()
        await asyncio.gather(*asking)
        async with aiohttp.ClientSession() as session:
            await settle(session, gateway.origin)
            async with session.get(gateway.origin + "/metrics") as answer:
                metrics = await answer.text()
            async with session.get(far + "/_simulators/jobs") as answer:
                jobs = await answer.json()
        await gateway.stop()
    figures.loaded, figures.refused = (_counted(metrics, word) for word in ("loaded", "refused"))
    figures.answers, figures.unanswered = answers.answers, answers.unanswered + answers.found_nobody
    figures.errors, figures.notes = answers.errors + answers.turned_away, answers.notes
    await judge.judge(folder, crowd.known, jobs, figures.ends)
    return figures


def _counted(metrics: str, result: str) -> int:
    found = re.search(rf'tidegate_config_reloads_total{{result="{result}"}} ([0-9]+)', metrics)
    return int(found[1]) if found else 0


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--swaps", type=int, default=60)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the store and the log here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        figures = asyncio.run(run(options.swaps, options.clients, options.seed, folder.resolve()))
        print(f"reloads {figures.line()} seed={options.seed}")
        for note in [*figures.notes, *figures.ends.notes][:20]:
            print("note:", note)
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
