"""Model Studio's pictures as they are played: made while the caller waits, and what is refused how."""

import asyncio
import dataclasses
import io

import pytest
from PIL import Image

from gateway.simulators.alibabacloud_images import IMAGES, MESSAGES, MESSAGES_ASYNC
from gateway.simulators.alibabacloud_sizes import WAN_27_PRO

WAIT = "/services/aigc/" + MESSAGES
TASK = "/services/aigc/" + MESSAGES_ASYNC
ASYNC = {"X_DashScope_Async": "enable"}
PICTURE = "https://example.com/a.png"


@pytest.fixture
def studio(ark, sims):
    """The vendor with its key."""
    key = {"Authorization": f"Bearer {sims.secrets['DASHSCOPE_API_KEY']}"}
    return dataclasses.replace(ark, base=sims.bases["alibabacloud"] + "/api/v1", key=key)


def said_of(model, *pictures, text="fox", **parameters):
    """Return the body of a request in messages."""
    content = [{"image": link} for link in pictures] + [{"text": text}]
    body = {"model": model, "input": {"messages": [{"role": "user", "content": content}]}}
    return {**body, "parameters": parameters} if parameters else body


def images(said):
    """Return every picture of an answer, over choices and parts."""
    choices = said.body["output"]["choices"]
    return [part["image"] for one in choices for part in one["message"]["content"] if "image" in part]


@pytest.mark.parametrize("name", [name for name, row in IMAGES.items() if MESSAGES in row.routes])
async def test_every_model_that_answers_at_once_is_served(studio, name):
    """Each model makes a picture from a prompt, and from the pictures it cannot do without."""
    said = await studio.call("POST", WAIT, said_of(name, *[PICTURE] * IMAGES[name].pictures[0]))
    assert said.status == 200, said.body
    assert (len(images(said)), said.body["usage"]["image_count"]) == (IMAGES[name].count,) * 2


@pytest.mark.parametrize(
    ("model", "choices", "parts", "usage"),
    [
        ("qwen-image-2.0-pro", 1, 3, {"image_count", "width", "height"}),
        (
            "qwen-image-3.0",
            1,
            3,
            {"image_count", "output_width", "output_height", "output_image_type", "input_image_count"},
        ),
        ("wan2.7-image", 3, 1, {"image_count", "size"}),
    ],
)
async def test_several_pictures_come_as_choices_or_as_parts(studio, model, choices, parts, usage):
    """Where several pictures stand, and how they are counted, differs by family."""
    said = await studio.call("POST", WAIT, said_of(model, n=3))
    found = said.body["output"]["choices"]
    assert (len(found), len(found[0]["message"]["content"]), set(said.body["usage"])) == (choices, parts, usage)


async def test_words_may_stand_between_the_pictures(studio):
    """One model says what it thought beside its picture."""
    said = await studio.call("POST", WAIT, said_of("z-image-turbo"))
    message = said.body["output"]["choices"][0]["message"]
    assert ([sorted(part) for part in message["content"]], "reasoning_content" in message) == (
        [["image"], ["text"]],
        True,
    )


@pytest.mark.parametrize(
    ("model", "parameters", "pictures", "size"),
    [
        ("qwen-image", {}, 0, (1664, 928)),
        ("qwen-image-2.0", {"size": "2688*1536"}, 0, (2688, 1536)),
        ("qwen-image-2.0", {"size": "1000*1000"}, 1, (992, 992)),
        ("wan2.7-image-pro", {"size": "4K", "n": 1}, 0, (4096, 4096)),
        ("wan2.6-t2i", {"size": "1696*960", "n": 1}, 0, (1696, 960)),
        ("wan2.6-image", {"size": "800*1000", "n": 1}, 1, (800, 992)),
    ],
)
async def test_the_picture_has_the_size_that_was_asked_for(studio, hand, model, parameters, pictures, size):
    """Sizes, tiers and the vendor's rounding show in the file, which lives for a day."""
    said = await studio.call("POST", WAIT, said_of(model, *[PICTURE] * pictures, **parameters))
    link = images(said)[0]
    drawn = Image.open(io.BytesIO((await studio.call("GET", link)).body))
    assert (drawn.format, drawn.size) == ("PNG", size)
    hand.wind(86_401)
    assert (await studio.call("GET", link)).status == 404


@pytest.mark.parametrize(
    ("model", "parameters", "pictures", "words"),
    [
        ("qwen-image", {"size": "1024*1024"}, 0, "parameters.size"),
        ("qwen-image", {"n": 2}, 0, "parameters.n"),
        ("qwen-image", {}, 1, "number of images"),
        ("qwen-image-edit", {}, 0, "number of images"),
        ("qwen-image-edit", {"size": "1024*1024"}, 1, "parameters.size"),
        ("qwen-image-edit-plus", {"size": "256*1024"}, 1, "512"),
        ("qwen-image-2.0", {"size": "1024x1024"}, 0, "WIDTH*HEIGHT"),
        ("qwen-image-2.0", {"size": "256*256"}, 0, "total pixels"),
        ("qwen-image-3.0", {"size": "4096*300"}, 0, "ratio"),
        ("qwen-image-2.0", {"seed": -1}, 0, "parameters.seed"),
        ("qwen-image-2.0", {"n": "2"}, 0, "parameters.n"),
        ("qwen-image-2.0", {"watermrk": False}, 0, "not supported"),
        ("z-image-turbo", {"n": 1}, 0, "parameters.n"),
        ("wan2.7-image", {"negative_prompt": "x"}, 0, "parameters.negative_prompt"),
        ("wan2.7-image", {"size": "4K"}, 0, "1K, 2K"),
        ("wan2.7-image-pro", {"size": "4K"}, 1, "1K, 2K"),
        ("wan2.7-image-pro", {"size": "2k"}, 0, "1K, 2K"),
        ("wan2.7-image", {"n": 5}, 0, "enable_sequential"),
        ("wan2.7-image", {"color_palette": [{"hex": "#fff", "ratio": "30%"}] * 3}, 0, "100"),
        ("wan2.6-t2i", {"size": "1024*1024"}, 0, "total pixels"),
        ("wan2.6-image", {"max_images": 2}, 1, "enable_interleave"),
        ("wan2.6-image", {"enable_interleave": True, "n": 2}, 1, "should be 1"),
        ("wan2.6-image", {"enable_interleave": True}, 0, "stream"),
    ],
)
async def test_one_who_waits_is_refused_at_once(studio, sims, model, parameters, pictures, words):
    """The first thing that is wrong is told in a flat body, and nothing is begun."""
    said = await studio.call("POST", WAIT, said_of(model, *[PICTURE] * pictures, **parameters))
    assert (said.status, said.body["code"], set(said.body)) == (
        400,
        "InvalidParameter",
        {"code", "message", "request_id"},
    )
    assert (words in said.body["message"], sims.jobs()) == (True, [])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "InvalidParameter"),
        ({"input": {}}, 400, "BadRequest.EmptyModel"),
        ({"model": "qwen-image"}, 400, "BadRequest.EmptyInput"),
        ({"model": "qwen-image", "input": []}, 400, "InvalidParameter"),
        ({"model": "qwen-image", "input": {}}, 400, "InvalidParameter"),
        ({"model": "qwen-imagine", "input": {}}, 404, "ModelNotFound"),
        ({"model": "wan2.5-t2i-preview", "input": {"prompt": "x"}}, 400, "InvalidParameter"),
        (said_of("qwen-image-2.0", "no address"), 400, "InvalidURL"),
        (said_of("qwen-image-2.0", "oss://somewhere/else"), 400, "InvalidURL"),
        (said_of("qwen-image-2.0", "data:image/png;base64,aGk="), 200, None),
    ],
)
async def test_the_frame_of_a_request_is_judged_first(studio, body, status, code):
    """Body, model, path and input are each refused by a code of their own."""
    said = await studio.call("POST", WAIT, body)
    assert (said.status, said.body.get("code")) == (status, code)


async def test_messages_hold_one_text(studio):
    """There is one message of the user with one text in it."""
    two = {"role": "user", "content": [{"text": "a"}, {"text": "b"}]}
    for messages in ([two], [two, two], [{"role": "system", "content": [{"text": "a"}]}], []):
        said = await studio.call("POST", WAIT, {"model": "qwen-image", "input": {"messages": messages}})
        assert said.status == 400


async def test_each_path_wants_its_header_or_none(studio):
    """Waiting on a task's path and a task on the path for waiting are both denied."""
    body = said_of("wan2.6-t2i", n=1)
    said = [await studio.call("POST", TASK, body), await studio.call("POST", WAIT, body, **ASYNC)]
    assert [(one.status, one.body["code"]) for one in said] == [(403, "AccessDenied")] * 2
    assert "does not support synchronous calls" in said[0].body["message"]


async def test_a_wrong_key_and_a_wrong_path(studio):
    """The key is looked at before the path."""
    assert (await studio.call("POST", "/services/aigc/nothing", {})).status == 404
    assert (await studio.call("GET", WAIT)).status == 405
    studio.key = {"Authorization": "Bearer sk-other"}
    said = await studio.call("POST", "/services/aigc/nothing", {})
    assert (said.status, said.body["code"]) == (401, "InvalidApiKey")


async def test_text_and_pictures_may_come_as_a_stream(studio):
    """Mixed output needs a stream from one who waits, and comes as events."""
    body = said_of("wan2.6-image", enable_interleave=True, max_images=2, stream=True)
    said = await studio.call("POST", WAIT, body, X_DashScope_Sse="enable")
    assert (said.status, said.headers["Content-Type"]) == (200, "text/event-stream")
    assert said.body.count(b'"type": "text"') == said.body.count(b'"type": "image"') > 0


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"do": "refuse_content"}, 400, "DataInspectionFailed"),
        ({"do": "fail"}, 500, "InternalError"),
        ({"do": "fail", "code": "ServiceUnavailable"}, 503, "ServiceUnavailable"),
        ({"do": "status", "status": 200, "code": "InvalidParameter"}, 200, "InvalidParameter"),
        ({"do": "status", "status": 429}, 429, "Throttling.RateQuota"),
        ({"do": "status", "status": 400, "code": "Arrearage"}, 400, "Arrearage"),
    ],
)
async def test_faults_speak_in_codes(studio, sims, rule, status, code):
    """A failure is worded in the flat body, even where the status says success."""
    sims.set_chaos([rule])
    said = await studio.call("POST", WAIT, said_of("qwen-image"))
    assert (said.status, said.body["code"], "output" in said.body) == (status, code, False)
    assert not any(job.billed for job in sims.jobs())


async def test_the_edge_does_not_speak_json(studio, sims):
    """A body that is too large gets an empty answer, a broken gateway a page."""
    for status, has in ((413, b""), (502, b"<html>")):
        sims.set_chaos([{"do": "status", "status": status}])
        said = await studio.call("POST", WAIT, said_of("qwen-image"))
        assert (said.status, said.body[:6]) == (status, has)


async def test_a_picture_nobody_waited_for_is_billed(studio, sims):
    """Closing the line stops nothing; a success with nothing in it costs nothing."""
    sims.set_chaos([{"do": "drop_after", "times": 1}, {"do": "no_output"}])
    with pytest.raises(OSError):
        await studio.call("POST", WAIT, said_of("qwen-image"))
    said = await studio.call("POST", WAIT, said_of("qwen-image"))
    assert (images(said), [job.billed for job in sims.jobs()]) == ([], [True, False])


async def test_the_line_is_held_until_the_picture_is_there(studio, sims, hand):
    """One who waits hears nothing until the end."""
    sims.set_chaos([{"do": "late", "seconds": 0.04}])
    waiting = asyncio.ensure_future(studio.call("POST", WAIT, said_of("qwen-image")))
    await asyncio.sleep(0.06)
    assert not waiting.done()
    hand.wind(1)
    assert (await waiting).status == 200


def test_only_a_picture_from_nothing_may_be_very_large():
    """The largest sizes are for text alone."""
    assert WAN_27_PRO.pixels("4096*4096", narrow=False) == (4096, 4096)
    assert isinstance(WAN_27_PRO.pixels("4096*4096", narrow=True), str)
