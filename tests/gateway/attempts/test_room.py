"""Room for files in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attempts.room import Room


class Trial:
    """Some that want room, and in which order they got it."""

    def __init__(self, most: int) -> None:
        self.room = Room(most)
        self.inside: list[str] = []
        self.order: list[str] = []
        self.leave: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def want(self, name: str, size: int, account: str = "a") -> None:
        """Begin to wait for room."""
        self.leave[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._hold(name, account, size))
        await asyncio.sleep(0)

    async def _hold(self, name: str, account: str, size: int) -> None:
        async with self.room.hold(account, size):
            self.order.append(name)
            self.inside.append(name)
            await self.leave[name].wait()
            self.inside.remove(name)

    async def go(self, name: str) -> None:
        """Let one leave."""
        self.leave[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)


async def test_who_has_room_goes_in_at_once() -> None:
    """Up to the limit nobody waits, beyond it the next waits until enough is free."""
    trial = Trial(10)
    for name, size in (("one", 4), ("two", 6), ("three", 5), ("none", 0)):
        await trial.want(name, size)
    assert trial.inside == ["one", "two", "none"]
    await trial.go("one")
    assert "three" not in trial.inside
    await trial.go("two")
    assert trial.inside == ["none", "three"]
    await trial.go("three")
    assert trial.room.held == 0


async def test_who_wants_more_than_there_is_goes_alone() -> None:
    """A want beyond the limit is served when nobody else is inside."""
    trial = Trial(10)
    await trial.want("small", 1)
    await trial.want("huge", 1000)
    await trial.want("late", 1)
    assert trial.inside == ["small"]
    await trial.go("small")
    assert (trial.inside, trial.room.held) == (["huge"], 10)
    await trial.go("huge")
    assert trial.inside == ["late"]


async def test_accounts_take_turns() -> None:
    """However many one account has waiting, another's first comes within one round."""
    trial = Trial(1)
    for n in range(5):
        await trial.want(f"many{n}", 1, "many")
    await trial.want("other", 1, "other")
    for n in range(3):
        await trial.go(f"many{n}")
    assert trial.order == ["many0", "many1", "many2", "other"]


async def test_what_is_not_needed_is_given_back() -> None:
    """A share that turns out smaller lets the next in before it ends, and never grows."""
    trial = Trial(10)
    async with trial.room.hold("a", 10) as share:
        await trial.want("next", 7)
        share.keep(3)
        await asyncio.sleep(0)
        assert trial.inside == ["next"]
        share.keep(9)
        assert trial.room.held == 10
    assert trial.room.held == 7


@pytest.mark.parametrize("gone", ["first", "second"])
async def test_who_stops_waiting_holds_nobody_up(gone: str) -> None:
    """One that is canceled while it waits, even while it is its turn, leaves the room to the next."""
    trial = Trial(10)
    await trial.want("inside", 5)
    await trial.want("first", 10)
    await trial.want("second", 5)
    trial.tasks[gone].cancel()
    await asyncio.gather(trial.tasks[gone], return_exceptions=True)
    assert trial.inside == (["inside", "second"] if gone == "first" else ["inside"])
    await trial.go("inside")
    assert trial.inside == (["second"] if gone == "first" else ["first"])


async def test_who_is_canceled_as_it_is_let_in_gives_back() -> None:
    """A turn that comes in the same moment as the cancellation is not lost."""
    trial = Trial(10)
    await trial.want("inside", 10)
    await trial.want("next", 10)
    trial.leave["inside"].set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    trial.tasks["next"].cancel()
    await asyncio.gather(*trial.tasks.values(), return_exceptions=True)
    assert trial.room.held == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 15), st.booleans()), max_size=30), st.integers(1, 12))
async def test_it_is_never_more_and_everybody_comes_in(wants: list[tuple[str, int, bool]], most: int) -> None:
    """Whatever is wanted and canceled, no more than the limit is held, all that stay get in, and in the end all is free."""
    room, came = Room(most), 0
    step: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)  # noqa: E731 - a short name

    async def hold(account: str, size: int) -> None:
        nonlocal came
        async with room.hold(account, size) as share:
            came += 1
            await step()
            share.keep(size // 2)
            assert 0 <= room.held <= most
            await step()

    tasks = [asyncio.create_task(hold(account, size)) for account, size, _ in wants]
    await step()
    for task, (_, _, stays) in zip(tasks, wants, strict=True):
        if not stays:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert room.held == 0
    assert came >= sum(stays for _, _, stays in wants)
