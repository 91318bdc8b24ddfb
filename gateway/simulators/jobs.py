"""What the vendors have begun: each job and, by the clock alone, how far it is.

A job's whole life is fixed when it begins: when it leaves the queue, when it ends, and how. Its
state at a moment is then computed, so nothing runs in the background and no job is ever forgotten
or early. Times are integer milliseconds since the epoch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gateway.simulators.chaos import Do, Rule

# The share of its time that a job spends in the queue, long enough for a test to cancel it there.
_QUEUED = 0.25
_UNKNOWN_STATUS_SECONDS = 1.0


class State(StrEnum):
    """Where a job is; each vendor has its own words for these."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self not in (State.QUEUED, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Output:
    """One file a job makes: its format (`png`, `jpeg`, `webp`, `mp4`), pixels, and seconds if it plays."""

    form: str
    width: int
    height: int
    seconds: float = 0.0
    black: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """That a job ends badly: refused as unfit, or broken; `code` is a vendor's own word if one was asked for."""

    moderated: bool = False
    code: str | None = None


@dataclass(slots=True)
class Job:
    """One job a vendor has begun.

    `expires` is when it is given up unfinished, `files_kept` for how many ms after its end its
    files can be fetched, `wish` what its vendor notes about it.
    """

    provider: str
    id: str
    model: str
    kind: str
    body: Any
    prompt: str
    outputs: tuple[Output, ...]
    created: int
    starts: float
    ends: float
    failure: Failure | None = None
    expires: float = math.inf
    canceled: int | None = None
    odd_until: float = 0
    cancel_ignored: bool = False
    output_fault: Do | None = None
    erased: bool = False
    files_kept: float = math.inf
    wish: dict[str, Any] = field(default_factory=dict)

    def state(self, now: int) -> State:
        """Where the job is at this moment."""
        if self.canceled is not None:
            return State.CANCELED
        if self.expires < self.ends and now >= self.expires:
            return State.EXPIRED
        if now < self.starts:
            return State.QUEUED
        if now < self.ends:
            return State.RUNNING
        return State.SUCCEEDED if self.failure is None else State.FAILED

    def is_odd(self, now: int) -> bool:
        """Whether the vendor should now answer with a status word nobody documented."""
        return now < self.odd_until and not self.state(now).is_final

    def finished(self, now: int) -> int:
        """When the job last changed for good, or `now` while it has not."""
        ended = self.canceled if self.canceled is not None else min(self.ends, self.expires)
        return min(now, int(ended)) if ended != math.inf else now

    def cancel(self, now: int) -> None:
        """Stop the job, unless it is over or was told to ignore this."""
        if not self.cancel_ignored and not self.state(now).is_final:
            self.canceled = now


class Jobs:
    """Every job the simulators have begun, in order, and how long jobs take."""

    def __init__(self, pace: Mapping[str, float], ids: random.Random) -> None:
        """Take seconds per kind of job (`image`, `video`) and the source of identifiers."""
        self.ids = ids
        self._pace = pace
        self._jobs: dict[tuple[str, str], Job] = {}
        self._files: dict[tuple[str, str], tuple[Job, Output]] = {}

    def begin(self, job: Job, rule: Rule | None) -> Job:
        """Enter a job whose times are still open, with the fault that befalls it."""
        _time(job, self._pace[job.kind])
        if rule is not None:
            _strike(job, rule)
        job.outputs = tuple(
            replace(output, name=f"{job.id}-{index}.{output.form}") for index, output in enumerate(job.outputs)
        )
        self._jobs[job.provider, job.id] = job
        for output in job.outputs:
            self._files[job.provider, output.name] = (job, output)
        return job

    def find(self, provider: str, job_id: str) -> Job | None:
        """Return a job by its vendor and id, unless the vendor has erased it."""
        job = self._jobs.get((provider, job_id))
        return None if job is None or job.erased else job

    def file(self, provider: str, name: str) -> tuple[Job, Output] | None:
        """Return the job and output behind a file's name."""
        return self._files.get((provider, name))

    def every(self, provider: str | None = None) -> Iterator[Job]:
        """Yield all jobs in the order they began, those a vendor has erased included."""
        return (job for job in self._jobs.values() if provider in (None, job.provider))

    def fresh_id(self, provider: str, make: Callable[[random.Random], str]) -> str:
        """Return an id the vendor has not given out before."""
        while True:
            found = make(self.ids)
            if (provider, found) not in self._jobs:
                return found


def draft(
    *, provider: str, job_id: str, model: str, kind: str, body: Any, prompt: str, outputs: tuple[Output, ...], now: int
) -> Job:
    """Return a job with everything but its times, for `Jobs.begin`."""
    return Job(
        provider=provider,
        id=job_id,
        model=model,
        kind=kind,
        body=body,
        prompt=prompt,
        outputs=outputs,
        created=now,
        starts=now,
        ends=now,
    )


def _time(job: Job, seconds: float) -> None:
    job.starts = job.created + seconds * 1000 * _QUEUED
    job.ends = job.created + seconds * 1000


def _strike(job: Job, rule: Rule) -> None:
    match rule.do:
        case Do.NEVER_END:
            job.ends = math.inf
        case Do.LATE:
            _time(job, rule.seconds or 0)
        case Do.FAIL:
            job.failure = Failure(code=rule.code)
        case Do.REFUSE_CONTENT:
            job.failure = Failure(moderated=True, code=rule.code)
        case Do.UNKNOWN_STATUS:
            baffle(job, rule, job.created)
        case Do.NO_OUTPUT:
            job.outputs = ()
        case Do.OUTPUT_404 | Do.OUTPUT_HTML | Do.OUTPUT_TRUNCATED | Do.OUTPUT_SLOW:
            job.output_fault = rule.do
        case Do.CANCEL_IGNORED:
            job.cancel_ignored = True
        case _:
            pass  # the other faults befall the connection, not the job


def baffle(job: Job, rule: Rule, now: int) -> None:
    """Give a job an undocumented status for a while, and keep it from ending before that is over."""
    seconds = _UNKNOWN_STATUS_SECONDS if rule.seconds is None else rule.seconds
    job.odd_until = now + seconds * 1000
    job.ends = max(job.ends, job.odd_until)
