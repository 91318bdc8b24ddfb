"""Replicate as it is played: what it takes, what it refuses and how, and a prediction's life."""

import io

import pytest
from PIL import Image

from gateway.simulators import Simulators

SCHNELL = "/models/black-forest-labs/flux-schnell/predictions"
DANCE = "/models/bytedance/seedance-1-pro/predictions"
SDXL = "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"


async def begin(replicate, path=DANCE, body=None, **headers):
    said = await replicate.call("POST", path, body or {"input": {"prompt": "waves"}}, **headers)
    assert said.status == 201, said.body
    return said.body


async def test_a_prediction_goes_from_starting_to_a_file(replicate, hand):
    """A prediction starts, is processed, succeeds; its links lead to where it was asked."""
    made = await begin(replicate)
    seen = [made]
    for _ in range(2):
        hand.wind(1)
        seen.append((await replicate.call("GET", made["urls"]["get"])).body)
    assert [one["status"] for one in seen] == ["starting", "processing", "succeeded"]
    assert (seen[1]["output"], seen[2]["metrics"]["total_time"]) == (None, 2.0)
    file = await replicate.call("GET", seen[2]["output"])
    assert file.headers["Content-Type"] == "video/mp4"


@pytest.mark.parametrize(
    ("model", "given", "size", "form"),
    [
        ("black-forest-labs/flux-schnell", {"aspect_ratio": "16:9", "output_format": "png"}, (1360, 768), "PNG"),
        ("black-forest-labs/flux-schnell", {"megapixels": "0.25"}, (512, 512), "WEBP"),
        ("bytedance/seedream-4", {"size": "custom", "width": 1024, "height": 2000}, (1024, 2000), "JPEG"),
        ("black-forest-labs/flux-1.1-pro", {"aspect_ratio": "custom", "width": 320, "height": 256}, (320, 256), "WEBP"),
        ("google/nano-banana-pro", {"resolution": "2K", "output_format": "jpg"}, (2048, 2048), "JPEG"),
    ],
)
async def test_the_file_is_what_the_input_asked_for(replicate, model, given, size, form):
    """Shape, tier, exact pixels and format all show in the file."""
    made = await begin(replicate, f"/models/{model}/predictions", {"input": {"prompt": "x", **given}})
    output = (await replicate.call("GET", made["urls"]["get"])).body["output"]
    file = await replicate.call("GET", output[0] if isinstance(output, list) else output)
    drawn = Image.open(io.BytesIO(file.body))
    assert (drawn.size, drawn.format) == (size, form)


async def test_some_models_answer_with_a_list(replicate):
    """Whether the output is a list or one address is the model's own way."""
    many = await begin(replicate, SCHNELL, {"input": {"prompt": "x", "num_outputs": 3}})
    one = await begin(replicate, "/models/google/nano-banana/predictions", {"input": {"prompt": "x"}})
    outputs = [(await replicate.call("GET", made["urls"]["get"])).body["output"] for made in (many, one)]
    assert (len(outputs[0]), type(outputs[1])) == (3, str)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "- input.prompt is required\n"),
        ({"prompt": 1}, "- input.prompt: Invalid type. Expected: string, given: integer\n"),
        ({"prompt": "x", "num_outputs": 5}, "- input.num_outputs: Must be less than or equal to 4\n"),
        ({"prompt": "x", "num_outputs": "2"}, "- input.num_outputs: Invalid type. Expected: integer, given: string\n"),
        ({"prompt": "x", "seed": None}, "- input.seed: Invalid type. Expected: integer, given: null\n"),
        ({"prompt": "x", "width": 5}, "- input.width: Additional property width is not allowed\n"),
        ({"prompt": "x", "output_format": "jpeg"}, "- input.output_format: output_format must be one of the following"),
        ({"prompt": "x", "aspect_ratio": "7:5"}, "- input.aspect_ratio: aspect_ratio must be one of the following"),
    ],
)
async def test_a_wrong_input_is_refused_line_by_line(replicate, sims, given, line):
    """Each input that breaks the schema is a line of a 422, and nothing is begun."""
    said = await replicate.call("POST", SCHNELL, {"input": given})
    assert (said.status, said.body["title"], said.body["status"]) == (422, "Input validation failed", 422)
    assert line in said.body["detail"]
    assert said.body["invalid_fields"][0]["field"].startswith("input.")
    assert sims.jobs() == []


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        (SCHNELL, {"prompt": "x"}, 422, "Additional property prompt"),
        (SCHNELL, {"input": "x"}, 422, "input must be an object"),
        (SCHNELL, {"input": {"prompt": "x"}, "webhook": "http://example.com"}, 422, "HTTPS"),
        (SCHNELL, {"input": {"prompt": "x"}, "webhook_events_filter": ["done"]}, 422, "webhook_events_filter"),
        (SCHNELL, {"input": {"prompt": "x"}, "version": SDXL}, 422, "version"),
        (SCHNELL, b"{", 400, "JSON"),
        ("/models/nobody/nothing/predictions", {"input": {}}, 404, "could not be found"),
        ("/models/stability-ai/sdxl/predictions", {"input": {"prompt": "x"}}, 404, "could not be found"),
        ("/predictions", {"input": {"prompt": "x"}}, 422, "version is required"),
        ("/predictions", {"input": {"prompt": "x"}, "version": "0" * 64}, 422, "does not exist"),
        ("/predictions", {"input": {"prompt": "x"}, "version": f"google/veo-3.1:{SDXL}"}, 422, "does not exist"),
    ],
)
async def test_a_request_that_is_wrong_as_a_whole_is_refused(replicate, path, body, status, words):
    """The model, the version and the frame around the input are judged too."""
    said = await replicate.call("POST", path, body)
    assert (said.status, words in said.body["detail"]) == (status, True)


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("black-forest-labs/flux-1.1-pro", {"aspect_ratio": "custom"}),
        ("black-forest-labs/flux-1.1-pro", {"aspect_ratio": "custom", "width": 300, "height": 256}),
        ("google/veo-3.1", {"reference_images": ["https://example.com/a.png"], "duration": 4}),
        ("bytedance/seedance-2.0", {"image": "https://example.com/a.png", "reference_images": []}),
        ("bytedance/seedance-1-pro", {"last_frame_image": "https://example.com/a.png"}),
        ("bytedance/seedream-4.5", {"image_input": ["https://example.com/a.png"] * 15}),
        ("bytedance/seedream-4.5", {"image_input": ["reference.png"]}),
    ],
)
async def test_inputs_that_do_not_go_together_are_refused(replicate, model, given):
    """Rules between inputs, and the most of each, hold as well."""
    said = await replicate.call("POST", f"/models/{model}/predictions", {"input": {"prompt": "x", **given}})
    assert said.status == 422


@pytest.mark.parametrize("version", [SDXL, f"stability-ai/sdxl:{SDXL}", "black-forest-labs/flux-schnell"])
async def test_a_version_is_named_in_three_ways(replicate, version):
    """By its id, by model and id, and for official models by the model alone."""
    await begin(replicate, "/predictions", {"version": version, "input": {"prompt": "x"}})


async def test_both_forms_of_the_token_open(replicate):
    """`Bearer` and the older `Token` are taken, any other key is the vendor's 401."""
    token = replicate.key["Authorization"].removeprefix("Bearer ")
    for key, status in ((f"Token {token}", 200), (f"Key {token}", 401), ("Bearer r8_other", 401)):
        replicate.key = {"Authorization": key}
        said = await replicate.call("GET", "/account")
        assert said.status == status
    assert said.body["title"] == "Unauthenticated"


async def test_every_answer_tells_the_rate(replicate):
    """The rate headers are on every answer, refusals too."""
    for path in ("/account", "/predictions/nobody"):
        assert (await replicate.call("GET", path)).headers["ratelimit-remaining"] == "599"


async def test_waiting_brings_the_finished_prediction(replicate):
    """With `Prefer: wait` the answer comes when the job is done, and says that it waited."""
    said = await replicate.call("POST", SCHNELL, {"input": {"prompt": "x"}}, Prefer="wait=5")
    assert (said.status, said.headers["Preference-Applied"]) == (201, "wait=5")
    assert (said.body["status"], len(said.body["output"])) == ("succeeded", 1)


async def test_a_community_model_waited_for_answers_inline(replicate):
    """Its result comes while it still says processing, as data URIs."""
    said = await replicate.call("POST", "/predictions", {"version": SDXL, "input": {"prompt": "x"}}, Prefer="wait")
    assert (said.body["status"], said.body["output"][0][:22]) == ("processing", "data:image/png;base64,")


@pytest.mark.parametrize("header", [{"Prefer": "wait=61"}, {"Prefer": "wait=x"}, {"Cancel_After": "2s"}])
async def test_times_out_of_range_are_refused(replicate, header):
    """A wait is 1 to 60 seconds, a deadline 5 seconds to 24 hours."""
    assert (await replicate.call("POST", SCHNELL, {"input": {"prompt": "x"}}, **header)).status == 400


@pytest.mark.parametrize(
    ("fault", "word"), [({"do": "never_end"}, "canceled"), ({"do": "late", "seconds": 40}, "aborted")]
)
async def test_a_deadline_ends_a_prediction(replicate, sims, hand, fault, word):
    """At its own deadline a running prediction is cancelled, and one that has not begun is aborted."""
    sims.set_chaos([fault])
    made = await begin(replicate, Cancel_After="5s")
    hand.wind(5)
    assert (await replicate.call("GET", made["urls"]["get"])).body["status"] == word
    assert sims.jobs()[0].billed is False


async def test_cancelling_stops_it_and_is_harmless_later(replicate, sims):
    """A cancelled prediction is over at once, costs nothing, and may be cancelled again."""
    made = await begin(replicate)
    for _ in range(2):
        said = await replicate.call("POST", made["urls"]["cancel"])
        assert (said.status, said.body["status"]) == (200, "canceled")
    assert sims.jobs()[0].billed is False


async def test_after_an_hour_nothing_is_left(replicate, hand):
    """An hour after its end a prediction has lost input, output and files."""
    made = await begin(replicate)
    hand.wind(2)
    link = (await replicate.call("GET", made["urls"]["get"])).body["output"]
    hand.wind(3601)
    said = await replicate.call("GET", made["urls"]["get"])
    assert (said.body["status"], said.body["output"], said.body["data_removed"]) == ("succeeded", None, True)
    assert (await replicate.call("GET", link)).status == 404


async def test_the_list_is_newest_first_and_bounded_in_time(replicate, hand):
    """Predictions are listed by time, between two moments if asked, a hundred a page."""
    made = []
    for _ in range(101):
        made.append((await begin(replicate))["id"])
        hand.wind(1)
    page = (await replicate.call("GET", "/predictions")).body
    assert (page["results"][0]["id"], len(page["results"]), page["previous"]) == (made[-1], 100, None)
    rest = (await replicate.call("GET", page["next"])).body
    assert [one["id"] for one in rest["results"]] == made[:1]
    asked = "/predictions?created_after=2026-05-28T20:26:41Z&created_before=2026-05-28T20:26:43Z"
    assert [one["id"] for one in (await replicate.call("GET", asked)).body["results"]] == [made[2], made[1]]


@pytest.mark.parametrize(("path", "version", "is_billed"), [("/predictions", SDXL, True), (SCHNELL, None, False)])
async def test_community_models_bill_for_time_even_when_they_fail(replicate, path, version, is_billed, hand):
    """A failed run costs on a community model and not on an official one."""
    sims = Simulators(image_seconds=2, chaos=[{"do": "fail", "code": "E1001"}], clock=hand)
    await sims.start()
    replicate.base = sims.bases["replicate"] + "/v1"
    body = {"input": {"prompt": "x"}, **({"version": version} if version else {})}
    made = await begin(replicate, path, body)
    hand.wind(2)
    said = (await replicate.call("GET", made["urls"]["get"])).body
    await sims.close()
    assert (said["status"], "(E1001)" in said["error"], sims.jobs()[0].billed) == ("failed", True, is_billed)


async def test_a_model_publishes_its_schema(replicate):
    """The catalogue tells each model's inputs and output in OpenAPI's words."""
    found = (await replicate.call("GET", "/models/black-forest-labs/flux-schnell")).body
    schemas = found["latest_version"]["openapi_schema"]["components"]["schemas"]
    assert schemas["Input"]["required"] == ["prompt"]
    assert (schemas["Input"]["properties"]["num_outputs"]["maximum"], schemas["Output"]["type"]) == (4, "array")
    one = f"/models/black-forest-labs/flux-schnell/versions/{found['latest_version']['id']}"
    assert (await replicate.call("GET", one)).body == found["latest_version"]
