"""The order of offers: what the caller asks, then what the route lists, then rank; or price, speed or weight."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import Kind
from gateway.routing.order import arrange
from gateway.routing.policy import Policy, Request, Rules, Strategy, rules
from tests.gateway.routing.offers import offer

PLAIN = rules(Policy((), 3, 300_000, 1_800_000, 100_000), Request("lab/model", Kind.IMAGE, "acme"))
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


@pytest.mark.parametrize(
    ("asked", "listed", "ranking", "expected"),
    [
        ("", "", "", "dcba"),
        ("", "", "abcd", "abcd"),
        # Whoever the ranking lacks follows in the listed order, and who is no longer there takes no place.
        ("", "", "xb", "bdca"),
        ("", "ac", "b", "bacd"),
        ("c", "", "abd", "cdba"),
    ],
)
def test_the_fastest_order(asked: str, listed: str, ranking: str, expected: str) -> None:
    """The ranking leads, the listed order fills it up, and a list from the caller switches it off."""
    chosen = replace(PLAIN, order=tuple(listed), strategy=Strategy.FASTEST)
    found = arrange(OFFERS, tuple(asked), chosen, PRICES, ranking=tuple(ranking))
    assert "".join(each.provider for each in found) == expected


@pytest.mark.parametrize("strategy", [Strategy.LISTED, Strategy.CHEAPEST, Strategy.WEIGHTED])
def test_a_ranking_is_for_the_fastest_alone(strategy: Strategy) -> None:
    """No other strategy looks at the ranking."""
    chosen = replace(PLAIN, strategy=strategy)
    assert arrange(OFFERS, (), chosen, PRICES, ranking=tuple("abcd")) == arrange(OFFERS, (), chosen, PRICES)


def drawn(weights: dict[str, int], chance: float, asked: str = "") -> str:
    chosen = replace(PLAIN, strategy=Strategy.WEIGHTED, weights=tuple(weights.items()))
    return "".join(each.provider for each in arrange(OFFERS, tuple(asked), chosen, PRICES, chance=chance))


@pytest.mark.parametrize(
    ("weights", "chance", "expected"),
    [
        ({"a": 3, "b": 1}, 0.0, "abdc"),
        ({"a": 3, "b": 1}, 0.7499, "abdc"),
        ({"a": 3, "b": 1}, 0.75, "badc"),
        ({"a": 3, "b": 1}, 0.9999, "badc"),
        ({"b": 1, "a": 3}, 0.0, "abdc"),
        # The largest number below 1 that there is.
        ({"a": 999_999, "b": 333_334, "c": 0}, 1 - 2**-53, "badc"),
        ({"a": 0, "b": 1}, 0.9999, "bdca"),
        ({"a": 1, "b": 5, "c": 4}, 0.95, "abcd"),
        # Only those that are there share the draw; where none of them has a weight it is the listed order.
        ({"x": 99, "a": 1}, 0.0, "adcb"),
        ({"x": 99}, 0.5, "dcba"),
    ],
)
def test_a_draw_by_weight(weights: dict[str, int], chance: float, expected: str) -> None:
    """The first is drawn by weight, the others follow with the heaviest first; a weight of nothing only follows."""
    assert drawn(weights, chance) == expected


def test_a_caller_with_a_list_is_not_drawn_for() -> None:
    """What the caller names comes first whatever the weights say."""
    assert {drawn({"a": 3, "b": 1}, chance, "c")[0] for chance in (0.0, 0.5, 0.99)} == {"c"}


@given(st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any))
def test_shares_of_a_draw_are_the_weights(weights: list[int]) -> None:
    """Over evenly spread chances each is first exactly as often as its weight says."""
    table, total = dict(zip("abcd", weights, strict=True)), sum(weights)
    first = [drawn(table, (place + 0.5) / total)[0] for place in range(total)]
    assert {name: first.count(name) for name in "abcd"} == table


@given(NAMES, NAMES, st.sampled_from(Strategy), NAMES, st.floats(0, 1, exclude_max=True))
def test_the_order_is_a_permutation_led_by_the_asked(
    asked: tuple[str, ...], listed: tuple[str, ...], strategy: Strategy, ranking: tuple[str, ...], chance: float
) -> None:
    """No offer is lost or doubled, the asked ones come first as asked, and listed ones come before the rest."""
    weights = tuple((name, place) for place, name in enumerate(listed))
    chosen: Rules = replace(PLAIN, order=listed, strategy=strategy, weights=weights)
    found = [each.provider for each in arrange(OFFERS, asked, chosen, PRICES, ranking=ranking, chance=chance)]
    assert sorted(found) == ["a", "b", "c", "d"]
    leading = [name for name in asked if name != "x"]
    assert found[: len(leading)] == leading
    if strategy is Strategy.LISTED or asked:
        following = [name for name in listed if name != "x" and name not in asked]
        assert found[len(leading) : len(leading) + len(following)] == following
