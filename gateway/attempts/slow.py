"""Jobs that take longer than theirs do: told of once, and moved to another offer where nothing is lost by it."""

from __future__ import annotations

from dataclasses import replace

from gateway.attempts.decide import Waiting, is_slow, may_move
from gateway.attempts.job import Job
from gateway.attempts.pace import Paces, half, nearly_all
from gateway.clock import Clock
from gateway.fault import Fault, FaultKind, Reach
from gateway.providers.pack import JobState
from gateway.providers.read import Reading
from gateway.routing.plan import Step


def usual_of(job: Job, step: Step, paces: Paces) -> int | None:
    """What nearly all jobs of this one's kind take, in ms."""
    return nearly_all(paces.of(step.provider, job.model, step.form))


def waits_too_long(job: Job, step: Step, elapsed: int, paces: Paces) -> bool:
    """Whether a job that has run for `elapsed` ms counts as slow."""
    return is_slow(elapsed, usual_of(job, step, paces), job.patience)


def way_out(job: Job, step: Step, reading: Reading, elapsed: int, paces: Paces, clock: Clock) -> Step | None:
    """The offer to move a job to that was just looked at, or None where it stays; whoever is given one has it reserved."""
    waiting = Waiting(
        queued=reading.state is JobState.QUEUED,
        elapsed=elapsed,
        usual=usual_of(job, step, paces),
        patience=job.patience,
        price=step.price,
        in_doubt_max_cost=job.in_doubt_max_cost,
        made=job.made,
        allowed=job.allowed,
        other=0,
        remaining=job.left(clock),
    )
    other = job.spare(job) if may_move(waiting) else None
    if other is None:
        return None
    needs = half(paces.of(other.provider, job.model, other.form))
    return other if may_move(replace(waiting, other=needs)) else None


def is_gone(reading: Reading) -> bool:
    """Whether a look at a job that was to stop says that it did; some then do not know it any more, or call it lost."""
    return reading.state is JobState.CANCELED or (reading.fault is not None and reading.fault.kind is FaultKind.LOST)


def withdrawn(elapsed: int, usual: int | None) -> Fault:
    """What is said of a job that was moved; times in ms."""
    said = f"the job still waited after {elapsed / 1000:.0f} s where nearly all end within {(usual or 0) / 1000:.0f} s; it was withdrawn"
    return Fault(FaultKind.TIMEOUT, Reach.ACCEPTED, said)
