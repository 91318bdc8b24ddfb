"""A submit whose answer was lost: repeated under its key, looked for in its provider's list, or left in doubt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from gateway import log, metrics
from gateway.attempts.job import Job, steady
from gateway.attempts.line import Line, Target
from gateway.clock import Clock
from gateway.fault import Fault, FaultKind, Reach, Whose
from gateway.providers.pack import Discoverable, Doubt, Idempotent, JobState
from gateway.providers.read import Reading
from gateway.providers.render import Call
from gateway.routing.plan import Step

# Seconds before the same submit is sent once more under its key; a provider that is back at all is back by the third.
_REPEATS = (1.0, 4.0, 15.0)
_WINDOW = 60_000  # ms in which a job that did begin shows in its provider's list
_LOOK_EVERY = 5.0  # seconds between two looks at the list
_CONFLICT = 409  # how a repeated key is answered while the first request with it is under way

# Rest for so many seconds, or less when there is a reason to look at once; False when nobody waits any more.
Pause = Callable[[Job, float], Awaitable[bool]]


def is_unsure(reading: Reading) -> bool:
    """Whether a job may have begun that this answer to a submit says nothing of."""
    return reading.fault is not None and reading.fault.reach is Reach.UNSURE


class Doubts:
    """Clears doubts, as far as the provider's pack says that they can be."""

    def __init__(self, line: Line, clock: Clock, pause: Pause) -> None:
        """Ask over `line`, resting by `pause` in between."""
        self._line = line
        self._clock = clock
        self._pause = pause

    async def clear(self, job: Job, step: Step, target: Target, unsure: Reading, call: Call | None = None) -> Reading:
        """Find out what became of a submit; the reading that was given comes back when nothing more can be known.

        `call` is what was sent; after a restart it is made anew.
        """
        doubt = target.model.shapes[step.form].lifecycle.doubt
        match doubt:
            case Idempotent():
                reading = await self._repeat(job, step, target, unsure, call)
            case Discoverable() if self._line.can_find(step, target):
                reading = await self._search(job, step, target, unsure)
            case _:
                reading = unsure
        named, became = _named(doubt), _became(reading)
        metrics.IN_DOUBT.labels(step.provider, named, became).inc()
        log.event("submit_in_doubt", level="warning", generation=job.id, provider=step.provider, kind=named, became=became)  # fmt: skip
        return reading

    async def _repeat(self, job: Job, step: Step, target: Target, unsure: Reading, call: Call | None) -> Reading:
        """Ask again with the same key, at most three times; a refusal says little of the request that went before it."""
        for wait in _REPEATS:
            asked = unsure.fault.pause if unsure.fault is not None else None
            rest = max(wait, (asked or 0) / 1000)
            if rest * 1000 > job.left(self._clock) or not await self._pause(job, rest):
                break
            made = call or await self._line.ready(job, step, target)
            if isinstance(made, Fault):
                break  # an input is gone: nothing equal can be sent
            call = made
            reading = await self._line.submit(job, step, target, call)
            if _tells(reading):
                return reading
            assert reading.fault is not None
            unsure = replace(reading, fault=replace(reading.fault, reach=Reach.UNSURE))
        return unsure

    async def _search(self, job: Job, step: Step, target: Target, unsure: Reading) -> Reading:
        """Look for the job until the window ends; a list that could be read then and lacks it says that nothing began."""
        end = min(steady(self._clock) + _WINDOW, job.ends)
        while True:
            reading = await self._line.find(job, step, target)
            if reading.state is not None:
                return reading
            left = end - steady(self._clock)
            if left <= 0:
                break
            if not await self._pause(job, min(_LOOK_EVERY, left / 1000)):
                return unsure
        if reading.fault is not None:
            return unsure
        assert unsure.fault is not None
        said = f"{unsure.fault.message}; the job is not among those of the provider"
        return replace(unsure, fault=replace(unsure.fault, reach=Reach.REFUSED, message=said))


def _tells(reading: Reading) -> bool:
    """Whether a repeated submit says what became of the first.

    What is wrong with the request was wrong with it before; all else that is refused may have changed meanwhile.
    """
    fault = reading.fault
    if fault is None or reading.state is not JobState.FAILED or fault.reach is Reach.ACCEPTED:
        return True
    about_us = fault.permits.whose is Whose.CALLER and fault.status != _CONFLICT
    return fault.reach is Reach.REFUSED and about_us and fault.kind is not FaultKind.INPUT_UNREADABLE


def _named(doubt: Doubt) -> str:
    match doubt:
        case Idempotent():
            return "idempotent"
        case Discoverable():
            return "discoverable"
        case None:
            return "blind"


def _became(reading: Reading) -> str:
    if is_unsure(reading):
        return "unresolved"
    return "refused" if reading.fault is not None and reading.fault.reach is Reach.REFUSED else "found"
