"""One attempt, walked: submit, look, fetch the result, cancel. What follows a fault is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from gateway import log
from gateway.attempts import traced
from gateway.attempts.aftercare import following, note_late
from gateway.attempts.collect import Collector, Done, Failed, Gone, Result
from gateway.attempts.doubt import Doubts, is_unsure
from gateway.attempts.heard import AWAY, COST, NOTHING, costed, has_ended, hear, may_be_too_early
from gateway.attempts.job import Job, fault_row, nobody, steady
from gateway.attempts.line import Line, Target, Told
from gateway.attempts.opening import Opened
from gateway.attempts.pace import Paces, next_look, ran
from gateway.attempts.report import Report
from gateway.attempts.rest import Rest
from gateway.attempts.room import Share
from gateway.attempts.shown import fit_to_keep
from gateway.attempts.slow import is_gone, usual_of, waits_too_long, way_out, withdrawn
from gateway.clock import Clock
from gateway.fault import Fault, FaultKind, Reach
from gateway.ledger import attempts as ledger
from gateway.ledger.database import Database
from gateway.ledger.endings import CANCELS, SOON_CLOSED
from gateway.ledger.records import Attempt
from gateway.ledger.together import Settled
from gateway.offer import is_inline
from gateway.outcome import AttemptState, Billing, Output, billing_after
from gateway.providers.pack import JobState
from gateway.providers.read import Reading
from gateway.providers.render import Call
from gateway.providers.wire import Broken
from gateway.routing.plan import Step

_AGAIN = 1.0  # seconds at least between looks for outputs that were lost
_ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED})
_LOST = Fault(
    FaultKind.OUTPUT_LOST, Reach.ACCEPTED, "the output came inside the answer and was lost when the gateway stopped"
)


@dataclass(frozen=True, slots=True)
class Running:
    """An attempt whose job its provider has: what the job is `kept` by, and since when it runs, in ms since the epoch."""

    attempt: int
    kept: Mapping[str, Any]
    began: int


class Walker:
    """Walks attempts. It holds what all of them need, and nothing of any of them.

    Beginning an attempt ends where its job runs: `watch` goes on from there, and nothing is held meanwhile that began it.
    """

    def __init__(
        self,
        store: Database,
        line: Line,
        collector: Collector,
        clock: Clock,
        random: Random,
        poll_grace: int,
        *,
        paces: Paces | None = None,
    ) -> None:
        """Speak over `line`, keep every step in `store`, and learn in `paces` how long jobs run.

        A job is given up when looks at it have told nothing for `poll_grace` ms.
        """
        self._store = store
        self._line = line
        self._collector = collector
        self._clock = clock
        self._random = random
        self._poll_grace = poll_grace
        self.paces = paces or Paces()
        self._doubts = Doubts(line, clock, self._pause)

    def at_once(self, job: Job, step: Step, target: Target) -> Call | None:
        """The call that begins a job; None where anything has to be waited for before it goes out."""
        return self._line.at_once(job, step, target)

    async def go_out(self, job: Job, opened: Opened, report: Report) -> Result | Running:
        """Make a new attempt whose intent was committed when its generation was accepted."""
        step, target = opened.ready.step, opened.ready.target
        reading = await self._send(job, step, target, opened.ready.sent(), report)
        result = await self._go_on(job, step, target, opened.attempt, reading, report)
        if isinstance(result, Done) and result.delivery is not None:
            job.settled = Settled(opened.ready.opening, result.delivery)
        return result

    async def begin(self, job: Job, step: Step, target: Target, report: Report) -> Result | Running:
        """Make a new attempt: the intent is committed before the first byte leaves.

        Inputs are fetched and the provider's rate is waited for before that: a crash meanwhile leaves nothing in doubt.
        """
        job.number()
        job.nudged = False
        async with self._line.room(job, step, target) as share:
            taken = await self._submit(job, step, target, report, share)
        # What was sent is let go of by here: the job may run for long.
        return await self._go_on(job, step, target, *taken, report) if isinstance(taken, tuple) else taken

    async def _submit(
        self, job: Job, step: Step, target: Target, report: Report, share: Share | None
    ) -> tuple[int, Reading] | Result:
        call = await self._line.ready(job, step, target, share)
        if not isinstance(call, Fault):
            call = await self._in_turn(job, step, call)
        now = self._clock.now_ms()
        opening = ledger.open_attempt(
            job.id,
            job.n,
            provider=step.provider,
            native=step.native,
            form=step.form,
            price=step.price,
            at=now,
            beside=job.lead is not None,
        )
        attempt = await self._store.write(opening)
        if attempt is None:
            return Gone()
        if isinstance(call, Fault):
            return await self._close(job, attempt, call, None)
        return attempt, await self._send(job, step, target, call, report)

    async def _send(self, job: Job, step: Step, target: Target, call: Call, report: Report) -> Reading:
        traced.started(job, step)
        reading = await self._line.submit(job, step, target, call, has_turn=True)
        if is_unsure(reading):
            assert reading.fault is not None
            report.lost(reading.fault)
            reading = await self._doubts.clear(job, step, target, reading, call)
        return reading

    async def _in_turn(self, job: Job, step: Step, call: Call) -> Call | Fault:
        """Wait until the provider's rate has room; who cancels meanwhile is heeded when the intent is to be written."""
        try:
            with Rest(job) as may_wait:
                if may_wait:
                    await self._line.turn_to_submit(job, step)
        except Broken as broken:
            return broken.fault
        return call

    async def _go_on(
        self, job: Job, step: Step, target: Target, attempt: int, reading: Reading, report: Report
    ) -> Result | Running:
        """Go on from what the answer to a submit says."""
        match reading.state:
            case JobState.QUEUED | JobState.RUNNING:
                report.taken()
                return await self._submitted(job, step, target, attempt, reading)
            case _:
                return await self._end(job, step, attempt, reading)

    async def _end(self, job: Job, step: Step, attempt: int, reading: Reading) -> Result:
        """End with a job that ended, or with a submit that was not taken."""
        if reading.state is JobState.SUCCEEDED:
            return await self._hand_over(job, step, attempt, reading)
        assert reading.fault is not None
        return await self._close(job, attempt, reading.fault, reading.cost)

    async def take_up(self, job: Job, step: Step, target: Target, attempt: Attempt, report: Report) -> Result | Running:
        """Go on with an attempt that a restart found open."""
        job.n = attempt.n
        match attempt.state:
            case AttemptState.SUBMITTED:
                job.nudged = True  # its turn has come: a rest would only make the news older
                return Running(attempt.id, attempt.kept or {}, attempt.submitted or attempt.started)
            case AttemptState.STORING if attempt.outputs:
                outputs = tuple(Output(**output) for output in attempt.outputs)
                counted = attempt.cost if attempt.cost is not None else (attempt.kept or {}).get(COST)
                return await self._collect(job, step, attempt.id, outputs, counted)
            case AttemptState.STORING if attempt.kept:
                return await self._collect_again(job, step, target, attempt.id, attempt.kept)
            case AttemptState.STORING:
                return await self._close(job, attempt.id, _LOST, None)
            case _:
                said = "the gateway stopped while the request was under way"
                unsure = Reading(JobState.FAILED, fault=Fault(FaultKind.TIMEOUT, Reach.UNSURE, said))
                reading = await self._doubts.clear(job, step, target, unsure)
                return await self._go_on(job, step, target, attempt.id, reading, report)

    async def forsake(self, job: Job, attempt: Attempt) -> Result:
        """Give an attempt up that a restart found open, and whose pack is gone: its job may run, and nothing can be asked of it."""
        reach = Reach.UNSURE if attempt.state is AttemptState.SUBMITTING else Reach.ACCEPTED
        fault = Fault(FaultKind.TIMEOUT, reach, "the provider's pack is gone, and with it the way to ask for the job")
        return await self._close(job, attempt.id, fault, attempt.cost)

    async def _submitted(
        self, job: Job, step: Step, target: Target, attempt: int, reading: Reading
    ) -> Result | Running:
        now = self._clock.now_ms()
        kept = dict(reading.kept)
        if reading.cost is not None:
            kept[COST] = reading.cost  # some count at once, and never again
        taken = await self._store.write(ledger.submitted(attempt, str(kept["id"]), kept, now))
        if taken is False:
            await self._stop(job, step, target, attempt, kept)
            return Gone()
        if isinstance(taken, ledger.Duplicate):
            said = "the provider answered with a job that another attempt already has"
            return await self._close(job, attempt, Fault(FaultKind.UNREADABLE, Reach.UNSURE, said), None)
        log.event("attempt_submitted", generation=job.id, attempt=job.n, provider=step.provider, job=str(kept["id"]))
        return Running(attempt, kept, now)

    async def watch(self, job: Job, step: Step, target: Target, running: Running) -> Result:
        """Look at a running job until it ends, or its time is over, or nobody waits for it any more.

        The last look comes after the deadline: a job that ended while the gateway was away is not thrown away.
        """
        attempt, kept = running.attempt, running.kept
        pace = target.model.shapes[step.form].lifecycle.pace
        now = steady(self._clock)
        began = now - max(self._clock.now_ms() - running.began, 0)
        end = min(job.ends, began + pace.deadline)
        alive = None if job.nudged else began  # when it was last seen running; None after a gap, which is no measure
        heard = AWAY if job.nudged else NOTHING
        blind: int | None = None  # since when looks have told nothing
        slow = False
        while True:
            known = self.paces.of(step.provider, job.model, step.form) if blind is None else None
            usual = next_look(pace, known, now - began, self._random.random(), heard)
            wait = max(min(self._line.rest(step.provider, usual), end - now), 0)
            due = now + wait
            has_turn = False
            with Rest(job) as may_wait:
                if may_wait:
                    await self._clock.sleep(wait / 1000)
                    await self._line.turn_to_look(step.provider, job.account)
                    has_turn = True
            if job.is_unwanted:
                outran = job.outrun and self._outran(job, step, steady(self._clock) - began)
                await self._stop(job, step, target, attempt, kept)
                return Gone(slow=outran)
            asked = steady(self._clock)
            reading = await self._line.look(job.id, step, target, kept, account=job.account, has_turn=has_turn)
            if waits_too_long(job, step, asked - began, self.paces):
                slow = slow or self._tell_slow(job, step, asked - began)
                reading = await self._move(job, step, target, kept, reading, asked - began)
                if job.promised is not None and is_gone(reading):
                    fault = withdrawn(asked - began, usual_of(job, step, self.paces))
                    return await self._close(job, attempt, fault, None)
            now = steady(self._clock)
            unseen = reading.state is None or may_be_too_early(reading, began, now)
            if not unseen and alive is not None and asked - due <= wait and has_ended(reading):
                seen = asked if asked + 1 < due else alive  # woken before its time: it has just ended
                self.paces.note(step.provider, job.model, step.form, ran(seen - began, asked - began), heard)
            heard = hear(heard, None if unseen else reading.state, reading.share, asked - began)
            job.done = heard.shares[-1][1] if heard.shares else None
            alive = None if unseen else asked
            blind = None if not unseen else asked if blind is None else blind
            if not unseen and reading.state in _ENDED:
                return await self._end(job, step, attempt, costed(reading, kept))
            if now >= end or (blind is not None and now - blind > self._poll_grace):
                said = "the job did not end in time" if now >= end else "the job could not be looked at for too long"
                return await self._abandon(job, step, target, attempt, kept, said)
            if not unseen:
                job.seen(job, step, asked - began)

    def _tell_slow(self, job: Job, step: Step, elapsed: int) -> bool:
        log.event("attempt_slow", generation=job.id, attempt=job.n, provider=step.provider, model=job.model, ms=elapsed)
        return True

    def _outran(self, job: Job, step: Step, elapsed: int) -> bool:
        """Learn from a job that another overtook, where that says anything: it ran for this long at least."""
        usual = usual_of(job, step, self.paces)
        is_slow = usual is not None and elapsed >= usual
        if is_slow:
            self.paces.note(step.provider, job.model, step.form, elapsed)
        return is_slow

    async def _move(
        self, job: Job, step: Step, target: Target, kept: Mapping[str, Any], reading: Reading, elapsed: int
    ) -> Reading:
        """Withdraw a job that may be moved, once, and give what a look says then; what was read where it stays."""
        if job.promised is not None or job.rival is not None:
            return reading
        other = way_out(job, step, reading, elapsed, self.paces, self._clock)
        if other is None:
            return reading
        if await self._line.cancel(step, target, kept, account=job.account) is Told.DEAF:
            job.spare = nobody
            return reading
        # Even if it is not known whether the provider was reached: the job may end as canceled later.
        job.promised = other
        return await self._line.look(job.id, step, target, kept, account=job.account)

    async def _hand_over(self, job: Job, step: Step, attempt: int, reading: Reading) -> Result:
        """Keep where the outputs are before they are fetched: a restart then fetches them again instead of paying again.

        Where nothing has to be fetched that is kept with the end itself.
        """
        links = [asdict(output) for output in reading.outputs if output.url is not None and not is_inline(output.url)]
        if job.rival is None and job.lead is None:
            result = await self._collector.deliver(job, step, attempt, reading.outputs, links, reading.cost)
            if result is not None:
                return result
        if not await self._store.write(ledger.storing(attempt, links, self._clock.now_ms())):
            await note_late(self._store, attempt, step.provider, step.price, reading.cost)
            return Gone()
        job.wins()
        log.event(
            "attempt_finished",
            level="debug",  # that its outputs are here is what counts, and is told
            generation=job.id,
            attempt=job.n,
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

    async def _collect_again(
        self, job: Job, step: Step, target: Target, attempt: int, kept: Mapping[str, Any]
    ) -> Result:
        """Look once more at a job that has ended: its outputs were inside an answer, and went with the process that held it."""
        every = target.model.shapes[step.form].lifecycle.pace.every / 1000
        while True:
            reading = costed(await self._line.look(job.id, step, target, kept, account=job.account), kept)
            if reading.state is JobState.SUCCEEDED:
                return await self._collect(job, step, attempt, reading.outputs, reading.cost)
            if reading.state in {JobState.FAILED, JobState.CANCELED}:
                assert reading.fault is not None
                return await self._close(job, attempt, reading.fault, reading.cost)
            if job.left(self._clock) <= 0:
                return await self._close(job, attempt, _LOST, reading.cost)
            if not await self._pause(job, max(every, _AGAIN)):
                return Gone()

    async def _close(self, job: Job, attempt: int, fault: Fault, cost: int | None) -> Result:
        fault = fit_to_keep(fault)
        state = AttemptState.IN_DOUBT if fault.reach is Reach.UNSURE else AttemptState.ERROR
        billing = billing_after(fault)
        await self._store.write(
            ledger.close_attempt(attempt, state, fault_row(fault), billing, self._clock.now_ms(), cost=cost)
        )
        return Gone() if job.is_unwanted else Failed(fault)

    async def _abandon(
        self, job: Job, step: Step, target: Target, attempt: int, kept: Mapping[str, Any], said: str
    ) -> Result:
        """Wait no longer; whether the provider listens and what became of the job is seen to later."""
        fault = Fault(FaultKind.TIMEOUT, Reach.ACCEPTED, said)
        now = self._clock.now_ms()
        await self._let_go(attempt, fault, ledger.After(now + SOON_CLOSED, CANCELS))
        told = await self._line.cancel(step, target, kept, account=job.account)
        pace = target.model.shapes[step.form].lifecycle.pace
        await self._store.write(ledger.put_off(attempt, following(told, CANCELS - 1, pace, self._clock.now_ms())))
        return Gone() if job.is_unwanted else Failed(fault)

    async def _stop(self, job: Job, step: Step, target: Target, attempt: int, kept: Mapping[str, Any]) -> None:
        """Nobody waits any more: tell the provider, as far as it listens."""
        told = await self._line.cancel(step, target, kept, account=job.account)
        if job.stopped is not None and not job.stopped.done():
            job.stopped.set_result(told is Told.SENT)
        pace = target.model.shapes[step.form].lifecycle.pace
        after = following(told, CANCELS - 1, pace, self._clock.now_ms())
        said = "canceled by the caller" if job.canceled else "another provider was faster"
        await self._let_go(attempt, Fault(FaultKind.LOST, Reach.ACCEPTED, said), after)

    async def _let_go(self, attempt: int, fault: Fault, after: ledger.After) -> None:
        now, row = self._clock.now_ms(), fault_row(fault)
        closing = ledger.close_attempt(attempt, AttemptState.ABANDONED, row, Billing.POSSIBLE, now, after=after)
        await self._store.write(closing)

    async def _pause(self, job: Job, seconds: float) -> bool:
        """Wait so many seconds; False when the caller canceled meanwhile."""
        with Rest(job) as may_wait:
            if may_wait:
                await self._clock.sleep(seconds)
        return not job.is_unwanted
