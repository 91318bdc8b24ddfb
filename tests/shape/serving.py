"""The gateway under count: the real application on a thread of its own, on the library's own loop, its time standing still.

Time that stands still keeps away whatever is done every second, so that what is counted belongs to the requests.
"""

from __future__ import annotations

import asyncio
import io
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gateway import app, log, settings
from gateway.attempts.run import Runs
from gateway.commands import administration
from gateway.ledger.database import Database
from gateway.running import Running
from tests.bench.far import far_end
from tests.bench.line import Line
from tests.clock import VirtualClock
from tests.harness.process import few

T = TypeVar("T")

_SECRETS = {"OPENAI_API_KEY": "sk-shape", "REPLICATE_API_TOKEN": "r8-shape"}
_CREDITS = 9_000_000
_PATIENCE, _AGAIN = 60.0, 0.001


class Served:
    """One gateway that serves, a key to it, and its clock."""

    def __init__(self, policy: Path, key: str) -> None:
        self.key = key
        self.clock = VirtualClock(time.time_ns() // 1_000_000)
        self.loop: asyncio.AbstractEventLoop = asyncio.SelectorEventLoop()
        self.running: Running | None = None
        self._policy = policy
        self._ended = asyncio.Event()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="served", daemon=True)

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self._thread.start()
        self._ready.result(_PATIENCE)

    def stop(self) -> None:
        """End it."""
        self.loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(_PATIENCE)
        assert not self._thread.is_alive()

    @property
    def store(self) -> Database:
        """Its store."""
        assert self.running is not None
        assert self.running.served is not None
        return self.running.served.store

    @property
    def origin(self) -> str:
        """Where it listens."""
        assert self.running is not None
        return self.running.origin

    @property
    def line(self) -> Line:
        """A connection to it, with the key."""
        return Line(self.origin, self.sends)

    @property
    def sends(self) -> Mapping[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}

    def do(self, act: Coroutine[Any, Any, T]) -> T:
        """Do something on its loop."""
        return asyncio.run_coroutine_threadsafe(act, self.loop).result(_PATIENCE)

    @property
    def runs(self) -> Runs:
        """All that is under way in it."""
        assert self.running is not None
        assert self.running.served is not None
        return self.running.served.intake._runs

    def is_at_rest(self, generation: str) -> bool:
        """Whether a generation waits at its provider for the next look at it."""
        job = self.runs._jobs.get(generation)
        return job is not None and job.resting

    @property
    def sleeping(self) -> int:
        """How many sleep on its clock; each that rests at a provider is one."""
        return len(self.clock._sleepers)

    @property
    def rests(self) -> bool:
        """Whether all that is under way waits at its provider for the next look at it."""
        return all(job.resting for job in list(self.runs._jobs.values()))

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        ends = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < ends, "it never came to hold"
            time.sleep(_AGAIN)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:
                if self._ready.done():
                    raise
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        async with app.running(settings.load(self._policy, _SECRETS), _SECRETS, clock=self.clock) as self.running:
            self._ready.set_result(None)
            await self._ended.wait()


@contextmanager
def served(folder: Path) -> Iterator[tuple[Served, str]]:
    """A gateway with an account that has credits, and the origin of its far end; `outputs: none`, all else as it is usually."""
    with far_end(folder) as (far, _), logging_alone():
        policy = folder / "config.yaml"
        policy.write_text(
            "listen: 127.0.0.1:0\nstore: sqlite:shape.db\noutputs: {store: none}\nlimits: {live: 1000000}\n"
            f"egress: {{allow: [127.0.0.0/8]}}\n{few(folder, 'openai', 'replicate')}"
            f"providers: {{openai: {{base: {far}/small/v1}}, replicate: {{base: {far}/jobs}}}}\n"
        )
        one = Served(policy, asyncio.run(_key(policy)))
        one.start()
        try:
            yield one, far
        finally:
            one.stop()


async def _key(policy: Path) -> str:
    """Open an account, and make a key to it."""
    async with administration.opened(settings.load(policy, _SECRETS), create=True) as act:
        account = await administration.account_of(act, None, create=True)
        await act("credits.add", {"account": account, "amount": _CREDITS})
        return str((await act("keys.create", {"account": account, "name": "shape", "preset": "full_access"}))["key"])


@contextmanager
def logging_alone() -> Iterator[None]:
    """Write the log as a process does that serves; whoever runs the tests and keeps every line, which is work too, hears nothing."""
    root, own = logging.getLogger(), logging.getLogger("gateway")
    before, said, level = [*root.handlers], (own.handlers, own.propagate, own.level), root.level
    log.setup(format="json", level="info", stream=io.StringIO())
    own.handlers, own.propagate = [each for each in root.handlers if each not in before], False
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        own.handlers, own.propagate, own.level = said
        root.handlers[:], root.level = before, level
