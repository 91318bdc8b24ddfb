"""One live generation, as the walkers see it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import Kind, Value
from gateway.ledger.records import Attempt, Record
from gateway.outcome import ProviderError
from gateway.routing.plan import Step


@dataclass(slots=True)
class Job:
    """A generation on its way: what is asked, what was pinned at acceptance, and how far it has come.

    Times in ms since the epoch. `resting` is true while nothing is under way that must not be interrupted; `nudged` asks for a
    look without a rest before it.
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
    made: int = 0
    tried: set[str] = field(default_factory=set)
    repeated: set[str] = field(default_factory=set)
    errors: list[ProviderError] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    resting: bool = False
    canceled: bool = False
    nudged: bool = False
    stopped: asyncio.Future[bool] | None = None

    @property
    def asked(self) -> int:
        """How many outputs are wanted."""
        count = self.fields.get("count", 1)
        return count if isinstance(count, int) else 1

    def step(self, provider: str) -> Step | None:
        """The step of the plan at one provider."""
        return next((step for step in self.steps if step.provider == provider), None)


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
        if attempt.provider in job.tried:
            job.repeated.add(attempt.provider)
        job.tried.add(attempt.provider)
        if attempt.fault is not None:
            job.errors.append(ProviderError(attempt.provider, fault_of(attempt)))
    return job


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
        created=created,
        deadline=deadline,
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
    )


def fault_row(fault: Fault) -> dict[str, Any]:
    """Write a fault as the store keeps it."""
    row: dict[str, Any] = {"kind": fault.kind.value, "reach": fault.reach.value, "message": fault.message}
    if fault.code is not None:
        row["code"] = fault.code
    if fault.status is not None:
        row["status"] = fault.status
    if fault.pause is not None:
        row["pause"] = fault.pause
    return row
