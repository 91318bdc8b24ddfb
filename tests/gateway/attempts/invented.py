"""Vendors nobody has, one for each way a lost answer can be made good, behind a far end of their own."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.attempts.line import Callback
from gateway.attempts.run import Runs
from gateway.clock import SystemClock
from gateway.ledger import accounts, credits
from gateway.ledger.database import Database
from gateway.providers import catalog
from tests.gateway.attempts.bench import OPENING, Bench, line

MODEL = "lab/still"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
_GRACE = 120_000  # ms, as a gateway has it unless told otherwise
_SPEED = 100  # a minute of the gateway's is more than half a second of ours

# What each vendor offers: a key of ours, a list with our tag, a list with the address to call back, nothing.
CLASSES = {
    "keyed": "doubt: {key: {header: X-Key}}",
    "named": "doubt: {key: {field: key}}",
    "listed": "doubt: {tag: reference, find: {call: GET /jobs, at: jobs, tag: reference, keep: {id: job}}}",
    "calling": "nudge: {field: hook}\n    doubt: {find: {call: GET /jobs, at: jobs, tag: hook, keep: {id: job}}}",
    "blind": "doubt: blind",
    "silent": "",
}
_PROVIDER = """\
provider: {name}
name: {name}
about: A vendor nobody has.
website: https://{name}.example
docs: https://{name}.example/api
checked: 2026-11-22
rank: 10
base: https://api.{name}.example
auth: {{Authorization: Bearer $secret.INVENTED_KEY}}
failure: {{code: error.code, message: error.message}}
faults: [{{is: content_blocked, code: [unsafe]}}]
retry_after: [{{header: retry-after, as: seconds}}]
lifecycles:
  job:
    calls: {{submit: POST /jobs, status: GET /jobs/$id, cancel: DELETE /jobs/$id}}
    keep: {{id: id}}
    state: {{at: status, running: [busy], succeeded: [done], failed: [broken], canceled: [stopped]}}
    outputs: "images[].{{b64: b64}}"
    pace: {{first: 1s, every: 1s, deadline: 2m}}
    {doubt}
"""
_STILL = """\
makes: image
native: still
takes: {prompt: {required: true}}
body: {prompt: $prompt}
price: {per: image, usd: 0.5}
"""


class Fast(SystemClock):
    """A clock on which everything is over sooner, the time of day included."""

    def __init__(self) -> None:
        """Begin now."""
        self._began = time.monotonic()
        self._at = super().now_ms()

    def now_ms(self) -> int:
        """Give the hurried time of day."""
        return self._at + int(self.monotonic() * 1000)

    def monotonic(self) -> float:
        """Give the hurried seconds that have passed."""
        return (time.monotonic() - self._began) * _SPEED

    async def sleep(self, seconds: float) -> None:
        """Wait a small part of it."""
        await super().sleep(seconds / _SPEED)


@dataclass
class Far:
    """The far end of them all. `does` says what becomes of each submit in turn, then all go well.

    lose: the job begins and the answer is lost; drop: nothing begins and no answer comes; a number: answered with that status.
    """

    does: list[Any] = field(default_factory=list)
    cancels: list[int] = field(default_factory=list)  # the statuses of the cancel calls to come, then 200
    says: list[Any] = field(default_factory=list)  # words or HTTP statuses of the looks to come, before the truth
    runs: float = 0.0  # seconds of ours that a job runs
    empty: bool = False  # jobs end well and made nothing
    blind_list: bool = False  # the list cannot be read
    jobs: list[dict[str, Any]] = field(default_factory=list)
    submits: int = 0
    looks: int = 0
    canceled: list[int] = field(default_factory=list)
    lists: int = 0
    bases: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=lambda: {"INVENTED_KEY": "invented"})
    held: asyncio.Event = field(default_factory=asyncio.Event)

    def application(self) -> web.Application:
        """The routes, below the name of the vendor that is meant."""
        app = web.Application()
        app.router.add_post("/{vendor}/jobs", self._submit)
        app.router.add_get("/{vendor}/jobs", self._list)
        app.router.add_get("/{vendor}/jobs/{id}", self._look)
        app.router.add_delete("/{vendor}/jobs/{id}", self._cancel)
        return app

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        self.submits += 1
        vendor, body = request.match_info["vendor"], await request.json()
        does = self.does.pop(0) if self.does else "take"
        key = request.headers.get("X-Key") or body.get("key")
        known = next((job for job in self.jobs if key and job["key"] == key and job["vendor"] == vendor), None)
        if isinstance(does, int):
            body = {"error": {"code": "unsafe", "message": "no"}} if does == 422 else {}
            return web.json_response(body, status=does)
        if does in {"take", "lose", "hold"} and known is None:
            known = {"vendor": vendor, "key": key, "body": body, "began": time.monotonic(), "status": None}
            self.jobs.append(known)
        if does == "hold":
            self.held.set()
            await asyncio.sleep(0.1)
        if does != "take" or known is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.json_response({"id": self.jobs.index(known) + 1})

    async def _list(self, request: web.Request) -> web.Response:
        self.lists += 1
        if self.blind_list:
            return web.json_response({}, status=503)
        mine = [job for job in self.jobs if job["vendor"] == request.match_info["vendor"]]
        return web.json_response({"jobs": [{"job": self.jobs.index(job) + 1, **job["body"]} for job in reversed(mine)]})

    async def _look(self, request: web.Request) -> web.Response:
        self.looks += 1
        job = self.jobs[int(request.match_info["id"]) - 1]
        done = time.monotonic() - job["began"] >= self.runs
        said = self.says.pop(0) if self.says else None
        if isinstance(said, int):
            return web.json_response({}, status=said)
        status = said or job["status"] or ("done" if done else "busy")
        images = [{"b64": b64encode(PNG).decode()}] if status == "done" and not self.empty else []
        return web.json_response({"status": status, "images": images})

    async def _cancel(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        self.canceled.append(number)
        status = self.cancels.pop(0) if self.cancels else 200
        if status == 200:
            self.jobs[number - 1]["status"] = "stopped"
        return web.json_response({}, status=status)


def packs(folder: Path) -> catalog.Catalog:
    """Load the packs of all of them."""
    for name, doubt in CLASSES.items():
        (folder / name / "lab").mkdir(parents=True, exist_ok=True)
        (folder / name / "provider.yaml").write_text(_PROVIDER.format(name=name, doubt=doubt))
        (folder / name / "lab" / "still.yaml").write_text(_STILL)
    return catalog.load([folder])


@dataclass
class Invented:
    """A bench whose far ends are the invented vendors."""

    far: Far
    bench: Bench
    folder: Path
    callback: Callback | None

    async def ask(self, providers: Sequence[str], **rules: Any) -> str:
        """Begin a generation at these vendors, in this order."""
        return await self.bench.begin(MODEL, providers, prompt="a seal", _seconds=600, **rules)

    def crash(self) -> None:
        """Drop every run where it is."""
        for job in list(self.bench.runs._jobs.values()):
            assert job.task is not None
            job.task.cancel()

    @asynccontextmanager
    async def again(self) -> AsyncIterator[Runs]:
        """What a new process would have in memory."""
        at = self.bench
        async with line(self.folder, self.far, at.store, at.packs, at.clock, self.callback) as runs:  # type: ignore[arg-type] # a double of its interface
            runs._walker._poll_grace = _GRACE
            yield runs


@asynccontextmanager
async def invented(folder: Path, far: Far, callback: Callback | None = None) -> AsyncIterator[Invented]:
    """Set everything up; on leaving the runs are dropped where they are."""
    clock, found = Fast(), packs(folder / "packs")
    async with TestServer(far.application()) as server:
        far.bases = {name: str(server.make_url(f"/{name}")) for name in CLASSES}
        store = await Database.open(folder / "bench.db", now=clock.now_ms)
        await store.write(accounts.ensure("local", "", clock.now_ms()))
        await store.write(credits.add("local", OPENING, "opening", "", clock.now_ms()))
        async with line(folder, far, store, found, clock, callback) as runs:  # type: ignore[arg-type] # a double of its interface
            runs._walker._poll_grace = _GRACE
            yield Invented(far, Bench(far, store, runs, clock, found), folder, callback)  # type: ignore[arg-type] # a double of its interface
        await store.close()
