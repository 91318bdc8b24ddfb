"""One live generation, as the walkers see it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.clock import Clock
from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import Kind, Value
from gateway.ledger.generations import NewGeneration
from gateway.ledger.records import Attempt, Record
from gateway.ledger.together import Settled
from gateway.outcome import AttemptState, Ending, ProviderError
from gateway.routing.plan import Step
from gateway.routing.policy import Hedging, Patience, Rules
from gateway.traces import NOWHERE, Origin


def nobody(_job: Job) -> None:
    """Where a job may be moved to that has to stay."""


def alone(_job: Job, _step: Step, _elapsed: int) -> None:
    """What is begun beside a job that runs alone."""


@functools.lru_cache(4096)
def one_more(names: frozenset[str], name: str) -> frozenset[str]:
    """Names with one more; the same for all who have the same: thousands of jobs do, and each set takes 216 bytes."""
    return names | {name}


@dataclass(slots=True)
class Job:
    """A generation on its way: what is asked, what was pinned at acceptance, and how far it has come.

    Times in ms since the epoch, except `ends`: that is in ms of the clock that never steps, for a clock that is set must end
    nothing and keep nothing alive. `resting` is true while nothing is under way that must not be interrupted; `nudged` asks for a
    look without a rest before it. `spare` gives the offer that a slow job may be moved to; `promised` is the one it is moved to.

    `n` is the number of the attempt that is walked, of `made` in all. A second job beside a slow one is walked as a job of its own:
    its `lead` is the first, and each is the other's `rival`. `seen` is told of each look that sees the first run on, and after
    how many ms; `outrun` says that the other was faster. It is `parted` when the process stops: it rests no more.
    `done` is the share of the work, from 0 to 1, that its provider told last, `settled` how it ended, where that is at hand. `stored` is by
    whom its outputs were made that are kept, how many they are, and how many bytes.
    """

    id: str
    account: str
    kind: Kind
    model: str
    fields: Mapping[str, Value]
    steps: tuple[Step, ...]
    allowed: int
    follow_refusal: bool
    in_doubt_max_cost: int
    created: int
    deadline: int
    patience: Patience | None = None
    hedging: Hedging | None = None
    n: int = 0
    made: int = 0
    tried: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()
    errors: list[ProviderError] = field(default_factory=list)
    task: asyncio.Task[Any] | None = None
    resting: bool = False
    canceled: bool = False
    nudged: bool = False
    stopped: asyncio.Future[bool] | None = None
    ends: int = 0
    spare: Callable[[Job], Step | None] = nobody
    promised: Step | None = None
    seen: Callable[[Job, Step, int], None] = alone
    lead: Job | None = field(default=None, repr=False, compare=False)
    rival: Job | None = field(default=None, repr=False, compare=False)
    outrun: bool = False
    origin: Origin = field(default_factory=dict)
    parted: bool = False
    done: float | None = None
    settled: Settled | None = field(default=None, repr=False, compare=False)
    stored: tuple[str, int, int] | None = None

    @property
    def is_unwanted(self) -> bool:
        """Whether nobody waits for what is walked here any more."""
        return self.canceled or self.outrun

    @property
    def next(self) -> int:
        """The number that its next attempt will have."""
        return (self.lead or self).made + 1

    def number(self) -> int:
        """Count one more attempt of the generation, and give its number."""
        self.n = (self.lead or self).made = self.next
        return self.n

    def walked(self) -> tuple[Job, ...]:
        """It, and the one beside it where there is one."""
        return (self,) if self.rival is None else (self, self.rival)

    @property
    def share(self) -> float | None:
        """How much of the work is done, from 0 to 1, by what its providers told; None where none has."""
        return max((each.done for each in self.walked() if each.done is not None), default=None)

    def wins(self) -> None:
        """Say that this one has its outputs, so that its rival gives up."""
        if self.rival is not None:
            self.rival.outrun = True
            self.rival.wake()

    def wake(self) -> None:
        """Let it see at once why it should not rest."""
        if self.resting and self.task is not None:
            self.task.cancel()

    def part(self) -> None:
        """Let go of it where it rests, now or next: what is in the store is taken up by the next start."""
        self.parted = True
        self.wake()

    @property
    def asked(self) -> int:
        """How many outputs are wanted."""
        count = self.fields.get("count", 1)
        return count if isinstance(count, int) else 1

    def wind(self, clock: Clock) -> None:
        """Measure what is left until the deadline by the clock that never steps; never more than it was given at first."""
        left = min(self.deadline - clock.now_ms(), self.deadline - self.created)
        self.ends = steady(clock) + max(left, 0)

    def left(self, clock: Clock) -> int:
        """How many ms it still has."""
        return self.ends - steady(clock)

    def step(self, provider: str) -> Step | None:
        """The step of the plan at one provider."""
        return next((step for step in self.steps if step.provider == provider), None)


def steady(clock: Clock) -> int:
    """The ms on the clock that never steps."""
    return int(clock.monotonic() * 1000)


def from_record(record: Record) -> Job:
    """Take up a generation as the store has it."""
    job = accepted(
        record.id,
        record.account,
        record.kind,
        record.model,
        record.request,
        record.plan,
        created=record.created,
        deadline=record.deadline,
    )
    for attempt in record.attempts:
        job.made = max(job.made, attempt.n)
        job.n = job.made
        if attempt.provider in job.tried:
            job.repeated = one_more(job.repeated, attempt.provider)
        job.tried = one_more(job.tried, attempt.provider)
        if attempt.fault is not None:
            job.errors.append(ProviderError(attempt.provider, fault_of(attempt)))
    return job


_FURTHEST = (AttemptState.STORING, AttemptState.SUBMITTED, AttemptState.SUBMITTING)


def unfinished(record: Record) -> tuple[Attempt | None, tuple[Attempt, ...]]:
    """The attempt that goes on, if one does, and those beside it that do not: the one that has come furthest, or began first."""
    open_ = sorted(
        (each for each in record.attempts if each.state.is_open), key=lambda each: _FURTHEST.index(each.state)
    )
    return (open_[0], tuple(open_[1:])) if open_ else (None, ())


def was_cut_off(attempt: Attempt) -> bool:
    """Whether an attempt that a restart found open lost its answer by our own stop, so that its failure is not the provider's."""
    lost = attempt.state is AttemptState.STORING and not attempt.outputs
    return lost or attempt.state is AttemptState.SUBMITTING


def planned(new: NewGeneration, steps: tuple[Step, ...], rules: Rules) -> Job:
    """Make a job of what is about to be accepted: the same that `accepted` makes of what is written then."""
    return Job(
        id=new.id,
        account=new.account,
        kind=new.kind,
        model=new.model,
        fields=new.request,
        steps=steps,
        allowed=rules.attempts,
        follow_refusal=rules.follow_refusal,
        in_doubt_max_cost=rules.in_doubt_max_cost,
        created=new.created,
        deadline=new.deadline,
        patience=rules.patience,
        hedging=rules.hedging,
        origin=new.plan["origin"],
    )


def accepted(
    generation: str,
    account: str,
    kind: Kind,
    model: str,
    request: Mapping[str, Any],
    plan: Mapping[str, Any],
    *,
    created: int,
    deadline: int,
) -> Job:
    """Make a job of what was written at acceptance."""
    return Job(
        id=generation,
        account=account,
        kind=kind,
        model=model,
        fields={name: tuple(value) if isinstance(value, list) else value for name, value in request.items()},
        steps=tuple(Step(**{**step, "dropped": tuple(step["dropped"])}) for step in plan["steps"]),
        allowed=plan["attempts"],
        follow_refusal=plan["follow_refusal"],
        in_doubt_max_cost=plan["in_doubt_max_cost"],
        patience=Patience(**plan["patience"]) if "patience" in plan else None,  # older plans have none
        hedging=Hedging(**plan["hedging"]) if "hedging" in plan else None,
        created=created,
        deadline=deadline,
        origin=plan.get("origin", NOWHERE),
    )


def fault_of(attempt: Attempt) -> Fault:
    """Read back the fault an attempt was closed with."""
    raw = attempt.fault or {}
    return Fault(
        kind=FaultKind(raw["kind"]),
        reach=Reach(raw["reach"]),
        message=raw["message"],
        code=raw.get("code"),
        status=raw.get("status"),
        pause=raw.get("pause"),
        quoted=raw.get("quoted", False),
    )


def failure_row(end: Ending, errors: Sequence[ProviderError]) -> dict[str, Any]:
    """Write how a generation failed, as the store keeps it."""
    told = [{"provider": error.provider, **fault_row(error.fault)} for error in errors]
    return {"name": end.name, "message": end.message, "retryable": end.retryable, "errors": told}


def fault_row(fault: Fault) -> dict[str, Any]:
    """Write a fault as the store keeps it."""
    row: dict[str, Any] = {"kind": fault.kind.value, "reach": fault.reach.value, "message": fault.message}
    if fault.code is not None:
        row["code"] = fault.code
    if fault.status is not None:
        row["status"] = fault.status
    if fault.pause is not None:
        row["pause"] = fault.pause
    if fault.quoted:
        row["quoted"] = True
    return row
