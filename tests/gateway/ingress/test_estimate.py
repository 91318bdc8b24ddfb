"""GET /v1/estimate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.fault import Fault, FaultKind, Reach
from gateway.ledger.program import StoreFailed
from gateway.routing.plan import Standing, Why
from gateway.routing.signal import Trial
from tests.gateway.ingress.house import IMAGE, VIDEO, House

SCHNELL = "bfl/flux-schnell"


async def test_an_image_has_a_flat_price(house: House) -> None:
    """The price of one, the price of all, and what the balance is good for."""
    assert (await house.ask("GET", f"/v1/estimate/{SCHNELL}?count=2")).data == {
        "model_identifier": SCHNELL,
        "model_type": "image",
        "assets_count": 2,
        "cost_per_generation": 0.003,
        "cost_total_consumed": 0.006,
        "credit_balance": 10,
        "credit_balance_can_afford": True,
        "credit_balance_max_affordable": 3333,
    }


async def test_a_video_is_priced_by_its_seconds(house: House) -> None:
    """The rate, the length and the size class are told."""
    data = (await house.ask("GET", f"/v1/estimate/{VIDEO}?duration=5&resolution=720p&audio=false")).data
    assert (data["model_type"], data["cost_per_second"], data["duration_seconds"]) == ("video", 0.0564, 5)
    assert (data["resolution"], data["cost_per_generation"]) == ("720p", 0.282)
    assert (await house.ask("GET", f"/v1/estimate/{VIDEO}?duration=5")).data["resolution"] == "720p"


SAME: list[tuple[str, str, str, dict[str, Any]]] = [
    ("image", IMAGE, "", {}),
    ("image", SCHNELL, "count=3", {"generation_output_number": 3}),
    ("video", VIDEO, "duration=5", {"generation_duration": 5}),
    ("video", VIDEO, "duration=7&resolution=480p", {"generation_duration": 7, "generation_resolution": "480p"}),
    ("video", VIDEO, "duration=10.0&audio=false", {"generation_duration": 10, "generation_generate_audio": False}),
]


@pytest.mark.parametrize(("kind", "model", "query", "body"), SAME)
async def test_what_is_estimated_is_what_is_held(
    house: House, kind: str, model: str, query: str, body: dict[str, Any]
) -> None:
    """The estimate of a request and the hold of the same request are the same amount."""
    estimate = (await house.ask("GET", f"/v1/estimate/{model}?{query}")).data["cost_total_consumed"]
    await house.create(f"/v1/generate/{kind}/{model}", {"generation_prompt": "x", **body})
    assert (await house.act("accounts.list"))["accounts"][0]["held"] == estimate


@pytest.mark.parametrize(
    ("asked", "counted"), [("0", 1), ("-5", 1), ("1", 1), ("100", 100), ("101", 100), ("999999", 100)]
)
async def test_the_count_is_brought_into_its_bounds(house: House, asked: str, counted: int) -> None:
    """A count beyond the bounds is estimated as the nearest one, and the answer says which."""
    data = (await house.ask("GET", f"/v1/estimate/{SCHNELL}?count={asked}")).data
    assert data["assets_count"] == counted
    assert data["cost_total_consumed"] == pytest.approx(0.003 * counted)


@pytest.mark.parametrize(
    ("model", "query", "field"),
    [
        (VIDEO, "", "duration"),
        (VIDEO, "duration=x", "duration"),
        (VIDEO, "duration=-5", "duration"),
        (VIDEO, "duration=", "duration"),
        (VIDEO, "duration=9999", "duration"),
        (VIDEO, "duration=5&resolution=8K", "resolution"),
        (VIDEO, "duration=5&audio=yes", "audio"),
        (VIDEO, "duration=5&audio=true", "audio"),
        (IMAGE, "duration=5", "duration"),
        (IMAGE, "count=1.5", "count"),
        (IMAGE, "count=1&count=2", "count"),
        (IMAGE, "ratio=16:9", None),
    ],
)
async def test_what_cannot_be_estimated_is_named(house: House, model: str, query: str, field: str | None) -> None:
    """A value no provider takes is refused by the name it has in the query."""
    answer = await house.ask("GET", f"/v1/estimate/{model}?{query}")
    assert answer.status == 400
    assert answer.error.get("details", {}).get("field") == field


async def test_a_resting_provider_changes_no_estimate(house: House) -> None:
    """The figure stays while providers rest, and while none is set up at all."""
    before = (await house.ask("GET", f"/v1/estimate/{IMAGE}")).data
    fault = Fault(FaultKind.UNAUTHORIZED, Reach.REFUSED, "no")
    for provider in ("byteplus", "replicate", "fal"):
        house.health.failed(Trial(provider, IMAGE, 0), fault, 0, 0)
    assert (await house.ask("GET", f"/v1/estimate/{IMAGE}")).data == before
    bare = {provider: Standing(Why.NO_CREDENTIAL, "no key") for provider in ("byteplus", "replicate", "fal")}
    house.intake.world = replace(house.intake.world, standing=bare)
    assert (await house.ask("GET", f"/v1/estimate/{IMAGE}")).data == before
    assert (await house.ask("POST", f"/v1/generate/image/{IMAGE}", {"generation_prompt": "x"})).error[
        "code"
    ] == "BSE4010"


async def test_resting_providers_are_told_apart_from_missing_ones(house: House) -> None:
    """When every provider rests, clients are asked to come back, and told when."""
    fault = Fault(FaultKind.UNAUTHORIZED, Reach.REFUSED, "no")
    for provider in ("byteplus", "replicate", "fal"):
        house.health.failed(Trial(provider, IMAGE, 0), fault, 0, 0)
    await house.create()
    answer = await house.ask("POST", f"/v1/generate/image/{IMAGE}", {"generation_prompt": "x"})
    assert (answer.status, answer.error["code"], answer.error["retryable"]) == (502, "BSE4006", True)
    assert int(answer.headers["Retry-After"]) >= 1
    assert len(answer.error["provider_errors"]) == 3


async def test_a_poor_account_learns_what_it_cannot_afford(poor_house: House) -> None:
    """Without credits nothing can be afforded, and the estimate says so without an error."""
    data = (await poor_house.ask("GET", f"/v1/estimate/{IMAGE}")).data
    assert data["credit_balance"] == 0
    assert data["credit_balance_can_afford"] is False
    assert data["credit_balance_max_affordable"] == 0


async def test_an_unknown_balance_is_null(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the balance cannot be looked up the price is told all the same."""
    await house.ask("GET", "/v1/status")

    async def fails(_program: Any) -> None:
        raise StoreFailed("the disk")

    monkeypatch.setattr(house.store, "read", fails)
    data = (await house.ask("GET", f"/v1/estimate/{IMAGE}")).data
    assert data["cost_total_consumed"] == 0.04
    assert data["credit_balance"] is data["credit_balance_can_afford"] is data["credit_balance_max_affordable"] is None
