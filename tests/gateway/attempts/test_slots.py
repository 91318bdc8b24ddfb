"""Calls that wait for room in their provider's rate, in virtual time."""

from __future__ import annotations

import asyncio

from gateway.attempts.slots import Slots
from gateway.routing.traffic import Traffic
from tests.clock import VirtualClock

NORTH, SOUTH = "north", "south"


class Queue:
    """Calls to a provider that takes two a second, and when each went out."""

    def __init__(self, **rates: float) -> None:
        """Begin with nobody waiting."""
        self.clock = VirtualClock()
        self.traffic = Traffic({}, rates or {NORTH: 2})
        self.slots = Slots(self.traffic, self.clock)
        self.went: list[tuple[str, float]] = []

    def call(self, name: str, provider: str = NORTH, *, is_urgent: bool = False) -> asyncio.Task[None]:
        """Let one more call wait."""

        async def wait() -> None:
            await self.slots.take(provider, is_urgent=is_urgent)
            self.went.append((name, round(self.clock.monotonic(), 3)))

        return asyncio.ensure_future(wait())


async def test_without_a_cap_nobody_waits() -> None:
    """Nor is anything kept for a provider nobody has capped."""
    queue = Queue()
    for n in range(3):
        _ = queue.call(str(n), SOUTH)
    await queue.clock.settle()
    assert queue.went == [("0", 0.0), ("1", 0.0), ("2", 0.0)]


async def test_calls_go_out_evenly() -> None:
    """The first at once, then one each half a second."""
    queue = Queue()
    for n in range(4):
        _ = queue.call(str(n))
    await queue.clock.advance(3)
    assert queue.went == [("0", 0.0), ("1", 0.5), ("2", 1.0), ("3", 1.5)]


async def test_a_submit_goes_before_looks() -> None:
    """Even before one that has waited for longer."""
    queue = Queue()
    for n in range(3):
        _ = queue.call(f"look {n}")
    await queue.clock.settle()
    _ = queue.call("submit", is_urgent=True)
    await queue.clock.advance(3)
    assert [name for name, _ in queue.went] == ["look 0", "submit", "look 1", "look 2"]


async def test_each_provider_has_a_rate_of_its_own() -> None:
    """A long row at one holds up nobody at another."""
    queue = Queue(north=0.1, south=1)
    for n in range(3):
        _ = queue.call(f"north {n}")
        _ = queue.call(f"south {n}", SOUTH)
    await queue.clock.advance(2)
    assert [name for name, _ in queue.went] == ["north 0", "south 0", "south 1", "south 2"]


async def test_one_that_gives_up_takes_no_room() -> None:
    """The next goes in its place."""
    queue = Queue()
    calls = [queue.call(str(n)) for n in range(4)]
    await queue.clock.settle()
    calls[1].cancel()
    calls[2].cancel()
    await queue.clock.advance(3)
    assert queue.went == [("0", 0.0), ("3", 0.5)]


async def test_what_would_wait_for_too_long_is_told_at_once() -> None:
    """And takes no place in the row."""
    queue = Queue()
    for n in range(4):
        _ = queue.call(str(n), is_urgent=True)
    await queue.clock.settle()
    assert await queue.slots.take(NORTH, is_urgent=True, patience=1.9) == 2.0
    await queue.clock.advance(3)
    assert queue.went[-1] == ("3", 1.5)


async def test_another_rate_holds_for_those_that_wait() -> None:
    """A higher one lets them go within a second, none lets all of them go."""
    queue = Queue(north=0.01)
    for n in range(4):
        _ = queue.call(str(n))
    await queue.clock.advance(10)
    assert len(queue.went) == 1
    queue.traffic.rates = {NORTH: 1}
    await queue.clock.advance(2)
    assert len(queue.went) == 3
    queue.traffic.rates = {}
    await queue.clock.advance(1)
    assert len(queue.went) == 4


async def test_accounts_take_turns() -> None:
    """F80: a hundred calls of one account, submits and looks, hold up another's for one turn of each sort."""
    clock, went = VirtualClock(), list[str]()
    slots = Slots(Traffic({}, {NORTH: 1}), clock)

    async def call(account: str, *, is_urgent: bool) -> None:
        await slots.take(NORTH, account, is_urgent=is_urgent)
        went.append(f"{account} {'submit' if is_urgent else 'look'}")

    calls = [asyncio.ensure_future(call("many", is_urgent=n % 2 == 0)) for n in range(100)]
    await clock.settle()
    calls += [asyncio.ensure_future(call("few", is_urgent=urgent)) for urgent in (True, False)]
    await clock.advance(9)
    assert went.index("few submit") <= 2
    assert went.index("few look") <= 9
    for each in calls:
        each.cancel()


async def test_what_waits_behind_others_is_not_counted_twice() -> None:
    """F80: who has patience for a turn is let wait, however many calls of another account do; those are told how long."""
    clock = VirtualClock()
    slots = Slots(Traffic({}, {NORTH: 1}), clock)
    calls = [asyncio.ensure_future(slots.take(NORTH, "many", is_urgent=True)) for _ in range(100)]
    await clock.settle()
    assert await slots.take(NORTH, "many", is_urgent=True, patience=30) == 100
    few = asyncio.ensure_future(slots.take(NORTH, "few", is_urgent=True, patience=3))
    await clock.advance(3)
    assert few.result() is None
    for each in calls:
        each.cancel()
