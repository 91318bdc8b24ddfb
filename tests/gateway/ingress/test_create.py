"""POST /v1/generate."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.attempts.job import from_record
from gateway.generation import State
from gateway.ledger import generations
from tests.gateway.ingress.house import ACCOUNT, IMAGE, VIDEO, House

PATH = f"/v1/generate/image/{IMAGE}"
BODY = {"generation_prompt": "a seal", "generation_ratio": "16:9"}


async def test_create_answers_at_once_and_the_record_is_there(house: House) -> None:
    """The answer has the native shape, and the generation can be read at once."""
    answer = await house.ask("POST", PATH, BODY)
    generation = answer.data["generation_id"]
    assert answer.data == {
        "model_identifier": IMAGE,
        "generation_provider_order": ["byteplus", "replicate", "fal"],
        "generation_prediction_id": generation,
        "generation_id": generation,
        "generation_initialized": True,
    }
    assert [job.id for job in house.jobs.started] == [generation]
    assert (await house.ask("GET", f"/v1/content/{generation}")).data["generation_status"] == "pending"


async def test_the_request_of_the_story(house: House) -> None:
    """Native words become ours, and the order asked for is the order of the plan."""
    body = {
        **BODY,
        "generation_input_file": ["https://example.com/reference.jpg"],
        "generation_output_format": "jpeg",
        "generation_output_number": 1,
        "generation_provider_order": "replicate, byteplus, fal",
    }
    answer = await house.ask("POST", PATH, body)
    [job] = house.jobs.started
    assert answer.data["generation_provider_order"] == ["replicate", "byteplus", "fal"]
    assert job.fields == {
        "prompt": "a seal",
        "ratio": "16:9",
        "images": ("https://example.com/reference.jpg",),
        "format": "jpg",
        "count": 1,
    }


async def test_what_is_begun_is_what_a_restart_takes_up(house: House) -> None:
    """The job made at acceptance, without a look at the store, is the one that is made of its row."""
    body = {**BODY, "generation_input_file": ["https://example.com/reference.jpg"]}
    generation = await house.create(PATH, body, headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    record = await house.store.read(generations.find_any(generation, attempts=True))
    assert record is not None
    assert house.jobs.started == [from_record(record)]


async def test_an_alias_is_the_model(house: House) -> None:
    """A model may be asked for by its alias; the answer has its own id."""
    answer = await house.ask("POST", "/v1/generate/image/black-forest-labs/flux-schnell", {"generation_prompt": "x"})
    assert answer.data["model_identifier"] == "bfl/flux-schnell"


async def test_the_same_key_gets_the_same_answer(house: House) -> None:
    """A repeated request is answered as before, and nothing is held twice."""
    headers = {"Idempotency-Key": "order-1"}
    first = await house.ask("POST", PATH, BODY, headers=headers)
    second = await house.ask("POST", PATH, dict(reversed(BODY.items())), headers=headers)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.data == first.data
    assert len(house.jobs.started) == 1
    assert (await house.act("accounts.list"))["accounts"][0]["held"] == 0.04


async def test_twins_at_the_same_moment_become_one(house: House) -> None:
    """Ten requests with one key are one generation and nine replays."""
    answers = await asyncio.gather(
        *(house.ask("POST", PATH, BODY, headers={"Idempotency-Key": "twins"}) for _ in range(10))
    )
    assert len({answer.data["generation_id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 9


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PATH, {**BODY, "generation_prompt": "another seal"}),
        (PATH, {**BODY, "generation_provider_order": "fal"}),
        ("/v1/generate/image/bfl/flux-schnell", BODY),
    ],
)
async def test_the_same_key_for_another_request_is_refused(house: House, path: str, body: Any) -> None:
    """A key belongs to one request, to its model and to every one of its fields."""
    headers = {"Idempotency-Key": "order-1"}
    await house.create(PATH, BODY, headers=headers)
    answer = await house.ask("POST", path, body, headers=headers)
    assert (answer.status, answer.error["code"], answer.error["retryable"]) == (409, "BSE2015", False)


async def test_the_replay_of_what_was_canceled_says_so(house: House) -> None:
    """The answer to a canceled generation is the short shape, which clients know by its status."""
    headers = {"Idempotency-Key": "order-1"}
    generation = await house.create(PATH, BODY, headers=headers)
    await house.ask("POST", f"/v1/content/generation/cancel/{generation}")
    answer = await house.ask("POST", PATH, BODY, headers=headers)
    assert answer.data == {"generation_id": generation, "generation_status": "canceled"}
    assert answer.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ключ", "a/b"])
async def test_a_malformed_idempotency_key_is_refused(house: House, key: str) -> None:
    """A key is 1 to 255 plain characters."""
    answer = await house.ask("POST", PATH, BODY, headers={"Idempotency-Key": key})
    assert (answer.status, answer.error["code"]) == (400, "BSE2014")
    assert house.jobs.started == []


async def test_too_little_credit_starts_nothing(poor_house: House) -> None:
    """Without credits nothing begins, and the answer has the code that clients look for."""
    answer = await poor_house.ask("POST", PATH, BODY)
    assert (answer.status, answer.error["code"], answer.error["retryable"]) == (402, "BSE1004", False)
    assert "0.04" in answer.error["message"]
    assert poor_house.jobs.started == []


async def test_a_refused_request_leaves_its_key_free(poor_house: House) -> None:
    """What was refused may be sent again, corrected, under the same key."""
    headers = {"Idempotency-Key": "order-1"}
    await poor_house.ask("POST", PATH, BODY, headers=headers)
    await poor_house.act("credits.add", account=ACCOUNT, amount="1")
    assert "Idempotency-Replayed" not in (await poor_house.ask("POST", PATH, BODY, headers=headers)).headers


WRONG = [
    ({"generation_prompt": "x", "generation_colour": "red"}, 400, "BSE2001", "generation_colour"),
    ({"prompt": "x", "generation_prompt": "x"}, 400, "BSE2001", "prompt"),
    ({"generation_prompt": "x", "generation_images": []}, 400, "BSE2001", "generation_images"),
    ({"generation_prompt": "x", "generation_ratio": "17:3"}, 400, "BSE2001", "generation_ratio"),
    ({"generation_prompt": 5}, 400, "BSE2001", "generation_prompt"),
    ({"generation_prompt": None}, 400, "BSE2001", "generation_prompt"),
    ({"generation_ratio": "16:9"}, 400, "BSE2001", "generation_prompt"),
    ({"generation_prompt": ""}, 400, "BSE2001", "generation_prompt"),
    ({"generation_prompt": "a\x00b"}, 400, "BSE2001", "generation_prompt"),
    ({"generation_prompt": "x" * 5001}, 400, "BSE2001", "generation_prompt"),
    ({"generation_prompt": "x", "generation_output_number": "1"}, 400, "BSE2001", "generation_output_number"),
    ({"generation_prompt": "x", "generation_output_number": True}, 400, "BSE2001", "generation_output_number"),
    ({"generation_prompt": "x", "generation_output_number": 99}, 422, "BSE2008", "generation_output_number"),
    ({"generation_prompt": "x", "generation_input_file": "https://a.b/c.png"}, 400, "BSE2001", "generation_input_file"),
    (
        {"generation_prompt": "x", "generation_input_file": ["file:///etc/passwd"]},
        400,
        "BSE2001",
        "generation_input_file",
    ),
    (
        {"generation_prompt": "x", "generation_input_file": ["http://127.0.0.1/"]},
        400,
        "BSE2001",
        "generation_input_file",
    ),
    ({"generation_prompt": "x", "generation_provider_order": "nobody"}, 400, "BSE2012", "generation_provider_order"),
    ({"generation_prompt": "x", "generation_provider_order": "fal, fal"}, 400, "BSE2012", "generation_provider_order"),
    ({"generation_prompt": "x", "generation_provider_order": ["fal"]}, 400, "BSE2001", "generation_provider_order"),
    (
        {"generation_prompt": "x", "generation_provider_order": "fal," * 999},
        400,
        "BSE2012",
        "generation_provider_order",
    ),
]


@pytest.mark.parametrize(("body", "status", "code", "field"), WRONG)
async def test_a_wrong_field_is_named(house: House, body: Any, status: int, code: str, field: str) -> None:
    """Every wrong field is refused by its name before anything begins."""
    answer = await house.ask("POST", PATH, body)
    assert (answer.status, answer.error["code"], answer.error["details"]["field"]) == (status, code, field)
    assert not answer.error["retryable"]
    assert house.jobs.started == []


async def test_all_that_is_wrong_is_told_together(house: House) -> None:
    """Three mistakes make one answer with three problems."""
    answer = await house.ask("POST", PATH, {"generation_ratio": "1", "generation_seed": "x", "generation_x": 1})
    fields = [problem["field"] for problem in answer.error["details"]["problems"]]
    assert sorted(fields) == ["generation_prompt", "generation_ratio", "generation_seed", "generation_x"]


async def test_a_great_many_fields_are_refused_quickly(house: House) -> None:
    """A body full of unknown names is refused as a whole."""
    answer = await house.ask("POST", PATH, {f"generation_{n}": 1 for n in range(3000)})
    assert "at most 100 fields" in answer.error["message"]


async def test_a_video_without_a_duration_arrives_on_the_path_of_images(house: House) -> None:
    """Clients choose the path by the duration, so the missing one is named."""
    answer = await house.ask("POST", f"/v1/generate/image/{VIDEO}", {"generation_prompt": "x"})
    assert (answer.status, answer.error["details"]["field"]) == (400, "generation_duration")
    answer = await house.ask("POST", f"/v1/generate/video/{VIDEO}", {"generation_prompt": "x"})
    assert (answer.status, answer.error["details"]["field"]) == (400, "generation_duration")


async def test_an_image_with_a_duration_arrives_on_the_path_of_videos(house: House) -> None:
    """The field that led astray is named."""
    answer = await house.ask(
        "POST", f"/v1/generate/video/{IMAGE}", {"generation_prompt": "x", "generation_duration": 5}
    )
    assert (answer.status, answer.error["details"]["field"]) == (400, "generation_duration")


@pytest.mark.parametrize(
    "model", ["lab/none", "none", "lab/%2e%2e/x", "bytedance%2Fseedream-4.5", "a/b c", "a/" + "x" * 300, "-/-", "a//b"]
)
async def test_an_unknown_model_is_not_there(house: House, model: str) -> None:
    """Whatever names no model is answered with 404, however it is spelled."""
    answer = await house.ask("POST", f"/v1/generate/image/{model}", {"generation_prompt": "x"})
    assert (answer.status, answer.error["code"]) == (404, "BSE2011")


async def test_a_client_may_wait_for_the_end(house: House) -> None:
    """With Prefer: wait the answer comes when the generation has ended, in the usual shape."""
    house.jobs.while_waiting = lambda generation, _seconds: house.succeed(generation)
    answer = await house.ask("POST", PATH, BODY, headers={"Prefer": "wait=5"})
    assert answer.data["generation_initialized"] is True
    assert answer.headers["Preference-Applied"] == "wait=5"
    assert await house.state(answer.data["generation_id"]) is State.SUCCEEDED


async def test_who_waits_learns_of_the_failure(house: House) -> None:
    """A generation that failed meanwhile is answered as its error, with who failed and which it was."""
    house.jobs.while_waiting = lambda generation, _seconds: house.fail(generation)
    answer = await house.ask("POST", PATH, BODY, headers={"Prefer": "respond-async, wait=999"})
    assert (answer.status, answer.error["code"], answer.error["retryable"]) == (502, "BSE4006", False)
    assert answer.error["provider_errors"][0]["code"] == "BSE4002"
    assert answer.headers["Preference-Applied"] == "wait=60"
    assert answer.error["details"]["generation_id"] == house.jobs.started[0].id


async def test_who_waits_learns_of_the_cancel(house: House) -> None:
    """A generation that was canceled meanwhile has the short shape."""

    async def cancel(generation: str, _seconds: float) -> None:
        await house.store.write(generations.cancel(ACCOUNT, generation, house.clock.now_ms()))

    house.jobs.while_waiting = cancel
    answer = await house.ask("POST", PATH, BODY, headers={"Prefer": "wait=1"})
    assert answer.data["generation_status"] == "canceled"


async def test_a_caller_who_hangs_up_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a request is being written down its work begins, whether or not the caller stays."""
    _, writer = await asyncio.open_connection(house.client.host, house.client.port)
    write = house.store.write

    async def meanwhile(program: Any) -> Any:
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.02)
        return await write(program)

    monkeypatch.setattr(house.store, "write", meanwhile)
    body = b'{"generation_prompt": "x"}'
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.key}\r\nContent-Type: application/json\r\n"
    writer.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    for _ in range(100):
        await asyncio.sleep(0.01)
        if house.jobs.started:
            break
    assert len(house.jobs.started) == 1
