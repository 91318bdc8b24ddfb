"""Offers that the operator holds open or closed."""

from __future__ import annotations

from gateway.fault import Fault, FaultKind, Reach
from gateway.routing import breaker
from gateway.routing.health import Health
from gateway.routing.override import EVERY, Forced, Override
from gateway.routing.plan import Standing, Why
from gateway.routing.signal import Kind, Trial

A, MODEL, OTHER = "a", "lab/model", "lab/other"
HELD = "the operator holds it open"


def bad(health: Health, kind: FaultKind, now: int, times: int = 1) -> None:
    for _ in range(times):
        health.failed(Trial(A, MODEL, now), Fault(kind, Reach.REFUSED, "no", pause=None), now, 0)


def test_held_open_nothing_goes_out() -> None:
    """Not even what waited as it was asked to; and it is no trouble of the provider's that would pass in a panic."""
    health = Health()
    health.overrides.hold(Override(A, MODEL, Forced.OPEN, 60_000))
    assert health.standing(A, MODEL, 59_999) == Standing(Why.SWITCHED_OFF, HELD, 60_000)
    assert not health.take(Trial(A, MODEL, 1), 1, waited=True)
    assert not health.take(Trial(A, MODEL, 1), 1)
    assert health.take(Trial(A, OTHER, 1), 1)
    assert health.take(Trial(A, MODEL, 60_000), 60_000)


def test_held_closed_breakers_bar_nothing() -> None:
    """Of whatever kind; two other models at rest neither."""
    health = Health()
    for kind in (FaultKind.UNAUTHORIZED, FaultKind.NOT_SERVED):
        bad(health, kind, 0)
    health.overrides.hold(Override(A, EVERY, Forced.CLOSED, 60_000))
    assert health.standing(A, MODEL, 1) is None
    assert all(health.take(Trial(A, MODEL, 1), 1) for _ in range(3))
    assert health.standing(A, MODEL, 60_000) is not None


def test_held_closed_a_pause_is_kept_all_the_same() -> None:
    """The provider asked for it, and a full one is full."""
    health = Health({A: 1})
    health.overrides.hold(Override(A, EVERY, Forced.CLOSED, 60_000))
    bad(health, FaultKind.RATE_LIMITED, 0)
    standing = health.standing(A, MODEL, 1)
    assert standing is not None
    assert standing.why is Why.RESTING
    assert health.take(Trial(A, MODEL, 5_000), 5_000)
    standing = health.standing(A, MODEL, 5_001)
    assert standing is not None
    assert standing.why is Why.BUSY


def test_underneath_breakers_go_on() -> None:
    """What is asked by hand is heard: two that go well close the breaker, five that do not open it."""
    health = Health()
    bad(health, FaultKind.NOT_SERVED, 0)
    health.overrides.hold(Override(A, EVERY, Forced.CLOSED, 60_000))
    for now in (1_000, 2_000):
        trial = Trial(A, MODEL, now)
        assert health.take(trial, now)
        health.submitted(trial, now)
    assert health.breaker(Kind.SUBMIT, A, MODEL).standing is breaker.Standing.CLOSED
    bad(health, FaultKind.OVERLOADED, 3_000, times=5)
    assert health.standing(A, MODEL, 4_000) is None
    health.overrides.let_go(A, EVERY)
    assert health.standing(A, MODEL, 4_000) is not None


def test_what_is_held_is_seen() -> None:
    """With the breakers, as long as it holds."""
    health = Health()
    health.overrides.hold(Override(A, EVERY, Forced.OPEN, 60_000))
    [seen] = health.seen(0)
    assert (seen.kind, seen.standing, seen.until) == (Kind.HELD, breaker.Standing.OPEN, 60_000)
    assert health.seen(60_000) == []


def test_a_rate_of_our_own_is_not_laid_at_the_providers_door() -> None:
    """A call that waited for the provider's rate in vain pauses it in our name, one that it turned away in its own."""
    for reach, said in (
        (Reach.UNSENT, "more calls wait than its rate allows"),
        (Reach.REFUSED, "it asked for a pause"),
    ):
        health = Health()
        health.failed(Trial(A, MODEL, 0), Fault(FaultKind.RATE_LIMITED, reach, "no", pause=9_000), 0, 0)
        assert health.standing(A, MODEL, 1) == Standing(Why.RESTING, said, 9_000)
