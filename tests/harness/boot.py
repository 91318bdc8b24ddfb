"""A restart with thousands of live generations: how soon it is ready, whether all are taken up, and how gently.

Run alone: `python -m tests.harness.boot --live 10000`. The rows are made by the programs that make them in earnest, the gateway is
a process of its own, and the far end, three vendors nobody has, counts what it hears; one of them takes only so many calls a
second, and is to hear no more. Exits 1 when a figure that has to be zero
is not, or the start took longer than `--most` seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.generation import Kind
from gateway.ledger import accounts, attempts, credits, generations
from gateway.ledger.checks import run_checks
from gateway.ledger.database import Database
from gateway.simulators import media
from gateway.simulators.jobs import Output
from tests.harness.life import PACKS
from tests.harness.process import Gateway, free_port, now_ms

VENDORS = ("north", "south", "west")
_CAPPED = "west"
_RATE = 50  # calls a second that it takes: fewer than the jobs taken up would make of themselves
MODEL = "lab/still"
_PRICE = 20_000  # millionths
_LOOKS_PER_SECOND = 200  # of jobs taken up together; see gateway/attempts/resume.py
_PROVIDER = """\
provider: {name}
name: {name}
about: A vendor nobody has.
website: https://{name}.example
docs: https://{name}.example/api
checked: 2026-11-22
rank: {rank}
base: https://api.{name}.example
auth: {{Authorization: Bearer $secret.BOOT_KEY}}
failure: {{code: error.code, message: error.message}}
faults: [{{is: content_blocked, code: [unsafe]}}]
lifecycles:
  job:
    calls: {{submit: POST /jobs, status: GET /jobs/$id, cancel: DELETE /jobs/$id}}
    keep: {{id: id}}
    state: {{at: status, running: [busy], succeeded: [done], failed: [broken], canceled: [stopped]}}
    outputs: "images[].{{url: url}}"
    pace: {{first: 2s, every: 2s, deadline: 20m}}
"""
_STILL = """\
makes: image
native: still
takes: {prompt: {required: true}}
body: {prompt: $prompt}
price: {per: image, usd: 0.02}
"""
# How far the generations had come when the process stopped, in parts of twenty.
_MIX = ("accepted",) * 2 + ("submitting",) * 1 + ("storing",) * 1 + ("submitted",) * 16


@dataclass
class Figures:
    """What is counted. All from `failed` on has to be zero."""

    live: int = 0
    seconds_to_ready: float = 0.0
    processor_seconds: float = 0.0  # of them; what else the machine does is not counted
    spread: float = 0.0  # seconds between the first look and the last first look
    most_first_looks: int = 0  # within a second, at one provider
    most_calls: int = 0
    succeeded: int = 0
    failed: int = 0
    untouched: int = 0
    submitted_twice: int = 0
    bursts: int = 0
    over_rate: int = 0  # calls too many within any second, at the one that takes only so many
    stuck: int = 0
    ledger_findings: int = 0
    notes: list[str] = field(default_factory=list)

    def bad(self) -> bool:
        """Whether a figure that has to be zero is not."""
        return any(
            (
                self.failed,
                self.untouched,
                self.submitted_twice,
                self.bursts,
                self.over_rate,
                self.stuck,
                self.ledger_findings,
            )
        )

    def line(self) -> str:
        """One line, as it goes into the results."""
        shown = {name: value for name, value in vars(self).items() if name != "notes"}
        return " ".join(f"{name}={value:.2f}" if isinstance(value, float) else f"{name}={value}" for name, value in shown.items())  # fmt: skip


class Far:
    """Three vendors: every job they are asked about is theirs, and runs until they are told to let it end."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.first: dict[tuple[str, str], float] = {}
        self.calls: list[tuple[str, float]] = []
        self.submits: Counter[str] = Counter()
        self.done = False
        self._file = media.draw(Output("png", 8, 8), "seal")
        self.origin = ""

    def routes(self) -> list[web.RouteDef]:
        """What they answer to."""
        return [
            web.post("/{vendor}/jobs", self._submit),
            web.get("/{vendor}/jobs/{id}", self._look),
            web.get("/file", self._give),
        ]

    async def _submit(self, request: web.Request) -> web.Response:
        prompt = (await request.json())["prompt"]
        self.submits[prompt] += 1
        self.calls.append((request.match_info["vendor"], time.monotonic()))
        return web.json_response({"id": f"new {prompt}"})

    async def _look(self, request: web.Request) -> web.Response:
        vendor, now = request.match_info["vendor"], time.monotonic()
        self.calls.append((vendor, now))
        self.first.setdefault((vendor, request.match_info["id"]), now)
        if not self.done:
            return web.json_response({"status": "busy"})
        return web.json_response({"status": "done", "images": [{"url": f"{self.origin}/file"}]})

    async def _give(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._file, content_type="image/png")


async def run(live: int, seed: int, folder: Path) -> Figures:
    """Make the rows, start, watch, let everything end, and count."""
    figures, far = Figures(live=live), Far()
    runner = web.AppRunner(web.Application(), access_log=None)
    runner.app.add_routes(far.routes())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    far.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        gateway = _gateway(folder, far.origin)
        await gateway.start()  # what is measured is a restart: the packs have been read before
        await gateway.stop()
        states = await _fill(folder, live, far.origin, random.Random(seed))
        began = time.monotonic()
        await gateway.start()
        figures.seconds_to_ready = time.monotonic() - began
        figures.processor_seconds = _processor(gateway.pid)
        spread = max(2.0, live / _LOOKS_PER_SECOND)
        await _all_looked_at(far, states, 4 * spread + 10)
        _count_calls(figures, far, states, spread)
        far.done = True
        await _all_ended(gateway, 60 + live / 20)
        await gateway.stop()
        figures.over_rate = _over_rate([at for vendor, at in far.calls if vendor == _CAPPED])
    finally:
        await runner.cleanup()
    await _judge(figures, folder, far, states)
    return figures


def _gateway(folder: Path, origin: str) -> Gateway:
    port = free_port()
    providers = "".join(f"  {name}: {{base: {origin}/{name}}}\n" for name in VENDORS if name != _CAPPED)
    providers += f"  {_CAPPED}: {{base: {origin}/{_CAPPED}, rate: {_RATE}}}\n"
    config = (
        f"listen: 127.0.0.1:{port}\nstore: sqlite:gateway.db\noutputs: {{store: 'file://{folder}/outputs'}}\nauth: none\n"
        f"catalog: ['{PACKS}', '{folder}/packs']\negress: {{allow: [127.0.0.0/8]}}\nproviders:\n{providers}"
        "log: {format: json, level: warning}\nattempts: {in_doubt_max_cost: 1}\n"
    )
    for rank, name in enumerate(VENDORS, 90):
        pack = folder / "packs" / name / "lab"
        pack.mkdir(parents=True, exist_ok=True)
        (pack.parent / "provider.yaml").write_text(_PROVIDER.format(name=name, rank=rank))
        (pack / "still.yaml").write_text(_STILL)
    return Gateway(folder, config, {"BOOT_KEY": "boot"}, port)


async def _fill(folder: Path, live: int, origin: str, dice: random.Random) -> dict[str, str]:
    """Write what a process leaves that stopped in the middle of everything: each prompt, and how far it had come."""
    store = await Database.open(folder / "gateway.db", now=now_ms)
    await store.write(accounts.ensure("local", "local", now_ms()))
    await store.write(credits.add("local", 2 * live * _PRICE, "opening", "", now_ms()))
    states = {f"boot {number}": dice.choice(_MIX) for number in range(live)}
    for start in range(0, live, 500):
        some = list(states.items())[start : start + 500]
        await asyncio.gather(*(_one(store, prompt, state, dice.choice(VENDORS), origin) for prompt, state in some))
    await store.close()
    return states


async def _one(store: Database, prompt: str, state: str, vendor: str, origin: str) -> None:
    now, number = now_ms(), prompt.removeprefix("boot ")
    others = [vendor, *(name for name in VENDORS if name != vendor)]
    plan = {
        "steps": [{"provider": name, "form": 0, "native": "still", "price": _PRICE, "dropped": []} for name in others],
        "excluded": [],
        "defaults": {},
        "attempts": 3,
        "follow_refusal": False,
        "in_doubt_max_cost": 1_000_000,
    }
    new = generations.NewGeneration(
        id=f"boot-{number}",
        account="local",
        kind=Kind.IMAGE,
        model=MODEL,
        request={"prompt": prompt},
        plan=plan,
        order=tuple(others),
        price=_PRICE,
        created=now,
        deadline=now + 900_000,
    )
    await store.write(generations.accept(new))
    if state == "accepted":
        return
    opened = attempts.open_attempt(new.id, 1, provider=vendor, native="still", form=0, price=_PRICE, at=now)
    attempt = await store.write(opened)
    assert attempt is not None
    if state == "submitting":
        return
    await store.write(attempts.submitted(attempt, f"old-{number}", {"id": f"old-{number}"}, now))
    if state == "storing":
        await store.write(attempts.storing(attempt, [{"url": f"{origin}/file"}], now))


def _processor(pid: int) -> float:
    """The seconds of processor a process has used."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def _count_calls(figures: Figures, far: Far, states: dict[str, str], spread: float) -> None:
    """How the first looks are spread; twice the even rate is taken for chance, more for a burst."""
    old = {key: at for key, at in far.first.items() if key[1].startswith("old-")}
    expected = sum(state == "submitted" for state in states.values())
    figures.untouched = expected - len(old)
    if old:
        figures.spread = max(old.values()) - min(old.values())
    looks = Counter((vendor, int(at)) for (vendor, _), at in old.items())
    figures.most_first_looks = max(looks.values(), default=0)
    figures.most_calls = max(Counter((vendor, int(at)) for vendor, at in far.calls).values(), default=0)
    figures.bursts = sum(count > 2 * expected / spread + 10 for count in looks.values())


def _over_rate(moments: list[float]) -> int:
    """The most calls within a second beyond the rate. One more may fall on its edge, one come late into the next."""
    worst = max((bisect_right(moments, at + 1) - n for n, at in enumerate(moments)), default=0)
    return max(0, worst - _RATE - 2)


async def _all_looked_at(far: Far, states: dict[str, str], seconds: float) -> None:
    expected = sum(state == "submitted" for state in states.values())
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if sum(name.startswith("old-") for _, name in far.first) >= expected:
            return
        await asyncio.sleep(0.2)


async def _all_ended(gateway: Gateway, seconds: float) -> None:
    import aiohttp

    ends = time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < ends:
            async with session.get(gateway.origin + "/metrics") as answer:
                text = await answer.text()
            if "\ntidegate_generations_live 0.0" in text:
                return
            await asyncio.sleep(0.25)


async def _judge(figures: Figures, folder: Path, far: Far, states: dict[str, str]) -> None:
    allowed = {"accepted": 1, "submitting": 1, "submitted": 0, "storing": 0}
    figures.submitted_twice = sum(max(0, far.submits[prompt] - allowed[state]) for prompt, state in states.items())
    store = await Database.open(folder / "gateway.db", now=now_ms)
    found = await store.report(generations.live())
    figures.stuck = len(found)
    figures.notes += [f"stuck: {name}" for _, name in found[:5]]
    findings = await store.report(run_checks(now_ms(), 60_000))
    figures.ledger_findings = len(findings)
    figures.notes += [f"{finding.check.name}: {finding.rows[:3]}" for finding in findings]
    ended: list[Any] = [await store.report(generations.find_any(f"boot-{number}")) for number in range(len(states))]
    figures.succeeded = sum(record.state.value == "succeeded" for record in ended if record is not None)
    figures.failed = figures.live - figures.succeeded
    errors = Counter(str(record.error["message"])[:150] for record in ended if record is not None and record.error)
    figures.notes += [f"{count} failed: {message}" for message, count in errors.most_common(3)]
    await store.close()


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--live", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=float, default=2.0, help="seconds to ready that are allowed (default 2)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = asyncio.run(run(asked.live, asked.seed, Path(scratch)))
    print(f"boot {figures.line()} seed={asked.seed}")
    for note in figures.notes:
        print("note:", note)
    return 1 if figures.bad() or figures.seconds_to_ready > asked.most else 0


if __name__ == "__main__":
    sys.exit(main())
