"""After a restore: what the store lacks is made good as far as it can be, and nothing is deleted meanwhile.

Every generation that had not ended is looked at again at its provider, as after any restart; events follow from what happens, under
the ids they had. What only the lost part knew cannot be had back: what can be told of it is listed, in the log and by
`tidegate doctor`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway import log, mark
from gateway.artifacts.shelved import shelved
from gateway.clock import Clock, iso
from gateway.ledger import restores
from gateway.ledger.database import Database
from gateway.ledger.program import StoreError
from gateway.ledger.restores import Restored
from gateway.mark import Mark

_BEAT = 1.0  # seconds between notes that the store was written to
_LOOK = 5.0  # seconds between looks whether all that was live has ended
_TOLD = 20  # ids of each kind in the log; the doctor has more


@asynccontextmanager
async def opened(
    store: Database, clock: Clock, outputs: Path | None, secret: bytes, *, asked: bool
) -> AsyncIterator[Reconciling]:
    """Find out whether a store was put back, before anything of it is taken up, and mark it for as long as it is used."""
    found = Reconciling(store, clock, outputs, secret)
    await found.open(asked=asked)
    found.start()
    try:
        yield found
    finally:
        await found.stop()


class Reconciling:
    """Marks a store, sees at a start that it was put back, and says when that is made good."""

    def __init__(self, store: Database, clock: Clock, outputs: Path | None, secret: bytes) -> None:
        """Look after `store`; `outputs` is the folder of outputs, `secret` a key of the gateway's own."""
        self._store = store
        self._clock = clock
        self._outputs = outputs
        self._secret = secret
        self._file = ""
        self._beats = 0
        self._is_written = False
        self._found: Restored | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_under_way(self) -> bool:
        """Whether something is still to be made good, so that nothing may be deleted."""
        return self._found is not None and self._found.ended is None

    def written(self) -> None:
        """Hear that something was committed."""
        self._is_written = True

    async def open(self, *, asked: bool) -> None:
        """Find out whether the store was put back; before anything of it is taken up. With `asked` it was."""
        self._found = await self._store.read(restores.report())
        fingerprint = hmac.new(self._secret, b"fingerprint", hashlib.sha256).hexdigest()[:16]
        if not await self._store.write(restores.sealed(fingerprint)):
            said = "keys and links made with the secret before this one do not work; put that one back beside the store"
            log.event("secret_replaced", level="error", says=said)
        why, until = await self._judged(asked=asked)
        if why is None:
            return
        self._found = await self._store.write(restores.begin(why.value, until, self._clock.now_ms()))
        log.event("store_restored", level="warning", **_told(self._found))

    def start(self) -> None:
        """Begin to mark it, and to make good what has to be."""
        if self._store.path is not None:
            self._tasks.append(asyncio.create_task(self._mark(self._store.path), name="mark"))
        if self.is_under_way:
            self._tasks.append(asyncio.create_task(self._until_made_good(), name="reconciling"))

    async def stop(self) -> None:
        """End; what is not made good is gone on with by the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _judged(self, *, asked: bool) -> tuple[mark.Why | None, int | None]:
        path = self._store.path
        if path is None:
            return (mark.Why.ASKED if asked else None), None  # a server's own logs bring it to where it was
        beats = await self._store.read(restores.beats())
        left = await asyncio.to_thread(mark.read, path)
        self._file = await asyncio.to_thread(mark.file_of, path)
        self._beats = max(beats or 0, left.beats if left is not None else 0)
        await self._beat(path)
        return mark.judge(left, self._file, beats, asked=asked), left.at if left is not None else None

    async def _beat(self, path: Path) -> None:
        """Note it in the store first: whoever finds the mark ahead of the store then knows that the store is another."""
        self._beats += 1
        await self._store.write(restores.beat(self._beats))
        self._is_written = False  # that was us
        now = Mark(self._file, self._beats, self._clock.now_ms())
        await asyncio.to_thread(mark.write, path, now)

    async def _mark(self, path: Path) -> None:
        while True:
            await self._clock.sleep(_BEAT)
            if self._is_written:
                await _quietly(lambda: self._beat(path))

    async def _until_made_good(self) -> None:
        assert self._found is not None
        if self._found.orphans is None and self._outputs is not None:
            await _quietly(self._look_for_orphans)
        while self.is_under_way:
            await self._clock.sleep(_LOOK)
            await _quietly(self._look)

    async def _look(self) -> None:
        assert self._found is not None
        if not await self._store.report(restores.is_left(self._found.at)):
            self._found = await self._keep(replace(self._found, ended=self._clock.now_ms()))
            log.event("store_reconciled", generations=self._found.live, orphans=self._found.orphaned)

    async def _look_for_orphans(self) -> None:
        assert self._found is not None
        assert self._outputs is not None
        orphans: list[str] = []
        shelves = shelved(self._outputs)
        while (names := await asyncio.to_thread(next, shelves, None)) is not None:
            orphans += await self._store.report(restores.unknown(names))
        self._found = await self._keep(self._found.with_orphans(orphans))
        log.event("orphans_listed", level="warning", count=len(orphans), generations=orphans[:_TOLD])

    async def _keep(self, found: Restored) -> Restored:
        await self._store.write(restores.keep(found))
        return found


async def _quietly(work: Callable[[], Awaitable[None]]) -> None:
    """Do something that is tried again, or left to the next start, when it cannot be done."""
    try:
        await work()
    except (StoreError, OSError) as error:
        log.event("reconciling_failed", level="warning", error=error)


def _told(found: Restored) -> dict[str, Any]:
    return {
        "why": found.why,
        "known": None if found.known is None else iso(found.known),
        "until": None if found.until is None else iso(found.until),
        "live": found.live,
        "in_doubt": list(found.in_doubt[:_TOLD]),
        "unsent": list(found.unsent[:_TOLD]),
    }
