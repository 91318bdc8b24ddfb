"""Providers that take only so many calls a second, on real runs: the vendors played without sockets, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

from gateway.attempts.resume import resume
from gateway.fault import FaultKind, Reach
from gateway.generation import State
from gateway.ledger import generations
from gateway.ledger.records import Record
from gateway.outcome import Billing
from gateway.providers.classify import Reply
from gateway.providers.pack import CallName
from gateway.providers.render import Call
from tests.gateway.attempts.bench import faults
from tests.harness.outage import FIRST, ORDER, Figures, Stage
from tests.harness.theatre import BASES
from tests.harness.virtual import EPOCH, VirtualLoop, play

SECOND = ORDER[1]
Story = Callable[["Capped"], Coroutine[Any, Any, None]]


class Capped(Stage):
    """A stage on which it is written down when the first provider heard which call."""

    def __init__(self, loop: VirtualLoop, rate: float | None) -> None:
        """Cap the first provider, or nobody."""
        super().__init__(loop, random.Random(1), Figures("none"))
        self.heard: list[tuple[float, CallName]] = []
        if rate is not None:
            self.health.traffic.rates = {FIRST: rate}
        send = self.lines.send

        async def listen(call: Call, timeout: float) -> Reply:  # noqa: ASYNC109 - the signature of the line it stands for
            if call.url.startswith(BASES[FIRST]):
                self.heard.append((loop.time(), call.name))
            return await send(call, timeout)

        self.lines.send = listen  # type: ignore[method-assign]  # an ear on a double

    @property
    def closest(self) -> float:
        """The shortest time between two calls, in seconds."""
        return min(later - earlier for (earlier, _), (later, _) in pairwise(self.heard))

    async def over(self, seconds: float = 900.0) -> None:
        """Wait until nothing is under way."""
        for _ in range(int(seconds)):
            if not self.runs.live:
                return
            await self.rest(1)

    async def many(self, count: int) -> list[Record]:
        """So many generations asked for at once, at their ends."""
        found = await asyncio.gather(*(self.one() for _ in range(count)))
        await self.over()
        return [await self.record(each) for each in found if isinstance(each, str)]


def told(story: Story, rate: float | None = 1.0) -> None:
    """Play a story on a stage of its own."""

    async def played(loop: VirtualLoop) -> None:
        await story(Capped(loop, rate))

    play(random.Random(1), played)


def test_no_call_comes_sooner_than_the_rate() -> None:
    """Submits and looks together: twenty generations at once are spread as far as they have to be, and all succeed."""

    async def story(stage: Capped) -> None:
        records = await stage.many(20)
        assert [record.state for record in records] == [State.SUCCEEDED] * 20
        assert stage.closest > 0.999
        assert {name for _, name in stage.heard} == {CallName.SUBMIT, CallName.STATUS}

    told(story)


def test_without_a_cap_they_come_at_once() -> None:
    """So that it is the cap that spreads them."""

    async def story(stage: Capped) -> None:
        await stage.many(20)
        assert stage.closest < 0.1

    told(story, None)


def test_submits_go_before_looks() -> None:
    """Looks have their share of the row, and no more while somebody waits for a submit."""

    async def story(stage: Capped) -> None:
        await stage.many(20)
        names = [name for _, name in stage.heard]
        last = max(n for n, name in enumerate(names) if name is CallName.SUBMIT)
        assert names[:last].count(CallName.STATUS) <= 7

    told(story)


def test_a_submit_that_would_wait_for_too_long_goes_elsewhere() -> None:
    """Nothing was sent, so nothing is in doubt; the provider is not taken to be full for it."""

    async def story(stage: Capped) -> None:
        records = await stage.many(60)
        assert [record.state for record in records] == [State.SUCCEEDED] * 60
        moved = [record for record in records if record.provider_used != FIRST]
        assert 20 <= len(moved) <= 40
        late = [each for record in moved for each in record.attempts if each.provider == FIRST]
        assert late
        for each in late:
            assert each.fault is not None
            assert (each.fault["kind"], each.fault["reach"]) == (FaultKind.RATE_LIMITED, Reach.UNSENT)
            assert each.billing is Billing.NONE
        assert stage.health.traffic.most(FIRST, 10**9) is None
        assert stage.closest > 0.999

    told(story)


def test_one_that_is_canceled_while_it_waits_is_never_sent() -> None:
    """Its intent is written only when its turn has come."""

    async def story(stage: Capped) -> None:
        found = await asyncio.gather(*(stage.one() for _ in range(3)))
        last = found[-1]
        assert isinstance(last, str)
        await stage.rest(0.5)
        assert (await stage.record(last)).attempts == ()
        await stage.store.write(generations.cancel("rich", last, EPOCH + int(stage.loop.time() * 1000)))
        assert not await stage.runs.cancel(last)
        await stage.over()
        record = await stage.record(last)
        assert (record.state, record.attempts) == (State.CANCELED, ())
        assert [name for _, name in stage.heard].count(CallName.SUBMIT) == 2

    told(story)


def test_a_stop_while_it_waits_leaves_nothing_in_doubt() -> None:
    """Draining is done at once, and the next start sends it for the first time."""

    async def story(stage: Capped) -> None:
        found = await asyncio.gather(*(stage.one() for _ in range(10)))
        await stage.rest(0.5)
        began = stage.loop.time()
        await stage.runs.drain()
        assert stage.loop.time() - began < 2
        records = [await stage.record(each) for each in found if isinstance(each, str)]
        assert sum(bool(record.attempts) for record in records) == 1
        stage.runs._over.clear()  # as a new process would be
        await resume(stage.store, stage.runs)
        await stage.over()
        records = [await stage.record(each) for each in found if isinstance(each, str)]
        assert [(record.state, faults(record)) for record in records] == [(State.SUCCEEDED, [(FIRST, None)])] * 10
        assert stage.closest > 0.999

    told(story)


def test_a_nudge_is_heeded_within_the_rate() -> None:
    """A provider that calls back all the time is not asked more often for it."""

    async def story(stage: Capped) -> None:
        generation = await stage.one()
        assert isinstance(generation, str)
        for _ in range(40):
            await stage.rest(0.05)
            stage.runs.nudge(generation, 1)
        await stage.over()
        assert (await stage.record(generation)).state is State.SUCCEEDED
        assert stage.closest > 0.999

    told(story)
