"""Time as records hold it, and the clock tests move by hand."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.clock import Clock, SystemClock, iso, parse_iso
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


@pytest.mark.parametrize("written", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-25T15:00:00", "1764082800"])
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
