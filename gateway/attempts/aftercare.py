"""What is done about attempts nobody waits for: the provider is told to stop, and one last look says whether it was paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway import log, metrics, traces
from gateway.attempts.job import fault_row
from gateway.attempts.line import Line, Targets, Told
from gateway.clock import Clock
from gateway.fault import Fault, FaultKind, Reach
from gateway.ledger import attempts as ledger
from gateway.ledger.attempts import NOTHING, After, Unattended
from gateway.ledger.database import Database
from gateway.ledger.endings import CANCELS
from gateway.ledger.program import StoreError
from gateway.ledger.records import Attempt
from gateway.money import CREDIT
from gateway.outcome import AttemptState, Billing, billing_after
from gateway.providers.pack import JobState, Pace
from gateway.providers.read import Reading
from gateway.routing.plan import Step

_EVERY = 2.0  # seconds between turns
_AT_ONCE = 8  # attempts seen to in a turn: it is background work and leaves the line to those who wait
_AGAIN = 2_000  # ms before a provider that could not be told is told again; doubled each time


def following(told: Told, left: int, pace: Pace, now: int) -> After:
    """What is to be done after telling a provider to stop; it may be told `left` more times. Times in ms.

    A job that was stopped, or that cannot be, is looked at once more when it must have ended by its provider's own pace.
    """
    if told is Told.FAILED and left > 0:
        return After(now + (_AGAIN << (CANCELS - 1 - left)), left)
    return After(now + pace.deadline)


async def note_late(store: Database, attempt: int, provider: str, price: int, cost: int | None) -> bool:
    """Note that a job was done for nobody: its provider is paid and no customer pays. False when it was noted before."""
    noted = await store.write(ledger.late(attempt, cost))
    if noted:
        metrics.DOUBLE_SPEND.labels(provider).inc((price if cost is None else cost) / CREDIT)
        log.event("late_result", level="warning", provider=provider)
    return noted


class Aftercare:
    """Sees to attempts nobody waits for, in the background; all it has to know is in the store."""

    def __init__(
        self, store: Database, line: Line, targets: Targets, clock: Clock, leads: Callable[[], bool] = lambda: True
    ) -> None:
        """Speak over `line` to the offers that `targets` finds, while this process `leads` those that share the store."""
        self._leads = leads
        self._store = store
        self._line = line
        self._targets = targets
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._for_ever(), name="aftercare")

    async def stop(self) -> None:
        """End; what was under way is done again by the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def turn(self) -> int:
        """See to what is due, and give how many that was."""
        due = await self._store.read(ledger.due(self._clock.now_ms(), _AT_ONCE))
        ends = await asyncio.gather(*(self._guard(each) for each in due), return_exceptions=True)
        for end in ends:  # all of them are waited for: the first to fail would make a stop at that moment unheard
            if isinstance(end, BaseException):
                raise end
        return len(due)

    async def _for_ever(self) -> None:
        while True:
            await self._clock.sleep(_EVERY)
            try:
                while self._leads() and await self.turn() == _AT_ONCE:
                    pass
            except StoreError as error:
                log.event("aftercare_failed", level="warning", error=error)

    async def _guard(self, found: Unattended) -> None:
        """See to one, in a task of its own; what is wrong with it keeps nobody from seeing to the others."""
        traces.take_up(found.attempt.generation, found.origin, attempt=found.attempt.n)
        try:
            await self._see_to(found)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of ours, or a pack that changed: it is told, and left at that
            log.event("aftercare_broke", level="error", error=error)
            await self._store.write(ledger.put_off(found.attempt.id, NOTHING))

    async def _see_to(self, found: Unattended) -> None:
        attempt = found.attempt
        step = Step(attempt.provider, attempt.form, attempt.native, attempt.price, ())
        target = self._targets(attempt.provider, found.model)
        if attempt.state.is_open:
            await self._close(attempt)
        if target is None or attempt.form >= len(target.model.shapes) or not attempt.ref or not attempt.kept:
            await self._store.write(ledger.put_off(attempt.id, NOTHING))
        elif found.cancels > 0:
            told = await self._line.cancel(step, target, attempt.kept)
            pace = target.model.shapes[attempt.form].lifecycle.pace
            after = following(told, found.cancels - 1, pace, self._clock.now_ms())
            await self._store.write(ledger.put_off(attempt.id, after))
        else:
            reading = await self._line.look(attempt.generation, step, target, attempt.kept)
            if reading.state is JobState.SUCCEEDED or _was_done(reading):
                await note_late(self._store, attempt.id, attempt.provider, attempt.price, reading.cost)
            elif reading.state in {JobState.QUEUED, JobState.RUNNING}:
                await self._line.cancel(step, target, attempt.kept)
            await self._store.write(ledger.put_off(attempt.id, NOTHING))

    async def _close(self, attempt: Attempt) -> None:
        """Close what was left open: the process stopped between the end of the generation and that of the attempt."""
        has_job = attempt.ref is not None
        reach = Reach.ACCEPTED if has_job else Reach.UNSURE
        fault = Fault(FaultKind.LOST, reach, "the generation ended before the attempt did")
        state = AttemptState.ABANDONED if has_job else AttemptState.IN_DOUBT
        now = self._clock.now_ms()
        after = After(now, CANCELS) if has_job else NOTHING
        closing = ledger.close_attempt(attempt.id, state, fault_row(fault), Billing.POSSIBLE, now, after=after)
        await self._store.write(closing)


def _was_done(reading: Reading) -> bool:
    """Whether a job that failed was done all the same, and is charged for: it ended well, and what it made cannot be had."""
    return reading.fault is not None and billing_after(reading.fault) is Billing.CERTAIN
