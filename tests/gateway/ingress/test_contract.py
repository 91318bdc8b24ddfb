"""The native API as its client library sees it: a small client that follows the library's published behaviour."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import State
from gateway.routing.signal import Trial
from tests.gateway.ingress.house import ACCOUNT, IMAGE, VIDEO, House

NUMBER = (int, float)
TEXT = str
MAYBE_TEXT = (str, type(None))


class ApiError(Exception):
    """An error answer, as the library throws it."""

    def __init__(self, error: dict[str, Any], attempts: int) -> None:
        super().__init__(error["message"])
        self.code = error["code"]
        self.error = error
        self.attempts = attempts


@dataclass
class Library:
    """Sends what the library sends and repeats what it repeats; `waits` are the seconds it would have slept."""

    house: House
    prefix: str = ""
    retries: int = 2
    sent: int = 0
    waits: list[int] = field(default_factory=list)

    async def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """One call with its repetitions; the whole answer, with the replay flag as the library adds it."""
        headers = {
            "Authorization": f"Bearer {self.house.key}",
            "Accept": "application/json",
            "X-BabySea-SDK-Name": "babysea-node",
            "X-BabySea-SDK-Version": "2.0.0",
            "User-Agent": "babysea-node/2.0.0 (node/22)",
            "accept-language": "*",
            "sec-fetch-mode": "cors",
        }
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body)
        if key is not None:
            headers["Idempotency-Key"] = key
        for attempt in range(1, self.retries + 2):
            self.sent += 1
            answer = await self.house.ask(method, f"{self.prefix}/v1{path}", headers=headers, data=data)
            parsed = json.loads(answer.body)
            if 200 <= answer.status < 300:
                replayed = answer.headers.get("Idempotency-Replayed") == "true"
                return {**parsed, "idempotency_replayed": True} if replayed else parsed
            if not parsed["error"]["retryable"] or attempt > self.retries:
                raise ApiError(parsed["error"], attempt)
            told = answer.headers["Retry-After"] if "X-RateLimit-Limit" in answer.headers else "0"
            self.waits.append(int(told))
        raise AssertionError("the loop always returns or raises")

    async def generate(self, model: str, key: str | None = None, **fields: Any) -> Any:
        """Create; the path follows from the duration alone."""
        kind = "video" if "generation_duration" in fields else "image"
        return await self.call("POST", f"/generate/{kind}/{model}", {"generation_prompt": "x", **fields}, key)


@pytest.fixture
def library(house: House) -> Library:
    """The client on a house of ten credits."""
    return Library(house)


METHODS: list[tuple[str, dict[str, Any]]] = [
    ("/status", {"account_id": TEXT, "apikey_id": TEXT, "apikey_name": MAYBE_TEXT, "apikey_expires_at": MAYBE_TEXT}),
    ("/usage", {"usage_credit_balance": NUMBER, "usage_endpoints": list, "usage_providers": list}),
    ("/usage?days=7", {"usage_period_days": int, "usage_total_generations": int}),
    ("/user/account", {"account_name": TEXT, "account_is_personal": bool, "account_email": MAYBE_TEXT}),
    ("/user/billing", {"billing_credit_balance": NUMBER, "billing_plan": MAYBE_TEXT}),
    ("/health/inference/providers", {"healthy": bool, "providers": list, "providers_total": int}),
    ("/health/inference/models", {"healthy": bool, "models": list, "models_total": int}),
    ("/health/storage", {"service": TEXT, "healthy": bool, "latency_ms": NUMBER, "bucket": TEXT}),
    ("/health/cache", {"service": TEXT, "healthy": bool, "latency_ms": NUMBER}),
    ("/library/models", {"models": list, "models_total": int}),
    ("/library/providers", {"providers": list, "providers_total": int}),
    (f"/estimate/{IMAGE}", {"cost_total_consumed": NUMBER, "credit_balance": NUMBER, "assets_count": int}),
    (f"/estimate/{VIDEO}?duration=5&audio=false", {"cost_per_second": NUMBER, "duration_seconds": NUMBER}),
    ("/content/list", {"generations": list}),
    ("/content/list?limit=5&offset=0", {"generations": list}),
]


@pytest.mark.parametrize(("path", "fields"), METHODS)
async def test_every_method_answers_with_its_types(library: Library, path: str, fields: dict[str, Any]) -> None:
    """Each reading method on a fresh gateway: the full envelope, and the declared fields with their types."""
    answer = await library.call("GET", path)
    assert answer["status"] == "success"
    assert isinstance(answer["request_id"], str)
    assert isinstance(answer["message"], str)
    for name, type_ in fields.items():
        assert isinstance(answer["data"][name], type_), name
        assert type_ is bool or not isinstance(answer["data"][name], bool), name


async def test_create_poll_and_download(library: Library) -> None:
    """A generation is created, polled to its end, and its output downloads."""
    generation = (await library.generate(IMAGE))["data"]["generation_id"]
    assert (await library.call("GET", f"/content/{generation}"))["data"]["generation_status"] == "pending"
    await library.house.succeed(generation)
    record = (await library.call("GET", f"/content/{generation}"))["data"]
    assert record["generation_status"] == "succeeded"
    link = "/v1" + record["generation_output_file"][0].partition("/v1")[2]
    assert (await library.house.ask("GET", link)).body.startswith(b"\x89PNG")


async def test_a_key_makes_two_calls_one(library: Library) -> None:
    """The second call is marked as a replay, has the same id, and one price is held."""
    first = await library.generate(IMAGE, key="k")
    second = await library.generate(IMAGE, key="k")
    assert "idempotency_replayed" not in first
    assert second["idempotency_replayed"] is True
    assert second["data"] == first["data"]
    assert (await library.call("GET", "/user/billing"))["data"]["billing_credit_balance"] == 9.96


async def test_another_body_under_the_same_key_fails_at_once(library: Library) -> None:
    """The mismatch is thrown without a repetition."""
    await library.generate(IMAGE, key="k")
    library.sent = 0
    with pytest.raises(ApiError) as failed:
        await library.generate(IMAGE, key="k", generation_seed=1)
    assert (failed.value.code, library.sent) == ("BSE2015", 1)


async def test_too_little_credit_is_one_request(poor_house: House) -> None:
    """A short balance is thrown after exactly one request."""
    library = Library(poor_house)
    with pytest.raises(ApiError) as failed:
        await library.generate(IMAGE)
    assert (failed.value.code, library.sent) == ("BSE1004", 1)


async def test_a_wait_that_is_asked_for_is_kept(library: Library) -> None:
    """Answers that ask for a later try carry the wait where the library looks, and it gives up after three."""
    for provider in ("byteplus", "replicate", "fal"):
        limited = Fault(FaultKind.RATE_LIMITED, Reach.REFUSED, "no", pause=9000)
        library.house.health.failed(Trial(provider, IMAGE, 0), limited, 0, 0)
    await library.generate(IMAGE)  # one a second goes through for all that
    library.sent = 0
    with pytest.raises(ApiError) as failed:
        await library.generate(IMAGE)
    assert (failed.value.attempts, library.sent) == (3, 3)
    assert library.waits == [9, 9]
    assert len(library.house.jobs.started) == 1


async def test_a_failed_generation_costs_nothing(library: Library) -> None:
    """When every provider failed the balance is what it was, and the record says who failed."""
    generation = (await library.generate(IMAGE))["data"]["generation_id"]
    await library.house.fail(generation)
    record = (await library.call("GET", f"/content/{generation}"))["data"]
    assert (record["generation_status"], record["generation_error_code"]) == ("failed", "BSE4006")
    assert (await library.call("GET", "/user/billing"))["data"]["billing_credit_balance"] == 10


async def test_a_video_is_canceled_under_way(library: Library) -> None:
    """The credits come back, and the poll reads the one word the library knows."""
    generation = (await library.generate(VIDEO, generation_duration=5))["data"]["generation_id"]
    await library.house.begin(generation)
    data = (await library.call("POST", f"/content/generation/cancel/{generation}"))["data"]
    assert (data["generation_status"], data["credits_refunded"]) == ("canceled", 0.282)
    assert (await library.call("GET", f"/content/{generation}"))["data"]["generation_status"] == "canceled"
    assert await library.house.state(generation) is State.CANCELED


async def test_delete_answers_with_a_body(library: Library) -> None:
    """A deletion is JSON; afterwards the generation is thrown as not found."""
    generation = (await library.generate(IMAGE))["data"]["generation_id"]
    await library.house.succeed(generation)
    assert (await library.call("DELETE", f"/content/{generation}"))["data"]["files_deleted"] == 1
    with pytest.raises(ApiError) as failed:
        await library.call("GET", f"/content/{generation}")
    assert failed.value.code == "BSE3001"


async def test_a_base_address_with_its_version(house: House) -> None:
    """A base address that ends in the version works like one without."""
    library = Library(house, prefix="/v1")
    generation = (await library.generate(IMAGE))["data"]["generation_id"]
    assert (await library.call("GET", f"/content/{generation}"))["data"]["account_id"] == ACCOUNT
