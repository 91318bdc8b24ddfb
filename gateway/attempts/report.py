"""What the breakers and the rankings are told of an attempt: each thing once, as soon as it is known."""

from __future__ import annotations

from random import Random
from typing import Any, assert_never

from gateway import log, metrics, traces
from gateway.attempts import traced
from gateway.attempts.collect import Done, Failed, Gone, Result, Unstored
from gateway.attempts.job import Job
from gateway.attempts.notice import tell
from gateway.clock import Clock
from gateway.fault import Effect, Fault, Reach
from gateway.routing.health import Health
from gateway.routing.rank import Outcome
from gateway.routing.rankings import Rankings
from gateway.routing.signal import Trial


class Report:
    """What is told of one attempt.

    A submit is told of when it is answered, for its job may run for minutes; a lost answer counts, whatever is found out later.
    """

    def __init__(
        self, health: Health, rankings: Rankings, trial: Trial, clock: Clock, random: Random, *, resumed: bool
    ) -> None:
        """Tell `health` and `rankings` of a trial; of one that a restart took up, the submit is history and its time no measure."""
        self._health = health
        self._rankings = rankings
        self._resumed = resumed
        self._trial = trial
        self._clock = clock
        self._random = random
        self._heard = self._taken = resumed
        self.span = traces.NOTHING

    def taken(self) -> None:
        """The provider took the job."""
        self._taken = True
        if not self._heard:
            self._heard = True
            self._health.submitted(self._trial, self._now())
        tell(self._health, self._trial.provider, self._now())

    def lost(self, fault: Fault) -> None:
        """The answer to the submit was lost."""
        if not self._heard:
            self._heard = True
            self._failed(fault)

    def ended(self, result: Result, *, ours: bool) -> None:
        """The attempt is over; a failure that is `ours` says nothing of the provider."""
        match result:
            case Done():
                if self._trial.immediate:
                    self.taken()
                self._health.finished(self._trial, self._now())
            case Failed(fault) if not ours:
                of_job = fault.reach is Reach.ACCEPTED and not self._trial.immediate
                if of_job or not self._heard:
                    self._failed(fault)
            case Failed() | Gone() | Unstored():
                self._health.released(self._trial, taken=self._taken)
            case _:
                assert_never(result)
        taken = self._now() - self._trial.began
        self._measure(result, taken / 1000)
        outcome = None if ours or self._resumed else _outcome(result)
        if outcome is not None:
            self._rankings.note(self._trial.provider, self._trial.model, outcome, taken, self._clock.now_ms())
        tell(self._health, self._trial.provider, self._now())

    def _measure(self, result: Result, seconds: float) -> None:
        match result:
            case Done():
                outcome = "none"
            case Failed(fault):
                outcome = fault.kind.value
            case Gone():
                outcome = "canceled"
            case Unstored():
                outcome = "storage"
            case _:
                assert_never(result)
        metrics.counted(metrics.ATTEMPTS, self._trial.provider, self._trial.model, outcome).inc()
        metrics.timed(metrics.ATTEMPT_SECONDS, self._trial.provider, outcome).observe(seconds, traces.exemplar())
        traced.ended(self.span, outcome, result.fault if isinstance(result, Failed) else None)

    def _failed(self, fault: Fault) -> None:
        self._health.failed(self._trial, fault, self._now(), self._random.uniform(-1, 1))
        tell(self._health, self._trial.provider, self._now())

    def _now(self) -> int:
        return int(self._clock.monotonic() * 1000)


def _outcome(result: Result) -> Outcome | None:
    """What a result says of how fast its provider is; nothing where the caller's input or our storage was at fault."""
    match result:
        case Done():
            return Outcome.USED
        case Failed(fault):
            return Outcome.FAILED if fault.permits.breaker is not Effect.NONE else None
        case Gone(slow):
            return Outcome.DISCARDED if slow else None
        case Unstored():
            return None
        case _:
            assert_never(result)


def tell_end(job: Job, outcome: str, now: int) -> None:
    """Log and measure a generation that ended; `now` in ms."""
    seconds = max(0, now - job.created) / 1000  # the time of day may have been set back since
    metrics.counted(metrics.GENERATIONS, job.model, job.kind, outcome).inc()
    metrics.timed(metrics.GENERATION_SECONDS, job.kind, outcome).observe(seconds, traces.exemplar())
    made = dict(zip(("provider", "outputs", "bytes"), job.stored or (), strict=False))
    said: dict[str, Any] = {"model": job.model, "seconds": round(seconds, 3), "attempts": job.made, **made}
    log.event(f"generation_{outcome}", **said)
