"""Runway as it is played: what it takes, what it refuses and how."""

import dataclasses
import io
import zipfile

import pytest
from PIL import Image

from gateway.simulators.checking import Kind
from gateway.simulators.runway import CALLS
from gateway.simulators.runway_rules import broken_rules

PICTURE = "https://example.com/a.png"
FILM = "https://example.com/a.mp4"
FOX = {"model": "gen4_image", "promptText": "fox", "ratio": "1920:1080"}
WAVES = {"model": "gen4.5", "promptText": "waves", "ratio": "1280:720", "duration": 5}
PAN = {**WAVES, "promptImage": PICTURE}


@pytest.fixture
def runway(ark, sims):
    """The vendor with its key and the version it insists on."""
    key = {"Authorization": f"Bearer {sims.secrets['RUNWAYML_API_SECRET']}", "X-Runway-Version": "2024-11-06"}
    return dataclasses.replace(ark, base=sims.bases["runway"] + "/v1", key=key)


def least(field):
    """Return the smallest value a field can have."""
    if field.values:
        return field.values[0]
    return {
        Kind.STRING: "x",
        Kind.URL: PICTURE,
        Kind.INTEGER: int(field.least or 0),
        Kind.NUMBER: field.least,
        Kind.BOOLEAN: True,
        Kind.ARRAY: [least(field.item)] * int(field.least or 0) if field.item else [],
        Kind.OBJECT: {name: least(inner) for name, inner in (field.fields or {}).items() if inner.required},
        Kind.EITHER: least(field.options[0]) if field.options else None,
    }[field.kind]


@pytest.mark.parametrize(("call", "name"), [(call, name) for call, rows in CALLS.items() for name in rows])
async def test_every_model_is_served_with_the_least_it_needs(runway, sims, call, name):
    """Each of the vendor's models begins a task from its required fields alone, and says what that may cost."""
    fields = CALLS[call][name].fields
    body = {key: least(field) for key, field in fields.items() if field.required} | {"model": name}
    if body.get("ratio") == "x":
        body["ratio"] = "2048:2048"
    if name.startswith("wan3") and call == "image_to_video":
        body["ratio"] = "auto_720p"
    said = await runway.call("POST", f"/{call}", body)
    assert (said.status, set(said.body)) == (200, {"id", "estimatedCost"}), said.body
    assert said.body["estimatedCost"]["credits"] > 0
    assert sims.jobs()[0].model == name


@pytest.mark.parametrize(
    ("call", "body", "path", "code"),
    [
        ("image_to_video", {**PAN, "ratio": "16:9"}, ["ratio"], "invalid_value"),
        ("image_to_video", {**PAN, "duration": "5"}, ["duration"], "invalid_type"),
        ("image_to_video", {**PAN, "duration": 11}, ["duration"], "too_big"),
        ("image_to_video", {**PAN, "duration": 1}, ["duration"], "too_small"),
        ("image_to_video", {**PAN, "prompt": "waves"}, ["prompt"], "unrecognized_keys"),
        ("image_to_video", WAVES, ["promptImage"], "invalid_type"),
        ("text_to_video", {**WAVES, "promptText": "\U0001f98a" * 501}, ["promptText"], "too_big"),
        ("text_to_video", {**WAVES, "model": "gen4_turbo"}, ["model"], "invalid_value"),
        ("text_to_video", {"promptText": "x"}, ["model"], "invalid_type"),
        ("text_to_video", {**WAVES, "seed": -1}, ["seed"], "too_small"),
        ("video_to_video", {"model": "aleph2", "promptVideo": FILM}, ["promptVideo"], "unrecognized_keys"),
        ("video_to_video", {"model": "seedance2", "videoUri": FILM}, ["promptVideo"], "invalid_type"),
        ("text_to_image", {**FOX, "model": "gemini_image3_pro", "outputCount": 2}, ["outputCount"], "invalid_value"),
        ("text_to_image", {**FOX, "model": "seedream5_lite", "ratio": "1024:1024"}, ["ratio"], "custom"),
        ("text_to_image", {**FOX, "model": "gen4_image_turbo"}, ["referenceImages"], "invalid_type"),
        ("text_to_video", {"model": "hailuo3", "promptText": "x", "ratio": "1280:720"}, ["ratio"], "invalid_value"),
        ("video_upscale", {"model": "enhance_frame_rate", "videoUri": FILM}, ["targetFramerate"], "invalid_type"),
    ],
)
async def test_a_wrong_body_is_refused_by_place(runway, sims, call, body, path, code):
    """Each broken field is an issue with a code and a path, and nothing is begun."""
    said = await runway.call("POST", f"/{call}", body)
    assert (said.status, said.body["error"]) == (400, "Validation of body failed")
    assert (path, code) in [(issue["path"], issue["code"]) for issue in said.body["issues"]]
    assert sims.jobs() == []


async def test_all_faults_come_together_with_what_would_be_right(runway):
    """One answer holds every fault, and lists the values where it can."""
    said = await runway.call("POST", "/text_to_video", {"model": "gen4.5", "ratio": "1:1", "duration": 0})
    found = {issue["path"][0]: issue.get("values") for issue in said.body["issues"]}
    assert found == {"promptText": None, "ratio": ["1280:720", "720:1280"], "duration": None}
    said = await runway.call("POST", "/video_to_hdr", {"model": "rubi"})
    assert said.body["issues"][0]["values"] == ["ruby"]


async def test_one_model_says_nothing_of_fields_it_does_not_know(runway):
    """A mistyped field is ignored by gen4_image, where every other model refuses it."""
    ignored = {**FOX, "sead": 1, "outputCount": "two", "colors": 3, "keyframes": "x"}
    assert (await runway.call("POST", "/text_to_image", ignored)).status == 200
    other = {**FOX, "model": "muse_image", "ratio": "auto", "sead": 1}
    assert (await runway.call("POST", "/text_to_image", other)).status == 400


def frames(*positions):
    return [{"uri": PICTURE, **({"position": place} if place else {})} for place in positions]


@pytest.mark.parametrize(
    ("model", "images", "more", "status"),
    [
        ("veo3.1", frames("first", "last"), {}, 200),
        ("veo3.1", frames("last"), {}, 400),
        ("veo3.1", frames("first", "first"), {}, 400),
        ("veo3.1", frames(None), {}, 400),
        ("gen4_turbo", frames("last"), {}, 400),
        ("seedance2", frames(None, None), {}, 200),
        ("seedance2", frames("first", None), {}, 400),
        ("wan3", PICTURE, {"ratio": "1280:720"}, 400),
        ("wan3", frames(None), {"ratio": "1280:720"}, 200),
        ("kling2.5_turbo_pro", PICTURE, {"ratio": "1280:720"}, 400),
    ],
)
async def test_pictures_a_film_starts_from_have_places(runway, model, images, more, status):
    """A last frame needs a first, frames and references do not mix, and some models take one kind alone."""
    ratio = {"ratio": "1280:720"} if model in ("veo3.1", "gen4_turbo") else {}
    body = {"model": model, "promptText": "pan", "promptImage": images, **ratio, **more}
    said = await runway.call("POST", "/image_to_video", body)
    assert said.status == status, said.body


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        (PICTURE, 200),
        ("data:image/png;base64,aGk=", 200),
        ("http://example.com/a.png", 400),
        ("https://127.0.0.1/a.png", 400),
        ("https://example.com/" + "a" * 2048, 400),
        ("data:image/gif;base64,aGk=", 400),
        ("data:application/octet-stream;base64,aGk=", 400),
        ("runway://nothing", 400),
    ],
)
async def test_an_input_is_an_https_address_or_small_and_inline(runway, uri, status):
    """Inputs are fetched over https from a name, or come inline as one of three formats."""
    said = await runway.call("POST", "/image_to_video", {**PAN, "promptImage": uri})
    assert said.status == status


def test_an_inline_input_may_have_five_megabytes():
    """A data URI of more than 5 MB is refused whatever it holds."""
    model, start = CALLS["image_to_video"]["gen4_turbo"], "data:image/png;base64,"
    found = [
        broken_rules(model, {**PAN, "promptImage": start + "A" * (5 * 1024 * 1024 - len(start) + more)}, 0)
        for more in (0, 1)
    ]
    assert [len(issues) for issues in found] == [0, 1]


@pytest.mark.parametrize(
    ("call", "body", "path"),
    [
        ("text_to_image", {"model": "bria_fibo_edit_1_5", "ratio": "1024:1024", "referenceImages": 1}, "ratio"),
        ("text_to_image", {"model": "ideogram_4_5", "ratio": "1280:720", "referenceImages": 1}, "ratio"),
        ("text_to_image", {"model": "ideogram_4_5", "ratio": "1024:576"}, "ratio"),
        ("text_to_image", {"model": "ideogram_4_5", "ratio": "auto", "preciseEdit": True}, "ratio"),
        ("text_to_image", {"model": "recraft_v4_1_vector", "colors": ["red"]}, "colors"),
        ("video_to_video", {"model": "aleph2", "videoUri": FILM, "keyframes": [{"uri": PICTURE}]}, "keyframes"),
        (
            "text_to_video",
            {
                "model": "kling3.0_pro",
                "ratio": "1920:1080",
                "providerSettings": {"multiPrompt": [{"prompt": "a", "duration": 9}] * 2},
            },
            "providerSettings",
        ),
    ],
)
async def test_fields_that_do_not_go_together_are_refused(runway, call, body, path):
    """Rules between fields hold as well."""
    shown = {"referenceImages": frames(None)} if "referenceImages" in body else {}
    said = await runway.call("POST", f"/{call}", {"promptText": "x", **body, **shown})
    assert (said.status, [issue["path"][0] for issue in said.body["issues"]]) == (400, [path])


async def test_key_and_version_are_asked_for(runway):
    """No key, a wrong key, no version and a wrong one are told apart."""
    key, version = runway.key["Authorization"], runway.key["X-Runway-Version"]
    said = []
    for sent in ({}, {"Authorization": "Bearer key_x"}, {"Authorization": key}):
        runway.key = sent
        said.append(await runway.call("POST", "/text_to_video", WAVES))
    runway.key = {"Authorization": key, "X-Runway-Version": "2025-01-01"}
    said.append(await runway.call("GET", "/organization"))
    assert [one.status for one in said] == [401, 401, 400, 400]
    assert said[0].body["error"].startswith("No API key was provided")
    assert version in said[2].body["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/text_to_video", 405), ("POST", "/text_to_sound", 404), ("GET", "/x", 404)]
)
async def test_other_paths_and_methods_are_refused(runway, method, path, status):
    """What is not there is a 404, what is there otherwise a 405."""
    assert (await runway.call(method, path)).status == status


async def test_a_body_that_is_no_object_is_refused(runway):
    """A body that is not JSON breaks the schema as a whole."""
    for body in (b"{", [1]):
        assert (await runway.call("POST", "/text_to_video", body)).body["issues"][0]["path"] == []


@pytest.mark.parametrize(
    ("call", "body", "form", "size"),
    [
        ("text_to_image", FOX, "PNG", (1920, 1080)),
        (
            "text_to_image",
            {**FOX, "model": "muse_image", "ratio": "auto", "outputFormat": "webp"},
            "WEBP",
            (1024, 1024),
        ),
        (
            "text_to_image",
            {**FOX, "model": "seedream5_pro", "ratio": "auto_2k", "outputFormat": "jpeg"},
            "JPEG",
            (2048, 2048),
        ),
        (
            "image_upscale",
            {"model": "magnific_precision_upscaler_v2", "imageUri": PICTURE, "scaleFactor": 2},
            "PNG",
            (2048, 2048),
        ),
    ],
)
async def test_the_picture_is_what_was_asked_for(runway, call, body, form, size):
    """Pixels and format show in the file."""
    task = (await runway.call("POST", f"/{call}", body)).body["id"]
    link = (await runway.call("GET", f"/tasks/{task}")).body["output"][0]
    drawn = Image.open(io.BytesIO((await runway.call("GET", link)).body))
    assert (drawn.format, drawn.size) == (form, size)


async def test_drawings_and_sequences_have_files_of_their_own(runway, hand):
    """A vector model makes a drawing, a sequence comes as an archive of frames."""
    drawing = {"model": "recraft_v4_1_vector", "promptText": "a <fox>", "ratio": "1344:768"}
    made = [
        (await runway.call("POST", "/text_to_image", drawing)).body["id"],
        (await runway.call("POST", "/text_to_video", {**WAVES, "outputFormat": "png_sequence"})).body["id"],
    ]
    hand.wind(2)
    links = [(await runway.call("GET", f"/tasks/{task}")).body["output"][0] for task in made]
    vector, archive = [await runway.call("GET", link) for link in links]
    assert vector.headers["Content-Type"] == "image/svg+xml"
    assert b'width="1344" height="768"' in vector.body
    assert b"a &lt;fox&gt;" in vector.body
    with zipfile.ZipFile(io.BytesIO(archive.body)) as packed:
        assert packed.namelist()[0] == "frame_0001.png"
        assert Image.open(packed.open("frame_0001.png")).size == (1280, 720)
