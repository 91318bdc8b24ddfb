"""What is owed, sent: reads what is due, posts it, writes down how it went.

One task looks and hands out; each attempt is a task of its own. What is under way is known in memory alone, so that nothing is
written before it is sent, and after a crash it is sent again under the same id.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import assert_never

from gateway import log, metrics, traces
from gateway.clock import Clock, iso
from gateway.ledger import deliveries
from gateway.ledger.database import Database
from gateway.ledger.deliveries import Attempted, Due, Noted
from gateway.ledger.program import StoreError
from gateway.webhooks import event, schedule, sign, traced
from gateway.webhooks.schedule import Again, Answered, Arrived, Outcome, Over, Rules, Unanswered, Verdict
from gateway.webhooks.windows import Windows

_LONGEST_LOOK = (
    600.0  # seconds between looks when nothing calls for one: every commit does, so this is a belt to braces
)
_PAUSE = 0.02  # seconds between looks under load: what comes meanwhile is looked at together
_LOOK_AGAIN = 0.1  # seconds between looks whether an endpoint that is drained can take the next
_STORE_AGAIN = 1.0  # seconds after a store that failed before it is asked again
_SWEEP = 60_000  # ms between looks for what was queued too long
_LEASE = 30_000  # ms beyond the timeout for which a queued delivery that is being sent is nobody else's
_LAST = 5.0  # seconds that attempts under way get when the process stops

Send = Callable[[str, bytes, Mapping[str, str], float], Awaitable[Outcome]]


class Outbox:
    """Sends what the store says is owed."""

    def __init__(
        self,
        store: Database,
        send: Send,
        words: event.Words,
        secrets: sign.Secrets,
        *,
        rules: Rules,
        clock: Clock,
        random: Random,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        """Send by `send`, while this process `leads` those that share the store.

        `rules` and what `secrets` holds may be replaced while it runs.
        """
        self.rules = rules
        self._leads = leads
        self.dialects: dict[
            str, event.Dialect
        ] = {}  # how those named with a generation are told, by the dialect's name
        self._store = store
        self._send = send
        self._words = words
        self._secrets = secrets
        self._clock = clock
        self._random = random
        self._windows = Windows()
        self._wake = asyncio.Event()
        self._after = ""
        self._swept = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what is due."""
        self._looking = asyncio.create_task(self._look(), name="outbox")

    def wake(self) -> None:
        """Look soon: something was committed that may be owed."""
        self._wake.set()

    @property
    def busy(self) -> int:
        """How many attempts are under way."""
        return self._windows.held

    async def stop(self) -> None:
        """Send nothing new, let what is under way be written down if that takes no longer than some seconds."""
        first = [task for task in (self._looking, *self._draining.values()) if task is not None]
        for task in first:
            task.cancel()
        await asyncio.gather(*first, return_exceptions=True)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_LAST)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            self._wake.clear()
            try:
                wait = await self._turn()
            except StoreError as error:
                log.event("outbox_stopped", level="warning", error=error)
                wait = _STORE_AGAIN
            await self._rest(wait)

    async def _turn(self) -> float:
        """Hand out what is due and has room; give the seconds until there is something to look for."""
        # Both once: what is not yet due by the one reading has to be what is waited for by the other.
        now, moment = self._clock.now_ms(), self._moment()
        if not self._leads():
            return _LONGEST_LOOK
        if now - self._swept >= _SWEEP:
            self._swept = now
            await self._store.write(deliveries.expire(now - self.rules.keep_queued, now))
        found = await self._store.read(deliveries.due(now, self._windows.room(moment, self._after)))
        for endpoint in found.draining:
            if endpoint not in self._draining:
                task = asyncio.create_task(self._drain(endpoint), name=f"drain {endpoint}")
                self._draining[endpoint] = task
        self._after = found.last
        metrics.WEBHOOK_BACKLOG.set(found.backlog)
        for due in found.due:
            self._windows.begin(due.endpoint, due.seq)
            task = asyncio.create_task(self._deliver(due), name=f"deliver {due.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        waits = [_LONGEST_LOOK]
        if found.next_at is not None:
            waits.append((found.next_at - now) / 1000)
        if (rested := self._windows.wakes(moment)) is not None:
            waits.append((rested - moment) / 1000)
        return max(0.0, min(waits))

    async def _rest(self, seconds: float) -> None:
        """Wait until it is time or something wakes us, and never less than a moment."""
        ends = [asyncio.ensure_future(self._wake.wait()), asyncio.ensure_future(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        await self._clock.sleep(_PAUSE)

    async def _drain(self, endpoint: str) -> None:
        """Send what an endpoint has queued, one after the other."""
        try:
            while True:
                while not self._windows.is_free(endpoint, self._moment()):
                    await self._clock.sleep(_LOOK_AGAIN)
                until = self._clock.now_ms() + self.rules.timeout + _LEASE
                due = await self._store.write(deliveries.take(endpoint, self._new_id(), until))
                if due is None:
                    return
                self._windows.begin(due.endpoint, due.seq)
                await self._deliver(due)
        except StoreError as error:
            log.event("drain_stopped", level="warning", endpoint=endpoint, error=error)
            await self._clock.sleep(_STORE_AGAIN)
        finally:
            self._draining.pop(endpoint, None)
            self._wake.set()

    async def _deliver(self, due: Due) -> None:
        """Attempt one delivery and write down how it went; whatever happens, its place is free afterwards."""
        began = self._clock.now_ms()
        noted: Noted | None = Noted(1)  # what to believe of the endpoint when nothing could be written
        try:
            with traced.begun(due) as span:
                outcome = await self._attempt(due, began)
                if span.is_recorded:
                    traced.ended(span, due, outcome)
            noted = await self._note(due, began, outcome)
        except StoreError as error:
            # It is still pending, and sent again under the same id once the store is well.
            log.event("delivery_unwritten", level="error", delivery=due.id, error=error)
        finally:
            self._end(due, noted)
            self._wake.set()

    def _end(self, due: Due, noted: Noted | None) -> None:
        if noted is not None and noted.failures == 0:
            self._windows.arrived(due.endpoint, due.seq)
            return
        rest = schedule.rest(self.rules.waits, noted.failures) if noted is not None else 0
        self._windows.failed(due.endpoint, due.seq, self._moment() + rest)
        if noted is not None and noted.disabled is not None:
            self._windows.forget(due.endpoint)
            log.event("webhook_disabled", level="warning", endpoint=due.endpoint, why=noted.disabled.value)

    async def _attempt(self, due: Due, now: int) -> Outcome:
        try:
            told = self.dialects[due.dialect](due, now) if due.dialect is not None else self._told(due, now)
            if told is None:
                return Unanswered("no_secret")
        except Exception as error:  # noqa: BLE001 - a defect of ours must not stop the others; it is logged and counts as a failure
            log.event("delivery_broke", level="error", delivery=due.id, error=error)
            return Unanswered("internal_error")
        return await self._send(due.url, told.body, {**told.headers, **traces.headers()}, self.rules.timeout / 1000)

    def _told(self, due: Due, now: int) -> event.Told | None:
        """A delivery in the native words; None when it cannot be signed."""
        secrets = self._secrets.of(due, now)
        if not secrets:
            return None
        happened = iso(due.happened)
        body = event.body(due, happened, self._words)
        signed = sign.headers(secrets, delivery=due.id, event=due.type.value, happened=happened, now=now, body=body)
        return event.Told(body, signed)

    async def _note(self, due: Due, began: int, outcome: Outcome) -> Noted | None:
        now = self._clock.now_ms()
        verdict = schedule.after(outcome, due.attempts + 1, self.rules.waits, now, self._random.random())
        status, error = _said(outcome)
        went = Attempted(
            began,
            now,
            arrived=isinstance(verdict, Arrived),
            next_at=verdict.at if isinstance(verdict, Again) else None,
            status=status,
            error=error,
            gone=isinstance(verdict, Over) and verdict.gone,
        )
        metrics.WEBHOOK_DELIVERIES.labels(_word(verdict)).inc()
        log.event(
            "webhook_attempted",
            delivery=due.id,
            endpoint=due.endpoint,
            type=due.type.value,
            delivery_attempt=due.attempts + 1,
            status=status,
            reason=error,
        )
        return await self._store.write(deliveries.attempted(due, went, self.rules.disable_after))

    def _moment(self) -> int:
        return int(self._clock.monotonic() * 1000)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def _said(outcome: Outcome) -> tuple[int | None, str | None]:
    """The status of an answer, and a word for why it is a failure."""
    match outcome:
        case Answered(status):
            return status, None if outcome.is_taken else f"status_{status}"
        case Unanswered(reason):
            return None, reason
        case _:
            assert_never(outcome)


def _word(verdict: Verdict) -> str:
    match verdict:
        case Arrived():
            return "delivered"
        case Again():
            return "retried"
        case Over(gone):
            return "gone" if gone else "failed"
        case _:
            assert_never(verdict)
