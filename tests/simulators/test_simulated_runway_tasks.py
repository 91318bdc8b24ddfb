"""Runway's tasks as they are played: their life, their price, their end; and its own client."""

import asyncio
import dataclasses

import pytest
from runwayml import AsyncRunwayML, BadRequestError, NotFoundError
from runwayml.lib import polling

WAVES = {"model": "gen4.5", "promptText": "waves", "ratio": "1280:720", "duration": 5}


@pytest.fixture
def runway(ark, sims):
    """The vendor with its key and the version it insists on."""
    key = {"Authorization": f"Bearer {sims.secrets['RUNWAYML_API_SECRET']}", "X-Runway-Version": "2024-11-06"}
    return dataclasses.replace(ark, base=sims.bases["runway"] + "/v1", key=key)


async def begin(runway, call="text_to_video", **more):
    said = await runway.call("POST", f"/{call}", {**WAVES, **more})
    assert said.status == 200, said.body
    return f"/tasks/{said.body['id']}"


async def test_a_task_goes_from_pending_to_a_signed_link(runway, hand, sims):
    """A task waits, runs with progress, succeeds; it tells an estimate before its end and its cost after."""
    task = await begin(runway)
    seen = [(await runway.call("GET", task)).body]
    for _ in range(2):
        hand.wind(1)
        seen.append((await runway.call("GET", task)).body)
    assert [one["status"] for one in seen] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert seen[0]["createdAt"] == "2026-05-28T20:26:40.000Z"
    assert 0 < seen[1]["progress"] < 1
    assert [one["estimatedCost"] for one in seen[:2]] == [{"credits": 60}] * 2
    assert (seen[2]["cost"], "estimatedCost" in seen[2]) == ({"credits": 60}, False)
    assert "_jwt=" in seen[2]["output"][0]
    file = await runway.call("GET", seen[2]["output"][0])
    assert (file.status, file.headers["Content-Type"], sims.jobs()[0].billed) == (200, "video/mp4", True)


async def test_a_link_dies_after_a_day_and_another_look_signs_it_anew(runway, hand):
    """A link lives for a day; the task gives a fresh one for as long as it is there."""
    task = await begin(runway)
    hand.wind(2)
    link = (await runway.call("GET", task)).body["output"][0]
    hand.wind(86_401)
    assert (await runway.call("GET", link)).status == 404
    fresh = (await runway.call("GET", task)).body["output"][0]
    assert (await runway.call("GET", fresh)).status == 200


@pytest.mark.parametrize(("wait", "is_billed"), [(0.1, False), (1, True), (2, True)])
async def test_deleting_always_answers_204_and_the_task_is_gone(runway, hand, sims, wait, is_billed):
    """What waits is cancelled for nothing, what runs is charged, what is over loses its files."""
    task = await begin(runway)
    hand.wind(wait)
    output = (await runway.call("GET", task)).body.get("output", [])
    for _ in range(2):
        assert (await runway.call("DELETE", task)).status == 204
    said = await runway.call("GET", task)
    assert (said.status, said.body) == (404, {"error": "Could not find Task"})
    assert sims.jobs()[0].billed is is_billed
    assert [(await runway.call("GET", link)).status for link in output] == [404] * len(output)
    assert (await runway.call("DELETE", "/tasks/nothing")).status == 404


async def test_a_cancellation_may_come_to_nothing(runway, hand, sims):
    """A running task that is deleted may finish all the same."""
    sims.set_chaos([{"do": "cancel_ignored", "call": "cancel"}])
    task = await begin(runway)
    hand.wind(1)
    assert (await runway.call("DELETE", task)).status == 204
    hand.wind(1)
    assert (await runway.call("GET", task)).body["status"] == "SUCCEEDED"


async def test_a_late_task_waits_for_a_slot(runway, hand, sims):
    """Too many at once is no error: the task is throttled until there is room."""
    sims.set_chaos([{"do": "late", "seconds": 600}])
    task = await begin(runway)
    assert (await runway.call("GET", task)).body["status"] == "THROTTLED"
    hand.wind(200)
    assert (await runway.call("GET", task)).body["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("rule", "code", "credits"),
    [
        ({"do": "fail"}, "INTERNAL", 0),
        ({"do": "refuse_content"}, "SAFETY.INPUT.TEXT", 60),
        ({"do": "refuse_content", "code": "SAFETY.OUTPUT.VIDEO"}, "SAFETY.OUTPUT.VIDEO", 0),
        ({"do": "fail", "code": "THIRD_PARTY.UNAVAILABLE"}, "THIRD_PARTY.UNAVAILABLE", 0),
        ({"do": "fail", "code": "absent"}, None, 0),
    ],
)
async def test_a_failed_task_has_a_dotted_code_and_a_price(runway, hand, sims, rule, code, credits):
    """Only a task whose input was unfit is charged, and that in full."""
    sims.set_chaos([rule])
    task = await begin(runway)
    hand.wind(2)
    said = (await runway.call("GET", task)).body
    assert (said["status"], said.get("failureCode"), said["cost"]) == ("FAILED", code, {"credits": credits})
    assert (bool(said["failure"]), sims.jobs()[0].billed) == (True, credits > 0)


async def test_other_faults_keep_the_vendors_shape(runway, hand, sims):
    """A task may succeed with nothing, never end, or be in a state nobody heard of."""
    seen = []
    for do in ("no_output", "never_end", "unknown_status"):
        sims.set_chaos([{"do": do}])
        task = await begin(runway)
        hand.wind(0.9 if do == "unknown_status" else 3600)
        seen.append((await runway.call("GET", task)).body)
    assert (seen[0]["status"], seen[0]["output"], seen[0]["cost"]) == ("SUCCEEDED", [], {"credits": 0})
    assert [one["status"] for one in seen[1:]] == ["RUNNING", "QUEUED_ELSEWHERE"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"status": 400, "code": "credits"}, "You do not have enough credits to run this task."),
        ({"status": 400, "code": "asset"}, "Failed to fetch asset."),
        ({"status": 429}, "Your daily task limit has been reached."),
        ({"status": 404}, "Could not find"),
        ({"status": 503}, "load"),
    ],
)
async def test_a_status_is_worded_as_the_vendor_would(runway, sims, rule, words):
    """There are no codes, only texts."""
    sims.set_chaos([{"do": "status", **rule}])
    said = await runway.call("POST", "/text_to_video", WAVES)
    assert (said.status, words in said.body["error"], sims.jobs()) == (rule["status"], True, [])


@pytest.mark.parametrize(
    ("call", "more", "estimate", "cost"),
    [
        ("text_to_video", {"outputFormat": "hdr10"}, 160, 160),
        ("text_to_video", {"model": "veo3.1", "duration": 8, "audio": False}, 160, 160),
        ("text_to_video", {"model": "seedance2", "ratio": "1920:1080", "duration": "auto"}, 600, 200),
        ("text_to_video", {"model": "seedance2_5", "ratio": "854:480", "duration": 4}, 80, 80),
    ],
)
async def test_a_film_costs_by_second_and_kind(runway, hand, call, more, estimate, cost):
    """The price goes by length, size, sound and format; an automatic length is charged at its most first."""
    said = await runway.call("POST", f"/{call}", {**WAVES, **more})
    hand.wind(2)
    done = await runway.call("GET", f"/tasks/{said.body['id']}")
    assert (said.body["estimatedCost"]["credits"], done.body["cost"]["credits"]) == (estimate, cost)


async def test_the_account_tells_what_was_spent_and_begun(runway, hand):
    """The balance falls by what is settled, and each model's tasks of the day are counted."""
    before = (await runway.call("GET", "/organization")).body
    await begin(runway)
    hand.wind(2)
    after = (await runway.call("GET", "/organization")).body
    assert before["creditBalance"] - after["creditBalance"] == 60
    assert after["usage"]["models"]["gen4.5"] == {"dailyGenerations": 1}


@pytest.fixture
async def client(sims):
    """The vendor's own client, without its retries."""
    key, base = sims.secrets["RUNWAYML_API_SECRET"], sims.bases["runway"]
    async with AsyncRunwayML(api_key=key, base_url=base, max_retries=0) as found:
        yield found


async def test_the_client_follows_a_task_to_its_end(client, hand, monkeypatch):
    """The vendor's client creates, polls and reads a task with its own types."""
    monkeypatch.setattr(polling, "POLL_TIME", 0.02)
    monkeypatch.setattr(polling, "POLL_JITTER", 0)
    made = await client.image_to_video.create(
        model="gen4_turbo", prompt_image="https://example.com/a.png", ratio="1280:720", duration=5
    )
    waiting = asyncio.ensure_future(made.wait_for_task_output())
    await asyncio.sleep(0.03)
    hand.wind(2)
    done = await waiting
    assert (done.status, done.cost.credits, done.output[0].split("?")[0][-4:]) == ("SUCCEEDED", 25, ".mp4")
    assert (await client.organization.retrieve()).usage.models["gen4_turbo"].daily_generations == 1


async def test_the_client_raises_what_the_vendor_refuses(client, hand, sims, monkeypatch):
    """A refused body, a failed task and a deleted one become the client's own errors."""
    monkeypatch.setattr(polling, "POLL_TIME", 0.02)
    monkeypatch.setattr(polling, "POLL_JITTER", 0)
    with pytest.raises(BadRequestError, match="Validation of body failed"):
        await client.text_to_image.create(model="gen4_image", prompt_text="fox", ratio="1:1")
    sims.set_chaos([{"do": "refuse_content"}])
    made = await client.text_to_image.create(model="gen4_image", prompt_text="fox", ratio="1920:1080")
    with pytest.raises(polling.TaskFailedError) as failed:
        await made.wait_for_task_output()
    assert failed.value.task_details.failure_code == "SAFETY.INPUT.TEXT"
    await client.tasks.delete(made.id)
    with pytest.raises(NotFoundError, match="Could not find Task"):
        await client.tasks.retrieve(made.id)


async def test_the_client_uploads_a_file_that_lives_for_a_day(client, runway, hand):
    """An upload's address can be used as an input until a day has passed."""
    uploaded = await client.uploads.create_ephemeral(file=("a.png", b"png"))
    assert uploaded.uri.startswith("runway://")
    await begin(runway, "image_to_video", promptImage=uploaded.uri)
    hand.wind(86_401)
    said = await runway.call("POST", "/image_to_video", {**WAVES, "promptImage": uploaded.uri})
    assert said.status == 400
    assert (await runway.call("POST", "/uploads", {"name": "a.png"})).status == 400
    place = (await runway.call("POST", "/uploads", {"filename": "a.png", "type": "ephemeral"})).body["uploadUrl"]
    assert (await runway.call("POST", place, b"file")).status == 400
