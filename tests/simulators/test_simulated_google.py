"""The Gemini API's pictures as they are played: what each model takes, what it refuses and how, and what an answer holds."""

import base64
import io

import pytest
from PIL import Image

from gateway.simulators.google_models import IMAGES

SEAL = {"contents": [{"parts": [{"text": "a seal"}]}]}
FLASH, PRO, FIRST, NEW = (
    "gemini-3.1-flash-image",
    "gemini-3-pro-image",
    "gemini-2.5-flash-image",
    "gemini-nano-banana-2.1",
)
LITE = "gemini-3.1-flash-lite-image"
REFUSED = 400, "INVALID_ARGUMENT"


def picture(form="PNG", size=(64, 40)):
    """Return a picture as bare base64."""
    data = io.BytesIO()
    Image.new("RGB", size).save(data, form)
    return base64.b64encode(data.getvalue()).decode()


def shown(data, kind="image/png"):
    """Return a part that shows a picture."""
    return {"inlineData": {"mimeType": kind, "data": data}}


def asked(*parts, **config):
    """Return a request with further parts and a configuration."""
    return {
        "contents": [{"role": "user", "parts": [*parts, {"text": "a seal"}]}],
        "generationConfig": {"responseModalities": ["IMAGE"], **config},
    }


async def generate(google, model, body=SEAL, **headers):
    """Ask a model for a picture."""
    return await google.call("POST", f"/models/{model}:generateContent", body, **headers)


def pictures(said):
    """Return the pictures of an answer that are no drafts."""
    parts = said.body["candidates"][0]["content"]["parts"]
    found = [part["inlineData"] for part in parts if "inlineData" in part and "thought" not in part]
    return [Image.open(io.BytesIO(base64.b64decode(one["data"]))) for one in found]


@pytest.mark.parametrize("model", IMAGES)
async def test_every_model_makes_one_picture(google, sims, model):
    """With words alone each model answers in the call itself, with one square JPEG, and it costs."""
    (made,) = pictures(await generate(google, model))
    assert (made.format, made.size) == ("JPEG", (1024, 1024))
    assert [(job.model, job.state, job.billed) for job in sims.jobs("google")] == [(model, "succeeded", True)]


@pytest.mark.parametrize(
    ("model", "shape", "tier", "size"),
    [
        (FLASH, "16:9", "512", (688, 384)),
        (FLASH, "21:9", "512", (792, 336)),
        (FLASH, "1:8", "4K", (1536, 12288)),
        (NEW, "3:2", "2K", (2528, 1696)),
        (PRO, "4:5", "4K", (3712, 4608)),
        (LITE, "8:1", "1K", (3072, 384)),
        (FIRST, "16:9", None, (1344, 768)),
    ],
)
async def test_shape_and_tier_decide_the_pixels(google, model, shape, tier, size):
    """Pixels are those of the vendor's table; the first model has a table of its own."""
    asks = {"aspectRatio": shape} | ({"imageSize": tier} if tier else {})
    (made,) = pictures(await generate(google, model, asked(imageConfig=asks)))
    assert made.size == size


async def test_without_a_shape_that_of_the_first_picture_is_taken(google):
    """An edit follows what it is shown; names may be in snake case as well."""
    blob = {"inline_data": {"mime_type": "image/jpeg", "data": picture("JPEG", (400, 600))}}
    (made,) = pictures(await generate(google, FLASH, asked(blob, image_config={"image_size": "2K"})))
    assert made.size == (1696, 2528)


async def test_drafts_and_words_come_beside_the_picture(google):
    """A model that thinks adds drafts marked as such, and words come unless only pictures were asked for."""
    kinds = [list(part) for part in (await generate(google, PRO)).body["candidates"][0]["content"]["parts"]]
    alone = [list(part) for part in (await generate(google, PRO, asked())).body["candidates"][0]["content"]["parts"]]
    assert (kinds, alone) == ([["text"], *alone], [["inlineData", "thought"], ["inlineData"]])


async def test_tokens_are_counted(google):
    """A call is billed by its tokens: the picture's by tier, the words, and the pictures shown."""
    body = asked(shown(picture()), imageConfig={"imageSize": "4K"})
    said = await generate(google, PRO, body)
    assert said.body["usageMetadata"] == {
        "promptTokenCount": 260,
        "candidatesTokenCount": 2000,
        "totalTokenCount": 2260,
    }
    assert said.body["modelVersion"] == PRO


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (NEW, {}),
        (NEW, {"contents": []}),
        (NEW, {"contents": [{"parts": [shown(picture())]}]}),
        (NEW, {**SEAL, "prompt": "a seal"}),
        (NEW, asked(candidateCount=2)),
        (NEW, asked(seed="7")),
        (NEW, asked(seed=2**31)),
        (NEW, asked(responseModalities=["VIDEO"])),
        (NEW, asked(imageConfig={"imageSize": "512"})),
        (NEW, asked(imageConfig={"imageSize": "2k"})),
        (NEW, asked(imageConfig={"aspectRatio": "2:1"})),
        (NEW, asked(imageConfig={"outputMimeType": "image/png"})),
        (NEW, asked(imageConfig={"personGeneration": "ALLOW_ALL"})),
        (NEW, asked(shown("data:image/png;base64," + picture()))),
        (NEW, asked(shown(picture(), "image/jpeg"))),
        (NEW, asked(shown(picture("GIF"), "image/gif"))),
        (NEW, asked({"inlineData": {"data": picture()}})),
        (NEW, asked({"fileData": {"mimeType": "image/png", "fileUri": "http://example.com/a.png"}})),
        (NEW, asked({**shown(picture()), "text": "both"})),
        (PRO, asked(imageConfig={"aspectRatio": "1:4"})),
        (PRO, asked(thinkingConfig={"thinkingLevel": "high"})),
        (PRO, asked(*[shown(picture())] * 15)),
        (LITE, asked(imageConfig={"imageSize": "2K"})),
        (FIRST, asked(imageConfig={"imageSize": "1K"})),
        (FIRST, asked(*[shown(picture())] * 4)),
        (NEW, b"{"),
        (NEW, b"[]"),
    ],
)
async def test_what_is_wrong_is_refused(google, sims, model, body):
    """A field nobody knows, a value out of its table, too many pictures: a 400 of one kind, and nothing begins."""
    said = await generate(google, model, body)
    assert (said.status, said.body["error"]["status"]) == REFUSED
    assert sims.jobs() == []


async def test_what_is_right_is_taken(google):
    """Depth of thought, settings of safety, an address and a seed pass."""
    file = {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}}
    body = asked(file, seed=-1, thinkingConfig={"thinkingLevel": "minimal"}, imageConfig={"aspectRatio": "9:16"})
    body["safetySettings"] = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    assert (await generate(google, NEW, body)).status == 200


async def test_keys_are_looked_at(google):
    """No key is a 401, a wrong one a 400 told apart by its reason; one in the query passes."""
    wrong = await generate(google, NEW, x_goog_api_key="other")
    key, google.key = google.key["x-goog-api-key"], {}
    assert (await generate(google, NEW)).body["error"]["status"] == "UNAUTHENTICATED"
    assert (wrong.status, wrong.body["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")
    assert (await google.call("POST", f"/models/{NEW}:generateContent?key={key}", SEAL)).status == 200


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("gemini-9:generateContent", "is not found"),
        ("gemini-omni-1.1-flash:generateContent", "is not found"),
        ("gemini-3-pro-image-preview:generateContent", "no longer available"),
        ("imagen-4.0-fast-generate-001:predict", "no longer available"),
        ("veo-3.1-generate-preview:predictLongRunning", "no longer available"),
        ("veo-3.1-generate-001:predictLongRunning", "is not found"),
    ],
)
async def test_models_that_are_gone_are_not_found(google, path, words):
    """What was turned off says so, and what never was here is unknown; both are a 404."""
    said = await google.call("POST", f"/models/{path}", SEAL)
    assert (said.status, said.body["error"]["status"], words in said.body["error"]["message"]) == (
        404,
        "NOT_FOUND",
        True,
    )


@pytest.mark.parametrize(
    ("rule", "block", "end"),
    [
        ({"do": "refuse_content"}, "SAFETY", None),
        ({"do": "refuse_content", "code": "OTHER"}, "OTHER", None),
        ({"do": "refuse_content", "code": "output"}, None, "IMAGE_SAFETY"),
        ({"do": "refuse_content", "code": "IMAGE_RECITATION"}, None, "IMAGE_RECITATION"),
        ({"do": "fail", "code": "NO_IMAGE"}, None, "NO_IMAGE"),
    ],
)
async def test_refused_content_is_an_answer_without_a_picture(google, sims, rule, block, end):
    """The status says success: a blocked prompt has no candidate, a blocked picture one without content."""
    sims.set_chaos([rule])
    said = await generate(google, NEW)
    ends = [candidate["finishReason"] for candidate in said.body.get("candidates", [])]
    assert (said.status, said.body.get("promptFeedback", {}).get("blockReason"), ends) == (
        200,
        block,
        [end] * bool(end),
    )
    assert [job.billed for job in sims.jobs()] == [False]


async def test_words_alone_may_come_back(google, sims):
    """A model that ends well without a picture says something instead; so does one not asked for any."""
    sims.set_chaos([{"do": "no_output", "times": 1}])
    for body in (SEAL, asked(responseModalities=["TEXT"])):
        (candidate,) = (await generate(google, NEW, body)).body["candidates"]
        assert ([list(part) for part in candidate["content"]["parts"]], candidate["finishReason"]) == (
            [["text"]],
            "STOP",
        )


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (400, "FAILED_PRECONDITION", "FAILED_PRECONDITION"),
        (403, None, "PERMISSION_DENIED"),
        (409, None, "ABORTED"),
        (499, None, "CANCELLED"),
        (503, None, "UNAVAILABLE"),
        (504, None, "DEADLINE_EXCEEDED"),
    ],
)
async def test_a_scripted_status_has_the_vendors_word(google, sims, status, code, word):
    """A bare status is phrased as the vendor would."""
    sims.set_chaos([{"do": "status", "status": status} | ({"code": code} if code else {})])
    said = await generate(google, NEW)
    assert (said.status, said.body["error"]["code"], said.body["error"]["status"]) == (status, status, word)


async def test_a_quota_says_which_and_how_long(google, sims):
    """A limit names its quota and, in the body, the time to wait."""
    script = {"do": "status", "status": 429, "retry_after": 17, "code": "GenerateRequestsPerDayPerProjectPerModel"}
    sims.set_chaos([script])
    quota, wait = (await generate(google, NEW)).body["error"]["details"]
    assert (quota["violations"], wait["retryDelay"]) == ([{"quotaId": script["code"]}], "17s")


async def test_a_failure_is_an_internal_error(google, sims):
    """A picture that fails ends the held line with a 500, and a path that is not there with a 404."""
    sims.set_chaos([{"do": "fail"}])
    assert (await generate(google, NEW)).body["error"]["status"] == "INTERNAL"
    assert (await google.call("GET", f"/models/{NEW}:generateContent")).body["error"]["status"] == "NOT_FOUND"
