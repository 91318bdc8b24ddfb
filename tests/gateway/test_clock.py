"""Time as records hold it, and the clock tests move by hand."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.clock import LEASE, STEP, Clock, SteadyClock, SystemClock, iso, parse_iso
from tests.clock import VirtualClock


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-25T15:00:00.000Z", 1_795_618_800_000),
        ("2026-11-25T16:00:00+01:00", 1_795_618_800_000),
        ("2026-11-25T15:00:00.0019Z", 1_795_618_800_001),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_moments_are_read(written: str, moment: int) -> None:
    """A moment in any offset is milliseconds since the epoch, finer parts cut off."""
    assert parse_iso(written) == moment


@pytest.mark.parametrize(
    "written",
    [
        *("", "yesterday", "2026-13-01T00:00:00Z", "2026-11-25T15:00:00", "1764082800"),
        *("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"),  # beyond what can be written again
    ],
)
def test_what_is_no_moment(written: str) -> None:
    """What is no time, or one without an offset, is refused in words."""
    with pytest.raises(ValueError, match="expected a time"):
        parse_iso(written)


@settings(deadline=None)
@given(st.integers(-(10**13), 10**14))
def test_moments_round_trip(moment: int) -> None:
    """Writing a moment and reading it back changes nothing."""
    assert parse_iso(iso(moment)) == moment


async def test_the_system_clock_goes_on() -> None:
    """The machine's clock moves forward while it sleeps, and a past sleep returns at once."""
    clock: Clock = SystemClock()
    before, began = clock.now_ms(), clock.monotonic()
    await clock.sleep(0.01)
    await clock.sleep(-1)
    assert 0.009 <= clock.monotonic() - began < 1
    assert clock.now_ms() >= before


async def test_the_virtual_clock_wakes_in_order() -> None:
    """Sleepers wake by their moment, see that moment, and those they start in between wake too."""
    clock = VirtualClock(start_ms=0)
    seen: list[tuple[str, int]] = []

    async def wait(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            seen.append((name, clock.now_ms()))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wait("a", 2, 1))
        tasks.create_task(wait("b", 1, 1.5))
        tasks.create_task(wait("c", 9))
        await clock.advance(5)
        assert seen == [("b", 1000), ("a", 2000), ("b", 2500), ("a", 3000)]
        assert (clock.sleeping, clock.monotonic()) == (1, 5)
        await clock.advance(5)
    assert seen[-1] == ("c", 9000)


class SetClock(VirtualClock):
    """A clock somebody sets."""

    off = 0

    def now_ms(self) -> int:
        """Give the time of day, as it was set."""
        return super().now_ms() + self.off


async def test_a_step_is_told_and_not_followed_at_once() -> None:
    """F48: a clock that leaps is told of once and goes on as before for a lease; then it is believed."""
    told: list[int] = []
    wrong = SetClock()
    clock = SteadyClock(wrong, told.append)
    began = clock.now_ms()
    wrong.off = 86_400_000
    await wrong.advance(10)
    assert clock.now_ms() - began == 10_000
    await wrong.advance(LEASE - 1)
    assert clock.now_ms() - began == (10 + LEASE - 1) * 1000
    await wrong.advance(1)
    assert clock.now_ms() - began == (10 + LEASE) * 1000 + 86_400_000
    assert told == [86_400_000]


async def test_a_step_taken_back_leaves_nothing() -> None:
    """F48: a clock set wrongly and set right within the lease was never followed, and its next step is told again."""
    told: list[int] = []
    wrong = SetClock()
    clock = SteadyClock(wrong, told.append)
    began = clock.now_ms()
    for off in (-3_600_000, 0, -3_600_000):
        wrong.off = off
        await wrong.advance(5)
        clock.now_ms()
    assert clock.now_ms() - began == 15_000
    assert told == [-3_600_000, -3_600_000]


@pytest.mark.parametrize("off", [STEP, -STEP, 1])
def test_small_corrections_are_followed(off: int) -> None:
    """What a disciplined clock corrects is taken at once."""
    wrong = SetClock()
    clock = SteadyClock(wrong, lambda _: pytest.fail("this is no step"))
    began = clock.now_ms()
    wrong.off = off
    assert clock.now_ms() - began == off
