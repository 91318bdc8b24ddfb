"""Those who are named with a prediction are told of it, as the vendor whose client asked would tell them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret

from tests.clients.predicting import SEEDREAM, asking, count
from tests.gateway.webhooks.receiver import receiving, until
from tests.story.house import house

QUICK = "delivery: {schedule: [0s, 100ms, 200ms, 400ms], timeout: 500ms, disable_after: 2}\n"


async def test_who_is_named_is_told_and_can_check_it(tmp_path: Path) -> None:
    """At its beginning and its end, signed with the account's secret as that vendor signs, by the vendor's own check."""
    async with receiving() as receiver, asking(tmp_path, config=QUICK) as (_, made):
        secret = await made.webhooks.default.async_secret()
        begun = await made.models.predictions.async_create(
            SEEDREAM,
            {"prompt": "a seal"},
            webhook=f"{receiver.origin}/done?job=1",
            webhook_events_filter=["start", "completed"],
        )
        await until(lambda: len(receiver.of("/done")) == 2)
        bodies = [json.loads(each.body) for each in receiver.of("/done")]
        assert {each["status"] for each in bodies} == {"processing", "succeeded"}
        assert {each["id"] for each in bodies} == {begun.id}
        done = next(each for each in bodies if each["status"] == "succeeded")
        assert done["output"][0].startswith("http")
        for each in receiver.of("/done"):
            Webhooks.validate(headers=dict(each.headers), body=each.body.decode(), secret=secret, tolerance=60)
            other = WebhookSigningSecret(key="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            with pytest.raises(InvalidSignatureError):
                Webhooks.validate(headers=dict(each.headers), body=each.body.decode(), secret=other)


async def test_who_was_not_there_is_told_later(tmp_path: Path) -> None:
    """A receiver that fails is told again under the same id, one that always fails costs nobody else, and nothing is disabled."""
    async with receiving() as receiver, asking(tmp_path, config=QUICK) as (at, made):
        receiver.does = {"/flaky": _failing(2), "/broken": 500}
        for path in ("/broken", "/broken", "/flaky"):
            await made.models.predictions.async_create(SEEDREAM, {"prompt": path}, webhook=receiver.origin + path)
        await until(lambda: len(receiver.of("/flaky")) == 3 and len(receiver.of("/broken")) == 8)
        assert len({each.headers["webhook-id"] for each in receiver.of("/flaky")}) == 1
        await until(lambda: count(at, "delivery", "ended IS NOT NULL") == 3)
        assert count(at, "endpoint", "state = 'disabled'") == 0
        _, _, listed = await at.ask("GET", "/v1/webhooks")
        assert listed["data"]["webhooks"] == []


async def test_who_is_named_is_told_after_a_restart(tmp_path: Path) -> None:
    """What is owed lies in the store: another process tells it, with the same signature."""
    slow = "delivery: {schedule: [0s, 500ms, 500ms], timeout: 500ms}\n"
    async with receiving() as receiver:
        receiver.does = {"/done": 503}
        async with asking(tmp_path, config=slow) as (_, made):
            await made.models.predictions.async_create(
                SEEDREAM, {"prompt": "a seal"}, webhook=f"{receiver.origin}/done"
            )
            secret = await made.webhooks.default.async_secret()
            await until(lambda: len(receiver.of("/done")) == 1)
        receiver.does = {}
        async with house(tmp_path, config=slow, credits=0):
            await until(lambda: len(receiver.of("/done")) >= 2)
        last = receiver.of("/done")[-1]
        assert last.headers["webhook-id"] == receiver.of("/done")[0].headers["webhook-id"]
        Webhooks.validate(headers=dict(last.headers), body=last.body.decode(), secret=secret, tolerance=60)


def _failing(times: int) -> Callable[[web.Request], Awaitable[int]]:
    """Answer badly so many times, then well."""
    left = [500] * times

    async def answer(_request: web.Request) -> int:
        return left.pop() if left else 200

    return answer
