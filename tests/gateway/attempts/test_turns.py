"""Turns after a restart."""

from __future__ import annotations

from random import Random

from gateway.attempts.turns import Turns
from tests.clock import VirtualClock


async def test_turns_come_evenly_and_by_chance() -> None:
    """F77: over ten seconds a hundred turns come ten a second, not in the order they were given, and each once."""
    clock, came = VirtualClock(), list[str]()
    turns = Turns(came.append, clock, Random(1))
    names = [str(number) for number in range(100)]
    turns.begin([("a", name) for name in names], 10)
    await clock.settle()
    assert len(came) == 1
    for second in range(1, 11):
        await clock.advance(1)
        assert abs(len(came) - 10 * second) <= 1
    assert sorted(came) == sorted(names)
    assert came != names
    turns.stop()


async def test_a_turn_can_come_at_once() -> None:
    """Whoever is asked for does not wait, and has no second turn."""
    clock, came = VirtualClock(), list[str]()
    turns = Turns(came.append, clock, Random(1))
    turns.begin([("x", "a"), ("x", "b"), ("x", "c")], 3)
    assert [turns.now(name) for name in ("c", "b", "c", "b", "unknown")] == [True, True, False, False, False]
    assert turns.waiting == 1
    await clock.advance(5)
    assert sorted(came) == ["a", "b", "c"]
    assert turns.waiting == 0


async def test_a_turn_can_be_dropped() -> None:
    """Whoever is dropped has none, and the others keep theirs."""
    clock, came = VirtualClock(), list[str]()
    turns = Turns(came.append, clock, Random(1))
    turns.begin([("x", "a"), ("x", "b")], 2)
    assert turns.drop("a")
    assert not turns.drop("a")
    assert not turns.has("a")
    await clock.advance(5)
    assert came == ["b"]


async def test_no_turn_comes_after_the_stop() -> None:
    """A process that stops leaves those who wait to the next one."""
    clock, came = VirtualClock(), list[str]()
    turns = Turns(came.append, clock, Random(1))
    turns.begin([("x", "a"), ("x", "b"), ("x", "c")], 3)
    await clock.settle()
    turns.stop()
    turns.now("a")
    turns.now("b")
    await clock.advance(5)
    assert len(came) == 1


async def test_an_account_with_few_waits_for_none_with_many() -> None:
    """F80: of a thousand generations of one account and three of another the three are taken up among the first six."""
    clock, came = VirtualClock(), list[str]()
    turns = Turns(came.append, clock, Random(1))
    found = [("many", f"m{number}") for number in range(1000)] + [("few", f"f{number}") for number in range(3)]
    turns.begin(found, 100)
    await clock.advance(0.55)
    assert sorted(name for name in came if name.startswith("f")) == ["f0", "f1", "f2"]
    turns.stop()
