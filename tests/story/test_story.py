"""The request of the story, end to end: one shape in, each vendor's own words out, and the money right."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.story.house import House, house

SEEDREAM = "image/bytedance/seedream-4.5"
STORY = {
    "prompt": "a baby seal plays in the Arctic",
    "ratio": "16:9",
    "input_file": ["https://example.com/reference.jpg"],
    "provider_order": "byteplus, replicate, fal",
}
DOWN = {"call": "submit", "do": "status", "status": 503}


async def test_the_first_vendor_in_order_serves(tmp_path: Path) -> None:
    """The story's request is served by the first provider named, and its file downloads by the link given."""
    async with house(tmp_path) as at:
        status, _, said = await at.create(SEEDREAM, **STORY)
        assert (status, said["data"]["generation_provider_order"][:3]) == (200, ["byteplus", "replicate", "fal"])
        record = await at.end(said["data"]["generation_id"])
        assert (record["generation_status"], record["generation_provider_used"]) == ("succeeded", "byteplus")
        async with aiohttp.ClientSession() as anybody, anybody.get(record["generation_output_file"][0]) as file:
            assert (file.status, file.content_type) == (200, "image/jpeg")
            assert (await file.read())[:3] == b"\xff\xd8\xff"
        assert await at.balance() == pytest.approx(99.96)


async def test_with_the_first_vendor_down_the_second_answers(tmp_path: Path) -> None:
    """A 503 from the first costs nothing but the time to hear it."""
    async with house(tmp_path, [{"provider": "byteplus", **DOWN}]) as at:
        _, _, said = await at.create(SEEDREAM, **STORY)
        record = await at.end(said["data"]["generation_id"])
        assert record["generation_provider_used"] == "replicate"
        assert [attempt["provider"] for attempt in record["generation_attempts"]] == ["byteplus", "replicate"]
        assert [job.provider for job in at.sims.jobs()] == ["replicate"]


async def test_with_all_down_the_error_says_who_and_why_and_the_credits_are_back(tmp_path: Path) -> None:
    """Every provider's error is listed, `retryable` is true because it may pass, and nothing is paid."""
    async with house(tmp_path, [DOWN]) as at:
        _, _, said = await at.create(SEEDREAM, **STORY)
        record = await at.end(said["data"]["generation_id"])
        assert (record["generation_status"], record["generation_error_code"]) == ("failed", "BSE4006")
        error = record["error"]
        assert (error["type"], error["retryable"]) == ("all_providers_failed", True)
        assert [each["provider"] for each in error["provider_errors"]][:3] == ["byteplus", "replicate", "fal"]
        assert all(each["code"] == "BSE4003" for each in error["provider_errors"])
        assert await at.balance() == 100


async def test_who_waits_for_the_end_is_told_the_error_itself(tmp_path: Path) -> None:
    """With `Prefer: wait` the create answers with the error envelope when all providers failed meanwhile."""
    async with house(tmp_path, [DOWN]) as at:
        status, _, said = await at.create(SEEDREAM, headers={"Prefer": "wait=20"}, **STORY)
        assert (status, said["status"], said["error"]["code"]) == (502, "error", "BSE4006")
        assert len(said["error"]["provider_errors"]) >= 3
        assert await at.balance() == 100


async def test_refused_content_is_final_and_says_so(tmp_path: Path) -> None:
    """A refusal of the content is not retryable and asks nobody else."""
    async with house(tmp_path, [{"call": "submit", "do": "refuse_content"}]) as at:
        _, _, said = await at.create(SEEDREAM, **STORY)
        record = await at.end(said["data"]["generation_id"])
        assert (record["error"]["code"], record["error"]["retryable"]) == ("BSE4005", False)
        assert len(record["generation_attempts"]) == 1


async def test_providers_without_a_credential_are_left_out_visibly(tmp_path: Path) -> None:
    """A provider whose key is not set is named with its variable, and with none set nothing is held."""
    async with house(tmp_path, secrets={}) as at:
        status, _, said = await at.create(SEEDREAM, **STORY)
        assert (status, said["error"]["code"], said["error"]["retryable"]) == (503, "BSE4010", False)
        assert "ARK_API_KEY" in str(said["error"]["provider_errors"])
        assert await at.balance() == 100


async def test_an_empty_account_starts_nothing(tmp_path: Path) -> None:
    """Too little credit is a 402 before any provider hears of the request."""
    async with house(tmp_path, credits=0.01) as at:
        status, _, said = await at.create(SEEDREAM, **STORY)
        assert (status, said["error"]["code"]) == (402, "BSE1004")
        assert at.sims.log == []


async def test_the_same_key_gives_the_same_generation(tmp_path: Path) -> None:
    """A repeat with the same key is a replay, another body is a conflict, twins at once are one."""
    async with house(tmp_path) as at:
        key = {"Idempotency-Key": "wish-1"}
        answers = await asyncio.gather(*(at.create(SEEDREAM, headers=key, **STORY) for _ in range(10)))
        assert {said["data"]["generation_id"] for _, _, said in answers} == {answers[0][2]["data"]["generation_id"]}
        assert sum(headers.get("Idempotency-Replayed") == "true" for _, headers, _ in answers) == 9
        status, _, said = await at.create(SEEDREAM, headers=key, **{**STORY, "prompt": "a walrus"})
        assert (status, said["error"]["code"]) == (409, "BSE2015")
        await at.end(answers[0][2]["data"]["generation_id"])
        assert await at.balance() == pytest.approx(99.96)


async def test_cancelling_a_video_gives_the_credits_back(tmp_path: Path) -> None:
    """A running job is stopped at its provider, and the record says canceled."""
    async with house(tmp_path, video=30) as at:
        _, _, said = await at.create(
            "video/bytedance/seedance-1-pro", prompt="waves", duration=5, provider_order="replicate"
        )
        generation = said["data"]["generation_id"]
        await at.until(lambda: bool(at.sims.jobs("replicate")))
        _, _, said = await at.ask("POST", f"/v1/content/generation/cancel/{generation}")
        assert said["data"]["generation_status"] == "canceled"
        assert (said["data"]["provider_cancel_sent"], said["data"]["credits_refunded"] > 0) == (True, True)
        assert [job.state for job in at.sims.jobs("replicate")] == ["canceled"]
        assert await at.balance() == 100


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "BSE2001", "generation_prompt"),
        ({"prompt": "x", "ratio": "17:9"}, 400, "BSE2001", "generation_ratio"),
        ({"prompt": "x", "rato": "16:9"}, 400, "BSE2001", "generation_rato"),
        ({"prompt": 7}, 400, "BSE2001", "generation_prompt"),
        ({"prompt": "x", "output_number": "1"}, 400, "BSE2001", "generation_output_number"),
        ({"prompt": "x", "output_number": 99}, 422, "BSE2008", "generation_output_number"),
        ({"prompt": "x", "input_file": ["http://10.0.0.7/a.png"]}, 400, "BSE2001", "generation_input_file"),
        ({"prompt": "x", "input_file": ["http://169.254.169.254/a"]}, 400, "BSE2001", "generation_input_file"),
        ({"prompt": "x", "input_file": ["file:///etc/passwd"]}, 400, "BSE2001", "generation_input_file"),
        ({"prompt": "x", "provider_order": "acme"}, 400, "BSE2012", "generation_provider_order"),
        ({"prompt": "x", "duration": 5}, 400, "BSE2001", "generation_duration"),
    ],
)
async def test_bad_input_is_refused_by_name(at: House, body: dict, status: int, code: str, field: str) -> None:
    """What is wrong is named, nothing is held and nobody is asked."""
    got, _, said = await at.create(SEEDREAM, **body)
    assert (got, said["error"]["code"], said["error"]["details"]["field"]) == (status, code, field)
    assert said["error"]["retryable"] is False
    assert await at.balance() == 100


async def test_other_bad_requests_have_their_own_errors(at: House) -> None:
    """An unknown model, a huge body, a broken body and an unknown path each give the documented error."""
    status, _, said = await at.create("image/bytedance/seedream-4.6", prompt="x")
    assert (status, said["error"]["code"]) == (404, "BSE2011")
    assert "bytedance/seedream-4.5" in said["error"]["message"]
    status, _, said = await at.create(SEEDREAM, prompt="x" * 200_000)
    assert (status, said["error"]["code"]) == (413, "BSE2010")
    headers = {"Content-Type": "application/json"}
    status, _, said = await at.ask("POST", f"/v1/generate/{SEEDREAM}", data=b'{"generation_prompt": ', headers=headers)
    assert (status, said["error"]["code"]) == (400, "BSE2001")
    status, _, said = await at.ask("GET", "/v1/nothing")
    assert (status, said["error"]["code"]) == (404, "BSE3003")


@pytest.fixture
async def at(tmp_path: Path):
    """A gateway at rest."""
    async with house(tmp_path) as served:
        yield served
