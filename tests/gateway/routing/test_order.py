"""The order of offers: what the caller asks, then what the route lists, then rank."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import Kind
from gateway.routing.order import arrange
from gateway.routing.policy import Policy, Rules, Strategy, rules
from tests.gateway.routing.offers import offer

PLAIN = rules(Policy((), 3, 300_000, 1_800_000, 100_000), "lab/model", Kind.IMAGE, "acme")
OFFERS = [offer("d", rank=0), offer("c", rank=1), offer("b", rank=2), offer("a", rank=3)]
PRICES = {"a": 10, "b": 30, "c": 20, "d": 20}
NAMES = st.permutations("abcdx").flatmap(lambda names: st.integers(0, 5).map(lambda count: tuple(names[:count])))


def order(asked: str = "", listed: str = "", strategy: Strategy = Strategy.LISTED) -> str:
    found = arrange(OFFERS, tuple(asked), replace(PLAIN, order=tuple(listed), strategy=strategy), PRICES)
    return "".join(each.provider for each in found)


@pytest.mark.parametrize(
    ("asked", "listed", "strategy", "expected"),
    [
        ("", "", Strategy.LISTED, "dcba"),
        ("a", "", Strategy.LISTED, "adcb"),
        ("ab", "", Strategy.LISTED, "abdc"),
        ("", "bc", Strategy.LISTED, "bcda"),
        ("c", "ba", Strategy.LISTED, "cbad"),
        ("x", "b", Strategy.LISTED, "bdca"),
        # A name in both lists takes one place, so the last listed one stays before those nobody named.
        ("ab", "abc", Strategy.LISTED, "abcd"),
        ("", "", Strategy.FASTEST, "dcba"),
        ("", "b", Strategy.FASTEST, "bdca"),
        ("", "", Strategy.CHEAPEST, "adcb"),
        ("", "c", Strategy.CHEAPEST, "acdb"),
        ("b", "", Strategy.CHEAPEST, "bdca"),
    ],
)
def test_the_order_of_offers(asked: str, listed: str, strategy: Strategy, expected: str) -> None:
    """The caller's list leads, the route's follows, rank decides the rest; price leads only where nobody asked."""
    assert order(asked, listed, strategy) == expected


def test_equal_rank_goes_by_name() -> None:
    """Two offers nothing tells apart always come in the same order."""
    twins = [offer("b"), offer("a")]
    assert [each.provider for each in arrange(twins, (), PLAIN, {})] == ["a", "b"]


@given(NAMES, NAMES, st.sampled_from(Strategy))
def test_the_order_is_a_permutation_led_by_the_asked(
    asked: tuple[str, ...], listed: tuple[str, ...], strategy: Strategy
) -> None:
    """No offer is lost or doubled, the asked ones come first as asked, and listed ones come before the rest."""
    chosen: Rules = replace(PLAIN, order=listed, strategy=strategy)
    found = [each.provider for each in arrange(OFFERS, asked, chosen, PRICES)]
    assert sorted(found) == ["a", "b", "c", "d"]
    leading = [name for name in asked if name != "x"]
    assert found[: len(leading)] == leading
    if strategy is not Strategy.CHEAPEST or asked:
        following = [name for name in listed if name != "x" and name not in asked]
        assert found[len(leading) : len(leading) + len(following)] == following
