"""What follows a fault: the next offer, the same again, or the end."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from gateway.attempts.decide import (
    LEAST,
    Again,
    GiveUp,
    Next,
    Reason,
    Situation,
    Verdict,
    Waiting,
    decide,
    is_slow,
    may_move,
    may_run,
)
from gateway.fault import PERMITS, Fault, FaultKind, Reach
from gateway.routing.policy import Patience

EVERY = list(product(FaultKind, Reach))
DEAR = 100_001
PAUSE = 2_000
EXHAUSTED, REFUSED, IN_DOUBT = GiveUp(Reason.EXHAUSTED), GiveUp(Reason.REFUSED), GiveUp(Reason.IN_DOUBT)
LATE = GiveUp(Reason.LATE)

# What follows where nobody else is left, by how far the call got: unsent, refused. What may have begun is never repeated.
ALONE: dict[FaultKind, tuple[Verdict, Verdict]] = {
    FaultKind.INVALID_INPUT: (EXHAUSTED, EXHAUSTED),
    FaultKind.INPUT_UNREADABLE: (EXHAUSTED, EXHAUSTED),
    FaultKind.CONTENT_BLOCKED: (REFUSED, REFUSED),
    FaultKind.NOT_SERVED: (EXHAUSTED, EXHAUSTED),
    FaultKind.UNAUTHORIZED: (EXHAUSTED, EXHAUSTED),
    FaultKind.OUT_OF_CREDIT: (EXHAUSTED, EXHAUSTED),
    FaultKind.RATE_LIMITED: (Again(PAUSE), Again(PAUSE)),
    FaultKind.OVERLOADED: (Again(PAUSE), Again(PAUSE)),
    FaultKind.PROVIDER_ERROR: (Again(200), EXHAUSTED),
    FaultKind.TIMEOUT: (EXHAUSTED, EXHAUSTED),
    FaultKind.LOST: (EXHAUSTED, EXHAUSTED),
    FaultKind.UNREADABLE: (EXHAUSTED, EXHAUSTED),
    FaultKind.OUTPUT_LOST: (EXHAUSTED, EXHAUSTED),
}


def situation(kind: FaultKind, reach: Reach, **changes: object) -> Situation:
    """Two of three attempts made, another offer ready, a minute left, a cheap job."""
    usual = Situation(
        fault=Fault(kind, reach, "something went wrong", pause=PAUSE),
        price=100_000,
        in_doubt_max_cost=100_000,
        follow_refusal=False,
        repeated=False,
        made=2,
        allowed=3,
        others=True,
        remaining=60_000,
        budget=True,
        chance=0.0,
    )
    return replace(usual, **changes)


def test_every_kind_of_fault_has_its_rows() -> None:
    """A kind that is added must say what it permits, and be decided here."""
    assert set(PERMITS) == set(FaultKind)
    assert set(ALONE) == set(FaultKind)


@pytest.mark.parametrize(("kind", "reach"), EVERY)
def test_another_offer_is_asked_at_once(kind: FaultKind, reach: Reach) -> None:
    """Whatever went wrong on a cheap job the next offer follows, refused content alone excepted."""
    expected = REFUSED if kind is FaultKind.CONTENT_BLOCKED else Next()
    assert decide(situation(kind, reach)) == expected
    assert decide(situation(kind, reach, follow_refusal=True)) == Next()


@pytest.mark.parametrize(("kind", "reach"), EVERY)
def test_the_last_offer_is_asked_again_only_where_nothing_began(kind: FaultKind, reach: Reach) -> None:
    """Without another offer the kind decides on a second try, and none is made where a job may have begun."""
    unsent, refused = ALONE[kind]
    begun = REFUSED if kind is FaultKind.CONTENT_BLOCKED else EXHAUSTED
    expected = {Reach.UNSENT: unsent, Reach.REFUSED: refused, Reach.UNSURE: begun, Reach.ACCEPTED: begun}
    assert decide(situation(kind, reach, others=False)) == expected[reach]


@pytest.mark.parametrize(("kind", "reach"), EVERY)
def test_a_dear_job_that_may_run_is_never_followed(kind: FaultKind, reach: Reach) -> None:
    """Above the policy's bound an unsure submit ends in doubt, and a job nobody saw the end of ends late."""
    late = kind is FaultKind.TIMEOUT and reach is Reach.ACCEPTED
    found = decide(situation(kind, reach, price=DEAR, follow_refusal=True))
    assert found == (IN_DOUBT if reach is Reach.UNSURE else LATE if late else Next())
    assert may_run(Fault(kind, reach, "")) is (late or reach is Reach.UNSURE)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"made": 3}, EXHAUSTED),
        ({"made": 4}, EXHAUSTED),
        ({"made": 2}, Next()),
        ({"remaining": 4_999}, GiveUp(Reason.LATE)),
        ({"remaining": -1}, GiveUp(Reason.LATE)),
        ({"remaining": 5_000}, Next()),
        # Neither a second try before nor an empty budget of second tries keeps from asking another offer.
        ({"repeated": True, "budget": False}, Next()),
        # Enough attempts are enough: the same offer is not asked either.
        ({"made": 3, "others": False}, EXHAUSTED),
        ({"made": 2, "others": False}, Again(PAUSE)),
        ({"others": False, "repeated": True}, EXHAUSTED),
        ({"others": False, "budget": False}, EXHAUSTED),
        ({"others": False, "remaining": 7_000}, Again(PAUSE)),
        ({"others": False, "remaining": 6_999}, EXHAUSTED),
        ({"others": False, "chance": 0.5}, Again(PAUSE + 100)),
        ({"others": False, "chance": 1.0}, Again(PAUSE + 200)),
    ],
)
def test_attempts_time_and_chance_bound_what_follows(changes: dict[str, object], expected: Verdict) -> None:
    """An overloaded provider, under every bound that counts."""
    assert decide(situation(FaultKind.OVERLOADED, Reach.REFUSED, **changes)) == expected


@pytest.mark.parametrize(
    ("kind", "pause", "expected"),
    [
        (FaultKind.OVERLOADED, None, Again(200)),
        (FaultKind.OVERLOADED, 100, Again(200)),
        (FaultKind.OVERLOADED, 300, Again(300)),
        (FaultKind.PROVIDER_ERROR, 9_000, Again(200)),
        (FaultKind.RATE_LIMITED, 1, Again(1)),
        (FaultKind.RATE_LIMITED, None, Again(1_000)),
        (FaultKind.RATE_LIMITED, 55_000, Again(55_000)),
        (FaultKind.RATE_LIMITED, 55_001, EXHAUSTED),
    ],
)
def test_a_second_try_waits_as_asked(kind: FaultKind, pause: int | None, expected: Verdict) -> None:
    """The pause asked for, at least a fifth of a second for an overload; a second after a limit that does not say how long."""
    asked = Fault(kind, Reach.UNSENT, "something went wrong", pause=pause)
    assert decide(situation(kind, Reach.UNSENT, others=False, fault=asked)) == expected


@pytest.mark.parametrize(
    ("kind", "reach", "changes", "reason"),
    [
        (FaultKind.CONTENT_BLOCKED, Reach.UNSURE, {"price": DEAR, "remaining": 0, "made": 3}, Reason.IN_DOUBT),
        (FaultKind.CONTENT_BLOCKED, Reach.REFUSED, {"remaining": 0, "made": 3}, Reason.REFUSED),
        (FaultKind.LOST, Reach.ACCEPTED, {"remaining": 0, "made": 3, "others": False}, Reason.LATE),
        (FaultKind.LOST, Reach.ACCEPTED, {"made": 3}, Reason.EXHAUSTED),
    ],
)
def test_the_weightiest_reason_is_given(kind, reach, changes, reason) -> None:
    """Doubt comes before a refusal, a refusal before lateness, lateness before having asked enough."""
    assert decide(situation(kind, reach, **changes)) == GiveUp(reason)


SECOND = 1_000
# A cheap job that has waited in its provider's queue for a minute and a half, three times what is usual.
WAITS = Waiting(
    queued=True,
    elapsed=90 * SECOND,
    usual=30 * SECOND,
    patience=Patience(),
    price=100_000,
    in_doubt_max_cost=100_000,
    made=1,
    allowed=3,
    other=20 * SECOND,
    remaining=25 * SECOND,
)


@pytest.mark.parametrize(
    ("changes", "moves"),
    [
        ({}, True),
        ({"queued": False}, False),
        ({"elapsed": 90 * SECOND - 1}, False),
        ({"usual": None}, False),
        ({"patience": None}, False),
        ({"patience": Patience(times=3.1)}, False),
        ({"price": DEAR}, False),
        ({"made": 3}, False),
        ({"other": None}, False),
        ({"other": 0, "remaining": LEAST}, True),
        ({"other": 0, "remaining": LEAST - 1}, False),
        ({"remaining": 25 * SECOND - 1}, False),
        ({"usual": SECOND, "elapsed": 30 * SECOND}, True),
        ({"usual": SECOND, "elapsed": 30 * SECOND - 1}, False),
    ],
)
def test_a_slow_job_is_moved_only_where_nothing_is_lost(changes: dict[str, Any], moves: bool) -> None:  # noqa: FBT001 - a column of the table
    """It waits in a queue for too long and costs little, and another offer has the time to do it."""
    assert may_move(replace(WAITS, **changes)) is moves


@pytest.mark.parametrize(("elapsed", "slow"), [(89_999, False), (90_000, True)])
def test_a_job_is_slow_after_a_multiple_of_what_is_usual(elapsed: int, slow: bool) -> None:  # noqa: FBT001 - a column of the table
    """However it stands with its provider; what is usual has to be known."""
    assert is_slow(elapsed, 30_000, Patience()) is slow
    assert not is_slow(elapsed, None, Patience())
    assert not is_slow(elapsed, 30_000, None)
