"""What is served, by whom, and how they are doing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.artifacts.fault import StorageFault
from gateway.fault import Fault, FaultKind, Reach
from gateway.ingress.library import Dependencies
from gateway.ingress.shelf import entry, pricing
from gateway.offer import Price, Unit
from gateway.providers.catalog import Catalog
from gateway.routing.menu import menu
from gateway.routing.plan import Standing, Why
from gateway.routing.signal import Trial
from tests.clock import VirtualClock
from tests.gateway.ingress.house import IMAGE, VIDEO, House, alone, open_guard


async def models(house: House) -> dict[str, Any]:
    """The library by model."""
    data = (await house.ask("GET", "/v1/library/models")).data
    assert data["models_total"] == len(data["models"])
    return {each["model_identifier"]: each for each in data["models"]}


async def test_every_model_has_what_clients_lean_on(house: House) -> None:
    """Lists are lists, there is a format, and the number of outputs is one that can be sent back."""
    for model in (await models(house)).values():
        schema = model["schema"]
        assert isinstance(schema["generation_ratio"], list)
        assert schema["generation_output_format"]
        assert isinstance(schema["generation_output_number"], int)
        assert isinstance(schema["generation_input_file"], bool)
        assert isinstance(schema["generation_prompt"], bool)
        assert model["model_supported_provider"]
        assert ("generation_duration" in schema) == (model["model_type"] == "video")
        assert all(name.startswith("generation_") for name in model["specific_schema"])
        assert not set(model["specific_schema"]) & set(schema)


async def test_what_the_library_says_can_be_asked_for(house: House) -> None:
    """The values a client takes from the library make a request that is accepted, for every model."""
    for identifier, model in (await models(house)).items():
        schema = model["schema"]
        order = ", ".join(model["model_supported_provider"])
        body = {"generation_prompt": "x", "generation_provider_order": order}
        body["generation_output_format"] = schema["generation_output_format"][0]
        body["generation_output_number"] = schema["generation_output_number"]
        if model["model_type"] == "video":
            body["generation_duration"] = schema["generation_duration"][-1]
        for name in set(model["required_schema"]) - set(body) - {"generation_duration"}:
            address = "https://example.com/a.png"
            body[name] = [address] if name == "generation_input_file" else address
        for name in ("generation_resolution",):
            if name in schema:
                body[name] = schema[name][0]
        answer = await house.ask("POST", f"/v1/generate/{model['model_type']}/{identifier}", body)
        if answer.status == 400:
            # One of several inputs would do: the refusal names one.
            field = answer.error["details"]["field"]
            body[field] = "https://example.com/a.mp4"
            answer = await house.ask("POST", f"/v1/generate/{model['model_type']}/{identifier}", body)
        # Some cost more than the account of this test has, which is said after everything else was found in order.
        assert answer.status in {200, 402}, answer.json


async def test_prices_are_flat_or_by_tier(house: House) -> None:
    """An image has one number, a video a price for each size class."""
    library = await models(house)
    assert library["bfl/flux-schnell"]["model_pricing"] == 0.003
    assert library[VIDEO]["model_pricing"] == {"480p": 0.0243, "720p": 0.0564, "1080p": 0.1224}
    assert library[VIDEO]["schema"]["generation_resolution"][0] == "720p"


def price(by: tuple[str, ...], amounts: dict[tuple[Any, ...], int], per: Unit = Unit.SECOND) -> Price:
    """A price in millionths."""
    return Price(per, by, amounts)


@pytest.mark.parametrize(
    ("prices", "told"),
    [
        ([], None),
        ([price((), {(): 5_000})], 0.005),
        ([price((), {(): 5_000}), price((), {(): 7_000})], 0.007),
        ([price((), {(): 5_000}), price((), {(): 70_000}, Unit.REQUEST)], 0.005),
        ([price(("resolution",), {("720p",): 1_000, ("1080p",): 2_000})], {"720p": 0.001, "1080p": 0.002}),
        ([price(("resolution",), {("720p",): 1_000}), price((), {(): 3_000})], {"720p": 0.003}),
        (
            [price(("audio", "resolution"), {(True, "720p"): 2_000, (False, "720p"): 1_000})],
            {"720p_audio": 0.002, "720p_noaudio": 0.001},
        ),
        (
            [
                price(("resolution", "audio"), {("720p", True): 2_000, ("720p", False): 1_000}),
                price(("resolution",), {("720p",): 1_500}),
            ],
            {"720p_audio": 0.002, "720p_noaudio": 0.0015},
        ),
    ],
)
def test_the_dearest_price_is_told(prices: list[Price], told: Any) -> None:
    """Over several providers the highest counts, tier by tier; what cannot be compared is left out."""
    assert pricing(prices) == told


def test_every_extra_word_is_listed(packs: Catalog) -> None:
    """Clients send model-specific fields only if they are named."""
    assert entry(menu(packs.offers(VIDEO)))["specific_schema"] == [
        "generation_input_file_last_content",
        "generation_seed",
    ]


async def test_the_providers(house: House) -> None:
    """Every pack is a provider with the native description of how it is run."""
    data = (await house.ask("GET", "/v1/library/providers")).data
    by = {each["provider_id"]: each for each in data["providers"]}
    assert data["providers_total"] == len(by)
    assert {"byteplus", "fal", "replicate"} <= set(by)
    for each in by.values():
        assert each["provider_name"]
        assert each["provider_docs"].startswith("https://")
        run = each["babysea_implementation"]
        assert run["delivery_method"] in {"synchronous", "polling"}
        assert run["supported_models_total"] >= 1
    assert by["fal"]["babysea_implementation"]["cancel_method"] == "queue_cancel_api"
    assert by["replicate"]["babysea_implementation"]["cancel_method"] == "prediction_cancel_api"


async def test_a_provider_without_its_key_is_inactive(house: House) -> None:
    """What is not set up is listed, and said to be so."""
    house.intake.world = replace(house.intake.world, standing={"fal": Standing(Why.NO_CREDENTIAL, "no key")})
    data = (await house.ask("GET", "/v1/library/providers")).data
    assert {each["provider_id"]: each["provider_status"] for each in data["providers"]}["fal"] == "inactive"
    health = (await house.ask("GET", "/v1/health/inference/models")).data["models"]
    [model] = [each for each in health if each["model_identifier"] == IMAGE]
    assert model["providers"]["fal"]["available"] is False
    assert model["providers"]["byteplus"]["available"] is True
    assert model["providers"]["byteplus"]["raw_model_id"]


async def status(house: House, provider: str) -> dict[str, Any]:
    """The health of one provider."""
    data = (await house.ask("GET", "/v1/health/inference/providers")).data
    assert data["service"] == "providers"
    [found] = [each for each in data["providers"] if each["provider"] == provider]
    return {**found, "all": data["healthy"]}


async def test_health_follows_the_breakers(house: House) -> None:
    """Unknown, healthy, degraded and recovering, as attempts come in and breakers open and rest."""
    assert (await status(house, "fal"))["status"] == "unknown"
    house.health.finished(Trial("fal", IMAGE, 0), 0)
    assert (await status(house, "fal"))["status"] == "healthy"
    for _ in range(5):
        house.health.failed(Trial("fal", IMAGE, 0), Fault(FaultKind.OVERLOADED, Reach.REFUSED, "no"), 0, 0)
    now = await status(house, "fal")
    assert (now["status"], now["all"]) == ("degraded", False)
    assert now["breakers"] == [{"breaker": "submit", "model": IMAGE, "state": "open", "for_seconds": 30}]
    assert (await status(house, "replicate"))["breakers"] == []
    models = (await house.ask("GET", "/v1/health/inference/models")).data["models"]
    by = {each["model_identifier"]: each["providers"]["fal"] for each in models if "fal" in each["providers"]}
    assert (by[IMAGE]["available"], by[IMAGE]["breakers"]) == (False, now["breakers"])
    assert (by[VIDEO]["available"], by[VIDEO]["breakers"]) == (True, [])
    assert now["window"] == {"total_attempts": 6, "failures": 5, "successes": 1, "duration_seconds": 0}
    assert now["failure_rate"] == 0.8333
    await house.clock.advance(31)
    now = await status(house, "fal")
    assert (now["status"], now["all"], now["window"]["duration_seconds"]) == ("recovering", True, 31)


async def test_a_refused_credential_degrades_the_provider(house: House) -> None:
    """Trouble with the key concerns every model of the provider."""
    house.health.failed(Trial("fal", IMAGE, 0), Fault(FaultKind.UNAUTHORIZED, Reach.REFUSED, "no"), 0, 0)
    assert (await status(house, "fal"))["status"] == "degraded"


async def test_storage_and_cache(house: House) -> None:
    """The outputs' store is really written to; the cache is in memory and always there."""
    data = (await house.ask("GET", "/v1/health/storage")).data
    assert (data["service"], data["healthy"], data["bucket"]) == ("storage", True, "outputs")
    assert data["latency_ms"] >= 0
    data = (await house.ask("GET", "/v1/health/cache")).data
    assert (data["service"], data["healthy"]) == ("redis", True)


async def test_a_store_that_fails_is_told_not_thrown() -> None:
    """A failing store of outputs is an answer with its reason, asked again only after some seconds."""
    asked: list[int] = []

    async def probe() -> float:
        asked.append(1)
        raise StorageFault("no space is left", full=True)

    clock = VirtualClock()
    routes = Dependencies("outputs", probe, clock).routes(open_guard())
    for _ in range(3):
        data = (await alone(routes, "/v1/health/storage")).data
        assert (data["healthy"], data["error"]) == (False, "no space is left")
    await clock.advance(6)
    await alone(routes, "/v1/health/storage")
    assert len(asked) == 2


async def test_without_a_store_there_is_nothing_to_fail() -> None:
    """Where outputs are only passed on, storage is healthy."""
    routes = Dependencies("none", None, VirtualClock()).routes(open_guard())
    data = (await alone(routes, "/v1/health/storage")).data
    assert (data["healthy"], data["bucket"]) == (True, "none")
