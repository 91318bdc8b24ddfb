"""Routes by key, by tag and by the caller's own order, through the native API."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from gateway.ingress import tags
from gateway.ingress.intake import Intake
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked, weigh
from gateway.routing.policy import Route, Strategy
from tests.gateway.ingress.house import ACCOUNT, IMAGE, House

PATH = f"/v1/generate/image/{IMAGE}"
BODY = {"generation_prompt": "a seal"}


def route(house: House, *routes: Route) -> None:
    """Have these routes hold."""
    policy = replace(house.intake.world.policy, routes=routes)
    house.intake.world = replace(house.intake.world, policy=policy)


async def order(house: House, **options: object) -> list[str]:
    """The order in which providers are asked for a create."""
    body = {**BODY, **({"generation_provider_order": options.pop("asked")} if "asked" in options else {})}
    found: list[str] = (await house.ask("POST", PATH, body, **options)).data["generation_provider_order"]
    return found


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ([], ()),
        (["batch"], ("batch",)),
        (["a, b ,c"], ("a", "b", "c")),
        (["a", "b,a"], ("a", "b")),
        (["x" * 64], ("x" * 64,)),
        (["v1.2_x-y"], ("v1.2_x-y",)),
    ],
)
def test_tags_are_read(sent: list[str], found: tuple[str, ...]) -> None:
    """Tags come between commas or in several headers, each counts once."""
    assert tags.parse(sent) == found


@pytest.mark.parametrize(
    "sent", [[""], ["a,"], ["A"], ["a b"], ["x" * 65], ["é"], [",".join(map(str, range(17)))], ["a\n"]]
)
def test_what_is_no_tag_is_refused(sent: list[str]) -> None:
    """A tag nobody could write in a route, and more of them than anybody needs, are refused and not dropped."""
    with pytest.raises(Refusal) as raised:
        tags.parse(sent)
    assert raised.value.code.status == 400


async def test_route_by_tag(house: House) -> None:
    """A request that carries the tag goes by the route for it, any other does not."""
    route(house, Route(tag="night", order=("fal",), strategy=Strategy.LISTED))
    assert (await order(house))[0] == "byteplus"
    assert (await order(house, headers={"X-Tidegate-Tag": "big, night"}))[0] == "fal"
    refused = await house.ask("POST", PATH, BODY, headers={"X-Tidegate-Tag": "Night"})
    assert (refused.status, refused.error["code"]) == (400, "BSE2001")


async def test_route_by_key(house: House) -> None:
    """A route for one API key counts for it by its name and by its id, and for no other key."""
    made = await house.act("keys.create", account=ACCOUNT, name="my-app")
    header = {"Authorization": f"Bearer {made['key']}"}
    route(house, Route(key="my-app", only=("replicate",)))
    assert await order(house, headers=header) == ["replicate"]
    assert len(await order(house)) == 3
    route(house, Route(key=made["id"], only=("fal",)))
    assert await order(house, headers=header) == ["fal"]
    assert len(await order(house)) == 3


async def test_estimate_goes_by_the_same_route(house: House) -> None:
    """An estimate with a tag is for what a create with that tag would hold."""
    route(house, Route(tag="none", only=("acme",)))
    path = f"/v1/estimate/{IMAGE}"
    assert (await house.ask("GET", path)).status == 200
    assert (await house.ask("GET", path, headers={"X-Tidegate-Tag": "none"})).error["type"] == "provider_not_configured"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, ["replicate", "fal", "byteplus"]),
        ("fastest", ["fal", "replicate", "byteplus"]),
        ("byteplus", ["byteplus", "replicate", "fal"]),
        ("byteplus, fal", ["byteplus", "fal", "replicate"]),
    ],
)
def test_what_the_caller_wishes(house: House, asked: str | None, expected: list[str]) -> None:
    """A caller who says nothing gets the route's list, `fastest` the ranking, and a list of names comes before both."""
    route(house, Route(order=("replicate", "fal"), strategy=Strategy.LISTED))
    wanted = Asked(house.intake.menu(IMAGE).kind, IMAGE, {"prompt": "a seal"}, asked, str)
    weighed = weigh(house.intake.world, ACCOUNT, wanted, {}, ranking=("fal",))
    assert [step.provider for step in weighed.plan.steps] == expected


def test_who_says_nothing_gets_the_fastest(house: House) -> None:
    """Where neither a route nor the caller names an order, the ranking decides."""
    wanted = Asked(house.intake.menu(IMAGE).kind, IMAGE, {"prompt": "a seal"}, None, str)
    weighed = weigh(house.intake.world, ACCOUNT, wanted, {}, ranking=("fal", "replicate"))
    assert [step.provider for step in weighed.plan.steps] == ["fal", "replicate", "byteplus"]


def test_weights_share_the_requests(house: House) -> None:
    """Three requests in four begin at the provider with three quarters of the weight."""
    weights = (("fal", 3), ("byteplus", 1), ("replicate", 0))
    route(house, Route(strategy=Strategy.WEIGHTED, weights=weights))
    intake = Intake(house.intake.world, house.store, house.jobs, house.health, house.clock, chance=Random(7).random)  # type: ignore[arg-type] # a double of its interface
    wanted = Asked(intake.menu(IMAGE).kind, IMAGE, {"prompt": "a seal"}, None, str)
    plans = [[step.provider for step in intake.weigh(ACCOUNT, wanted).plan.steps] for _ in range(400)]
    firsts = Counter(steps[0] for steps in plans)
    assert firsts["fal"] == pytest.approx(300, abs=40)
    assert firsts["fal"] + firsts["byteplus"] == 400
    assert {steps[-1] for steps in plans} == {"replicate"}
