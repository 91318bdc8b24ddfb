"""The first route that matches says what holds, and the policy fills up the rest."""

from __future__ import annotations

import pytest

from gateway.generation import Kind
from gateway.routing.policy import Policy, Route, Rules, Strategy, rules


def policy(*routes: Route) -> Policy:
    return Policy(routes, attempts=3, image_deadline=300_000, video_deadline=1_800_000, in_doubt_max_cost=100_000)


@pytest.mark.parametrize(("kind", "deadline"), [(Kind.IMAGE, 300_000), (Kind.VIDEO, 1_800_000)])
def test_without_a_route_the_policy_holds(kind: Kind, deadline: int) -> None:
    """A request no route is for gets the policy's numbers, the deadline of its kind, and no constraint."""
    expected = Rules(
        strategy=Strategy.LISTED,
        order=(),
        only=(),
        never=(),
        attempts=3,
        deadline=deadline,
        follow_refusal=False,
        max_price=None,
        in_doubt_max_cost=100_000,
    )
    assert rules(policy(Route(model="other/*", attempts=9)), "lab/model", kind, "acme") == expected


def test_a_route_says_all_it_can() -> None:
    """Everything a route sets is what holds."""
    route = Route(
        strategy=Strategy.CHEAPEST,
        order=("b", "a"),
        only=("a", "b"),
        never=("c",),
        attempts=1,
        deadline=5_000,
        follow_refusal=True,
        max_price=0,
    )
    expected = Rules(Strategy.CHEAPEST, ("b", "a"), ("a", "b"), ("c",), 1, 5_000, True, 0, 100_000)  # noqa: FBT003 - a whole record in its order
    assert rules(policy(route), "lab/model", Kind.IMAGE, "acme") == expected


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
        (Route(model="lab/*", kind=Kind.IMAGE, account="other"), False),
        (Route(model="lab/*", kind=Kind.IMAGE, account="acme"), True),
    ],
)
def test_a_route_is_for_requests_that_meet_all_it_names(route: Route, matches: bool) -> None:  # noqa: FBT001 - a column of the table
    """Model by pattern, kind and account by equality; what a route does not name it does not ask for."""
    assert route.matches("lab/model", Kind.IMAGE, "acme") is matches


def test_the_first_match_wins() -> None:
    """A later route that is closer to the request changes nothing."""
    found = rules(
        policy(Route(model="lab/*", attempts=1), Route(model="lab/model", attempts=2)), "lab/model", Kind.IMAGE, "acme"
    )
    assert found.attempts == 1
