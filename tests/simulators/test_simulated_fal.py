"""Fal as it is played: the queue, its traps, the errors that show only in the result, and the direct call."""

import io

import pytest
from PIL import Image

DEV = "/fal-ai/flux/dev"
VEO = "/fal-ai/veo3.1"
EDIT = "/fal-ai/bytedance/seedream/v4.5/edit"
PNG = "https://example.com/a.png"


async def submit(fal, path=DEV, body=None, **headers):
    said = await fal.call("POST", path, body if body is not None else {"prompt": "fox"}, **headers)
    assert said.status == 200, said.body
    return said.body


async def test_a_request_goes_through_the_queue_to_a_result(fal, hand):
    """A request waits, runs, completes, and only then has a result."""
    made = await submit(fal, VEO)
    assert (made["status"], made["queue_position"]) == ("IN_QUEUE", 0)
    seen = []
    for pause in (0, 1, 1):
        hand.wind(pause)
        seen.append(await fal.call("GET", made["status_url"]))
    assert [(one.status, one.body["status"]) for one in seen] == [
        (202, "IN_QUEUE"),
        (202, "IN_PROGRESS"),
        (200, "COMPLETED"),
    ]
    assert ("queue_position" in seen[0].body, seen[1].body["logs"], seen[2].body["logs"]) == (True, None, None)
    result = await fal.call("GET", made["response_url"])
    assert (result.body["video"]["content_type"], result.headers["X-Fal-Billable-Units"]) == ("video/mp4", "8")


async def test_asked_too_early_the_result_says_so(fal):
    """Before the end the result is an error that says the request is still in progress."""
    said = await fal.call("GET", (await submit(fal, VEO))["response_url"])
    assert (said.status, said.body) == (400, {"detail": "Request is still in progress"})


async def test_requests_live_under_two_segments(fal):
    """The rest of an endpoint's id is dropped from the addresses of its requests."""
    made = await submit(fal)
    assert made["status_url"] == f"{fal.base}/fal-ai/flux/requests/{made['request_id']}/status"
    assert (await fal.call("GET", f"{DEV}/requests/{made['request_id']}/status")).status == 405
    assert (await fal.call("GET", f"/fal-ai/veo3.1/requests/{made['request_id']}/status")).status == 404


@pytest.mark.parametrize(
    ("path", "given", "size", "form"),
    [
        (DEV, {"image_size": "landscape_16_9"}, (1024, 576), "JPEG"),
        (DEV, {"image_size": {"width": 640, "height": 320}, "output_format": "png"}, (640, 320), "PNG"),
        (EDIT, {"image_urls": [PNG], "image_size": "auto_4K"}, (4096, 4096), "PNG"),
        ("/fal-ai/nano-banana", {"aspect_ratio": "9:16", "output_format": "webp"}, (768, 1360), "WEBP"),
    ],
)
async def test_the_file_is_what_the_input_asked_for(fal, path, given, size, form):
    """Presets, exact pixels, ratios and formats all show in the file, and the result tells them."""
    made = await submit(fal, path, {"prompt": "fox", **given})
    image = (await fal.call("GET", made["response_url"])).body["images"][0]
    drawn = Image.open(io.BytesIO((await fal.call("GET", image["url"])).body))
    assert (drawn.size, drawn.format, (image["width"], image["height"])) == (size, form, size)


@pytest.mark.parametrize(
    ("path", "given", "fault"),
    [
        (VEO, {"prompt": "x", "duration": 8}, (["body", "duration"], "literal_error")),
        (VEO, {"prompt": "x", "duration": "8"}, (["body", "duration"], "literal_error")),
        ("/fal-ai/ltx-2/text-to-video", {"prompt": "x", "duration": "6"}, (["body", "duration"], "literal_error")),
        (DEV, {}, (["body", "prompt"], "missing")),
        (DEV, {"prompt": "x", "num_images": "1"}, (["body", "num_images"], "value_error.integer")),
        (DEV, {"prompt": "x", "num_images": 0}, (["body", "num_images"], "greater_than_equal")),
        (DEV, {"prompt": "x", "image_urls": [PNG]}, (["body", "image_urls"], "extra_forbidden")),
        (DEV, {"prompt": "x", "image_size": "16:9"}, (["body", "image_size"], "literal_error")),
        (DEV, {"prompt": "x", "image_size": {"width": 9}}, (["body", "image_size", "height"], "missing")),
        (EDIT, {"prompt": "x"}, (["body", "image_urls"], "missing")),
        (EDIT, {"prompt": "x", "image_urls": []}, (["body", "image_urls"], "sequence_too_short")),
        (EDIT, {"prompt": "x", "image_urls": ["a.png"]}, (["body", "image_urls", 0], "file_download_error")),
    ],
)
async def test_a_wrong_input_shows_only_in_the_result(fal, sims, hand, path, given, fault):
    """The queue takes the request; the result is a 422 that names the place, and nothing is billed."""
    made = await submit(fal, path, given)
    hand.wind(1)
    assert (await fal.call("GET", made["status_url"])).body["status"] == "COMPLETED"
    result = await fal.call("GET", made["response_url"])
    found = [(detail["loc"], detail["type"]) for detail in result.body["detail"]]
    assert (result.status, fault in found) == (422, True)
    assert [(job.state, job.billed) for job in sims.jobs()] == [("failed", False)]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/fal-ai/nothing", {"prompt": "x"}, {}, 404),
        (DEV, b"{", {}, 400),
        (DEV, ["x"], {}, 400),
        (DEV, {"prompt": "x"}, {"X_Fal_Queue_Priority": "high"}, 400),
        (DEV, {"prompt": "x"}, {"X_Fal_Request_Timeout": "1"}, 400),
        (DEV, {"prompt": "x"}, {"X_Fal_Object_Lifecycle_Preference": "1h"}, 400),
    ],
)
async def test_what_the_queue_itself_refuses(fal, sims, path, body, headers, status):
    """An unknown endpoint, a body that is no object and headers out of range are refused at once."""
    said = await fal.call("POST", path, body, **headers)
    assert (said.status, "detail" in said.body, sims.jobs()) == (status, True, [])


async def test_only_the_key_scheme_opens(fal):
    """A bearer token, the right key in it or not, is refused."""
    fal.key = {"Authorization": fal.key["Authorization"].replace("Key", "Bearer")}
    said = await fal.call("POST", DEV, {"prompt": "x"})
    assert (said.status, "Authentication" in said.body["detail"]) == (401, True)


async def test_the_direct_call_answers_with_the_output(fal, sims):
    """The same endpoint called directly answers with the output, or at once with what is wrong."""
    fal.base = sims.origin + "/fal-run"
    good = await fal.call("POST", "/fal-ai/flux/schnell", {"prompt": "fox", "num_images": 2})
    assert (good.status, len(good.body["images"]), good.body["has_nsfw_concepts"]) == (200, 2, [False, False])
    assert (await fal.call("POST", "/fal-ai/flux/schnell", {})).status == 422


async def test_inline_files_come_as_data_uris(fal):
    """`sync_mode` puts the file itself into the result."""
    made = await submit(fal, DEV, {"prompt": "x", "sync_mode": True})
    image = (await fal.call("GET", made["response_url"])).body["images"][0]
    assert image["url"].startswith("data:image/jpeg;base64,")
    assert image["file_size"] > 0


async def test_cancelling_has_four_answers(fal, sims, hand):
    """Queued is removed, running is signalled, complete is too late, unknown is not found."""
    queued, running, over = await submit(fal, VEO), await submit(fal, VEO), await submit(fal, VEO)
    answers = [await fal.call("PUT", queued["cancel_url"])]
    hand.wind(1)
    answers.append(await fal.call("PUT", running["cancel_url"]))
    hand.wind(1)
    answers.append(await fal.call("PUT", over["cancel_url"]))
    answers.append(await fal.call("PUT", over["cancel_url"].replace(over["request_id"], "nobody")))
    assert [(one.status, one.body["status"]) for one in answers] == [
        (200, "OK"),
        (202, "CANCELLATION_REQUESTED"),
        (400, "ALREADY_COMPLETED"),
        (404, "NOT_FOUND"),
    ]
    status = (await fal.call("GET", queued["status_url"])).body
    assert (status["status"], status["error_type"]) == ("COMPLETED", "client_cancelled")
    assert (await fal.call("GET", queued["response_url"])).status == 499
    assert [job.billed for job in sims.jobs()] == [False, False, True]


async def test_an_error_of_the_request_shows_in_the_status(fal, sims):
    """Where the queue broke, the status has the error and its type; where the model broke, only the result."""
    sims.set_chaos([{"do": "fail", "code": "runner_disconnected", "times": 1}, {"do": "fail"}])
    infra, model = await submit(fal), await submit(fal)
    assert (await fal.call("GET", infra["status_url"])).body["error_type"] == "runner_disconnected"
    result = await fal.call("GET", infra["response_url"])
    assert (result.status, result.headers["X-Fal-Error-Type"]) == (503, "runner_disconnected")
    assert "error" not in (await fal.call("GET", model["status_url"])).body
    result = await fal.call("GET", model["response_url"])
    assert (result.status, result.headers["X-Fal-Retryable"]) == (500, "true")


async def test_a_request_not_started_in_time_times_out(fal, hand, sims):
    """The caller's own start timeout ends a request that still waits, as a 504 that says whose it was."""
    sims.set_chaos([{"do": "late", "seconds": 40}])
    made = await submit(fal, X_Fal_Request_Timeout="1.5")
    hand.wind(1.5)
    assert (await fal.call("GET", made["status_url"])).body["error_type"] == "request_timeout"
    result = await fal.call("GET", made["response_url"])
    assert (result.status, result.headers["X-Fal-Request-Timeout-Type"]) == (504, "user")
    assert (sims.jobs()[0].state, sims.jobs()[0].billed) == ("failed", False)


async def test_the_safety_checker_answers_with_a_black_picture(fal, sims):
    """Moderation may be a success with a black picture, which is billed."""
    sims.set_chaos([{"do": "refuse_content", "code": "nsfw"}])
    made = await submit(fal)
    result = (await fal.call("GET", made["response_url"])).body
    assert result["has_nsfw_concepts"] == [True]
    drawn = Image.open(io.BytesIO((await fal.call("GET", result["images"][0]["url"])).body))
    assert drawn.convert("RGB").getextrema() == ((0, 0), (0, 0), (0, 0))
    assert sims.jobs()[0].billed


async def test_files_live_as_long_as_the_caller_says(fal, hand):
    """Files stay for ever unless the caller gives them a lifetime."""
    header = {"X_Fal_Object_Lifecycle_Preference": '{"expiration_duration_seconds": 60}'}
    short, long = await submit(fal, **header), await submit(fal)
    links = [(await fal.call("GET", made["response_url"])).body["images"][0]["url"] for made in (short, long)]
    hand.wind(61)
    assert [(await fal.call("GET", link)).status for link in links] == [404, 200]
