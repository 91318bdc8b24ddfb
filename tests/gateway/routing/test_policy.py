"""The first route that matches says what holds, the policy fills up the rest, and the caller is heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.generation import Kind
from gateway.routing.policy import Patience, Policy, Request, Route, Rules, Strategy, heeding, left_out, rules

REQUEST = Request("lab/model", Kind.IMAGE, "acme", keys=("key_1", "app"), tags=("batch", "night"))
PLAIN = Rules(
    strategy=Strategy.FASTEST,
    order=(),
    weights=(),
    only=(),
    never=(),
    labels=(),
    carried={},
    attempts=3,
    deadline=300_000,
    follow_refusal=False,
    max_price=None,
    in_doubt_max_cost=100_000,
    patience=Patience(3.0, 30_000),
)


def policy(*routes: Route) -> Policy:
    return Policy(routes, attempts=3, image_deadline=300_000, video_deadline=1_800_000, in_doubt_max_cost=100_000)


@pytest.mark.parametrize(("kind", "deadline"), [(Kind.IMAGE, 300_000), (Kind.VIDEO, 1_800_000)])
def test_without_a_route_the_policy_holds(kind: Kind, deadline: int) -> None:
    """A request no route is for is served by the fastest, within the policy's numbers and the deadline of its kind."""
    found = rules(policy(Route(model="other/*", attempts=9)), Request("lab/model", kind, "acme"))
    assert found == replace(PLAIN, deadline=deadline)


def test_a_route_says_all_it_can() -> None:
    """Everything a route sets is what holds."""
    said = {
        "strategy": Strategy.CHEAPEST,
        "order": ("b", "a"),
        "only": ("a", "b"),
        "never": ("c",),
        "labels": ("eu",),
        "attempts": 1,
        "deadline": 5_000,
        "follow_refusal": True,
        "max_price": 0,
    }
    assert rules(policy(Route(**said)), REQUEST) == replace(PLAIN, **said)


def test_the_policy_fills_up_what_routes_do_not_say() -> None:
    """Labels of providers and patience come from the policy."""
    labels = {"a": frozenset({"eu"})}
    whole = replace(policy(Route()), labels=labels, patience=Patience(2, 1_000))
    assert rules(whole, REQUEST) == replace(PLAIN, carried=labels, patience=Patience(2, 1_000))


def test_weights_list_the_heaviest_first() -> None:
    """Where a draw is not wanted, weights are a list; of equal ones the first written comes first."""
    found = rules(policy(Route(strategy=Strategy.WEIGHTED, weights=(("a", 1), ("b", 0), ("c", 5), ("d", 1)))), REQUEST)
    assert found.order == ("c", "a", "d", "b")


@pytest.mark.parametrize(
    ("asked", "strategy"),
    [
        (None, Strategy.WEIGHTED),
        ((), Strategy.FASTEST),
        (("a",), Strategy.LISTED),
    ],
)
def test_the_caller_is_heard(asked: tuple[str, ...] | None, strategy: Strategy) -> None:
    """A caller who says nothing leaves it to the route, `fastest` takes the route's place, and a list stands for itself."""
    route = replace(PLAIN, strategy=Strategy.WEIGHTED, order=("b",), weights=(("b", 1),))
    assert heeding(route, asked) == replace(route, strategy=strategy)


@pytest.mark.parametrize(
    ("usual", "least", "lasts"),
    [(1_000, 30_000, 30_000), (9_999, 30_000, 30_000), (10_001, 30_000, 30_003), (60_000, 30_000, 180_000)],
)
def test_patience_grows_with_what_is_usual(usual: int, least: int, lasts: int) -> None:
    """A job is slow after three times what is usual, and not before the least."""
    assert Patience(3.0, least).lasts(usual) == lasts


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Route(), None),
        (Route(only=("a",), never=("b",), labels=("eu", "fast")), None),
        (Route(only=("b",)), "the route leaves it out"),
        (Route(only=("a", "b"), never=("a",)), "the route leaves it out"),
        (Route(labels=("eu", "us", "ap")), "the route asks for the label 'us', which it does not carry"),
    ],
)
def test_who_is_left_out_and_why(said: Route, reason: str | None) -> None:
    """A provider has to be allowed and to carry every label; the first one it lacks is named."""
    assert left_out(said, "a", {"a": frozenset({"fast", "eu"}), "b": frozenset({"us"})}) == reason


def test_who_has_no_labels_carries_none() -> None:
    """A provider the operator said nothing of is left out wherever a label is asked for."""
    assert left_out(Route(labels=("eu",)), "c", {"a": frozenset({"eu"})}) is not None


@pytest.mark.parametrize(
    ("route", "matches"),
    [
        (Route(), True),
        (Route(model="lab/model"), True),
        (Route(model="lab/*"), True),
        (Route(model="*/model"), True),
        (Route(model="LAB/*"), False),
        (Route(model="lab"), False),
        (Route(kind=Kind.IMAGE), True),
        (Route(kind=Kind.VIDEO), False),
        (Route(account="acme"), True),
        (Route(account="other"), False),
        (Route(key="key_1"), True),
        (Route(key="app"), True),
        (Route(key="acme"), False),
        (Route(tag="night"), True),
        (Route(tag="app"), False),
        (Route(key="app", tag="day"), False),
        (Route(model="lab/*", kind=Kind.IMAGE, account="other"), False),
        (Route(model="lab/*", kind=Kind.IMAGE, account="acme", key="app", tag="batch"), True),
    ],
)
def test_a_route_is_for_requests_that_meet_all_it_names(route: Route, matches: bool) -> None:  # noqa: FBT001 - a column of the table
    """Model by pattern, the rest by equality, a key by any of its names; what a route does not name it does not ask for."""
    assert route.matches(REQUEST) is matches


def test_the_first_match_wins() -> None:
    """A later route that is closer to the request changes nothing."""
    found = rules(policy(Route(model="lab/*", attempts=1), Route(model="lab/model", attempts=2)), REQUEST)
    assert found.attempts == 1
