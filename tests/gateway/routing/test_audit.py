"""What a policy says in vain is found, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.generation import Kind
from gateway.routing.audit import Facts, Finding, Served, unreachable
from gateway.routing.policy import Policy, Request, Route, Strategy

FACTS = Facts(
    models={
        "lab/still": Served(Kind.IMAGE, ("acme", "other")),
        "lab/sketch": Served(Kind.IMAGE, ("acme",)),
        "lab/film": Served(Kind.VIDEO, ("acme", "third")),
        "film/short": Served(Kind.VIDEO, ("third",)),
    },
    providers=frozenset({"acme", "other", "third", "idle"}),
    off=frozenset({"third"}),
    aliases={"lab/old": "lab/still"},
    accounts=frozenset({"studio", "press"}),
    keys=frozenset({"key_1", "app"}),
)
LABELS = {"acme": frozenset({"eu"}), "idle": frozenset({"us"})}


def found(*routes: Route, facts: Facts = FACTS) -> list[Finding]:
    return unreachable(Policy(routes, 3, 1, 1, 0, labels=LABELS), facts)


def weighted(**weights: int) -> Route:
    return Route(strategy=Strategy.WEIGHTED, weights=tuple(weights.items()))


REFUSED = "this leaves nobody who serves what the route is for: every such request would be refused"

MISTAKES: list[tuple[Route, tuple[str | int, ...], str]] = [
    (Route(order=("acme", "acne")), ("order", 1), "no pack is called 'acne'; did you mean 'acme'?"),
    (Route(only=("zzz",)), ("only", 0), "no pack is called 'zzz'"),
    (Route(never=("othr",)), ("never", 0), "no pack is called 'othr'; did you mean 'other'?"),
    (weighted(acme=1, thrd=2), ("order", "thrd"), "no pack is called 'thrd'; did you mean 'third'?"),
    (Route(labels=("eu", "ue")), ("labels", 1), "no provider carries the label 'ue'"),
    (Route(model="nobody/*"), ("match", "model"), "no model is matched by 'nobody/*'"),
    (Route(model="nobody/*", kind=Kind.IMAGE), ("match", "model"), "no model is matched by 'nobody/*'"),
    (Route(model="LAB/STILL"), ("match", "model"), "no model is matched by 'LAB/STILL'; did you mean 'lab/still'?"),
    (Route(model="lab/stil"), ("match", "model"), "no model is matched by 'lab/stil'; did you mean 'lab/still'?"),
    (Route(model="lab/old"), ("match", "model"), "no model is matched by 'lab/old'; did you mean 'lab/still'?"),
    (Route(model="film/*", kind=Kind.IMAGE), ("match", "kind"), "no model matched by 'film/*' makes images"),
    (Route(only=("acme",), never=("acme",)), ("only",), REFUSED),
    (Route(model="lab/sketch", only=("other",)), ("only",), REFUSED),
    (Route(model="film/*", never=("third",)), ("never",), REFUSED),
    (Route(labels=("us",)), ("labels",), REFUSED),
    (Route(only=("idle",), labels=("eu",)), ("only",), REFUSED),
]

WARNINGS: list[tuple[Route, tuple[str | int, ...], str]] = [
    (
        Route(account="studoi"),
        ("match", "account"),
        "there is no account 'studoi'; did you mean 'studio'?",
    ),
    (Route(key="key_7"), ("match", "key"), "there is no key 'key_7'; did you mean 'key_1'?"),
    (Route(order=("acme", "idle")), ("order", 1), "idle serves no model this route is for"),
    (Route(model="lab/s*", only=("acme", "third")), ("only", 1), "third serves no model this route is for"),
    (weighted(acme=1, idle=1), ("order", "idle"), "idle serves no model this route is for"),
    (
        Route(order=("acme", "other"), never=("other",)),
        ("order", 1),
        "other is named in vain: the route leaves it out",
    ),
    (
        Route(order=("other", "acme"), labels=("eu",)),
        ("order", 0),
        "other is named in vain: the route asks for the label 'eu', which it does not carry",
    ),
    (Route(model="film/*"), (), "only third may serve this, and that is switched off"),
]

NOTHING = [
    Route(),
    Route(model="lab/*", kind=Kind.VIDEO, account="studio", key="app", tag="anything"),
    Route(key="key_1"),
    Route(order=("other", "acme"), only=("acme", "other"), never=("third",), labels=()),
    Route(labels=("eu",), order=("acme",)),
    weighted(acme=0, other=3),
    # Forbidding what serves nothing here is prudent.
    Route(model="lab/sketch", never=("idle", "other")),
    # One of two models is left without anybody: the other is not.
    Route(model="lab/s*", only=("other",)),
    Route(max_price=0, attempts=1),
]


@pytest.mark.parametrize(("route", "path", "message"), MISTAKES)
def test_a_mistake_is_found_at_its_place(route: Route, path: tuple[str | int, ...], message: str) -> None:
    """What names nothing there is, or makes every request fail, is one mistake with its place and the nearest word."""
    assert found(route) == [Finding(0, path, message, is_mistake=True)]


@pytest.mark.parametrize(("route", "path", "message"), WARNINGS)
def test_a_warning_is_found_at_its_place(route: Route, path: tuple[str | int, ...], message: str) -> None:
    """What does no harm and does nothing either is one warning."""
    assert found(route) == [Finding(0, path, message, is_mistake=False)]


@pytest.mark.parametrize("route", NOTHING)
def test_what_can_matter_is_not_found(route: Route) -> None:
    """A route that has its use is left alone."""
    assert found(route) == []


def test_callers_nobody_knows_of_are_not_judged() -> None:
    """Without a running gateway to ask, no account and no key is called unknown."""
    assert found(Route(account="x", key="y"), facts=replace(FACTS, accounts=None, keys=None)) == []


def test_each_route_has_its_own_findings() -> None:
    """Findings come in the order of the routes, and all of a route's come together."""
    routes = (
        Route(only=("acne",), never=("othr",)),
        Route(model="nobody"),
        Route(tag="x", order=("acme", "idle"), account="x"),
    )
    assert [(each.route, each.path) for each in found(*routes)] == [
        (0, ("only", 0)),
        (0, ("never", 0)),
        (1, ("match", "model")),
        (2, ("match", "account")),
        (2, ()),
        (2, ("order", 1)),
    ]


@pytest.mark.parametrize(
    ("routes", "before"),
    [
        ([Route(), Route(model="lab/*")], "routes.0, further up, takes"),
        ([Route(model="lab/*"), Route(model="lab/s*")], "routes.0, further up, takes"),
        ([Route(model="*/s*"), Route(model="lab/still")], "routes.0, further up, takes"),
        ([Route(model="lab/*"), Route(model="film/*"), Route()], "routes.0 and routes.1, further up, take"),
        ([Route(kind=Kind.IMAGE), Route(tag="x"), Route(kind=Kind.VIDEO), Route()], "routes.0 and routes.2, further"),
        ([Route(account="studio"), Route(account="studio", key="app")], "routes.0, further up, takes"),
        ([Route(tag="x"), Route(tag="x", account="studio")], "routes.0, further up, takes"),
        ([Route(kind=Kind.IMAGE), Route(model="lab/s*")], "routes.0, further up, takes"),
    ],
)
def test_a_shadowed_route_is_found(routes: list[Route], before: str) -> None:
    """A route whose every request is taken further up never counts, whether by one route or by several."""
    *_, last = found(*routes, facts=replace(FACTS, off=frozenset()))
    assert (last.route, last.path, last.is_mistake) == (len(routes) - 1, (), False)
    assert last.message.startswith(f"this route never counts: {before}")


@pytest.mark.parametrize(
    "routes",
    [
        [Route(model="lab/s*"), Route(model="lab/*")],
        [Route(account="studio"), Route()],
        [Route(account="studio"), Route(account="press")],
        [Route(key="app"), Route(tag="x")],
        [Route(tag="x", model="lab/*"), Route(model="lab/still")],
        [Route(kind=Kind.IMAGE), Route(model="lab/*")],
        # Nobody has both accounts, but there are more than these two.
        [Route(account="studio"), Route(account="press"), Route()],
    ],
)
def test_a_route_that_gets_requests_is_not_shadowed(routes: list[Route]) -> None:
    """Overlap alone takes nothing away."""
    assert found(*routes, facts=replace(FACTS, off=frozenset())) == []


GLOBS = ["*", "lab/*", "film/*", "*/s*", "lab/s*", "lab/still", "lab/[fs]*", "*/????", "none/*"]
ROUTES = st.lists(
    st.builds(
        Route,
        model=st.sampled_from(GLOBS),
        kind=st.sampled_from([None, *Kind]),
        account=st.sampled_from([None, "studio", "press"]),
        key=st.sampled_from([None, "key_1", "app"]),
        tag=st.sampled_from([None, "x", "y"]),
    ),
    min_size=1,
    max_size=6,
)
# One more account, key and tag than any route names: a request may come from anybody.
SENDERS = list(
    product(("studio", "press", "new"), ((), ("key_1",), ("app",), ("key_2", "new")), ((), ("x",), ("y",), ("x", "y")))
)
REQUESTS = [
    Request(model, served.kind, account, keys, tags)
    for model, served in FACTS.models.items()
    for account, keys, tags in SENDERS
]


@given(ROUTES)
@example([Route(model="lab/*", kind=Kind.IMAGE), Route(model="lab/film"), Route(model="lab/*")])
def test_exactly_the_routes_that_no_request_reaches_are_found(routes: list[Route]) -> None:
    """Of all requests there can be, none gets to a route reported, and one gets to every other."""
    reported = {
        each.route
        for each in found(*routes)
        if "never counts" in each.message or each.path in {("match", "model"), ("match", "kind")}
    }
    firsts = (next((at for at, route in enumerate(routes) if route.matches(request)), None) for request in REQUESTS)
    assert reported == set(range(len(routes))) - set(firsts)
