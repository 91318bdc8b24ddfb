"""OpenAI as it is played: pictures in one call, what is refused and how."""

import asyncio
import base64
import io
import json

import aiohttp
import pytest
from PIL import Image

from gateway.simulators.openai_models import MODELS

GENERATE, EDIT = "/images/generations", "/images/edits"
FOX = {"model": "gpt-image-2", "prompt": "fox"}


def opened(item):
    """Return the picture inside one item of an answer."""
    return Image.open(io.BytesIO(base64.b64decode(item["b64_json"])))


@pytest.mark.parametrize("model", MODELS)
async def test_every_model_makes_a_square_png_if_nothing_is_said(openai, model):
    """What was left open comes back settled, and no address is ever given."""
    said = (await openai.call("POST", GENERATE, {**FOX, "model": model})).body
    settled = {"size": "1024x1024", "quality": "medium", "output_format": "png", "background": "opaque"}
    assert settled.items() <= said.items()
    assert (opened(said["data"][0]).format, opened(said["data"][0]).size) == ("PNG", (1024, 1024))
    assert set(said["data"][0]) == {"b64_json"}


@pytest.mark.parametrize(("form", "name"), [("png", "PNG"), ("webp", "WEBP"), ("jpeg", "JPEG")])
async def test_pictures_come_as_many_and_of_the_form_and_size_asked(openai, form, name):
    """Count, form and pixels are as asked."""
    asked = {**FOX, "n": 3, "size": "1536x864", "output_format": form}
    made = [opened(item) for item in (await openai.call("POST", GENERATE, asked)).body["data"]]
    assert [(one.format, one.size) for one in made] == [(name, (1536, 864))] * 3


@pytest.mark.parametrize(
    ("model", "size", "quality", "tokens"),
    [
        ("gpt-image-2", "1024x1024", "low", 196),
        ("gpt-image-2", "1024x1024", "medium", 1756),
        ("gpt-image-2", "1024x1024", "high", 7024),
        ("gpt-image-2", "1536x1024", "high", 5488),
        ("gpt-image-2", "3840x2160", "high", 13342),
        ("gpt-image-1.5", "1024x1536", "low", 408),
        ("gpt-image-1-mini", "1536x1024", "high", 6208),
    ],
)
async def test_tokens_are_counted_as_published(openai, model, size, quality, tokens):
    """The usage an answer is billed by has the published figures."""
    said = await openai.call("POST", GENERATE, {**FOX, "model": model, "size": size, "quality": quality})
    usage = said.body["usage"]
    assert usage["output_tokens"] == usage["output_tokens_details"]["image_tokens"] == tokens
    assert usage["total_tokens"] == usage["input_tokens"] + tokens


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ({"prompt": None}, "prompt", "missing_required_parameter"),
        ({"model": None}, "model", "missing_required_parameter"),
        ({"response_format": "url"}, "response_format", "unknown_parameter"),
        ({"style": "vivid"}, "style", "unknown_parameter"),
        ({"seed": 1}, "seed", "unknown_parameter"),
        ({"input_fidelity": "high"}, "input_fidelity", "unknown_parameter"),
        ({"model": "gpt-image-1.5", "input_fidelity": "high"}, "input_fidelity", "unknown_parameter"),
        ({"prompt": "x" * 32_001}, "prompt", "string_above_max_length"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 11}, "n", "integer_above_max_value"),
        ({"n": "2"}, "n", "invalid_type"),
        ({"quality": "max"}, "quality", "invalid_value"),
        ({"quality": "standard"}, "quality", "invalid_value"),
        ({"complexity": "low"}, "complexity", "unknown_parameter"),
        ({"output_format": "gif"}, "output_format", "invalid_value"),
        ({"model": "gpt-image-2.6-flare", "output_format": "svg"}, "output_format", "invalid_value"),
        ({"model": "gpt-image-2.6-flare", "frame_count": 4}, "frame_count", "invalid_value"),
        ({"output_compression": 50}, "output_compression", "invalid_value"),
        ({"background": "transparent", "output_format": "jpeg"}, "background", "invalid_value"),
        ({"size": "1024X1024"}, "size", "invalid_value"),
        ({"size": "1000x1000"}, "size", "invalid_value"),
        ({"size": "3856x1600"}, "size", "invalid_value"),
        ({"size": "2048x512"}, "size", "invalid_value"),
        ({"size": "512x512"}, "size", "invalid_value"),
        ({"size": "3200x3200"}, "size", "invalid_value"),
        ({"model": "gpt-image-1.5", "size": "1536x864"}, "size", "invalid_value"),
        ({"partial_images": 4}, "partial_images", "integer_above_max_value"),
    ],
)
async def test_what_the_vendor_refuses_is_refused(openai, sims, given, param, code):
    """A refusal is a 400 that names the field and the kind of fault, and nothing is begun."""
    said = await openai.call("POST", GENERATE, {**FOX, **given})
    error = said.body["error"]
    assert (said.status, error["type"], error["param"], error["code"], sims.jobs()) == (
        400,
        "invalid_request_error",
        param,
        code,
        [],
    )


@pytest.mark.parametrize(
    "given",
    [
        {"quality": "max", "model": "gpt-image-2.5-flare"},
        {"complexity": "low", "model": "gpt-image-2.6-sunburst", "size": "512x1536"},
        {"background": "transparent", "output_format": "webp", "output_compression": 0},
        {"size": None, "n": None, "user": "u_1", "safety_identifier": "u_1", "moderation": "low"},
        {"size": "2880x2880"},
        {"size": "3840x2160"},
    ],
)
async def test_what_the_vendor_takes_is_taken(openai, given):
    """Newer models take more, nulls count for nothing, and sizes reach to their bounds."""
    assert (await openai.call("POST", GENERATE, {**FOX, **given})).status == 200


@pytest.mark.parametrize("model", ["gpt-image-1", "dall-e-3", "dall-e-2", "sora-2", "nonsense"])
@pytest.mark.parametrize("path", [GENERATE, "/videos"])
async def test_models_that_are_off_are_not_found(openai, path, model):
    """A model that was turned off or never was is a 404, and no path makes films any more."""
    said = await openai.call("POST", path, {**FOX, "model": model})
    assert (said.status, said.body["error"]["code"]) == (404, "model_not_found")


async def test_a_stream_brings_parts_and_the_whole(openai):
    """With two parts asked the events are two parts and a whole that carries the usage, parts included."""
    plain = (await openai.call("POST", GENERATE, FOX)).body["usage"]["output_tokens"]
    said = await openai.call("POST", GENERATE, {**FOX, "stream": True, "partial_images": 2})
    frames = [frame.split("\ndata: ") for frame in said.body.decode().strip().split("\n\n")]
    events = [json.loads(data) for _, data in frames]
    assert [name for name, _ in frames] == [f"event: {event['type']}" for event in events]
    assert [event.get("partial_image_index") for event in events] == [0, 1, None]
    assert (events[2]["type"], events[2]["usage"]["output_tokens"]) == ("image_generation.completed", plain + 200)
    assert said.headers["Content-Type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    ("rule", "status", "kind", "code"),
    [
        ({"do": "fail"}, 500, "server_error", "server_error"),
        ({"do": "fail", "code": "server_is_overloaded"}, 500, "service_unavailable_error", "server_is_overloaded"),
        ({"do": "refuse_content"}, 400, "image_generation_user_error", "moderation_blocked"),
        ({"do": "refuse_content", "code": "output"}, 400, "image_generation_user_error", "moderation_blocked"),
        ({"do": "refuse_content", "code": "content_policy_violation"}, 400, None, "content_policy_violation"),
        ({"do": "status", "status": 429}, 429, "requests", "rate_limit_exceeded"),
        (
            {"do": "status", "status": 429, "code": "insufficient_quota"},
            429,
            "insufficient_quota",
            "insufficient_quota",
        ),
        (
            {"do": "status", "status": 400, "code": "billing_hard_limit_reached"},
            400,
            None,
            "billing_hard_limit_reached",
        ),
        ({"do": "status", "status": 403, "code": "unsupported_model"}, 403, None, "unsupported_model"),
        ({"do": "status", "status": 503}, 503, "service_unavailable_error", "slow_down"),
        ({"do": "status", "status": 408}, 408, "server_error", None),
    ],
)
async def test_what_goes_wrong_is_worded_as_the_vendor_would(openai, sims, rule, status, kind, code):
    """Each fault comes in the one envelope, told apart by its code, and costs nothing."""
    sims.set_chaos([rule])
    said = await openai.call("POST", GENERATE, FOX)
    error = said.body["error"]
    assert (said.status, error["type"], error["code"]) == (status, kind or "invalid_request_error", code)
    assert [job.billed for job in sims.jobs()] == [False] * len(sims.jobs())


async def test_a_refusal_tells_its_stage(openai, sims):
    """The newer refusal says whether the request or the finished picture was unfit; only the latter began a job."""
    stages = []
    for rule in ({"do": "refuse_content"}, {"do": "refuse_content", "code": "output"}):
        sims.set_chaos([rule])
        error = (await openai.call("POST", GENERATE, FOX)).body["error"]
        stages.append((error["moderation_details"]["moderation_stage"], len(sims.jobs())))
        assert error["message"].endswith("safety_violations=[sexual].")
    assert stages == [("input", 0), ("output", 1)]


async def test_a_rate_limit_says_when_to_come_back(openai, sims):
    """A wait is told in seconds and in ms; an empty account says that coming back is of no use."""
    sims.set_chaos([{"do": "status", "status": 429, "retry_after": 1.5, "times": 1}])
    said = await openai.call("POST", GENERATE, FOX)
    assert (said.headers["Retry-After"], said.headers["retry-after-ms"]) == ("1.5", "1500")
    sims.set_chaos([{"do": "status", "status": 429, "code": "insufficient_quota"}])
    assert (await openai.call("POST", GENERATE, FOX)).headers["x-should-retry"] == "false"


async def test_a_stream_that_breaks_says_so_in_an_event(openai, sims):
    """The line is open with a 200 by then, so that the error is an event."""
    sims.set_chaos([{"do": "fail"}])
    said = await openai.call("POST", GENERATE, {**FOX, "stream": True})
    assert (said.status, json.loads(said.body.split(b"data: ")[1])["error"]["type"]) == (200, "server_error")


@pytest.mark.parametrize(("do", "start"), [("output_truncated", b"\x89PNG"), ("output_html", b"<!doc")])
async def test_a_picture_may_be_spoilt_inside_its_answer(openai, sims, do, start):
    """Faults of files befall the base64 as well: half a picture, or a page."""
    sims.set_chaos([{"do": do}])
    data = base64.b64decode((await openai.call("POST", GENERATE, FOX)).body["data"][0]["b64_json"])
    with pytest.raises(OSError, match=r"truncated|cannot identify"):
        Image.open(io.BytesIO(data)).load()
    assert data.startswith(start)


async def test_a_success_may_be_empty(openai, sims):
    """Without pictures there is nothing to bill."""
    sims.set_chaos([{"do": "no_output"}])
    said = (await openai.call("POST", GENERATE, FOX)).body
    assert (said["data"], said["usage"]["output_tokens"], sims.jobs()[0].billed) == ([], 0, False)


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "code"),
    [
        ("POST", GENERATE, "Bearer sk-other", 401, "invalid_api_key"),
        ("POST", "/images/variations", None, 404, "model_not_found"),
        ("POST", "/images/paint", None, 404, "unknown_url"),
        ("GET", GENERATE, None, 405, "method_not_allowed"),
        ("GET", "/models/dall-e-3", None, 404, "model_not_found"),
    ],
)
async def test_keys_paths_and_methods_are_judged(openai, method, path, key, status, code):
    """A wrong key, path or method has its own code, and every answer has an id."""
    openai.key = {"Authorization": key} if key else openai.key
    said = await openai.call(method, path, FOX if method == "POST" else None)
    assert (said.status, said.body["error"]["code"]) == (status, code)
    assert said.headers["x-request-id"].startswith("req_")


async def test_a_body_that_cannot_be_read_is_refused(openai):
    """Broken JSON, a form without an end, and a form where only JSON is taken are all a 400."""
    said = [
        await openai.call("POST", GENERATE, b"{", Content_Type="application/json"),
        await openai.call("POST", EDIT, b"--x\r\n", Content_Type="multipart/form-data; boundary=x"),
        await openai.form(GENERATE, *FOX.items()),
    ]
    assert [one.status for one in said] == [400, 400, 400]


async def test_a_picture_whose_line_breaks_is_lost_and_billed(openai, sims):
    """There is nothing to ask for again, and the work was done; a form is known by its values."""
    sims.set_chaos([{"do": "drop_after", "model": "gpt-image-2", "prompt": "f*"}])
    data = io.BytesIO()
    Image.new("RGB", (16, 16)).save(data, "PNG")
    with pytest.raises(aiohttp.ClientConnectionError):
        await openai.call("POST", GENERATE, FOX)
    with pytest.raises(aiohttp.ClientConnectionError):
        await openai.form("/images/edits", *FOX.items(), ("image", data.getvalue()))
    assert [job.billed for job in sims.jobs("openai")] == [True, True]


async def test_a_picture_may_never_come(openai, sims):
    """The line is held until the caller leaves, and nothing is billed."""
    sims.set_chaos([{"do": "never_end"}])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(openai.call("POST", GENERATE, FOX), 0.05)
    assert [(job.state, job.billed) for job in sims.jobs()] == [("running", False)]
