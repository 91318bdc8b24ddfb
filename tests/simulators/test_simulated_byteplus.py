"""BytePlus as it is played: pictures in one call, what is refused and how."""

import base64
import io
import json

import pytest
from PIL import Image

IMAGES = "/images/generations"
TASKS = "/contents/generations/tasks"
SEEDREAM = "seedream-4-5-251128"
SEEDANCE = "seedance-1-0-pro-250528"
PNG = "https://example.com/a.png"


async def test_a_picture_comes_in_one_call_as_a_jpeg_of_the_size_asked(ark):
    """An image call answers with a link to a JPEG of exactly the pixels asked for, and counts tokens."""
    body = {"model": SEEDREAM, "prompt": "a lighthouse", "size": "2848x1600", "image": [PNG], "watermark": False}
    said = await ark.call("POST", IMAGES, body)
    assert (said.status, said.body["usage"]["output_tokens"]) == (200, 17800)
    file = await ark.call("GET", said.body["data"][0]["url"])
    drawn = Image.open(io.BytesIO(file.body))
    assert (file.headers["Content-Type"], drawn.format, drawn.size) == ("image/jpeg", "JPEG", (2848, 1600))


async def test_a_tier_leaves_the_ratio_to_the_model(ark):
    """A tier name delivers a size that is not square, as was seen of the vendor."""
    said = await ark.call("POST", IMAGES, {"model": "seedream-4-0-250828", "prompt": "x", "size": "1K"})
    assert said.body["data"][0]["size"] == "1152x864"


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"prompt": None}, "MissingParameter", "prompt"),
        ({"prompt": 3}, "InvalidParameter", "prompt"),
        ({"size": "1024x1024"}, "InvalidParameter", "size"),
        ({"size": "8192x400"}, "InvalidParameter", "size"),
        ({"size": "1K"}, "InvalidParameter", "size"),
        ({"size": "2848*1600"}, "InvalidParameter", "size"),
        ({"image": [PNG] * 15}, "InvalidParameter", "image"),
        ({"image": "ftp://example.com/a.png"}, "InvalidImageURL.InvalidFormat", "image"),
        ({"image": "data:image/PNG;base64,AAAA"}, "InvalidImageURL.InvalidFormat", "image"),
        ({"n": 2}, "InvalidParameter", "n"),
        ({"aspect_ratio": "16:9"}, "InvalidParameter", "aspect_ratio"),
        ({"seed": 1}, "InvalidParameter", "seed"),
        ({"output_format": "png"}, "InvalidParameter", "output_format"),
        ({"response_format": "png"}, "InvalidParameter", "response_format"),
        ({"watermark": "false"}, "InvalidParameter", "watermark"),
        ({"optimize_prompt_options": {"mode": "fast"}}, "InvalidParameter", "optimize_prompt_options.mode"),
        (
            {
                "sequential_image_generation": "auto",
                "sequential_image_generation_options": {"max_images": 5},
                "image": [PNG] * 12,
            },
            "InvalidParameter",
            "sequential_image_generation_options.max_images",
        ),
    ],
)
async def test_a_wrong_picture_request_is_refused_by_field(ark, sims, change, code, param):
    """Each field that breaks the model's table is a 400 that names it, and nothing is begun."""
    said = await ark.call("POST", IMAGES, {"model": SEEDREAM, "prompt": "x", **change})
    error = said.body["error"]
    assert (said.status, error["code"], error["param"], error["type"]) == (400, code, param, "BadRequest")
    assert "Request id: " + said.headers["X-Request-Id"] in error["message"]
    assert sims.jobs() == []


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (IMAGES, {"prompt": "x"}, 400, "MissingParameter"),
        (IMAGES, {"model": "seedream-3-0-t2i-250415", "prompt": "x"}, 404, "InvalidEndpointOrModel.NotFound"),
        (IMAGES, {"model": SEEDANCE, "prompt": "x"}, 404, "UnsupportedModel"),
        (TASKS, {"model": SEEDREAM, "content": [{"type": "text", "text": "waves"}]}, 404, "UnsupportedModel"),
        (TASKS, {"model": SEEDANCE}, 400, "MissingParameter"),
        (IMAGES, b"{not json", 400, "InvalidParameter"),
        (IMAGES, [1], 400, "InvalidParameter"),
        ("/images/edits", {"model": SEEDREAM}, 404, "InvalidEndpointOrModel.NotFound"),
    ],
)
async def test_a_request_that_is_wrong_as_a_whole_is_refused(ark, path, body, status, code):
    """The model and the path are judged before the fields."""
    said = await ark.call("POST", path, body)
    assert (said.status, said.body["error"]["code"]) == (status, code)


async def test_only_the_bearer_key_opens(ark):
    """Without the key, or with it in another scheme, the answer is the vendor's 401."""
    for key in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": ark.key["Authorization"].replace("Bearer", "Key")},
    ):
        ark.key = key
        said = await ark.call("POST", IMAGES, {"model": SEEDREAM, "prompt": "x"})
        assert (said.status, said.body["error"]["code"]) == (401, "AuthenticationError")


async def test_nulls_count_as_absent(ark):
    """The vendor's own client sends every field it knows as null."""
    body = {"model": SEEDREAM, "prompt": "x", "seed": None, "optimize_prompt_options": {"mode": None}}
    assert (await ark.call("POST", IMAGES, body)).status == 200


async def test_in_a_set_the_model_decides_how_many(ark):
    """A set has at least one picture and never more than asked for."""
    body = {
        "model": SEEDREAM,
        "sequential_image_generation": "auto",
        "sequential_image_generation_options": {"max_images": 4},
    }
    counts = {len((await ark.call("POST", IMAGES, {**body, "prompt": word})).body["data"]) for word in "abcdefgh"}
    assert counts <= {1, 2, 3, 4}
    assert len(counts) > 1


async def test_pictures_come_inline_when_asked(ark):
    """`b64_json` holds the file itself, without a data URI's prefix."""
    body = {"model": SEEDREAM, "prompt": "x", "response_format": "b64_json"}
    item = (await ark.call("POST", IMAGES, body)).body["data"][0]
    assert Image.open(io.BytesIO(base64.b64decode(item["b64_json"]))).size == (2048, 2048)
    assert "url" not in item


async def test_a_stream_ends_with_the_usage(ark):
    """A streamed call is server-sent events: one for each picture, then the sum."""
    said = await ark.call("POST", IMAGES, {"model": SEEDREAM, "prompt": "x", "stream": True})
    events = [json.loads(line[6:]) for line in said.body.decode().splitlines() if line.startswith("data: {")]
    assert [event["type"].split(".")[1] for event in events] == ["partial_succeeded", "completed"]


async def test_a_filtered_picture_stands_beside_good_ones(ark, sims):
    """When one picture of a set is filtered, a 200 holds its error; when all are, nothing is billed."""
    sims.set_chaos([{"do": "refuse_content", "code": "OutputImageSensitiveContentDetected"}])
    body = {"model": SEEDREAM, "sequential_image_generation": "auto", "prompt": "b"}
    many = (await ark.call("POST", IMAGES, body)).body["data"]
    assert ("error" in many[0], all("url" in item for item in many[1:]), len(many) > 1) == (True, True, True)
    alone = (await ark.call("POST", IMAGES, {"model": SEEDREAM, "prompt": "x"})).body
    assert [list(item) for item in alone["data"]] == [["error"]]
    assert [job.billed for job in sims.jobs()] == [True, False]


async def test_the_models_are_listed_but_for_one(ark):
    """The list of models leaves out an id that works."""
    ids = {model["id"] for model in (await ark.call("GET", "/models")).body["data"]}
    assert SEEDREAM in ids
    assert "seedream-5-0-lite-260128" not in ids
