"""How many jobs at once a provider takes is learned from what it refuses."""

from __future__ import annotations

from random import Random

import pytest

from gateway.routing.concurrency import Limit, accepted, has_room, is_over, most, refused

TEN_MINUTES = 600_000


@pytest.mark.parametrize(("under_way", "left"), [(0, 1), (1, 1), (2, 1), (3, 2), (10, 7), (11, 7), (100, 70)])
def test_a_refusal_leaves_seven_tenths_of_what_was_under_way(under_way: int, left: int) -> None:
    """Rounded down, and never below one."""
    assert refused(None, under_way, 5, 9) == Limit(left, 0, shrunk=9, refused=9)


def test_refusals_that_were_under_way_together_are_one() -> None:
    """Those that left before the limit shrank, or in that very moment, only keep it from being forgotten and from growing."""
    once = Limit(7, 5, shrunk=100, refused=100)
    assert refused(once, 10, 100, 200) == Limit(7, 0, shrunk=100, refused=200)
    assert refused(once, 7, 101, 200) == Limit(4, 0, shrunk=200, refused=200)


def test_ten_jobs_that_are_taken_make_room_for_one_more() -> None:
    """Nine change nothing, the tenth raises the limit, and then it takes ten more."""
    limit: Limit | None = refused(None, 10, 0, 0)
    found = []
    for now in range(1, 21):
        limit = accepted(limit, now)
        assert limit is not None
        found.append(limit.most)
    assert found == [7] * 9 + [8] * 10 + [9]


def test_a_refusal_starts_the_count_anew() -> None:
    """Clean means that none was refused in between."""
    limit = refused(None, 10, 0, 0)
    for now in range(1, 10):
        grown = accepted(limit, now)
        assert grown is not None
        limit = grown
    limit = refused(limit, 7, 0, 10)
    grown = accepted(limit, 11)
    assert (limit.clean, grown and grown.most) == (0, 7)


@pytest.mark.parametrize(("quiet", "over"), [(TEN_MINUTES - 1, False), (TEN_MINUTES, True)])
def test_a_limit_is_forgotten_after_ten_quiet_minutes(quiet: int, *, over: bool) -> None:
    """They count from the last refusal."""
    limit = Limit(7, 0, shrunk=0, refused=50)
    assert is_over(limit, 50 + quiet) is over
    assert most(limit, None, 50 + quiet) == (None if over else 7)
    assert (accepted(limit, 50 + quiet) is None) is over


def test_without_a_refusal_there_is_no_limit() -> None:
    """Acceptances alone teach nothing."""
    assert accepted(None, 1) is None
    assert most(None, None, 1) is None


@pytest.mark.parametrize(("learned", "cap", "expected"), [(7, 5, 5), (5, 7, 5), (None, 5, 5), (5, None, 5)])
def test_the_operators_cap_holds_too(learned: int | None, cap: int | None, expected: int) -> None:
    """The smaller of both counts."""
    limit = Limit(learned, 0, 0, 0) if learned is not None else None
    assert most(limit, cap, 1) == expected


@pytest.mark.parametrize(
    ("most_at_once", "under_way", "spilled", "own", "others"),
    [
        (None, 10_000, 10_000, True, True),
        (8, 7, 3, True, True),
        (8, 7, 4, True, False),
        (8, 8, 0, False, False),
        (9, 4, 3, True, True),
        (9, 4, 4, True, False),
        (1, 0, 0, True, True),
        (1, 1, 1, False, False),
        (2, 1, 1, True, False),
    ],
)
def test_half_of_it_is_for_the_providers_own_work(
    most_at_once: int | None, under_way: int, spilled: int, *, own: bool, others: bool
) -> None:
    """What another provider failed at gets at most half of the room, and one place even in the smallest."""
    assert has_room(most_at_once, under_way, spilled, is_spilled=False) is own
    assert has_room(most_at_once, under_way, spilled, is_spilled=True) is others


def test_the_limit_settles_where_the_provider_has_it() -> None:
    """Against a provider that takes twelve, most of what is sent is taken, and most of the room is used."""
    chance, limit, under_way = Random(5), None, []
    now, taken, turned = 0, 0, 0
    used = []
    for _ in range(20_000):
        now += 50
        under_way = [end for end in under_way if end > now]
        if not has_room(most(limit, None, now), len(under_way), 0, is_spilled=False):
            continue
        if len(under_way) >= 12:
            turned += 1
            limit = refused(limit, len(under_way) + 1, now, now)
        else:
            taken += 1
            limit = accepted(limit, now)
            under_way.append(now + chance.randint(2_000, 4_000))
        used.append(len(under_way))
    assert turned / taken < 0.03
    assert sum(used[1_000:]) / len(used[1_000:]) > 8
