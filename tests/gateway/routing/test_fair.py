"""Whose turn is next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.routing.fair import Row, comes_next, interleaved

ACCOUNTS = st.sampled_from("abcd")


def drained(row: Row[int]) -> list[int]:
    """All that wait, in the order of their turns."""
    return [row.next() for _ in range(len(row))]


def test_one_after_the_other() -> None:
    """F80: whoever has a thousand waiting does not come before who has one, and comes again after it."""
    row: Row[int] = Row()
    for number in range(1000):
        row.add("many", number)
    row.add("few", -1)
    assert drained(row)[:3] == [0, -1, 1]


def test_of_one_account_the_first_comes_first() -> None:
    """And who waits no longer is passed over."""
    row: Row[int] = Row()
    for number in range(5):
        row.add("a", number)
    assert row.drop("a", 2)
    assert not row.drop("a", 2)
    assert not row.drop("b", 0)
    assert drained(row) == [0, 1, 3, 4]
    with pytest.raises(KeyError):
        row.next()


def test_nobody_waits_twice() -> None:
    """The same thing cannot be in the row two times."""
    row: Row[int] = Row()
    row.add("a", 1)
    with pytest.raises(ValueError, match="waits already"):
        row.add("a", 1)


@given(st.lists(st.one_of(ACCOUNTS, st.none()), max_size=60), ACCOUNTS)
def test_what_is_ahead_is_what_comes_before(steps: list[str | None], account: str) -> None:
    """However the row came about, one more waits for exactly as many turns as it is told, as long as nobody joins."""
    row: Row[int] = Row()
    for number, step in enumerate(steps):
        if step is not None:
            row.add(step, number)
        elif len(row):
            row.next()
    ahead = row.ahead(account)
    row.add(account, -1)
    assert drained(row).index(-1) == ahead


@given(st.lists(ACCOUNTS, max_size=80))
def test_turns_are_even(accounts: list[str]) -> None:
    """At any moment two accounts that both still wait have had the same number of turns, give or take one."""
    order = list(interleaved([(account, (account, number)) for number, account in enumerate(accounts)]))
    assert sorted(order) == sorted((account, number) for number, account in enumerate(accounts))
    had = dict.fromkeys("abcd", 0)
    for account, _ in order:
        had[account] += 1
        still = [count for each, count in had.items() if count < accounts.count(each)]
        assert not still or max(still) - min(still) <= 1


def test_a_place_goes_to_who_has_the_fewest() -> None:
    """Before whoever came earlier and has more; among equals the first comes first."""
    waiting = {"a": [1, 2], "b": [9]}
    assert comes_next("b", 9, 1, {"a": 4}, waiting, {})
    assert not comes_next("a", 1, 1, {"a": 4}, waiting, {})
    assert comes_next("a", 1, 2, {"a": 4}, waiting, {})
    assert comes_next("a", 1, 1, {"a": 2, "b": 2}, waiting, {})
    assert not comes_next("c", 10, 1, {}, {"a": [1]}, {})
    assert comes_next("c", 10, 1, {"a": 1}, {"a": [1]}, {})
    assert not comes_next("a", 1, 0, {}, {}, {})


def test_where_one_place_is_it_goes_round() -> None:
    """F80: who had the only place last has it again after the others, however early its next work came."""
    waiting = {"a": [1, 2, 3], "b": [9]}
    assert comes_next("b", 9, 1, {}, waiting, {"a": 5})
    assert comes_next("a", 1, 1, {}, waiting, {"a": 5, "b": 6})


@given(
    st.dictionaries(ACCOUNTS, st.integers(0, 5)),
    st.dictionaries(ACCOUNTS, st.integers(1, 4), min_size=1),
    st.integers(0, 12),
)
def test_as_many_have_a_turn_as_there_are_places(under_way: dict[str, int], rows: dict[str, int], free: int) -> None:
    """No place is promised twice, and none is left while somebody waits."""
    waiting = {account: [10 * count + ord(account) for count in range(length)] for account, length in rows.items()}
    chosen = [
        number
        for account, numbers in waiting.items()
        for number in numbers
        if comes_next(account, number, free, under_way, waiting, {})
    ]
    assert len(chosen) == min(free, sum(rows.values()))
