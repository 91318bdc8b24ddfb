"""Every provider of the model is a step of the plan or an exclusion with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import Kind, Type
from gateway.offer import Limits
from gateway.routing.plan import Exclusion, Plan, Standing, Step, Why, plan
from gateway.routing.policy import Policy, Request, Rules, Strategy, rules
from tests.gateway.routing.offers import PROMPT, form, offer, pick

PLAIN = rules(Policy((), 3, 300_000, 1_800_000, 100_000), Request("lab/model", Kind.IMAGE, "acme"))
ASKED = {"prompt": "a seal", "ratio": "16:9"}
WIDE = pick("ratio", "1:1", "16:9")
NARROW = pick("ratio", "1:1")


def only(made: Plan) -> Exclusion:
    assert made.steps == ()
    (exclusion,) = made.excluded
    return exclusion


def test_an_offer_that_fits_is_a_step() -> None:
    """A step says by which form, under which native name, at what price and without which fields."""
    fitting = offer("a", form(None, WIDE, drops=("seed",), price=30_000))
    made = plan({**ASKED, "seed": 7}, (), PLAIN, [fitting], {})
    assert made == Plan((Step("a", 0, "native/name", 30_000, ("seed",)),), ())


def test_a_step_names_the_form_that_serves() -> None:
    """Where a picture is given, the step points at the form for pictures and carries that form's name and price."""
    edit = replace(
        form({**PROMPT, "images": Limits(Type.URLS, max=2)}, price=50_000), given=frozenset({"images"}), native="edit"
    )
    made = plan({"prompt": "x", "images": ("https://x.example/1.png",)}, (), PLAIN, [offer("a", edit, form())], {})
    assert made.steps == (Step("a", 0, "edit", 50_000, ()),)
    assert plan({"prompt": "x"}, (), PLAIN, [offer("a", edit, form())], {}).steps[0].form == 1


def test_a_field_that_cannot_be_honoured_excludes() -> None:
    """All that does not fit is told, and the first of it names the field."""
    found = only(plan({**ASKED, "seed": 7}, (), PLAIN, [offer("a", form(None, NARROW))], {}))
    assert found == Exclusion("a", Why.MISFIT, "seed is not offered; ratio 16:9 is not offered", "seed")


def test_a_combination_without_a_form_names_what_is_missing() -> None:
    """When no form serves the combination of inputs, the plan says which input would be needed."""
    edit = replace(form(), given=frozenset({"images"}))
    found = only(plan({"prompt": "x"}, (), PLAIN, [offer("a", edit)], {}))
    assert found == Exclusion("a", Why.MISFIT, "images is required", "images")


RESTING = Standing(Why.RESTING, "it failed too often", 5_000)


@pytest.mark.parametrize(
    ("changes", "standing", "expected"),
    [
        ({"never": ("a",)}, None, Exclusion("a", Why.POLICY, "the route leaves it out")),
        ({"only": ("b",)}, None, Exclusion("a", Why.POLICY, "the route leaves it out")),
        (
            {"labels": ("eu", "private"), "carried": {"a": frozenset({"eu"}), "b": frozenset({"eu", "private"})}},
            None,
            Exclusion("a", Why.POLICY, "the route asks for the label 'private', which it does not carry"),
        ),
        ({"max_price": 39_999}, None, Exclusion("a", Why.TOO_DEAR, "its price is above the route's max_price")),
        ({}, RESTING, Exclusion("a", Why.RESTING, "it failed too often", until=5_000)),
        (
            {},
            Standing(Why.SWITCHED_OFF, "the configuration turns it off"),
            Exclusion("a", Why.SWITCHED_OFF, "the configuration turns it off"),
        ),
        # What will not pass by itself is told before what will.
        ({"never": ("a",), "max_price": 0}, RESTING, Exclusion("a", Why.POLICY, "the route leaves it out")),
        ({"max_price": 0}, RESTING, Exclusion("a", Why.TOO_DEAR, "its price is above the route's max_price")),
    ],
)
def test_each_exclusion_has_its_reason(
    changes: dict[str, object], standing: Standing | None, expected: Exclusion
) -> None:
    """A route, a highest price or a provider's standing excludes, and the plan says which."""
    chosen: Rules = replace(PLAIN, **changes)
    assert (
        only(plan(ASKED, (), chosen, [offer("a", form(None, WIDE))], {"a": standing} if standing else {})) == expected
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"only": ("a", "b")},
        {"max_price": 40_000},
        {"never": ("b",)},
        {"labels": ("eu",), "carried": {"a": frozenset({"eu", "fast"})}},
    ],
)
def test_what_a_route_allows_stays_in(changes: dict[str, object]) -> None:
    """A provider on the list, or exactly at the highest price, is asked."""
    chosen: Rules = replace(PLAIN, **changes)
    assert len(plan(ASKED, (), chosen, [offer("a", form(None, WIDE))], {}).steps) == 1


def test_the_hold_of_an_empty_plan_is_nothing() -> None:
    """Nothing is held for a request nobody can serve."""
    assert plan(ASKED, (), PLAIN, [], {}).hold == 0


def test_the_share_of_one_that_cannot_be_asked_falls_to_all_others() -> None:
    """A draw is among those that can serve: without the heaviest the others share by their own weights."""
    chosen: Rules = replace(PLAIN, strategy=Strategy.WEIGHTED, weights=(("a", 98), ("b", 1), ("c", 1)))
    offers = [offer(name, form(None, WIDE)) for name in "abc"]
    made = [plan(ASKED, (), chosen, offers, {"a": RESTING}, chance=chance) for chance in (0.0, 0.49, 0.5, 0.99)]
    assert [[step.provider for step in each.steps] for each in made] == [["b", "c"]] * 2 + [["c", "b"]] * 2


def test_a_ranking_leads_the_plan() -> None:
    """Under `fastest` the steps come in the order of the ranking."""
    offers = [offer(name, form(None, WIDE)) for name in "abc"]
    made = plan(ASKED, (), replace(PLAIN, strategy=Strategy.FASTEST), offers, {}, ranking=("c", "a"))
    assert [step.provider for step in made.steps] == ["c", "a", "b"]


PROVIDERS = "abcdef"
OFFERS = st.lists(
    st.tuples(st.sampled_from(PROVIDERS), st.integers(0, 3), st.integers(0, 90_000), st.booleans()),
    unique_by=lambda row: row[0],
).map(
    lambda rows: [
        offer(name, form(None, WIDE if fits else NARROW, price=price), rank=rank) for name, rank, price, fits in rows
    ]
)
SOME = st.lists(st.sampled_from(PROVIDERS), unique=True, max_size=3).map(tuple)
RULES = st.builds(
    replace,
    st.just(PLAIN),
    strategy=st.sampled_from(Strategy),
    order=SOME,
    only=SOME,
    never=SOME,
    labels=st.sampled_from([(), ("eu",)]),
    carried=SOME.map(lambda names: dict.fromkeys(names, frozenset({"eu"}))),
    weights=SOME.map(lambda names: tuple((name, place) for place, name in enumerate(names))),
    max_price=st.none() | st.integers(0, 90_000),
)


@given(OFFERS, SOME, RULES, SOME, SOME, st.floats(0, 1, exclude_max=True))
def test_every_offer_is_a_step_or_an_exclusion(offers, asked, chosen, resting, ranking, chance) -> None:
    """Nothing is lost or doubled, the hold is the highest price, and the asked providers are tried first."""
    standing = dict.fromkeys(resting, RESTING)
    made = plan(ASKED, asked, chosen, offers, standing, ranking=ranking, chance=chance)
    tried = [step.provider for step in made.steps]
    assert sorted([*tried, *(each.provider for each in made.excluded)]) == sorted(each.provider for each in offers)
    assert made.hold == max((step.price for step in made.steps), default=0)
    assert tried == [*(name for name in asked if name in tried), *(name for name in tried if name not in asked)]
    assert made == plan(ASKED, asked, chosen, list(reversed(offers)), standing, ranking=ranking, chance=chance)
    if chosen.strategy is Strategy.CHEAPEST and not asked:
        prices = [step.price for step in made.steps]
        assert prices == sorted(prices)
