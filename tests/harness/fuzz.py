"""Requests made from the served document, fitting and bent, at a served gateway: what it answers is held against that document.

Run alone: `python -m tests.harness.fuzz --requests 50000 --seed 1`. The gateway and the played vendors are processes of their own,
the store is a file. It prints each answer that is wrong, with a line to paste that asks for it again, then one line of figures, and
exits 1 when one that has to be zero is not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from gateway import settings
from gateway.clock import SystemClock
from gateway.ingress import admin, keyform
from gateway.ingress.callers import Scope
from gateway.ledger.checks import run_checks
from gateway.ledger.database import Database
from gateway.state import peppers
from tests.gateway.ingress.house import RECEIVERS
from tests.harness.fuzzing.asking import Asking
from tests.harness.fuzzing.known import VICTIM, Known
from tests.harness.fuzzing.oracle import Oracle
from tests.harness.fuzzing.wire import Answer, Broken, Line, Request
from tests.harness.process import Gateway, far_ends, free_port, now_ms

_AT_ONCE = 24  # requests of one turn; each turn is made from what the turns before it told
_QUIET = 90.0  # seconds in which what was begun has to have ended
_SHOWN = 20  # wrong answers that are printed
_ALIASES = {"bfl/flux-schnell": "black-forest-labs/flux-schnell"}
_NOISE = ("Traceback", "request_broke", "routes_undescribed", "never retrieved", "Unclosed", "never awaited")


@dataclass
class Figures:
    """What is counted. The second block has to be zero."""

    requests: int = 0
    bent: int = 0
    operations: int = 0
    operations_of: int = 0
    statuses: int = 0
    accepted: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    wrong: int = 0
    server_errors: int = 0
    broken: int = 0
    unaccepted: int = 0
    stuck: int = 0
    open_holds: int = 0
    ledger_findings: int = 0
    log_noise: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def bad(self) -> int:
        """How many of the figures that have to be zero are not."""
        names = (
            "wrong",
            "server_errors",
            "broken",
            "unaccepted",
            "stuck",
            "open_holds",
            "ledger_findings",
            "log_noise",
        )
        return sum(1 for name in names if getattr(self, name))

    def line(self) -> str:
        """One line, as it goes into the results."""
        told = {name: value for name, value in vars(self).items() if name not in {"notes", "answers"}}
        said = " ".join(
            f"{name}={value:.2f}" if isinstance(value, float) else f"{name}={value}" for name, value in told.items()
        )
        return said + " answers=" + ",".join(f"{status}:{count}" for status, count in sorted(self.answers.items()))


async def run(requests: int, seed: int, folder: Path) -> Figures:
    """Run the whole thing and give its figures."""
    figures = Figures()
    port = free_port()
    async with AsyncExitStack() as stack:
        _, bases, far_secrets = await stack.enter_async_context(far_ends((), seed, "image=0.05,video=0.2"))
        known = Known(await _people(folder, far_secrets))
        gateway = Gateway(folder, _policy(folder, bases, port), far_secrets, port)
        await gateway.start()
        stack.push_async_callback(gateway.kill)
        await _ask(port, known, requests, seed, figures)
        figures.stuck = await _quiet(folder / "gateway.db")
        await gateway.stop()
        await _books(folder, known, figures)
        for line in gateway.log.read_text(errors="replace").splitlines():
            if any(word in line for word in _NOISE) or any(key in line for key in known.keys.values()):
                figures.log_noise += 1
                figures.notes.append(f"log: {line[:600]}")
    return figures


def _policy(folder: Path, bases: Mapping[str, str], port: int) -> str:
    providers = "".join(f"  {name}: {{base: {base}}}\n" for name, base in bases.items())
    return (
        f"listen: 127.0.0.1:{port}\nstore: sqlite:gateway.db\noutputs: {{store: 'file://{folder}/outputs'}}\n"
        "public_url: https://gateway.invalid\nauth: keys\ncredits: enforce\negress: {allow: [127.0.0.0/8]}\n"
        f"proxies: {{trusted: [127.0.0.0/8]}}\nproviders:\n{providers}log: {{format: json, level: info}}\n"
        "attempts: {image_deadline: 40s, video_deadline: 40s}\n"
    )


async def _people(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Open accounts, and make keys of every kind."""
    (folder / "config.yaml").write_text("store: sqlite:gateway.db\n")
    told = settings.load(folder / "config.yaml", environ)
    store = await Database.open(folder / "gateway.db", now=now_ms)
    secret, clock = peppers(told)[0], SystemClock()

    async def act(name: str, /, **given: Any) -> dict[str, Any]:
        return await admin.act(store, secret, clock, name, given, receivers=RECEIVERS)

    async def key(account: str, **given: Any) -> dict[str, Any]:
        return await act("keys.create", account=account, **given)

    for account in ("acme", "other", "poor", VICTIM):
        await act("accounts.create", account=account)
        if account != "poor":
            await act("credits.add", account=account, amount="100000")
    everything = [scope.value for scope in Scope]
    plain = [scope for scope in everything if scope != Scope.ADMIN]
    made = {
        "full": await key("acme", scopes=everything),
        "other": await key("other", scopes=plain),
        "poor": await key("poor", scopes=plain),
        "narrow": await key("acme", preset="monitor_only"),
        "limited": await key("acme", scopes=plain, rate=20, in_flight=1, models=["bytedance/*"]),
        "budget": await key("acme", scopes=plain, budget="0.1"),
        "revoked": await key("acme"),
        "expired": await key("acme", expires_in="1s"),
    }
    await act("keys.revoke", id=made["revoked"]["id"])
    await store.close()
    return {**{name: each["key"] for name, each in made.items()}, "unknown": keyform.mint(secrets.token_bytes)}


async def _ask(port: int, known: Known, requests: int, seed: int, figures: Figures) -> None:
    lines = [Line("127.0.0.1", port) for _ in range(_AT_ONCE)]
    document = json.loads((await lines[0].send(Request("GET", b"/openapi.json"))).body)
    oracle, asking = Oracle(document), Asking(document, known, _ALIASES)
    began = time.monotonic()
    for turn in range(0, requests, _AT_ONCE):
        sent = [asking.next(Random(f"{seed}/{n}")) for n in range(turn, min(turn + _AT_ONCE, requests))]
        if turn % (5 * _AT_ONCE) == 0:
            # The same at once: who cancels, who deletes, who asks under one key.
            first = next((each for each in sent if each.method == "DELETE" or each.header("Idempotency-Key") or b"/cancel/" in each.target), sent[0])  # fmt: skip
            sent[-2:] = [first] * len(sent[-2:])
        answers = await asyncio.gather(*(_send(line, each) for line, each in zip(lines, sent, strict=False)))
        for request, answer in zip(sent, answers, strict=True):
            _judge(oracle, known, request, answer, figures, f"http://127.0.0.1:{port}")
    for line in lines:
        line.close()
    figures.seconds = time.monotonic() - began
    general = set(_operations(document))
    figures.operations_of = len(general)
    figures.operations = len({name for name, status in oracle.covered if status < 400} & general)
    figures.statuses = len(oracle.covered)
    if missed := sorted(general - {name for name, status in oracle.covered if status < 400}):
        figures.notes.append(f"never answered with success: {', '.join(missed[:30])}")


def _operations(document: Mapping[str, Any]) -> list[str]:
    return [
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters" and operation["tags"] != ["Models"]
    ]


async def _send(line: Line, request: Request) -> Answer | str:
    try:
        return await line.send(request)
    except Broken as exc:
        return str(exc)


def _judge(oracle: Oracle, known: Known, request: Request, answer: Answer | str, figures: Figures, origin: str) -> None:
    figures.requests += 1
    figures.bent += bool(request.notes)
    if isinstance(answer, str):
        figures.broken += 1
        figures.notes.append(f"broken: {answer}\n    {'+'.join(request.notes)}\n    {request.curl(origin)[:3000]}")
        return
    figures.answers[answer.status] += 1
    figures.slowest = max(figures.slowest, answer.seconds)
    wrong = list(oracle.mistakes(request, answer))
    if not request.notes and (said := oracle.refused_in_vain(request, answer)):
        wrong.append(said)
    if (found := oracle.find(request.method, request.target)) is not None:
        known.learn(found[0], request, answer)
    if wrong:
        figures.server_errors += answer.status >= 500
        figures.wrong += 1
        figures.notes.append(
            "\n    ".join([f"wrong: {'; '.join(wrong)}", "+".join(request.notes), request.curl(origin)[:3000]])
        )


async def _quiet(path: Path) -> int:
    """Wait until everything begun has ended; how much has not."""
    live = 0
    for _ in range(int(_QUIET * 5)):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
            [[live]] = base.execute(
                "SELECT count(*) FROM generation WHERE state NOT IN ('succeeded', 'failed', 'canceled')"
            )
        base.close()
        if live == 0:
            break
        await asyncio.sleep(0.2)
    return int(live)


async def _books(folder: Path, known: Known, figures: Figures) -> None:
    """Hold the store against what was accepted."""
    store = await Database.open(folder / "gateway.db", now=now_ms)
    findings = await store.read(run_checks(now_ms(), 60_000))
    await store.close()
    figures.ledger_findings = len(findings)
    figures.notes += [f"{finding.check.name}: {finding.rows[:5]}" for finding in findings]
    base = sqlite3.connect(folder / "gateway.db")
    there = {row[0] for row in base.execute("SELECT id FROM generation")}
    figures.unaccepted = len(there - known.accepted)
    figures.accepted = len(known.accepted)
    [[held]] = base.execute("SELECT count(*) FROM account WHERE held != 0")
    [[holds]] = base.execute("SELECT count(*) FROM hold WHERE state = 'open'")
    figures.open_holds = held + holds
    base.close()


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description="requests out of the gateway's own document, fitting and bent")
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidegate-fuzz-") as folder:
        figures = asyncio.run(run(asked.requests, asked.seed, Path(folder)))
    print("\n".join(figures.notes[:_SHOWN]), flush=True)
    print(figures.line(), flush=True)
    return 1 if figures.bad() else 0


if __name__ == "__main__":
    sys.exit(main())
