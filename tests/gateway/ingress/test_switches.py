"""The operator's acts on breakers."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.fault import Fault, FaultKind, Reach
from gateway.ingress import admin
from gateway.ingress.desk import AdminError, Switchboard
from gateway.routing.plan import Why
from gateway.routing.signal import Trial
from tests.gateway.ingress.house import IMAGE, PEPPER, RECEIVERS, VIDEO, House


async def act(house: House, name: str, **given: Any) -> dict[str, Any]:
    """Do an act as a running gateway does."""
    offers = {(provider, model) for provider in ("byteplus", "replicate", "fal") for model in (IMAGE, VIDEO)}
    board = Switchboard(house.health, lambda: offers, lambda: int(house.clock.monotonic() * 1000))
    name = f"breakers.{name}"
    return await admin.act(house.store, PEPPER, house.clock, name, given, receivers=RECEIVERS, board=board)


def fail(house: House, kind: FaultKind = FaultKind.NOT_SERVED, provider: str = "fal") -> None:
    """One attempt fails now."""
    now = int(house.clock.monotonic() * 1000)
    house.health.failed(Trial(provider, IMAGE, now), Fault(kind, Reach.REFUSED, "no"), now, 0)


async def test_what_has_opened_is_listed_with_its_rest(house: House) -> None:
    """The state, of which breaker, and the seconds that are left; closed breakers that never opened are not there."""
    assert (await act(house, "list"))["breakers"] == []
    fail(house)
    await house.clock.advance(9.5)
    [told] = (await act(house, "list"))["breakers"]
    assert told == {"breaker": "submit", "provider": "fal", "model": IMAGE, "state": "open", "for_seconds": 21}
    await house.clock.advance(21)
    [told] = (await act(house, "list"))["breakers"]
    assert (told["state"], "for_seconds" in told) == ("half_open", False)


async def test_how_much_a_provider_takes_is_listed(house: House) -> None:
    """Where it ever refused more; and what is under way at each."""
    for _ in range(4):
        house.health.enter(Trial("fal", IMAGE, 0))
    fail(house, FaultKind.RATE_LIMITED)
    by = {each["provider"]: each for each in (await act(house, "list"))["providers"]}
    assert by["fal"] == {"provider": "fal", "under_way": 4, "limit": 2}
    assert by["replicate"] == {"provider": "replicate", "under_way": 0, "limit": None}


async def test_an_offer_is_held_open_for_a_while(house: House) -> None:
    """Nothing is asked of it, the others serve, and it ends by itself."""
    held = await act(house, "open", provider="byteplus", model=IMAGE, **{"for": "90s"})
    assert held == {"provider": "byteplus", "model": IMAGE, "held": "open", "for_seconds": 90}
    await house.create()
    assert [step.provider for step in house.jobs.started[-1].steps if step.provider == "byteplus"] == []
    [told] = (await act(house, "list"))["breakers"]
    assert (told["breaker"], told["state"], told["for_seconds"]) == ("held", "open", 90)
    await house.clock.advance(90)
    assert (await act(house, "list"))["breakers"] == []
    await house.create()
    assert "byteplus" in [step.provider for step in house.jobs.started[-1].steps]


async def test_a_whole_provider_is_held_closed(house: House) -> None:
    """It is asked whatever its breakers say, for half an hour where nothing else is said."""
    fail(house, FaultKind.UNAUTHORIZED)
    assert (await act(house, "close", provider="fal"))["for_seconds"] == 1_800
    assert house.health.standing("fal", IMAGE, 1_799_999) is None
    assert (await act(house, "auto", provider="fal"))["was_held"] is True
    standing = house.health.standing("fal", IMAGE, 1)
    assert standing is not None
    assert standing.why is Why.RESTING
    assert (await act(house, "auto", provider="fal"))["was_held"] is False


async def test_where_all_are_held_open_nothing_is_let_in(house: House) -> None:
    """There is no panic against the operator's word."""
    for provider in ("byteplus", "replicate", "fal"):
        await act(house, "open", provider=provider)
    answer = await house.ask("POST", f"/v1/generate/image/{IMAGE}", {"generation_prompt": "x"})
    assert (answer.status, answer.error["code"]) == (503, "BSE4010")
    assert house.jobs.started == []


async def test_where_all_are_full_clients_are_asked_to_come_back(house: House) -> None:
    """That is no failure of the providers, and nothing is let in above what they take."""
    for provider in ("byteplus", "replicate", "fal"):
        house.health.traffic.caps = {**house.health.traffic.caps, provider: 0}
    answer = await house.ask("POST", f"/v1/generate/image/{IMAGE}", {"generation_prompt": "x"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert {each["message"] for each in answer.error["provider_errors"]} == {"as many jobs as it takes are under way"}


@pytest.mark.parametrize("span", ["1s", "90s", "30m", "168h", "7d"])
async def test_how_long_can_be_said(house: House, span: str) -> None:
    """From a second to a week."""
    seconds = int(span[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[span[-1]]
    assert (await act(house, "open", provider="fal", **{"for": span}))["for_seconds"] == seconds


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "provider is missing"),
    ({"provider": "nobody"}, "no provider 'nobody'; there are byteplus, fal, replicate"),
    ({"provider": "fal", "model": "lab/none"}, "fal does not serve 'lab/none'"),
    ({"provider": "fal", "for": "soon"}, "such as 90s or 30m"),
    ({"provider": "fal", "for": "0m"}, "such as 90s or 30m"),
    ({"provider": "fal", "for": "8d"}, "at most 7d"),
    ({"provider": "fal", "until": "noon"}, "not 'until'"),
]


@pytest.mark.parametrize(("given", "said"), WRONG)
async def test_what_cannot_be_held_is_said(house: House, given: dict[str, Any], said: str) -> None:
    """What is wrong, and what would be right."""
    with pytest.raises(AdminError, match=said):
        await act(house, "open", **given)
    assert (await act(house, "list"))["breakers"] == []


@pytest.mark.parametrize("name", ["list", "open", "close", "auto"])
async def test_without_a_running_gateway_there_are_none(house: House, name: str) -> None:
    """On the store alone there is nothing to see and nothing to hold."""
    with pytest.raises(AdminError, match="no gateway runs"):
        await house.act(f"breakers.{name}", **({} if name == "list" else {"provider": "fal"}))
