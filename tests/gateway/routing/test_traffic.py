"""What is under way at each provider, and until when it asked to be left alone."""

from __future__ import annotations

import pytest

from gateway.routing.traffic import Traffic


@pytest.mark.parametrize(
    ("asked", "until"),
    [(None, 5_000), (1, 1_000), (999, 1_000), (1_000, 1_000), (1_001, 1_001), (300_000, 300_000), (300_001, 300_000)],
)
def test_a_pause_is_between_a_second_and_five_minutes(asked: int | None, until: int) -> None:
    """Five seconds where nothing is said."""
    traffic = Traffic({})
    traffic.pause("a", asked, 0)
    assert traffic.paused("a", until - 1) == until
    assert traffic.paused("a", until) is None
    assert traffic.paused("b", 0) is None


def test_the_longer_pause_holds() -> None:
    """One that comes later and is shorter changes nothing, one that is longer does."""
    traffic = Traffic({})
    traffic.pause("a", 10_000, 0)
    traffic.pause("a", 1_000, 1_000)
    assert traffic.paused("a", 5_000) == 10_000
    traffic.pause("a", 60_000, 5_000)
    assert traffic.paused("a", 5_000) == 65_000


def test_jobs_are_counted_in_and_out() -> None:
    """Each provider by itself, and of its work what another failed at."""
    traffic = Traffic({"a": 4})
    for spilled in (False, True, True):
        traffic.enter("a", spilled=spilled)
    assert traffic.under_way("a") == 3
    assert (traffic.has_room("a", 0, spilled=False), traffic.has_room("a", 0, spilled=True)) == (True, False)
    traffic.leave("a", spilled=True)
    assert traffic.has_room("a", 0, spilled=True)
    traffic.enter("a", spilled=False)
    traffic.enter("a", spilled=False)
    assert (traffic.under_way("a"), traffic.has_room("a", 0, spilled=False)) == (4, False)
    assert traffic.under_way("b") == 0
    assert traffic.has_room("b", 0, spilled=True)


def test_a_limit_is_learned_grows_and_is_forgotten() -> None:
    """From what is under way at that provider, and at no other."""
    traffic = Traffic({})
    for _ in range(10):
        traffic.enter("a", spilled=False)
    assert traffic.most("a", 0) is None
    traffic.refused("a", 1, 2)
    assert (traffic.most("a", 3), traffic.most("b", 3)) == (7, None)
    assert not traffic.has_room("a", 3, spilled=False)
    for _ in range(10):
        traffic.accepted("a", 4)
    assert traffic.most("a", 5) == 8
    traffic.accepted("a", 700_000)
    assert traffic.most("a", 6) is None


def test_caps_can_be_replaced() -> None:
    """A reload of the policy file changes them."""
    traffic = Traffic({"a": 1})
    traffic.enter("a", spilled=False)
    assert not traffic.has_room("a", 0, spilled=False)
    traffic.caps = {"a": 2}
    assert traffic.has_room("a", 0, spilled=False)


def test_a_place_is_kept_for_who_waits() -> None:
    """F80: where one account has all places the next is for another that waits, whoever asks first."""
    traffic = Traffic({"a": 3})
    for _ in range(3):
        traffic.enter("a", "many", spilled=False)
    assert traffic.is_owed("a", "few", 0)
    assert not traffic.is_owed("a", "many", 0)
    number = traffic.number()
    with traffic.waits(["a", "b"], "few", number):
        assert not traffic.is_turn("a", "few", number, 0)
        traffic.leave("a", "many", spilled=False)
        assert traffic.is_turn("a", "few", number, 0)
        assert not traffic.is_turn("a", "many", traffic.upcoming, 0)
        assert not traffic.is_owed("a", "few", 0)
        assert traffic.is_turn("b", "many", traffic.upcoming, 0)
    assert traffic.is_turn("a", "many", traffic.upcoming, 0)


def test_one_account_alone_is_owed_nothing() -> None:
    """It has all places already: what is more is turned away as ever."""
    traffic = Traffic({"a": 1})
    traffic.enter("a", "many", spilled=False)
    assert not traffic.is_owed("a", "many", 0)
    assert not traffic.is_owed("b", "few", 0)


def test_a_pause_of_our_own_is_told_from_one_that_was_asked_for() -> None:
    """The one that lasts longer is the one that is told."""
    traffic = Traffic({})
    traffic.pause("a", 10_000, 0, is_own=True)
    assert traffic.is_own_pause("a")
    traffic.pause("a", 5_000, 0)
    assert traffic.is_own_pause("a")
    traffic.pause("a", 20_000, 0)
    assert not traffic.is_own_pause("a")
