"""One plan walked to its end, and all that are under way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from gateway import log, metrics
from gateway.attempts import traced
from gateway.attempts.attempt import Running, Walker
from gateway.attempts.choice import Choice
from gateway.attempts.collect import Done, Failed, Gone, Result, Unstored
from gateway.attempts.decide import Again, GiveUp, Next, Reason, Situation, decide
from gateway.attempts.hedge import Hedges
from gateway.attempts.job import Job, failure_row, one_more, was_cut_off
from gateway.attempts.leftover import left_over
from gateway.attempts.line import Target, Targets
from gateway.attempts.opening import Going, Opened, Openings
from gateway.attempts.report import Report, tell_end
from gateway.attempts.shown import why
from gateway.attempts.turns import Turns
from gateway.clock import Clock, until
from gateway.fault import Fault, FaultKind, Reach
from gateway.ledger import generations as ledger
from gateway.ledger.database import Database
from gateway.ledger.program import StoreBroken, StoreError, StoreFailed
from gateway.ledger.records import Attempt
from gateway.ledger.together import Settled
from gateway.outcome import Ending, ProviderError, ending
from gateway.routing.health import Health
from gateway.routing.plan import Step
from gateway.routing.rankings import Rankings
from gateway.routing.signal import Trial

_CANCEL_WAIT = 3.0  # seconds a caller waits to hear whether the provider was told
_DRAIN = 10.0  # seconds a submit under way gets to learn its reference when the process stops
_LEAST_RETRIES = 3
_OURS = Ending("internal_error", "the gateway failed on this request", retryable=True)
_STORE_AGAIN = 1.0  # seconds before a store that did not take a step is asked again
_RETRY_SHARE = 0.2  # of the live generations may be in a second try on the same offer


class Runs:
    """Every generation under way in this process."""

    def __init__(
        self,
        store: Database,
        walker: Walker,
        targets: Targets,
        health: Health,
        clock: Clock,
        random: Random,
        *,
        rankings: Rankings | None = None,
    ) -> None:
        """Run on offers that `targets` finds by provider and model; `health` and `rankings` hear what comes of each attempt."""
        self._rankings = rankings or Rankings(lambda _model: {})
        self._store = store
        self._walker = walker
        self._targets = targets
        self._health = health
        self._choice = Choice(health, clock, random)
        self.openings = Openings(self._choice, walker.at_once, targets, health)
        self._hedges = Hedges(self._second, self._beside, walker.paces, clock)
        self._watching = (self._spare, self._hedges.seen)  # kept: a method is made anew whenever it is named
        self._clock = clock
        self._random = random
        self._jobs: dict[str, Job] = {}
        self._of: Counter[str] = Counter()
        self._waiting: dict[str, list[asyncio.Future[Settled | None]]] = {}
        self._retrying: set[str] = set()  # a second try on the same offer is decided, and not over
        self._over = asyncio.Event()
        self._turns = Turns(self._take_up, clock, random)
        self._finding: dict[str, asyncio.Task[None]] = {}  # their turn has come, and the store is being asked

    @property
    def live(self) -> int:
        """How many are under way."""
        return len(self._jobs) + len(self._finding) + self._turns.waiting

    def live_of(self, account: str) -> int:
        """How many of an account are, those aside that a restart has yet to take up."""
        return self._of[account]

    def start(self, job: Job, opened: Opened | None = None) -> None:
        """Begin a generation, one that was `opened` with its first attempt."""
        self.openings.begun(opened)
        if self._over.is_set() or job.id in self._jobs:
            return  # what is in the store is taken up by the next start
        self._go(job, opened)

    def take_up(self, generations: Sequence[tuple[str, str]], spread: float) -> None:
        """Go on with what a restart found, account and id, over so many seconds; each is read when its turn has come."""
        self._turns.begin([each for each in generations if not self.has(each[1])], spread)
        metrics.LIVE.set(self.live)

    def _take_up(self, name: str) -> None:
        self._finding[name] = asyncio.get_running_loop().create_task(self._find(name), name=f"find {name}")

    async def _find(self, name: str) -> None:
        found = None
        try:
            found = await left_over(self._store, self._clock, name, self._over)
        except Exception as error:  # noqa: BLE001 - a row nobody can read any more must not stay open
            log.event("run_broke", level="error", generation=name, error=error)
            await self._store.write(ledger.fail(name, failure_row(_OURS, ()), self._clock.now_ms()))
        finally:
            del self._finding[name]
            if found is None or self._over.is_set():
                self._left(name)
            else:
                self._go(*found)

    def _go(self, job: Job, attempt: Going) -> None:
        job.wind(self._clock)
        job.spare, job.seen = self._watching
        self._jobs[job.id] = job
        self._of[job.account] += 1
        running = self._guard(job, attempt)
        job.task = asyncio.get_running_loop().create_task(running, name=job.id, context=traced.context(job))
        metrics.LIVE.set(self.live)

    def _left(self, name: str) -> None:
        """Forget a generation, and wake whoever waits for it."""
        job = self._jobs.pop(name, None)
        if job is not None:
            self._of[job.account] -= 1
        self._retrying.discard(name)
        metrics.LIVE.set(self.live)
        for future in self._waiting.pop(name, ()):
            if not future.done():
                future.set_result(job.settled if job is not None else None)

    def has(self, generation: str) -> bool:
        """Whether a generation is under way here."""
        return generation in self._jobs or generation in self._finding or self._turns.has(generation)

    async def wait(self, generation: str, seconds: float) -> Settled | None:
        """Wait until a generation has ended, at most so long; at once when it is not under way. How, where that is at hand."""
        if not self.has(generation):
            return None
        future: asyncio.Future[Settled | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(generation, []).append(future)
        await asyncio.wait([future], timeout=seconds)
        return future.result() if future.done() else None

    def share(self, generation: str) -> float | None:
        """How much of a generation's work is done, from 0 to 1; None where that is not known here."""
        return job.share if (job := self._jobs.get(generation)) is not None else None

    async def cancel(self, generation: str) -> bool:
        """Stop a generation whose cancellation is committed; say whether its provider was told."""
        if self._turns.drop(generation):
            self._left(generation)
            return False  # its attempt is seen to as one that nobody waits for
        if finding := self._finding.get(generation):
            await asyncio.wait([finding], timeout=_CANCEL_WAIT)
        job = self._jobs.get(generation)
        if job is None or job.task is None:
            return False
        stopped = asyncio.get_running_loop().create_future()
        for each in job.walked():
            each.canceled, each.stopped = True, stopped
            each.wake()
        ends: list[asyncio.Future[Any]] = [stopped, job.task]
        await asyncio.wait(ends, timeout=_CANCEL_WAIT, return_when=asyncio.FIRST_COMPLETED)
        return stopped.done() and stopped.result()

    def nudge(self, generation: str, attempt: int) -> bool:
        """Look at a job now, or right after what is under way: its provider called back. False when nobody waits for that attempt."""
        if self._turns.now(generation):
            return True
        job = self._jobs.get(generation)
        walked = next((each for each in job.walked() if each.n == attempt), None) if job is not None else None
        if walked is None or walked.task is None:
            return False
        if not walked.nudged:
            walked.wake()
        walked.nudged = True
        return True

    async def drain(self) -> None:
        """Stop: what rests is left to the next start, what is under way gets some seconds to be written down."""
        await self.openings.stop(self._clock)
        self._over.set()
        self._turns.stop()
        for finding in list(self._finding.values()):
            finding.cancel()
        for name in self._waiting.keys() - self._jobs.keys():
            self._left(name)
        jobs = [each for job in self._jobs.values() for each in job.walked()]
        for job in jobs:
            job.part()
        busy: list[Any] = [*(job.task for job in jobs if job.task is not None), *self._hedges.stopping]
        if busy:
            _, late = await asyncio.wait(busy, timeout=_DRAIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)

    async def _guard(self, job: Job, attempt: Going) -> None:
        """Run, and see to it that nothing stays behind whatever happens."""
        try:
            while True:
                try:
                    await self._run(job, attempt)
                except Exception as error:  # noqa: BLE001 - a defect of ours must not leave a hold open: it ends the generation
                    if not await self._goes_on(job, error):
                        return
                except BaseException:
                    await self._hedges.drop(job)
                    raise
                else:
                    return
                await self._clock.sleep(_STORE_AGAIN)
                found = await left_over(self._store, self._clock, job.id, self._over)
                if found is None:
                    return
                fresh, attempt = found
                fresh.task, fresh.stopped = job.task, job.stopped
                fresh.spare, fresh.seen = self._watching
                fresh.wind(self._clock)
                job = self._jobs[job.id] = fresh
        finally:
            self._left(job.id)

    async def _goes_on(self, job: Job, error: Exception) -> bool:
        """Say why a run broke off, and end it unless the store only did not take a step; whether it goes on."""
        await self._hedges.drop(job)
        match error:
            case StoreBroken():
                log.event("run_stopped", level="error", error=error)  # the process ends; so it is with all
            case StoreFailed():
                log.event("run_held_up", level="warning", generation=job.id, reason=str(error))
                return True
            case _:
                log.event("run_broke", level="error", generation=job.id, error=error)
                try:
                    await self._fail(job, _OURS)
                except StoreError as worse:
                    log.event("run_stopped", level="error", generation=job.id, error=worse)
        return False

    async def _run(self, job: Job, attempt: Going) -> None:
        opening = await self._opening(job, attempt)
        if opening is None:
            return
        step, again = opening
        while True:
            target = self._targets(step.provider, job.model)
            trial = attempt.ready.trial if isinstance(attempt, Opened) else self._choice.trial(job, step, target)
            if isinstance(attempt, Attempt):
                self._health.enter(trial)
            elif attempt is None and not self._choice.lets(job, step, trial, again=again):
                await self._fail(job, ending(job.errors, Reason.EXHAUSTED))
                return
            result = await self._attempt(job, step, target, attempt, trial)
            attempt = None
            step, result = await self._hedges.settle(job, step, result)
            match result:
                case Done():
                    tell_end(job, "succeeded", self._clock.now_ms())
                    return
                case Gone():
                    return
                case Unstored(message):
                    await self._fail(
                        job, Ending("storage_failed", f"the output could not be stored: {message}", retryable=False)
                    )
                    return
                case Failed(fault):
                    following = await self._after(job, step, fault)
                    if following is None:
                        return
                    step, again = following

    async def _attempt(self, job: Job, step: Step, target: Target | None, attempt: Going, trial: Trial) -> Result:
        """Make one attempt that was let, or go on with one, and tell all who learn from it."""
        resumed = isinstance(attempt, Attempt)
        report = Report(self._health, self._rankings, trial, self._clock, self._random, resumed=resumed)
        n = job.next if attempt is None else 1 if isinstance(attempt, Opened) else attempt.n
        try:
            with traced.walked(job, step, target, n, resumed=resumed) as report.span:
                result = await self._try(job, step, target, attempt, report)
                if isinstance(result, Running):
                    assert target is not None, "there was one to begin with"
                    result = await self._walker.watch(job, step, target, result)
                report.ended(result, ours=isinstance(attempt, Attempt) and was_cut_off(attempt))
        finally:
            self._health.leave(trial)
            self._retrying.discard(job.id)
        return result

    async def _second(self, job: Job, step: Step) -> Result | None:
        """Make an attempt beside another; None when the offer takes none."""
        target = self._targets(step.provider, job.model)
        trial = self._choice.trial(job, step, target)
        if target is None or not self._choice.lets(job, step, trial, again=False):
            return None
        return await self._attempt(job, step, target, None, trial)

    def _beside(self, job: Job) -> Step | None:
        """The offer that a second job may go to, while half of the retries there may be are free."""
        return self._choice.spare(job) if self._may_retry(share=0.5) and not self._over.is_set() else None

    async def _opening(self, job: Job, attempt: Going) -> tuple[Step, bool] | None:
        """Where to begin or to go on; None when there is nothing left to do but to end."""
        step: Step | None
        if attempt is not None:
            step = attempt.ready.step if isinstance(attempt, Opened) else job.step(attempt.provider)
        elif job.errors:
            # The process stopped between a fault and what was to follow: decide again from what is on record.
            last = job.errors.pop()
            step = job.step(last.provider)
            if step is not None:
                return await self._after(job, step, last.fault)
        else:
            step = await self._choice.first(job, lambda: job.canceled or self._over.is_set())
        if step is None and not self._over.is_set():
            await self._fail(job, ending(job.errors, Reason.EXHAUSTED))
        return (step, False) if step is not None else None

    async def _try(
        self, job: Job, step: Step, target: Target | None, attempt: Going, report: Report
    ) -> Result | Running:
        job.tried = one_more(job.tried, step.provider)
        if isinstance(attempt, Opened):
            return await self._walker.go_out(job, attempt, report)
        if target is None or step.form >= len(target.model.shapes):
            if attempt is not None:
                return await self._walker.forsake(job, attempt)
            return Failed(Fault(FaultKind.NOT_SERVED, Reach.UNSENT, "the provider's pack is gone"))
        if attempt is not None:
            return await self._walker.take_up(job, step, target, attempt, report)
        return await self._walker.begin(job, step, target, report)

    async def _after(self, job: Job, step: Step, fault: Fault) -> tuple[Step, bool] | None:
        """What comes after a fault: the next step and whether it is the same again; None when the generation has ended."""
        job.errors.append(ProviderError(step.provider, fault))
        promised, job.promised = job.promised, None
        others = self._choice.others(job) or ([promised] if promised is not None else [])
        situation = Situation(
            fault=fault,
            price=step.price,
            in_doubt_max_cost=job.in_doubt_max_cost,
            follow_refusal=job.follow_refusal,
            repeated=step.provider in job.repeated,
            made=job.made,
            allowed=job.allowed,
            others=bool(others),
            remaining=job.left(self._clock),
            budget=self._may_retry(),
            chance=self._random.random(),
        )
        verdict = decide(situation)
        log.event("attempt_failed", level="warning", generation=job.id, attempt=job.made, provider=step.provider, model=job.model,
                  fault=fault.kind.value, reach=fault.reach.value, **why(fault), then=type(verdict).__name__.lower())  # fmt: skip
        match verdict:
            case Again(after):
                job.repeated = one_more(job.repeated, step.provider)
                self._retrying.add(job.id)
                await until(self._clock.sleep(after / 1000), self._over)
                return step, True
            case Next():
                metrics.FAILOVERS.labels(step.provider, fault.kind.value).inc()
                if promised is not None:
                    self._retrying.add(job.id)
                return others[0], promised is not None  # what was withdrawn is not dropped for want of room
            case GiveUp(reason):
                await self._fail(job, ending(job.errors, reason))
                return None

    def _may_retry(self, share: float = 1.0) -> bool:
        return len(self._retrying) < share * max(_LEAST_RETRIES, _RETRY_SHARE * len(self._jobs))

    def _spare(self, job: Job) -> Step | None:
        """The offer that a slow job may be moved to; it counts as a retry from the moment it is promised."""
        spare = self._choice.spare(job) if self._may_retry() and not self._over.is_set() else None
        if spare is not None:
            self._retrying.add(job.id)
        return spare

    async def _fail(self, job: Job, end: Ending) -> None:
        if await self._store.write(ledger.fail(job.id, failure_row(end, job.errors), self._clock.now_ms())):
            tell_end(job, "failed", self._clock.now_ms())
