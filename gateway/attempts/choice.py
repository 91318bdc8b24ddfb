"""Which offer an attempt goes to, and whether it may go there now."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from gateway.attempts.decide import LEAST
from gateway.attempts.job import Job, steady
from gateway.attempts.line import Target
from gateway.attempts.starts import Starts
from gateway.clock import Clock
from gateway.routing.breaker import PROBE
from gateway.routing.health import Health, Turn
from gateway.routing.plan import Standing, Step, Why
from gateway.routing.signal import Trial

_PATIENCE = 30_000  # ms that accepted work waits for an offer to come free: as long as a first rest
_LOOK_EVERY = (
    0.4  # seconds at most between two looks whether one has: a place that is kept for somebody stands empty meanwhile
)
_SOON = 4  # a probe's job holds its place for one part in so many of the time that the pack gives a job


class Choice:
    """Chooses by the health of the offers."""

    def __init__(self, health: Health, clock: Clock, random: Random) -> None:
        """Choose by `health`; chance spreads those that wait."""
        self._health = health
        self._clock = clock
        self._random = random
        self._starts = Starts(clock)

    def others(self, job: Job, turn: Turn | None = None) -> list[Step]:
        """The offers that were not tried and can be asked, in order; with a `turn` those whose places are for that.

        When every one of them rests somebody has to ask all the same: then it is the one that rests the shortest, once a second.
        """
        now = steady(self._clock)
        standing = [
            (step, self._standing(job, step, now, turn)) for step in job.steps if step.provider not in job.tried
        ]
        ready = [step for step, stands in standing if stands is None]
        resting = [(stands.until or now, step) for step, stands in standing if stands and stands.why is Why.RESTING]
        if ready or not resting or any(stands and stands.why is Why.BUSY for _, stands in standing):
            return ready  # one that has as much as it takes is well, and will have room
        _, soonest = min(resting, key=lambda each: each[0])
        return [soonest] if self._health.panic.is_due(soonest.provider, job.model, now) else []

    def spare(self, job: Job) -> Step | None:
        """The first offer that was not tried and takes work which another is slow with."""
        now = steady(self._clock)
        for step in job.steps:
            if step.provider not in job.tried and not self._health.standing(
                step.provider, job.model, now, spilled=True
            ):
                return step
        return None

    def now(self, job: Job) -> Step | None:
        """The first offer to ask for work that is yet to be accepted, where it could begin this moment; None where it has to wait.

        A provider that is on probation has to be waited for: whoever comes at the same moment must find that it may come back.
        """
        if self._starts.are_waited_for:
            return None
        found = self.others(job, Turn(job.account, self._health.traffic.upcoming))
        return found[0] if found and self._health.is_well(found[0].provider) else None

    async def first(self, job: Job, is_over: Callable[[], bool]) -> Step | None:
        """The first offer to ask; None when there is none, or none comes free in time, or `is_over` says that nobody waits.

        Work that is accepted waits a while: many may be let in at the same moment where one place is left. For a place that others
        have it waits as long as there is time, and has it before whoever has more there.
        """
        await self._start(job)
        traffic = self._health.traffic
        number = traffic.number()
        turn = Turn(job.account, number)
        found = self.others(job, turn)
        if found or is_over() or job.tried >= {step.provider for step in job.steps}:
            return found[0] if found else None
        now, left = steady(self._clock), job.left(self._clock) - LEAST
        end, last = now + min(_PATIENCE, left), now + left
        with traffic.waits([step.provider for step in job.steps], job.account, number):
            while not found and not is_over():
                now = steady(self._clock)
                if now >= (last if self._is_full(job, now, turn) else end):
                    return None
                await self._clock.sleep(_LOOK_EVERY * self._random.uniform(0.5, 1))
                found = self.others(job, turn)
        return found[0] if found else None

    async def _start(self, job: Job) -> None:
        """Wait until new work of the account may begin; a cancel or a stop meanwhile ends the job's task."""
        job.resting = True
        try:
            await self._starts.take(job.account)
        finally:
            job.resting = False

    def _is_full(self, job: Job, now: int, turn: Turn) -> bool:
        """Whether it is only for want of a place that an offer cannot be asked."""
        standing = [self._standing(job, step, now, turn) for step in job.steps if step.provider not in job.tried]
        return any(stands is not None and stands.why is Why.BUSY for stands in standing)

    def trial(self, job: Job, step: Step, target: Target | None) -> Trial:
        """An attempt that is about to be made, as the breakers will see it."""
        lifecycle = target.model.shapes[step.form].lifecycle if target is not None else None
        deadline = lifecycle.pace.deadline if lifecycle is not None else PROBE
        immediate = lifecycle is not None and lifecycle.is_immediate
        return Trial(
            step.provider,
            job.model,
            steady(self._clock),
            immediate=immediate,
            spilled=_is_spilled(job, step),
            answer=deadline if immediate else PROBE,
            job=max(PROBE, deadline // _SOON),
            account=job.account,
        )

    def lets(self, job: Job, step: Step, trial: Trial, *, again: bool) -> bool:
        """Whether an attempt may go out, and count it; the same offer `again` has waited for as long as it was asked to."""
        now = trial.began
        if self._health.take(trial, now, waited=again):
            return True
        standing = self._standing(job, step, now)
        if standing is None or standing.why is not Why.RESTING:
            return False
        if not self._health.panic.take(trial.provider, trial.model, now):
            return False
        self._health.enter(trial)
        return True

    def _standing(self, job: Job, step: Step, now: int, turn: Turn | None = None) -> Standing | None:
        return self._health.standing(step.provider, job.model, now, spilled=_is_spilled(job, step), turn=turn)


def _is_spilled(job: Job, step: Step) -> bool:
    return job.lead is not None or any(error.provider != step.provider for error in job.errors)
