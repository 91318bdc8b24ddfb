"""Each fault of a script, once, as it looks to the one who calls."""

import asyncio
import contextlib
from pathlib import Path

import aiohttp
import pytest

from gateway.simulators.chaos import Do

PREDICT = "/models/black-forest-labs/flux-schnell/predictions"
INPUT = {"input": {"prompt": "fox"}}
VEO = "/fal-ai/veo3.1"


async def output(replicate):
    """Begin a prediction and return the address of its file."""
    made = await replicate.call("POST", PREDICT, INPUT)
    return (await replicate.call("GET", made.body["urls"]["get"])).body["output"][0]


@pytest.mark.parametrize(("do", "jobs"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_line_is_reset_before_or_after_the_job_began(replicate, sims, do, jobs):
    """The caller sees the same broken line; only the list of jobs tells whether one was begun."""
    sims.set_chaos([{"do": do}])
    with pytest.raises(aiohttp.ClientConnectionError):
        await replicate.call("POST", PREDICT, INPUT)
    assert (len(sims.jobs()), sims.log[0].status, sims.log[0].fault) == (jobs, None, do)


async def test_a_dropped_picture_is_billed_at_byteplus(ark, sims):
    """A synchronous picture whose line breaks is lost and billed."""
    sims.set_chaos([{"do": "drop_after"}])
    with pytest.raises(aiohttp.ClientConnectionError):
        await ark.call("POST", "/images/generations", {"model": "seedream-4-5-251128", "prompt": "x"})
    assert [job.billed for job in sims.jobs()] == [True]


async def test_a_delayed_call_waits_by_the_clock(replicate, sims, hand):
    """A delay holds the answer until its time has come; what was asked is done at once."""
    sims.set_chaos([{"do": "delay", "seconds": 0.02}])
    waiting = asyncio.ensure_future(replicate.call("POST", PREDICT, INPUT))
    await asyncio.sleep(0.05)
    assert (waiting.done(), len(sims.jobs())) == (False, 1)
    hand.wind(1)
    assert (await waiting).status == 201


@pytest.mark.parametrize(
    ("vendor", "rule", "status", "has"),
    [
        ("ark", {"status": 429}, 429, {"code": "RateLimitExceeded.EndpointRPMExceeded"}),
        ("ark", {"status": 404, "code": "ModelNotOpen"}, 404, {"code": "ModelNotOpen"}),
        ("replicate", {"status": 429, "retry_after": 5}, 429, {"retry_after": 5, "status": 429}),
        ("replicate", {"status": 402}, 402, {"title": "Insufficient credit"}),
        ("replicate", {"status": 500, "body": {"detail": "oops"}}, 500, {"detail": "oops"}),
        ("fal", {"status": 429}, 429, {"detail": "Too many requests"}),
        ("fal", {"status": 503, "code": "runner_disconnected"}, 503, {"error_type": "runner_disconnected"}),
    ],
)
async def test_a_status_is_worded_as_the_vendor_would(callers, sims, vendor, rule, status, has):
    """A bare status comes in the vendor's own shape, with its code, its body or a time to retry if given."""
    sims.set_chaos([{"do": "status", **rule}])
    said = await callers[vendor].call("POST", "/x", {})
    assert said.status == status
    assert has.items() <= said.body.get("error", said.body).items()
    assert said.headers.get("Retry-After") == ("5" if "retry_after" in rule else None)


@pytest.mark.parametrize("vendor", ["ark", "fal"])
async def test_a_bad_gateway_speaks_html(callers, sims, vendor):
    """From 502 to 504 it is the edge that answers, not the vendor's program."""
    sims.set_chaos([{"do": "status", "status": 503}])
    said = await callers[vendor].call("POST", "/x", {})
    assert (said.status, said.headers["Content-Type"], b"<html>" in said.body) == (503, "text/html", True)


@pytest.mark.parametrize(
    ("do", "expected"),
    [("html", b"<!doctype html>"), ("empty", b""), ("wrong_shape", {"ok": True})],
)
async def test_an_answer_may_be_of_another_kind(replicate, sims, do, expected):
    """The call is a success in which nothing can be read, and yet the job has begun."""
    sims.set_chaos([{"do": do}])
    said = await replicate.call("POST", PREDICT, INPUT)
    fits = expected.items() <= said.body.items() if isinstance(expected, dict) else said.body[:15] == expected
    assert (said.status, fits, len(sims.jobs())) == (200, True, 1)


async def test_a_truncated_answer_breaks_off(replicate, sims):
    """The answer promises more than it holds."""
    sims.set_chaos([{"do": "truncated"}])
    with pytest.raises(aiohttp.ClientPayloadError):
        await replicate.call("POST", PREDICT, INPUT)


async def test_a_trickling_answer_never_ends(replicate, sims):
    """The answer begins and goes on for ever, a byte at a time."""
    sims.set_chaos([{"do": "trickle"}])
    async with replicate.session.get(replicate.base + "/account", headers=replicate.key) as answer:
        assert await answer.content.read(1) == b"{"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer.content.read(), 0.05)


async def test_a_job_may_never_end(fal, sims, hand):
    """A job that never ends is still running after a day."""
    sims.set_chaos([{"do": "never_end"}])
    made = (await fal.call("POST", VEO, {"prompt": "x"})).body
    hand.wind(86_400)
    assert (await fal.call("GET", made["status_url"])).body["status"] == "IN_PROGRESS"


async def test_a_held_line_may_never_be_answered(ark, sims):
    """A picture that never comes keeps its line open until the caller leaves."""
    sims.set_chaos([{"do": "never_end"}])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(
            ark.call("POST", "/images/generations", {"model": "seedream-4-5-251128", "prompt": "x"}), 0.05
        )
    assert [(job.state, job.billed) for job in sims.jobs()] == [("running", False)]


async def test_a_job_may_be_late(fal, sims, hand):
    """A late job takes as long as the script says."""
    sims.set_chaos([{"do": "late", "seconds": 60}])
    made = (await fal.call("POST", VEO, {"prompt": "x"})).body
    hand.wind(59)
    assert (await fal.call("GET", made["status_url"])).body["status"] == "IN_PROGRESS"
    hand.wind(1)
    assert (await fal.call("GET", made["status_url"])).body["status"] == "COMPLETED"


@pytest.mark.parametrize("do", ["fail", "refuse_content"])
async def test_a_job_may_end_in_each_vendors_own_way(ark, replicate, fal, sims, do):
    """BytePlus answers with an error or a failed task, Replicate with a failed prediction, Fal with its result."""
    sims.set_chaos([{"do": do}])
    picture = await ark.call("POST", "/images/generations", {"model": "seedream-4-5-251128", "prompt": "x"})
    made = (await replicate.call("POST", PREDICT, INPUT)).body
    failed = (await replicate.call("GET", made["urls"]["get"])).body
    queued = (await fal.call("POST", "/fal-ai/flux/dev", {"prompt": "x"})).body
    result = await fal.call("GET", queued["response_url"])
    said = (
        picture.status,
        picture.body["error"]["code"],
        failed["status"],
        result.status,
        result.body["detail"][0]["type"],
    )
    assert (
        said
        == {
            "fail": (500, "InternalServiceError", "failed", 500, "internal_server_error"),
            "refuse_content": (400, "InputTextSensitiveContentDetected", "failed", 422, "content_policy_violation"),
        }[do]
    )
    assert ("(E1000)" if do == "fail" else "flagged as sensitive") in failed["error"]


async def test_a_task_may_fail_with_a_code(ark, sims, hand):
    """A failed task carries its code in a record that is answered with 200."""
    sims.set_chaos([{"do": "refuse_content", "code": "OutputVideoSensitiveContentDetected"}])
    body = {"model": "seedance-1-0-pro-250528", "content": [{"type": "text", "text": "x"}]}
    task = (await ark.call("POST", "/contents/generations/tasks", body)).body["id"]
    hand.wind(2)
    said = await ark.call("GET", f"/contents/generations/tasks/{task}")
    assert (said.status, said.body["status"]) == (200, "failed")
    assert said.body["error"]["code"] == "OutputVideoSensitiveContentDetected"


@pytest.mark.parametrize("call", ["submit", "status"])
async def test_a_status_word_may_be_unheard_of_for_a_while(replicate, sims, hand, call):
    """For a while the status is a word nobody documented, then the job goes on as ever."""
    sims.set_chaos([{"do": "unknown_status", "call": call, "seconds": 3, "times": 1}])
    made = (await replicate.call("POST", "/models/google/veo-3.1/predictions", INPUT)).body
    seen = []
    for pause in (0.1, 1, 2, 2):
        hand.wind(pause)
        seen.append((await replicate.call("GET", made["urls"]["get"])).body["status"])
    assert seen == ["throttled_internal", "throttled_internal", "succeeded", "succeeded"]


async def test_a_success_may_hold_nothing(ark, replicate, fal, sims):
    """A job may succeed with no output at all, and then costs nothing."""
    sims.set_chaos([{"do": "no_output"}])
    picture = await ark.call("POST", "/images/generations", {"model": "seedream-4-5-251128", "prompt": "x"})
    made = (await replicate.call("POST", PREDICT, INPUT)).body
    queued = (await fal.call("POST", "/fal-ai/flux/dev", {"prompt": "x"})).body
    assert picture.body["data"] == []
    assert (await replicate.call("GET", made["urls"]["get"])).body["output"] == []
    assert (await fal.call("GET", queued["response_url"])).body["images"] == []
    assert [job.billed for job in sims.jobs()] == [False, False, False]


@pytest.mark.parametrize("call", ["submit", "output"])
async def test_a_file_may_be_missing_or_a_page(replicate, sims, call):
    """The output's link may lead nowhere or to a page, by the job or by the download."""
    found = []
    for do in ("output_404", "output_html"):
        sims.set_chaos([{"do": do, "call": call}])
        found.append(await replicate.call("GET", await output(replicate)))
    assert [(one.status, one.headers["Content-Type"].partition(";")[0]) for one in found] == [
        (404, "text/plain"),
        (200, "text/html"),
    ]


async def test_a_file_may_break_off_or_come_slowly(replicate, sims):
    """A download may end before its length, or take many seconds."""
    sims.set_chaos([{"do": "output_truncated", "call": "submit", "times": 1}, {"do": "output_slow", "call": "submit"}])
    broken, slow = await output(replicate), await output(replicate)
    with pytest.raises(aiohttp.ClientPayloadError):
        await replicate.call("GET", broken)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(replicate.call("GET", slow), 0.05)


@pytest.mark.parametrize("call", ["submit", "cancel"])
async def test_a_cancellation_may_be_ignored(fal, sims, hand, call):
    """The cancellation is acknowledged and the job goes on to its end, and is billed."""
    sims.set_chaos([{"do": "cancel_ignored", "call": call}])
    made = (await fal.call("POST", VEO, {"prompt": "x"})).body
    assert (await fal.call("PUT", made["cancel_url"])).status == 202
    hand.wind(2)
    assert (await fal.call("GET", made["response_url"])).status == 200
    assert sims.jobs()[0].billed


async def test_a_reset_is_a_reset(sims):
    """A dropped line ends with a reset, not with an orderly close."""
    sims.set_chaos([{"do": "drop_before"}])
    reader, writer = await asyncio.open_connection("127.0.0.1", sims.port)
    writer.write(b"GET /replicate/v1/account HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def test_every_fault_is_tried_here():
    """A fault that is added gets a test in this file."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert [do.value for do in Do if f'"{do.value}"' not in text] == []
