"""One attempt a second when everything rests."""

from __future__ import annotations

from gateway.routing.panic import Panic


def test_one_a_second_goes_out() -> None:
    """Over all offers together."""
    panic = Panic()
    taken = [now for now in range(0, 3_000, 10) if panic.take("ab"[now % 20 > 0], "lab/model", now)]
    assert taken == [0, 1_000, 2_000]


def test_asking_whether_one_is_due_takes_nothing() -> None:
    """It is due until it is taken, and again a second later."""
    panic = Panic()
    assert panic.is_due("a", "m", 0)
    assert panic.is_due("a", "m", 0)
    assert panic.take("a", "m", 0)
    assert not panic.is_due("a", "m", 999)
    assert panic.is_due("a", "m", 1_000)


def test_whoever_was_let_in_goes_out_later() -> None:
    """Once, at that offer, within ten seconds; it is counted when it is let in."""
    panic = Panic()
    assert panic.let_in("a", "m", 0)
    assert not panic.let_in("b", "m", 999)
    assert not panic.is_due("b", "m", 500)
    assert not panic.take("a", "other", 500)
    assert panic.is_due("a", "m", 500)
    assert panic.take("a", "m", 500)
    assert not panic.take("a", "m", 501)
    assert panic.take("b", "m", 1_000)


def test_a_pass_ends() -> None:
    """What did not begin within ten seconds needs another."""
    for later, passes in ((9_999, True), (10_000, False)):
        panic = Panic()
        assert panic.let_in("a", "m", 0)
        assert panic.take("b", "m", later - 500)
        assert panic.take("a", "m", later) is passes
