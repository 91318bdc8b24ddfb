"""The Gemini API's Interactions as they are played: films and pictures, their life, their files, and their end."""

import base64
import io

import pytest
from PIL import Image

FILM, NEXT, STILL = "gemini-omni-1.1-flash", "gemini-omni-1.2-flash", "gemini-nano-banana-2.1"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SHOWN = {"type": "image", "mime_type": "image/png", "data": PIXEL}
SAID = {"type": "text", "text": "waves"}


def film(model=FILM, *blocks, background=True, **given):
    """Return a request for a film of five seconds."""
    made = {
        "model": model,
        "input": [{"type": "user_input", "content": [*blocks, SAID]}],
        "response_format": {"type": "video", "duration": "5s", "delivery": "uri", **given.pop("response_format", {})},
    }
    return made | ({"background": True, "store": True} if background else {}) | given


async def begin(google, body=None):
    """Begin an interaction and return the answer."""
    said = await google.call("POST", "/interactions", body or film(), Api_Revision="2026-05-20")
    assert said.status == 200, said.body
    return said.body


async def look(google, made):
    """Look at an interaction."""
    return (await google.call("GET", f"/interactions/{made['id']}")).body


@pytest.mark.parametrize(("model", "tokens"), [(FILM, 28960), (NEXT, 28960)])
async def test_a_film_is_made_in_the_background(google, sims, hand, model, tokens):
    """The call answers at once; a look has the bytes in itself, although a link was asked for."""
    made = await begin(google, film(model, generation_config={"seed": 7, "video_config": {"task": "text_to_video"}}))
    seen = [made["status"], (await look(google, made))["status"]]
    hand.wind(2)
    done = await look(google, made)
    (block,) = done["steps"][-1]["content"]
    assert (seen, done["status"]) == (["in_progress"] * 2, "completed")
    assert (block["type"], block["mime_type"], "uri" in block) == ("video", "video/mp4", False)
    assert base64.b64decode(block["data"])[4:8] == b"ftyp"
    assert (done["usage"]["total_output_tokens"], sims.jobs()[0].billed) == (tokens, True)


async def test_a_call_that_waits_names_a_file(google, hand, sims):
    """Without a background the line is held; the file wants the key, a moment, and is gone after two days."""
    sims.set_chaos([{"do": "late", "seconds": 0}])
    made = await begin(google, film(FILM, SHOWN, background=False))
    link = made["steps"][-1]["content"][0]["uri"]
    states, statuses = [], []
    for pause in (0, 1, 3600 * 48):
        hand.wind(pause)
        states.append((await google.call("GET", link)).body.get("state"))
        statuses.append((await google.call("GET", f"{link}:download?alt=media")).status)
    assert (made["status"], states, statuses) == ("completed", ["PROCESSING", "ACTIVE", None], [400, 200, 404])
    assert (await google.call("GET", link, x_goog_api_key="other")).status == 400


async def test_a_file_can_be_started_from(google, hand):
    """A film made here is input to another by its address."""
    made = await begin(google)
    hand.wind(3)
    link = f"{google.base}/files/{made['id'].removeprefix('v1_')}-0"
    block = {"type": "video", "mime_type": "video/mp4", "uri": link}
    assert (await begin(google, film(FILM, block)))["status"] == "in_progress"


async def test_a_picture_is_made_too(google):
    """The picture models answer here as well, in words or blocks, with the tier they were asked for."""
    wanted = {"type": "image", "aspect_ratio": "16:9", "image_size": "2K", "mime_type": "image/jpeg"}
    body = {"model": STILL, "input": [SHOWN, SAID], "response_format": wanted, "background": True}
    made = await begin(google, body)
    plain = await begin(google, {"model": STILL, "input": "waves", "background": True})
    sizes = [
        Image.open(io.BytesIO(base64.b64decode((await look(google, one))["steps"][-1]["content"][0]["data"]))).size
        for one in (made, plain)
    ]
    assert sizes == [(2752, 1536), (1024, 1024)]


async def test_the_length_left_open_is_the_dearest(google, hand):
    """A film whose length is not said has ten seconds."""
    made = await begin(google, {"model": FILM, "input": "waves", "background": True})
    hand.wind(2)
    assert (await look(google, made))["usage"]["total_output_tokens"] == 57920


@pytest.mark.parametrize(
    "given",
    [
        {"model": None},
        {"input": []},
        {"input": [{"type": "user_input", "content": [SHOWN]}]},
        {"responseFormat": {}},
        {"safety_settings": []},
        {"store": False},
        {"service_tier": "cheap"},
        {"previous_interaction_id": "v1_nobody"},
        {"generation_config": {"seed": "7"}},
        {"generation_config": {"video_config": {"task": "dream"}}},
        {"response_format": {"duration": 5}},
        {"response_format": {"duration": "5"}},
        {"response_format": {"duration": "2s"}},
        {"response_format": {"duration": "11s"}},
        {"response_format": {"resolution": "480p"}},
        {"response_format": {"resolution": "4K"}},
        {"response_format": {"aspect_ratio": "1:1"}},
        {"response_format": {"type": "image"}},
        {"input": [{**SHOWN, "data": "data:image/png;base64," + PIXEL}, SAID]},
        {"input": [{"type": "image", "data": PIXEL}, SAID]},
        {"input": [{**SHOWN, "uri": "https://example.com/a.png"}, SAID]},
        {"input": [*[SHOWN] * 7, SAID]},
        {"input": [{"type": "image", "mime_type": "image/png", "uri": "https://example.com/a.png"}, SAID]},
        {"input": [{"type": "video", "mime_type": "video/mp4", "data": PIXEL}, SAID]},
    ],
)
async def test_what_is_wrong_is_refused(google, sims, given):
    """Fields are in snake case, lengths a text with their unit; a refusal has a small code, and nothing begins."""
    said = await google.call("POST", "/interactions", film(**given))
    assert (said.status, said.body["error"]["code"]) == (400, "invalid_request")
    assert sims.jobs() == []


async def test_other_refusals_have_small_codes_too(google, sims):
    """Models that are gone, a wrong key and limits are worded in the newer dialect."""
    gone = await google.call("POST", "/interactions", film("gemini-omni-flash-preview"))
    key = await google.call("POST", "/interactions", film(), x_goog_api_key="other")
    revision = await google.call("POST", "/interactions", film(), Api_Revision="2025-01-01")
    sims.set_chaos([{"do": "status", "status": 402}])
    credit = await google.call("POST", "/interactions", film())
    found = [(said.status, said.body["error"]["code"]) for said in (gone, key, revision, credit)]
    bad = (400, "invalid_request")
    assert found == [(404, "not_found"), bad, bad, (402, "payment_required")]
    assert key.body["error"]["message"].startswith("API key not valid")


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"do": "refuse_content"}, "failed", "content_blocked"),
        ({"do": "refuse_content", "code": "image_safety"}, "failed", "image_safety"),
        ({"do": "fail", "code": "budget_exceeded"}, "budget_exceeded", "budget_exceeded"),
        ({"do": "fail", "code": "quota_exceeded"}, "failed", "quota_exceeded"),
    ],
)
async def test_an_interaction_fails_with_errors(google, sims, hand, rule, status, code):
    """What went wrong stands among the errors, under HTTP 200; nothing is billed."""
    sims.set_chaos([rule])
    made = await begin(google)
    hand.wind(2)
    done = await look(google, made)
    assert (done["status"], [error["code"] for error in done["errors"]]) == (status, [code])
    assert not sims.jobs()[0].billed


async def test_other_ends(google, sims, hand):
    """A failure may stand in the step that broke; a film may end without any; a strange word may come."""
    sims.set_chaos(
        [{"do": "fail", "times": 1}, {"do": "no_output", "times": 1}, {"do": "unknown_status", "seconds": 9}]
    )
    made = [await begin(google) for _ in range(3)]
    hand.wind(3)
    failed, empty, odd = [await look(google, one) for one in made]
    assert failed["steps"][-1]["error"]["code"] == 13
    assert (empty["status"], empty["steps"][-1]["content"]) == ("completed", [])
    assert odd["status"] == "reconsidering"


async def test_only_the_background_can_be_cancelled(google, hand):
    """A running one is cancelled, once; the flexible tier is seen waiting before."""
    made = await begin(google, film(service_tier="flex"))
    path = f"/interactions/{made['id']}/cancel"
    said = [await google.call("POST", path), await google.call("POST", path)]
    hand.wind(3)
    assert (made["status"], said[0].body["status"], said[1].status) == ("queued", "cancelled", 400)
    assert (await look(google, made))["status"] == "cancelled"


async def test_what_is_deleted_or_never_stored_is_unknown(google, hand):
    """An interaction can be deleted, and its file lives on; one that was not stored cannot be looked at."""
    made = await begin(google)
    hand.wind(3)
    assert (await google.call("DELETE", f"/interactions/{made['id']}")).status == 200
    passing = await begin(google, {"model": STILL, "input": "waves", "store": False})
    for one in (made, passing, {"id": "v1_nobody"}):
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel")):
            said = await google.call(method, f"/interactions/{one['id']}{path}")
            assert (said.status, said.body["error"]["code"]) == (404, "not_found")
    file = f"/files/{made['id'].removeprefix('v1_')}-0:download?alt=media"
    assert (await google.call("GET", file)).status == 200


async def test_files_go_wrong(google, sims, hand):
    """A file may fail to be readable, or come as something else."""
    sims.set_chaos([{"do": "output_404", "times": 1}, {"do": "output_html", "times": 1}])
    broken, page = [f"/files/{(await begin(google))['id'].removeprefix('v1_')}-0" for _ in range(2)]
    hand.wind(3)
    assert (await google.call("GET", broken)).body["state"] == "FAILED"
    assert (await google.call("GET", f"{broken}:download?alt=media")).status == 404
    assert (await google.call("GET", f"{page}:download?alt=media")).body.startswith(b"<!doctype html>")
    assert (await google.call("GET", page + "0:download?alt=media")).status == 404
