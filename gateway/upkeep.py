"""What has to be done now and then while the gateway serves: counts written down, old files removed, the ledger looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway import log, metrics
from gateway.artifacts.fault import StorageFault
from gateway.artifacts.store import Store
from gateway.clock import Clock
from gateway.ingress.account import Tallies
from gateway.ingress.callers import Callers
from gateway.ledger import checks, endpoints, events, generations, keys, usage
from gateway.ledger.database import Database
from gateway.ledger.program import StoreError

_FLUSH = 1.0  # seconds between writes of what is only counted: so much may be lost in a crash
_SWEEP = 60.0
_EXPIRE = 60.0
_CHECK = 60.0
_CHECKING = 0.01  # of the time at most: with a million generations a check of all of them takes a minute of a core
_FOLD = 600.0  # a deletion is promised within the hour; readers may be in the way a few times
_BEAT = 0.5
_BLOCKED = 1.0  # seconds of lag that are told: nothing that is done on purpose takes as long
_GRACE = 120_000  # ms past its deadline that a generation may take to be settled


@dataclass(frozen=True, slots=True)
class Ages:
    """How many ms outputs, records of what has ended and was told, and counts of requests are kept."""

    outputs: int
    records: int
    usage: int


class Upkeep:
    """The small tasks of a serving gateway. A failure of one is logged, and it is tried again at its next turn."""

    def __init__(
        self,
        store: Database,
        artifacts: Store | None,
        tallies: Tallies,
        callers: Callers | None,
        clock: Clock,
        ages: Ages,
        *,
        leads: Callable[[], bool] = lambda: True,
        keeps: Callable[[], bool] = lambda: False,
    ) -> None:
        """Keep house in `store`, and in `artifacts`; what is older than its age is removed.

        What concerns all that share the store is done while this process `leads` them. Nothing is removed while it `keeps` all.
        """
        self._keeps = keeps
        self._leads = leads
        self._store = store
        self._artifacts = artifacts
        self._tallies = tallies
        self._callers = callers
        self._clock = clock
        self._ages = ages
        self._checked_until = 0.0  # on the clock that never steps
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._tasks.append(asyncio.create_task(self.watch(), name="watch"))
        for seconds, task in (
            (_FLUSH, self.flush),
            (_SWEEP, self.sweep),
            (_EXPIRE, self.expire),
            (_CHECK, self.check),
            (_FOLD, self.fold),
        ):
            self._tasks.append(asyncio.create_task(self._every(seconds, task), name=task.__name__))

    async def watch(self) -> None:
        """Measure how late the loop comes to what is due, for as long as it runs."""
        while True:
            due = self._clock.monotonic() + _BEAT
            await self._clock.sleep(_BEAT)
            lag = max(0.0, self._clock.monotonic() - due)
            metrics.LOOP_LAG.observe(lag)
            if lag >= _BLOCKED:
                log.event("loop_blocked", level="warning", seconds=round(lag, 3))

    async def stop(self) -> None:
        """End, with the last counts written."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._quietly(self.flush)

    async def flush(self) -> None:
        """Write down what was counted since the last time, and which keys were used."""
        counted = self._tallies.flush()
        if counted:
            await self._store.write(usage.count(counted))
        used = self._callers.take_used() if self._callers else frozenset()
        if used:
            await self._store.write(keys.touch(used, self._clock.now_ms()))

    async def sweep(self) -> None:
        """Remove the files of generations that are older than they are kept, and forget old idempotency keys."""
        if not self._leads():
            return
        now = self._clock.now_ms()
        while await self._store.write(generations.forget_keys(now - generations.KEY_LIFE)):
            pass
        if self._keeps():
            return
        while self._artifacts is not None and (
            stale := await self._store.report(generations.stale(now - self._ages.outputs))
        ):
            for generation in stale:
                # Marked first: a file that stays behind costs space, a record that points nowhere costs trust.
                await self._store.write(generations.remove_files(generation, now))
                await self._artifacts.delete(generation)
            log.event("outputs_removed", generations=len(stale))
        if self._artifacts is not None and (marked := await self._store.report(generations.removing())):
            await self._store.write(generations.removed([each for each in marked if await self._is_removed(each)]))

    async def _is_removed(self, generation: str) -> bool:
        """Remove files again: whoever was to remove them may have failed at it, or ended in between."""
        assert self._artifacts is not None
        try:
            await self._artifacts.delete(generation)
        except StorageFault as error:
            log.event("files_left", level="error", generation=generation, error=error)
            return False
        return True

    async def fold(self) -> None:
        """Empty the store's log: it is the last place where something deleted may be read."""
        await self._store.fold()

    async def expire(self) -> None:
        """Delete the records that are older than they are kept, a few at a time so that nobody waits for it."""
        if not self._leads() or self._keeps():
            return
        now = self._clock.now_ms()
        while expired := await self._store.write(generations.expire(now - self._ages.records, now)):
            files = 0
            for each in expired:
                if each.has_files and self._artifacts is not None:
                    files += await self._artifacts.delete(each.id)
            log.event("records_expired", generations=len(expired), files=files)
        while await self._store.write(events.forget(now - self._ages.records)):
            pass
        await self._store.write(endpoints.forget_secrets(now))
        while await self._store.write(usage.forget((now - self._ages.usage) // usage.DAY)):
            pass

    async def check(self) -> None:
        """Look whether every invariant of the ledger holds, and say so where people look.

        The larger the store, the longer it takes and the more seldom it is done. One check at a time: reports wait for one at most.
        """
        began = self._clock.monotonic()
        if not self._leads() or began < self._checked_until:
            return
        findings: list[checks.Finding] = []
        for each in checks.CHECKS:
            findings += await self._store.check(checks.run_checks(self._clock.now_ms(), _GRACE, [each]))
        ended = self._clock.monotonic()
        self._checked_until = ended + (ended - began) / _CHECKING
        metrics.LEDGER_FINDINGS.set(len(findings))
        for finding in findings:
            log.event("ledger_finding", level="error", check=finding.check.name, says=finding.check.sentence, rows=finding.rows[:10])  # fmt: skip

    async def _every(self, seconds: float, task: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._clock.sleep(seconds)
            await self._quietly(task)

    async def _quietly(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except (StoreError, StorageFault) as error:
            log.event("upkeep_failed", level="warning", error=error)
