"""What an attempt says to its provider, and how it understands the answers. Nothing is written down here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway import log, metrics, traces
from gateway.attempts.crowd import Crowd
from gateway.attempts.inputs import Inputs, Unusable
from gateway.attempts.job import Job, steady
from gateway.attempts.notice import tell
from gateway.attempts.room import Share
from gateway.attempts.slots import Slots
from gateway.clock import Clock
from gateway.fault import Fault, FaultKind, Reach
from gateway.providers import read, render
from gateway.providers.classify import Reply
from gateway.providers.pack import CallName, Discoverable, JobState, Model
from gateway.providers.read import Reading
from gateway.providers.render import Call, Misdirected, Site
from gateway.providers.wire import Broken, Wire
from gateway.routing.health import Health
from gateway.routing.plan import Step

_LOOK_TIMEOUT = 30.0  # seconds for a status, result or cancel call
_LATER = frozenset({408, 429})  # statuses of a cancel call that was not taken, beside those of a provider in trouble

# (generation, attempt's number) → an address nobody else can guess.
Callback = Callable[[str, int], str]


class Told(StrEnum):
    """What came of telling a provider to stop a job."""

    SENT = "sent"  # it was told, and answered
    DEAF = "deaf"  # it has no call for that, or none for the state the job is in
    FAILED = "failed"  # it could not be told now


@dataclass(frozen=True, slots=True)
class Target:
    """One offer, ready to be called."""

    model: Model
    site: Site


def tag_of(job: Job) -> str:
    """What the present attempt of a job is known by at its provider: the same after a restart, and nobody else's."""
    return f"{job.id}-{job.n}"


_MAY_AGAIN = 0.25  # seconds between looks whether this process may begin something
_NOT_ALLOWED = Fault(FaultKind.TIMEOUT, Reach.UNSENT, "the store could not be reached in time, so nothing was sent")

# An offer by provider and model, or None where no pack has it.
Targets = Callable[[str, str], Target | None]


class Line:
    """The line from an attempt to its provider."""

    def __init__(
        self,
        wire: Wire,
        inputs: Inputs,
        clock: Clock,
        submit_timeout: float,
        callback: Callback | None = None,
        *,
        health: Health | None = None,
    ) -> None:
        """Speak over `wire`. A submit that only queues has `submit_timeout` seconds; `callback` is where a provider may nudge us.

        `health` is told which looks did not reach their provider, and knows how often each may be called.
        """
        self._wire = wire
        self._inputs = inputs
        self._clock = clock
        self._submit_timeout = submit_timeout
        self._callback = callback
        self._health = health or Health()
        self.may: Callable[[], bool] = lambda: True  # whether this process may still begin what costs money
        self._slots = Slots(self._health.traffic, clock)
        self._crowd = Crowd()

    def room(self, job: Job, step: Step, target: Target) -> AbstractAsyncContextManager[Share | None]:
        """Wait until there is room in memory for the job's inputs as the provider takes them, and hold it until the end."""
        form = target.model.offer.forms[step.form]
        return self._inputs.room(job.account, form, {**form.defaults, **job.fields})

    def at_once(self, job: Job, step: Step, target: Target) -> Call | None:
        """Render the call that begins the job; None where its inputs are to be prepared, or anything has to be waited for."""
        form = target.model.offer.forms[step.form]
        values = {**form.defaults, **job.fields}
        if step.provider in self._health.traffic.rates or not self.may() or not self._inputs.are_whole(form, values):
            return None
        return render.submit(target.model, step.form, values, target.site, self._nudge(job), tag_of(job))

    async def ready(self, job: Job, step: Step, target: Target, share: Share | None = None) -> Call | Fault:
        """Render the call that begins the job, with its inputs as the provider takes them. Nothing is sent to it yet.

        `share` is the room held for them.
        """
        form = target.model.offer.forms[step.form]
        if share is not None and share.size > 0 and job.left(self._clock) <= 0:
            return Fault(FaultKind.TIMEOUT, Reach.UNSENT, "there was no room in memory for its files in time")
        try:
            fields = await self._inputs.prepare(form, {**form.defaults, **job.fields}, share)
        except Unusable as unusable:
            return unusable.fault
        return render.submit(target.model, step.form, fields, target.site, self._nudge(job), tag_of(job))

    async def turn_to_submit(self, job: Job, step: Step) -> None:
        """Wait until the provider's rate has room for a submit. Raises Broken when there is none in time."""
        await self._turn(step.provider, job.account, min(self._submit_timeout, job.left(self._clock) / 1000))

    async def turn_to_look(self, provider: str, account: str) -> None:
        """Wait until the provider's rate has room for a look, however long: news may be late, a submit may not."""
        await self._slots.take(provider, account, is_urgent=False)

    async def submit(self, job: Job, step: Step, target: Target, call: Call, *, has_turn: bool = False) -> Reading:
        """Send it, and read how the provider took it; one that `has_turn` has waited for the provider's rate before."""
        lifecycle = target.model.shapes[step.form].lifecycle
        limit = lifecycle.pace.deadline / 1000 if lifecycle.is_immediate else self._submit_timeout
        try:
            if not has_turn or self._slots.is_too_soon(step.provider):
                await self.turn_to_submit(job, step)
            if not await self._allowed(job):
                return Reading(JobState.FAILED, fault=_NOT_ALLOWED)
            self._slots.sent(step.provider)
            left = job.left(self._clock) / 1000
            reply = await self._wire.send(call, max(1.0, min(limit, left)))
        except Broken as broken:
            return Reading(JobState.FAILED, fault=broken.fault)
        reading = read.submitted(target.model, step.form, reply, self._clock.now_ms())
        if "id" in reading.kept:
            traces.here().note({"gen_ai.response.id": str(reading.kept["id"])})
        return reading

    async def _allowed(self, job: Job) -> bool:
        """Wait until nobody else may have taken over; whoever was taken over is ended meanwhile. False at the deadline."""
        while not self.may():
            if job.left(self._clock) <= 0:
                return False
            await self._clock.sleep(_MAY_AGAIN)
        return True

    def can_find(self, step: Step, target: Target) -> bool:
        """Whether a job whose submit was not answered can be found again at its provider."""
        doubt = target.model.shapes[step.form].lifecycle.doubt
        return isinstance(doubt, Discoverable) and (doubt.field is not None or self._callback is not None)

    async def find(self, job: Job, step: Step, target: Target) -> Reading:
        """Look for the job of the present attempt in its provider's list; see `read.found`."""
        call = render.find(target.model, step.form, target.site)
        assert call is not None, "asked only where jobs can be found"
        ours = frozenset(mark for mark in (tag_of(job), self._nudge(job)) if mark is not None)
        try:
            reply = await self._send(step.provider, call, job.account)
        except Broken as broken:
            return Reading(None, fault=broken.fault)
        return read.found(target.model, step.form, reply, ours, self._clock.now_ms())

    def _nudge(self, job: Job) -> str | None:
        return self._callback(job.id, job.n) if self._callback is not None else None

    async def look(
        self,
        generation: str,
        step: Step,
        target: Target,
        kept: Mapping[str, Any],
        *,
        account: str = "",
        has_turn: bool = False,
    ) -> Reading:
        """Look how the job stands; where its outputs are a call of their own, fetch them once it is done.

        One that `has_turn` has waited for the provider's rate before. What is done for no `account` is the gateway's own.
        """
        metrics.counted(metrics.LOOKS, step.provider).inc()
        reading = await self._follow(CallName.STATUS, step, target, kept, account, has_turn=has_turn)
        now = steady(self._clock)
        if not _is_held_back(reading.fault):
            self._health.looked(step.provider, reading.fault if reading.state is None else None, now)
        tell(self._health, step.provider, now)
        if reading.unknown is not None:
            metrics.UNKNOWN_STATES.labels(step.provider).inc()
            log.event(
                "unknown_state", level="warning", generation=generation, provider=step.provider, state=reading.unknown
            )
        lifecycle = target.model.shapes[step.form].lifecycle
        if reading.state is JobState.SUCCEEDED and CallName.RESULT in lifecycle.calls:
            return await self._follow(CallName.RESULT, step, target, kept, account)
        return reading

    def rest(self, provider: str, usual: int) -> int:
        """How many ms to wait for a look that is usually due in so many: longer while the way to the provider is broken, or many wait."""
        return max(usual * self._health.paths.slower(provider), self._crowd.wait(usual, self._clock.monotonic()))

    async def cancel(self, step: Step, target: Target, kept: Mapping[str, Any], *, account: str = "") -> Told:
        """Tell the provider to stop a job, where it has a call for that in the state the job is in."""
        line = target.model.shapes[step.form].lifecycle.calls.get(CallName.CANCEL)
        if line is None:
            return Told.DEAF
        if line.when:
            reading = await self._follow(CallName.STATUS, step, target, kept, account)
            if reading.state is None:
                return Told.FAILED
            if reading.state not in line.when:
                return Told.DEAF
        try:
            call = render.follow(target.model, step.form, CallName.CANCEL, kept, target.site)
            reply = await self._send(step.provider, call, account)
        except (Broken, Misdirected) as error:
            log.event("provider_cancel_failed", level="warning", provider=step.provider, reason=str(error))
            return Told.FAILED
        return Told.FAILED if reply.status in _LATER or reply.status >= 500 else Told.SENT

    async def _follow(
        self,
        name: CallName,
        step: Step,
        target: Target,
        kept: Mapping[str, Any],
        account: str,
        *,
        has_turn: bool = False,
    ) -> Reading:
        try:
            call = render.follow(target.model, step.form, name, kept, target.site)
            reply = await self._send(step.provider, call, account, has_turn=has_turn)
        except Broken as broken:
            return Reading(None, fault=broken.fault)
        except Misdirected as error:
            return Reading(JobState.FAILED, fault=Fault(FaultKind.UNREADABLE, Reach.ACCEPTED, str(error)))
        understand = read.looked if name is CallName.STATUS else read.fetched
        return understand(target.model, step.form, reply, self._clock.now_ms())

    async def _send(self, provider: str, call: Call, account: str, *, has_turn: bool = False) -> Reply:
        """Send a call about a job. Raises Broken when no answer came, or the provider's rate had no room for it in time."""
        if not has_turn or self._slots.is_too_soon(provider):
            await self._turn(provider, account, _LOOK_TIMEOUT)
        self._slots.sent(provider)
        return await self._wire.send(call, _LOOK_TIMEOUT)

    async def _turn(self, provider: str, account: str, patience: float) -> None:
        late = await self._slots.take(provider, account, is_urgent=True, patience=patience)
        if late is not None:
            said = f"more calls wait than its rate allows within {patience:g} s"
            raise Broken(Fault(FaultKind.RATE_LIMITED, Reach.UNSENT, said, pause=int((late - patience) * 1000)))


def _is_held_back(fault: Fault | None) -> bool:
    """Whether it was our own cap that kept a call from being sent."""
    return fault is not None and fault.kind is FaultKind.RATE_LIMITED and fault.reach is Reach.UNSENT
