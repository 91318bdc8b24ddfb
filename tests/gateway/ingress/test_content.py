"""Read, list, cancel and delete."""

from __future__ import annotations

from typing import Any

from gateway.generation import State
from gateway.ledger import generations
from tests.gateway.ingress.house import ACCOUNT, IMAGE, VIDEO, House

# The fields the native API promises of every record, in its order.
PROMISED = [
    "account_id",
    "generation_id",
    "model_identifier",
    "generation_provider_order",
    "generation_provider_used",
    "generation_prediction_id",
    "generation_status",
    "generation_prompt",
    "generation_ratio",
    "generation_output_format",
    "generation_output_number",
    "generation_input_file",
    "generation_output_file",
    "generation_created_at",
    "generation_started_at",
    "generation_completed_at",
    "generation_metrics_total_time",
    "generation_metrics_predict_time",
]


async def read(house: House, generation: str) -> dict[str, Any]:
    """The record of a generation."""
    return dict((await house.ask("GET", f"/v1/content/{generation}")).data)


async def test_a_fresh_record(house: House) -> None:
    """A generation just accepted is pending, with everything promised and null where nothing is known yet."""
    record = await read(house, await house.create(body={"generation_prompt": "a seal", "generation_seed": 7}))
    assert [name for name in record if name in PROMISED] == PROMISED
    assert record["account_id"] == ACCOUNT
    assert record["generation_status"] == "pending"
    assert record["generation_output_number"] == 1
    assert record["generation_seed"] == 7
    assert record["generation_cost"] is None
    assert record["generation_attempts"] == []
    assert record["generation_ratio"] == "1:1"
    assert (record["generation_provider_used"], record["generation_output_file"]) == (None, None)
    assert not {"generation_error", "generation_removed", "error"} & set(record)


async def test_a_success_has_its_files_cost_and_times(house: House) -> None:
    """A generation that succeeded links its outputs, and says who made it, how long it took and what it cost."""
    generation = await house.create()
    await house.succeed(generation)
    record = await read(house, generation)
    assert record["generation_status"] == "succeeded"
    assert record["generation_provider_used"] == "byteplus"
    assert record["generation_prediction_id"] == f"ref-{generation}"
    assert record["generation_cost"] == 0.04
    assert record["generation_metrics_total_time"] == 2
    assert record["generation_metrics_predict_time"] == 2
    [link] = record["generation_output_file"]
    assert link.startswith(f"http://127.0.0.1:{house.client.port}/v1/outputs/{generation}/0.png?expires=")
    [attempt] = record["generation_attempts"]
    assert attempt == {
        "provider": "byteplus",
        "state": "done",
        "started_at": "2025-11-24T16:00:00.000Z",
        "ended_at": "2025-11-24T16:00:02.000Z",
        "billing": "certain",
        "price": 0.04,
        "pause_seconds": None,
        "cost": None,
    }


async def test_a_failure_says_why(house: House) -> None:
    """A generation that failed holds the same error that a waiting caller would have got, and who failed."""
    generation = await house.create()
    await house.fail(generation)
    record = await read(house, generation)
    assert record["generation_status"] == "failed"
    assert record["generation_error_code"] == record["error"]["code"] == "BSE4006"
    assert record["generation_error"] == record["error"]["message"] == "every provider failed"
    assert record["error"]["retryable"] is False
    assert record["error"]["provider_errors"] == [
        {
            "provider": "byteplus",
            "code": "BSE4002",
            "type": "provider_timeout",
            "message": "it took too long",
            "retryable": True,
        }
    ]
    [attempt] = record["generation_attempts"]
    assert (attempt["state"], attempt["billing"], attempt["error"]["code"]) == ("error", "possible", "BSE4002")
    assert record["generation_output_file"] is None


async def test_an_end_nobody_knows_is_our_defect(house: House) -> None:
    """A failure without a word in the table is an internal error, never an exception."""
    generation = await house.create()
    await house.fail(generation, name="internal_error")
    assert (await read(house, generation))["generation_error_code"] == "BSE5001"


async def test_work_under_way_is_processing(house: House) -> None:
    """Between acceptance and end the record says processing, with its attempt still open."""
    generation = await house.create()
    await house.begin(generation)
    record = await read(house, generation)
    assert record["generation_status"] == "processing"
    [attempt] = record["generation_attempts"]
    assert (attempt["state"], attempt["ended_at"]) == ("submitted", None)
    assert "error" not in attempt


async def test_what_has_come_no_further_is_not_sent_again(house: House) -> None:
    """Who waits and has the last step already gets no body; the next step is another, and what is over has none."""
    generation = await house.create()
    path = f"/v1/content/{generation}"
    tag = (await house.ask("GET", path)).headers["ETag"]
    same = await house.ask("GET", path, headers={"If-None-Match": tag})
    assert (same.status, same.body, same.headers["ETag"]) == (304, b"", tag)
    await house.begin(generation)
    further = await house.ask("GET", path, headers={"If-None-Match": tag})
    assert further.status == 200
    assert further.headers["ETag"] != tag
    over = await house.create()
    await house.succeed(over)
    assert "ETag" not in (await house.ask("GET", f"/v1/content/{over}")).headers


async def test_a_video_has_its_own_fields(house: House) -> None:
    """The record of a video says its length, its size class and whether it has sound."""
    body = {"generation_prompt": "x", "generation_duration": 5, "generation_resolution": "720p"}
    record = await read(house, await house.create(f"/v1/generate/video/{VIDEO}", body))
    assert record["generation_duration"] == 5
    assert record["generation_resolution"] == "720p"
    assert record["generation_generate_audio"] is False
    assert record["generation_audio_mode"] == "noaudio"


async def test_who_was_not_asked_is_told(house: House) -> None:
    """A provider that cannot honour the request is listed with the reason."""
    generation = await house.create(f"/v1/generate/video/{VIDEO}", {"generation_prompt": "x", "generation_duration": 7})
    [excluded] = (await read(house, generation))["generation_excluded"]
    assert (excluded["provider"], excluded["why"]) == ("replicate", "misfit")
    assert "duration" in excluded["reason"]


async def test_files_that_went_are_told(house: House) -> None:
    """When the files are gone the record says so and links nothing."""
    generation = await house.create()
    await house.succeed(generation)
    await house.store.write(generations.remove_files(generation, house.clock.now_ms()))
    record = await read(house, generation)
    assert record["generation_removed"] is True
    assert record["generation_output_file"] is None
    assert record["generation_status"] == "succeeded"


async def test_another_account_sees_nothing(house: House) -> None:
    """What belongs to another account is not there, to read, to cancel or to delete."""
    generation = await house.create()
    await house.act("accounts.create", account="other")
    house.key = (await house.act("keys.create", account="other", name="x"))["key"]
    for method, path in (
        ("GET", f"/v1/content/{generation}"),
        ("DELETE", f"/v1/content/{generation}"),
        ("POST", f"/v1/content/generation/cancel/{generation}"),
    ):
        answer = await house.ask(method, path)
        assert (answer.status, answer.error["code"]) == (404, "BSE3001")
    assert (await house.ask("GET", "/v1/content/list")).data["generations"] == []
    assert await house.state(generation) is State.ACCEPTED


async def test_the_list_is_newest_first_with_its_counters(house: House) -> None:
    """A list holds the records without attempts, and its counters beside the data and in it."""
    made = []
    for _ in range(3):
        made.append(await house.create())
        await house.clock.advance(1)
    answer = await house.ask("GET", "/v1/content/list?limit=2&offset=1")
    assert [each["generation_id"] for each in answer.data["generations"]] == [made[1], made[0]]
    for where in (answer.json, answer.data):
        assert (where["total"], where["limit"], where["offset"]) == (3, 2, 1)
    assert [name for name in answer.data["generations"][0] if name in PROMISED] == PROMISED
    assert "generation_attempts" not in answer.data["generations"][0]
    assert (await house.ask("GET", "/v1/content/list")).json["limit"] == 50


async def test_cancel_gives_the_credits_back(house: House) -> None:
    """A live generation is canceled at once and its credits are free; the provider is told if it can be."""
    generation = await house.create()
    await house.begin(generation)
    answer = await house.ask("POST", f"/v1/content/generation/cancel/{generation}")
    assert answer.data == {
        "generation_id": generation,
        "generation_status": "canceled",
        "provider_cancel_sent": True,
        "credits_refunded": 0.04,
    }
    assert house.jobs.canceled == [generation]
    assert (await house.act("accounts.list"))["accounts"][0]["available"] == 10
    assert (await read(house, generation))["generation_status"] == "canceled"


async def test_cancel_needs_neither_body_nor_type(house: House) -> None:
    """A POST without a body is enough, and one with any body does no harm."""
    first, second = await house.create(), await house.create()
    assert (
        await house.ask("POST", f"/v1/content/generation/cancel/{first}", headers={"Content-Length": "0"})
    ).status == 200
    assert (await house.ask("POST", f"/v1/content/generation/cancel/{second}", data=b"nonsense")).status == 200


async def test_what_ended_cannot_be_canceled(house: House) -> None:
    """A generation that has ended, or was canceled before, stays as it is."""
    generation = await house.create()
    await house.succeed(generation)
    answer = await house.ask("POST", f"/v1/content/generation/cancel/{generation}")
    assert (answer.status, answer.error["code"], answer.error["retryable"]) == (409, "BSE3002", False)
    assert "succeeded" in answer.error["message"]
    assert house.jobs.canceled == []


async def test_delete_takes_record_and_files(house: House) -> None:
    """A deleted generation is gone with its files; deleting it again finds nothing."""
    generation = await house.create()
    await house.succeed(generation, files=2)
    answer = await house.ask("DELETE", f"/v1/content/{generation}")
    assert answer.data == {"generation_id": generation, "files_deleted": 2}
    for method in ("GET", "DELETE"):
        assert (await house.ask(method, f"/v1/content/{generation}")).error["code"] == "BSE3001"
    assert (await house.ask("POST", f"/v1/content/generation/cancel/{generation}")).status == 404
    assert (await house.ask("GET", "/v1/content/list")).json["total"] == 0


async def test_what_is_under_way_cannot_be_deleted(house: House) -> None:
    """A live generation has to end first."""
    generation = await house.create()
    answer = await house.ask("DELETE", f"/v1/content/{generation}")
    assert (answer.status, answer.error["code"]) == (409, "BSE3002")
    assert await house.state(generation) is State.ACCEPTED


async def test_what_the_provider_had_no_word_for_is_told(house: House) -> None:
    """A field that the serving provider leaves out is in the record as dropped."""
    generation = await house.create()
    await house.succeed(generation)
    assert (await read(house, generation))["generation_adjustments"] == []
    [job] = house.jobs.started
    assert job.model == IMAGE
