"""New work that waits to begin."""

from __future__ import annotations

import asyncio

from gateway.attempts.starts import Starts
from tests.clock import VirtualClock


async def test_accounts_take_turns() -> None:
    """F80: a thousand generations of one account do not begin before the one of another that came after them."""
    starts, begun = Starts(VirtualClock()), list[str]()

    async def begin(account: str) -> None:
        await starts.take(account)
        begun.append(account)

    tasks = [asyncio.ensure_future(begin("many")) for _ in range(1000)]
    await asyncio.sleep(0)
    tasks.append(asyncio.ensure_future(begin("few")))
    await asyncio.gather(*tasks)
    assert begun.index("few") <= 2
    assert len(begun) == 1001


async def test_one_that_waits_no_longer_takes_no_turn() -> None:
    """A canceled generation leaves its turn to the next, and a row that was empty serves again."""
    starts = Starts(VirtualClock())
    tasks = [asyncio.ensure_future(starts.take("a")) for _ in range(4)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    assert [type(each) for each in await asyncio.gather(*tasks, return_exceptions=True)] == [
        type(None), type(None), asyncio.CancelledError, type(None),
    ]  # fmt: skip
    await starts.take("b")


async def test_a_busy_loop_begins_less() -> None:
    """Where a turn of the loop takes long the next beginning waits for three of them, at most 0.1 s, and alone for none."""

    class Slow(VirtualClock):
        """A clock on which a mere turn of the loop takes ten milliseconds."""

        takes: float
        rests: list[float]

        async def sleep(self, seconds: float) -> None:
            """Take that long, or take note of the rest."""
            if seconds == 0:
                self._elapsed += self.takes
            else:
                self.rests.append(round(seconds, 3))

    clock = Slow()
    clock.rests = []
    for takes in (0.001, 0.01, 0.5):
        clock.takes = takes
        starts = Starts(clock)
        for account in ("a", "a", "b"):
            await starts.take(account)
            await asyncio.sleep(0)
    assert clock.rests == [0.03, 0.1]
