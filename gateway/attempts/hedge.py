"""A second job beside a slow one: the first to have its outputs wins, and the other is stopped.

Both cost money, so it is done only where the policy says what that may come to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from gateway import log, metrics
from gateway.attempts.collect import Done, Failed, Gone, Result, Unstored
from gateway.attempts.decide import LEAST, may_run
from gateway.attempts.job import Job, alone, nobody, one_more
from gateway.attempts.pace import Paces, half
from gateway.attempts.slow import usual_of
from gateway.clock import Clock
from gateway.outcome import ProviderError
from gateway.routing.plan import Step
from gateway.routing.policy import Hedging

_SAVED = 10  # second jobs that quiet days may save up for: a month of them must not be spent on one bad hour

# Make an attempt at an offer; None when the offer takes none now.
Begin = Callable[[Job, Step], Awaitable[Result | None]]

_Task = asyncio.Task[tuple[Step, Result] | None]


@dataclass(frozen=True, slots=True)
class Purse:
    """What second jobs may still cost, in millionths. Empty at first: none is made before enough was spent on first ones."""

    left: int = 0

    def filled(self, price: int, hedging: Hedging) -> Purse:
        """Put in the share of a first job's price."""
        most = max(self.left, _SAVED * hedging.max_cost)
        return Purse(min(self.left + int(price * hedging.share), most))

    def spent(self, price: int) -> Purse | None:
        """Take out the price of a second job; None when there is not enough."""
        return Purse(self.left - price) if price <= self.left else None


@dataclass(frozen=True, slots=True)
class Situation:
    """All that counts besides the purse. Amounts in millionths, times in ms; `needs` is what the second job usually takes."""

    price: int
    max_cost: int
    made: int
    allowed: int
    needs: int
    remaining: int


def may_hedge(situation: Situation) -> bool:
    """Whether a second job is worth beginning: cheap enough, one more attempt is allowed, and it would be done in time."""
    return (
        situation.price <= situation.max_cost
        and situation.made < situation.allowed
        and situation.remaining >= situation.needs + LEAST
    )


class Hedges:
    """The second jobs that are under way, and those that may come to be."""

    def __init__(self, begin: Begin, spare: Callable[[Job], Step | None], paces: Paces, clock: Clock) -> None:
        """Begin them with `begin` at the offer that `spare` gives, when a first one runs for longer than `paces` say nearly all do."""
        self._begin = begin
        self._spare = spare
        self._paces = paces
        self._clock = clock
        self._purse = Purse()
        self._beside: dict[str, _Task] = {}  # by generation
        self._stopping: set[_Task] = set()

    def seen(self, job: Job, step: Step, elapsed: int) -> None:
        """Begin a second job beside one that was just seen to run on after `elapsed` ms, if it is slow and there is to be one."""
        usual = usual_of(job, step, self._paces)
        if job.hedging is None or job.rival is not None or usual is None or elapsed < usual:
            return
        other = self._spare(job)
        if other is None or not may_hedge(self._situation(job, other, job.hedging)):
            return
        purse = self._purse.spent(other.price)
        if purse is None:
            return
        self._purse = purse
        second = replace(job, lead=job, rival=job, resting=False, nudged=False, promised=None, spare=nobody, seen=alone)
        job.rival, job.hedging = second, None  # once is enough
        job.tried = one_more(job.tried, other.provider)
        log.event("attempt_hedged", generation=job.id, model=job.model, attempt=job.n, provider=other.provider, ms=elapsed)  # fmt: skip
        walking = asyncio.get_running_loop().create_task(self._walk(second, other), name=f"hedge {job.id}")
        second.task = self._beside[job.id] = walking

    async def _walk(self, second: Job, other: Step) -> tuple[Step, Result] | None:
        result = await self._begin(second, other)
        if result is None:
            return None
        metrics.HEDGES.labels(other.provider, "won" if isinstance(result, Done) else "lost").inc()
        return other, result

    def _situation(self, job: Job, other: Step, hedging: Hedging) -> Situation:
        needs = half(self._paces.of(other.provider, job.model, other.form))
        return Situation(other.price, hedging.max_cost, job.made, job.allowed, needs, job.left(self._clock))

    async def settle(self, job: Job, step: Step, result: Result) -> tuple[Step, Result]:
        """What an attempt and the one beside it came to: the result that counts, and whose it is.

        Where both failed the other's fault is put to the job's errors.
        """
        if job.hedging is not None and isinstance(result, Done):
            self._purse = self._purse.filled(step.price, job.hedging)
        beside = self._beside.pop(job.id, None)
        if beside is None:
            return step, result
        if isinstance(result, Done | Unstored):
            job.wins()  # nothing is left to be done for the other but to stop
            self._stopping.add(beside)
            beside.add_done_callback(self._stopped)
            return step, result
        found = await beside
        job.rival, job.outrun = None, False
        return (step, result) if found is None else _counts(job, (step, result), found)

    def _stopped(self, beside: _Task) -> None:
        self._stopping.discard(beside)
        error = None if beside.cancelled() else beside.exception()
        if error is not None:  # what it left open is seen to later
            log.event("hedge_broke", level="warning", error=error)

    async def drop(self, job: Job) -> None:
        """Let go of what is beside a job that is to be taken up anew from the store."""
        beside = self._beside.pop(job.id, None)
        job.rival = None
        if beside is not None:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

    @property
    def stopping(self) -> list[_Task]:
        """Those that lost and are being told to stop at their providers."""
        return list(self._stopping)


def _counts(job: Job, first: tuple[Step, Result], second: tuple[Step, Result]) -> tuple[Step, Result]:
    """Which of two results counts: a success, then the fault of one that may still run, then the later one."""
    match first[1], second[1]:
        case _, Done() | Unstored():
            return second
        case Failed(fault), Failed(other):
            last, before = (first, (second[0], other)) if may_run(fault) else (second, (first[0], fault))
            job.errors.append(ProviderError(before[0].provider, before[1]))
            return last
        case Gone(), Failed():
            return second
        case _:
            return first
