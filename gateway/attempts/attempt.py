"""One attempt, walked: submit, look, fetch the result, cancel. What follows a fault is decided elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any

from gateway import log, metrics
from gateway.attempts.collect import Collector, Failed, Gone, Result
from gateway.attempts.inputs import Inputs, Unusable
from gateway.attempts.job import Job, fault_row
from gateway.attempts.pace import next_look
from gateway.clock import Clock
from gateway.fault import Fault, FaultKind, Reach
from gateway.ledger import attempts as ledger
from gateway.ledger.database import Database
from gateway.ledger.records import Attempt
from gateway.outcome import AttemptState, Billing, Output, billing_after
from gateway.providers import read, render
from gateway.providers.pack import CallName, JobState, Model
from gateway.providers.read import Reading
from gateway.providers.render import Misdirected, Site
from gateway.providers.wire import Broken, Wire
from gateway.routing.plan import Step

_LOST_GRACE = 30_000  # ms after the submit in which a provider may not know its own job yet
_LOOK_TIMEOUT = 30.0  # seconds for a status, result or cancel call
_INLINE = "data:"
_COST = "reported_cost"  # kept beside what finds the job again

# (generation, attempt's number) → an address nobody else can guess.
Callback = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take: seconds for a submit that is answered at once, ms without a successful look."""

    submit: float
    poll_grace: int


@dataclass(frozen=True, slots=True)
class Target:
    """One offer, ready to be called."""

    model: Model
    site: Site


class Walker:
    """Walks attempts. It holds what all of them need, and nothing of any of them."""

    def __init__(
        self,
        store: Database,
        wire: Wire,
        *,
        inputs: Inputs,
        collector: Collector,
        clock: Clock,
        random: Random,
        patience: Patience,
        callback: Callback | None = None,
    ) -> None:
        """Speak over `wire`, keep every step in `store`; `callback` gives the address at which a provider may nudge us."""
        self._store = store
        self._wire = wire
        self._inputs = inputs
        self._collector = collector
        self._callback = callback
        self._clock = clock
        self._random = random
        self._patience = patience

    async def begin(self, job: Job, step: Step, target: Target) -> Result:
        """Make a new attempt: the intent is committed before the first byte leaves."""
        job.made += 1
        job.nudged = False
        now = self._clock.now_ms()
        opening = ledger.open_attempt(
            job.id,
            job.made,
            provider=step.provider,
            native=step.native,
            form=step.form,
            price=step.price,
            at=now,
        )
        attempt = await self._store.write(opening)
        if attempt is None:
            return Gone()
        log.event("attempt_started", generation=job.id, attempt=job.made, provider=step.provider, model=job.model)
        reading = await self._submit(job, step, target)
        match reading.state:
            case JobState.QUEUED | JobState.RUNNING:
                return await self._submitted(job, step, target, attempt, reading)
            case JobState.SUCCEEDED:
                return await self._hand_over(job, step, attempt, reading)
            case _:
                assert reading.fault is not None
                return await self._close(job, attempt, reading.fault, reading.cost)

    async def take_up(self, job: Job, step: Step, target: Target, attempt: Attempt) -> Result:
        """Go on with an attempt that a restart found open."""
        match attempt.state:
            case AttemptState.SUBMITTED:
                await self._pause(job, self._random.random() * 2)  # those resumed together do not look together
                return await self._watch(
                    job, step, target, attempt.id, attempt.kept or {}, attempt.submitted or attempt.started
                )
            case AttemptState.STORING if attempt.outputs:
                outputs = tuple(Output(**output) for output in attempt.outputs)
                return await self._collect(job, step, attempt.id, outputs, attempt.cost)
            case AttemptState.STORING:
                said = "the output came inside the answer and was lost when the gateway stopped"
                return await self._close(job, attempt.id, Fault(FaultKind.OUTPUT_LOST, Reach.ACCEPTED, said), None)
            case _:
                said = "the gateway stopped while the request was under way"
                return await self._close(job, attempt.id, Fault(FaultKind.TIMEOUT, Reach.UNSURE, said), None)

    async def _submit(self, job: Job, step: Step, target: Target) -> Reading:
        form = target.model.offer.forms[step.form]
        try:
            fields = await self._inputs.prepare(form, {**form.defaults, **job.fields})
        except Unusable as unusable:
            return Reading(JobState.FAILED, fault=unusable.fault)
        if job.canceled:
            return Reading(JobState.FAILED, fault=Fault(FaultKind.LOST, Reach.UNSENT, "canceled by the caller"))
        call = render.submit(target.model, step.form, fields, target.site, self._nudges(job))
        lifecycle = target.model.shapes[step.form].lifecycle
        limit = lifecycle.pace.deadline / 1000 if lifecycle.is_immediate else self._patience.submit
        left = (job.deadline - self._clock.now_ms()) / 1000
        try:
            reply = await self._wire.send(call, max(1.0, min(limit, left)))
        except Broken as broken:
            return Reading(JobState.FAILED, fault=broken.fault)
        return read.submitted(target.model, step.form, reply, self._clock.now_ms())

    def _nudges(self, job: Job) -> str | None:
        return self._callback(job.id, job.made) if self._callback is not None else None

    async def _submitted(self, job: Job, step: Step, target: Target, attempt: int, reading: Reading) -> Result:
        now = self._clock.now_ms()
        kept = dict(reading.kept)
        if reading.cost is not None:
            kept[_COST] = reading.cost  # some count at once, and never again
        taken = await self._store.write(ledger.submitted(attempt, str(kept["id"]), kept, now))
        if taken is False:
            await self._stop(job, step, target, attempt, kept)
            return Gone()
        if isinstance(taken, ledger.Duplicate):
            said = "the provider answered with a job that another attempt already has"
            return await self._close(job, attempt, Fault(FaultKind.UNREADABLE, Reach.UNSURE, said), None)
        log.event("attempt_submitted", generation=job.id, attempt=job.made, provider=step.provider, job=str(kept["id"]))
        return await self._watch(job, step, target, attempt, kept, now)

    async def _watch(
        self, job: Job, step: Step, target: Target, attempt: int, kept: Mapping[str, Any], began: int
    ) -> Result:
        """Look at a running job until it ends, or its time is over, or nobody waits for it any more.

        The last look comes after the deadline: a job that ended while the gateway was away is not thrown away.
        """
        pace = target.model.shapes[step.form].lifecycle.pace
        end = min(job.deadline, began + pace.deadline)
        seen = self._clock.now_ms()
        while True:
            now = self._clock.now_ms()
            wait = min(next_look(pace, now - began, self._random.random()), end - now)
            if not await self._pause(job, max(wait, 0) / 1000):
                await self._stop(job, step, target, attempt, kept)
                return Gone()
            reading = await self._look(job, step, target, kept)
            now = self._clock.now_ms()
            unseen = reading.state is None or self._may_be_too_early(reading, began, now)
            seen = seen if unseen else now
            if reading.state is JobState.SUCCEEDED:
                return await self._hand_over(job, step, attempt, _costed(reading, kept))
            if not unseen and reading.state in {JobState.FAILED, JobState.CANCELED}:
                assert reading.fault is not None
                return await self._close(job, attempt, reading.fault, _costed(reading, kept).cost)
            if now >= end or now - seen > self._patience.poll_grace:
                said = "the job did not end in time" if now >= end else "the job could not be looked at for too long"
                return await self._abandon(job, step, target, attempt, kept, said)

    async def _look(self, job: Job, step: Step, target: Target, kept: Mapping[str, Any]) -> Reading:
        metrics.LOOKS.labels(step.provider).inc()
        reading = await self._call(CallName.STATUS, step, target, kept)
        if reading.unknown is not None:
            metrics.UNKNOWN_STATES.labels(step.provider).inc()
            log.event(
                "unknown_state", level="warning", generation=job.id, provider=step.provider, state=reading.unknown
            )
        lifecycle = target.model.shapes[step.form].lifecycle
        if reading.state is JobState.SUCCEEDED and CallName.RESULT in lifecycle.calls:
            return await self._call(CallName.RESULT, step, target, kept)
        return reading

    async def _call(self, name: CallName, step: Step, target: Target, kept: Mapping[str, Any]) -> Reading:
        try:
            call = render.follow(target.model, step.form, name, kept, target.site)
            reply = await self._wire.send(call, _LOOK_TIMEOUT)
        except Broken as broken:
            return Reading(None, fault=broken.fault)
        except Misdirected as error:
            return Reading(JobState.FAILED, fault=Fault(FaultKind.UNREADABLE, Reach.ACCEPTED, str(error)))
        understand = read.looked if name is CallName.STATUS else read.fetched
        return understand(target.model, step.form, reply, self._clock.now_ms())

    @staticmethod
    def _may_be_too_early(reading: Reading, began: int, now: int) -> bool:
        unknown = reading.fault is not None and reading.fault.kind is FaultKind.LOST and reading.fault.status == 404
        return unknown and now - began < _LOST_GRACE

    async def _hand_over(self, job: Job, step: Step, attempt: int, reading: Reading) -> Result:
        """Keep where the outputs are before they are fetched: a restart then fetches them again instead of paying again."""
        links = [asdict(output) for output in reading.outputs if not _is_inline(output)]
        if not await self._store.write(ledger.storing(attempt, links, self._clock.now_ms())):
            await self._store.write(ledger.late(attempt, reading.cost))
            return Gone()
        log.event(
            "attempt_finished",
            generation=job.id,
            attempt=job.made,
            provider=step.provider,
            outputs=len(reading.outputs),
        )
        return await self._collect(job, step, attempt, reading.outputs, reading.cost)

    async def _collect(
        self, job: Job, step: Step, attempt: int, outputs: tuple[Output, ...], cost: int | None
    ) -> Result:
        result = await self._collector.collect(job, step, attempt, outputs, cost)
        if isinstance(result, Failed):
            now = self._clock.now_ms()
            row = fault_row(result.fault)
            await self._store.write(
                ledger.close_attempt(attempt, AttemptState.ERROR, row, Billing.CERTAIN, now, cost=cost)
            )
        return result

    async def _close(self, job: Job, attempt: int, fault: Fault, cost: int | None) -> Result:
        fault = Fault(fault.kind, fault.reach, log.redact(fault.message), fault.code, fault.status, fault.pause)
        state = AttemptState.IN_DOUBT if fault.reach is Reach.UNSURE else AttemptState.ERROR
        billing = billing_after(fault)
        await self._store.write(
            ledger.close_attempt(attempt, state, fault_row(fault), billing, self._clock.now_ms(), cost=cost)
        )
        return Gone() if job.canceled else Failed(fault)

    async def _abandon(
        self, job: Job, step: Step, target: Target, attempt: int, kept: Mapping[str, Any], said: str
    ) -> Result:
        fault = Fault(FaultKind.TIMEOUT, Reach.ACCEPTED, said)
        now = self._clock.now_ms()
        await self._store.write(
            ledger.close_attempt(attempt, AttemptState.ABANDONED, fault_row(fault), Billing.POSSIBLE, now)
        )
        await self._cancel(step, target, kept)
        return Gone() if job.canceled else Failed(fault)

    async def _stop(self, job: Job, step: Step, target: Target, attempt: int, kept: Mapping[str, Any]) -> None:
        """Nobody waits any more: tell the provider, as far as it listens."""
        sent = await self._cancel(step, target, kept)
        if job.stopped is not None and not job.stopped.done():
            job.stopped.set_result(sent)
        said = "canceled by the caller"
        fault = Fault(FaultKind.LOST, Reach.ACCEPTED, said)
        now = self._clock.now_ms()
        await self._store.write(
            ledger.close_attempt(attempt, AttemptState.ABANDONED, fault_row(fault), Billing.POSSIBLE, now)
        )

    async def _cancel(self, step: Step, target: Target, kept: Mapping[str, Any]) -> bool:
        """Send the cancel call where the provider has one for the state the job is in; say whether it was sent."""
        line = target.model.shapes[step.form].lifecycle.calls.get(CallName.CANCEL)
        if line is None:
            return False
        if line.when:
            reading = await self._call(CallName.STATUS, step, target, kept)
            if reading.state not in line.when:
                return False
        try:
            await self._wire.send(
                render.follow(target.model, step.form, CallName.CANCEL, kept, target.site), _LOOK_TIMEOUT
            )
        except (Broken, Misdirected) as error:
            log.event("provider_cancel_failed", level="warning", provider=step.provider, reason=str(error))
            return False
        return True

    async def _pause(self, job: Job, seconds: float) -> bool:
        """Rest, unless there is a reason to look at once; False when the caller canceled meanwhile."""
        job.resting = True
        try:
            if not job.canceled and not job.nudged:
                await self._clock.sleep(seconds)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task is not None
            if not (job.canceled or job.nudged) or (task.uncancel() and not job.canceled):
                raise  # the process stops; a nudge at the same moment changes nothing
        finally:
            job.resting = job.nudged = False
        return not job.canceled


def _costed(reading: Reading, kept: Mapping[str, Any]) -> Reading:
    return reading if reading.cost is not None else replace(reading, cost=kept.get(_COST))


def _is_inline(output: Output) -> bool:
    return output.url is None or output.url.startswith(_INLINE)
