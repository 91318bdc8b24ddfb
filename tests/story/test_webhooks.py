"""Callers are told: signed, at least once, by the schedule, and never at the cost of others."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import WebhookVerificationError

from gateway import app
from gateway.generation import Kind
from gateway.ledger import accounts, attempts, generations
from gateway.ledger.credits import add
from gateway.ledger.database import Database
from tests.gateway.webhooks.receiver import Receiver, hang, receiving, until
from tests.gateway.webhooks.test_sign import VERIFIERS, by_standard
from tests.story.house import House, house

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_T3RoZXJzZWNyZXRvdGhlcnNlY3JldG90aGVy"
SEEDREAM = "image/bytedance/seedream-4.5"
ORDER = {"provider_order": "byteplus"}
QUICK = "delivery: {schedule: [0s, 100ms, 200ms, 400ms, 1s], timeout: 500ms, disable_after: 3}\n"


def told(receiver: Receiver, path: str = "/hooks") -> list[tuple[str, Any]]:
    """What came to a path: event and data."""
    bodies = [json.loads(each.body) for each in receiver.of(path)]
    return [(body["webhook_event"], body["webhook_data"]) for body in bodies]


@asynccontextmanager
async def listening(
    folder: Path, *chaos: Mapping[str, Any], more: str = QUICK, **options: Any
) -> AsyncIterator[tuple[House, Receiver]]:
    """A gateway whose policy has one endpoint, at `/hooks`, for every event."""
    async with receiving() as receiver:
        events = "generation.started, generation.completed, generation.failed, generation.canceled, credits.low_balance"
        hook = f"webhooks: [{{url: '{receiver.origin}/hooks', secret: {SECRET}, events: [{events}]}}]\n"
        async with house(folder, chaos, config=hook + more, **options) as at:
            yield at, receiver


async def endpoint(at: House, url: str, **fields: Any) -> dict[str, Any]:
    """Make an endpoint of the account by the API."""
    status, _, said = await at.ask("POST", "/v1/webhooks", json={"webhook_url": url, **fields})
    assert status == 200, said
    return said["data"]


async def log(at: House, name: str) -> list[dict[str, Any]]:
    """The deliveries to an endpoint, newest first."""
    _, _, said = await at.ask("GET", f"/v1/webhooks/{name}/deliveries")
    return said["data"]["deliveries"]


async def test_start_and_success_are_told_and_the_link_opens(tmp_path: Path) -> None:
    """A receiver hears of the start and of the success, verifies both, and opens the link it is given."""
    async with listening(tmp_path) as (at, receiver):
        _, _, said = await at.create(SEEDREAM, prompt="a seal", **ORDER)
        await at.end(said["data"]["generation_id"])
        await until(lambda: len(receiver.got) == 2)
        (_, started), (_, completed) = sorted(told(receiver), reverse=True)
        assert (started["generation_status"], started["generation_provider_initialize"]) == ("processing", "byteplus")
        assert (completed["generation_status"], completed["generation_provider_used"]) == ("succeeded", "byteplus")
        async with aiohttp.ClientSession() as anybody, anybody.get(completed["generation_output_file"][0]) as file:
            assert (file.status, file.content_type) == (200, "image/jpeg")
        for got in receiver.got:
            for verify in VERIFIERS:
                verify(SECRET, got.body, got.headers)
            assert got.headers["X-BabySea-Delivery-Id"] == json.loads(got.body)["webhook_delivery_id"]


async def test_cancellation_and_low_balance_are_told(tmp_path: Path) -> None:
    """A request that takes the balance below half a credit is told, and so is its cancellation with what came back."""
    async with listening(tmp_path, credits=0.51, image=5) as (at, receiver):
        _, _, said = await at.create(SEEDREAM, prompt="a seal", **ORDER)
        await until(lambda: "credits.low_balance" in dict(told(receiver)))
        low = dict(told(receiver))["credits.low_balance"]
        assert low["current_balance"] < 0.5
        assert low["thresholds_crossed"] == [{"threshold": 0.5, "balance_at": low["current_balance"]}]
        await at.ask("POST", f"/v1/content/generation/cancel/{said['data']['generation_id']}")
        await until(lambda: "generation.canceled" in dict(told(receiver)))
        canceled = dict(told(receiver))["generation.canceled"]
        assert canceled["credits_refunded"] == pytest.approx(0.51 - low["current_balance"])


async def test_a_failure_is_told_with_its_code(tmp_path: Path) -> None:
    """When nobody serves, the event has the error of the record."""
    async with listening(tmp_path, {"call": "submit", "do": "refuse_content"}) as (at, receiver):
        _, _, said = await at.create(SEEDREAM, prompt="a seal", **ORDER)
        record = await at.end(said["data"]["generation_id"])
        await until(lambda: "generation.failed" in dict(told(receiver)))
        failed = dict(told(receiver))["generation.failed"]
        assert failed["generation_error_code"] == record["generation_error_code"] == "BSE4005"
        assert failed["generation_error"] == record["generation_error"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(500, "status_500"), (302, "status_302"), (hang, "timeout"), (404, "status_404")],
)
async def test_a_receiver_that_fails_is_tried_again_until_it_is_well(tmp_path: Path, answer: Any, error: str) -> None:
    """Errors, redirects and silence are tried again with the same id; in the end the event arrives."""
    async with listening(tmp_path) as (at, receiver):
        made = await endpoint(at, f"{receiver.origin}/bad")
        receiver.does["/bad"] = answer
        await at.ask("POST", f"/v1/webhooks/{made['webhook_id']}/test")
        await until(lambda: len(receiver.of("/bad")) >= 2)
        assert (await log(at, made["webhook_id"]))[0]["delivery_error"] == error
        receiver.does.clear()
        for _ in range(300):
            if (row := (await log(at, made["webhook_id"]))[0])["delivery_status"] == "delivered":
                break
            await asyncio.sleep(0.02)
        assert row["delivery_status"] == "delivered"
        assert len({got.headers["webhook-id"] for got in receiver.of("/bad")}) == 1
        by_standard(made["webhook_secret"], receiver.got[-1].body, receiver.got[-1].headers)


async def test_gone_disables_and_enabling_drains(tmp_path: Path) -> None:
    """410 disables; what happens meanwhile is queued, and sent in order once the owner enables the endpoint."""
    async with listening(tmp_path) as (at, receiver):
        made = await endpoint(at, f"{receiver.origin}/gone", webhook_events=["generation.canceled"])
        path = f"/v1/webhooks/{made['webhook_id']}"
        receiver.does["/gone"] = 410
        await at.ask("POST", f"{path}/test")
        for _ in range(100):
            _, _, said = await at.ask("GET", path)
            if said["data"]["webhook_status"] == "disabled":
                break
            await asyncio.sleep(0.02)
        assert said["data"]["webhook_disabled_by"] == "gone"
        wanted = []
        for _ in range(3):
            _, _, said = await at.create(SEEDREAM, prompt="a seal", **ORDER)
            wanted.append(said["data"]["generation_id"])
            await at.ask("POST", f"/v1/content/generation/cancel/{wanted[-1]}")
        assert len(receiver.of("/gone")) == 1
        receiver.does.clear()
        await at.ask("PATCH", path, json={"webhook_enabled": True})
        await until(lambda: len(receiver.of("/gone")) == 4)
        assert [data["generation_id"] for _, data in told(receiver, "/gone")[1:]] == wanted


async def test_patience_asked_for_is_kept(tmp_path: Path) -> None:
    """After 429 nothing is sent for a minute at least."""
    async with listening(tmp_path) as (at, receiver):
        made = await endpoint(at, f"{receiver.origin}/busy")
        receiver.does["/busy"] = web.Response(status=429, headers={"Retry-After": "90"})
        await at.ask("POST", f"/v1/webhooks/{made['webhook_id']}/test")
        await until(lambda: len(receiver.of("/busy")) == 1)
        await asyncio.sleep(0.3)
        [row] = await log(at, made["webhook_id"])
        assert (row["delivery_attempts"], row["delivery_error"]) == (1, "status_429")
        assert row["delivery_next_attempt_at"] >= row["delivery_attempted_at"][:14]


async def test_a_private_address_is_no_endpoint(tmp_path: Path) -> None:
    """Addresses outside what the operator opened are refused when they are written down."""
    async with listening(tmp_path) as (at, _):
        for url in ("https://10.0.0.1/", "https://169.254.169.254/", "http://8.8.8.8/"):
            status, _, said = await at.ask("POST", "/v1/webhooks", json={"webhook_url": url})
            assert (status, said["error"]["code"]) == (400, "BSE2001"), url


async def test_a_receiver_that_hangs_delays_nobody(tmp_path: Path) -> None:
    """While one endpoint hangs, another has its events at once."""
    async with listening(tmp_path, more="delivery: {timeout: 3s}\n") as (at, receiver):
        receiver.does["/hang"] = hang
        await endpoint(at, f"{receiver.origin}/hang")
        for _ in range(5):
            _, _, said = await at.create(SEEDREAM, prompt="a seal", **ORDER)
            await at.ask("POST", f"/v1/content/generation/cancel/{said['data']['generation_id']}")
        began = asyncio.get_running_loop().time()
        await until(lambda: [event for event, _ in told(receiver)].count("generation.canceled") == 5)
        assert asyncio.get_running_loop().time() - began < 2
        receiver.does.clear()


async def test_a_rotation_in_the_middle_breaks_no_receiver(tmp_path: Path) -> None:
    """Between two attempts the secret is rotated: old and new both verify the second."""
    async with listening(tmp_path) as (at, receiver):
        made = await endpoint(at, f"{receiver.origin}/turn")
        receiver.does["/turn"] = 500
        await at.ask("POST", f"/v1/webhooks/{made['webhook_id']}/test")
        await until(lambda: len(receiver.of("/turn")) == 1)
        _, _, said = await at.ask("POST", f"/v1/webhooks/{made['webhook_id']}/rotate")
        receiver.does.clear()
        await until(lambda: len(receiver.of("/turn")) >= 2)
        got = receiver.of("/turn")[-1]
        for secret in (made["webhook_secret"], said["data"]["webhook_secret"]):
            by_standard(secret, got.body, got.headers)


async def test_a_secret_replaced_while_nothing_ran_signs_for_a_day(tmp_path: Path) -> None:
    """The policy is given another secret between two runs: what is sent after the restart verifies with either."""
    async with receiving() as receiver:
        for secret in (SECRET, OTHER):
            hook = f"webhooks: [{{url: '{receiver.origin}/hooks', secret: {secret}}}]\n"
            async with house(tmp_path, config=hook, credits=100 if secret == SECRET else 0) as at:
                before = len(receiver.got)
                _, _, said = await at.create(SEEDREAM, prompt="a seal", **ORDER)
                await at.end(said["data"]["generation_id"])
                await until(lambda before=before: len(receiver.got) == before + 2)
        for got in receiver.got[:2]:
            by_standard(SECRET, got.body, got.headers)
            with pytest.raises(WebhookVerificationError):
                by_standard(OTHER, got.body, got.headers)
        for got in receiver.got[2:]:
            for secret in (SECRET, OTHER):
                by_standard(secret, got.body, got.headers)
        assert SECRET.encode() not in (tmp_path / "story.db").read_bytes()


async def test_metrics_tell_of_deliveries(tmp_path: Path) -> None:
    """Attempts by outcome, and what waits, are counted."""
    async with listening(tmp_path) as (at, receiver):
        made = await endpoint(at, f"{receiver.origin}/x")
        await at.ask("POST", f"/v1/webhooks/{made['webhook_id']}/test")
        await until(lambda: len(receiver.got) == 1)
        async with at.client.get(f"{at.running.origin}/metrics") as answer:
            text = await answer.text()
        assert 'tidegate_webhook_deliveries_total{outcome="delivered"}' in text
        assert "tidegate_webhook_backlog" in text


async def test_killed_after_the_send_the_next_process_sends_the_same_id(tmp_path: Path) -> None:
    """SIGKILL while a receiver has the event and has not answered: after the restart it comes again under its id."""
    async with receiving() as receiver:
        receiver.does["/hooks"] = hang
        (tmp_path / "config.yaml").write_text(
            "listen: 127.0.0.1:0\nstore: sqlite:story.db\nauth: none\negress: {allow: [127.0.0.0/8]}\n"
            f"webhooks: [{{url: '{receiver.origin}/hooks', secret: {SECRET}}}]\nlog: {{level: warning}}\n"
        )
        await _serve_until(tmp_path, lambda: False, boot=True)
        await _fail_one(tmp_path)
        await _serve_until(tmp_path, lambda: len(receiver.got) == 1, kill=True)
        receiver.does.clear()
        await _serve_until(tmp_path, lambda: len(receiver.got) == 2)
        first, second = receiver.got
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert json.loads(first.body)["webhook_event"] == "generation.failed"


async def _fail_one(folder: Path) -> None:
    """Let a generation fail in the store of a gateway that is not running."""
    store = await Database.open(folder / "story.db", now=lambda: 1)
    await store.write(accounts.ensure(app.LOCAL, app.LOCAL, 1))
    await store.write(add(app.LOCAL, 10**6, "opening", "", 1))
    now = 1_764_000_000_000
    new = generations.NewGeneration("gen-1", app.LOCAL, Kind.IMAGE, "lab/m", {}, {}, (), 1, now, now + 1000)
    await store.write(generations.accept(new))
    attempt = await store.write(attempts.open_attempt("gen-1", 1, provider="x", native="x", form=0, price=1, at=now))
    assert attempt is not None
    error = {"name": "all_providers_failed", "message": "nobody could", "retryable": True, "errors": []}
    assert await store.write(generations.fail("gen-1", error, now))
    await store.close()


async def _serve_until(folder: Path, holds: Any, *, kill: bool = False, boot: bool = False) -> None:
    """Run the gateway as a process of its own until something holds, then stop or kill it."""
    environ = {**os.environ, "HOME": str(folder)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "serve", "-c", str(folder / "config.yaml"),
        env=environ, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until((folder / "story.db.sock").exists if boot else holds, 30)
    finally:
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        await process.wait()
