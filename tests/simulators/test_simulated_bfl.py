"""BFL as it is played: what each path takes, what it refuses and how, and what a task looks like."""

import base64
import io

import pytest
from PIL import Image

from gateway.simulators import media
from gateway.simulators.bfl_models import MODELS
from gateway.simulators.jobs import Output

LINK = "https://example.com/a.png"
FLUX_2, KONTEXT, PRO, FILL = "/v1/flux-2-pro", "/v1/flux-kontext-pro", "/v1/flux-pro-1.1", "/v1/flux-pro-1.0-fill"
STILL, FILM, CANVAS = "/v1/flux-3-image", "/v1/flux-3-video", "/v1/flux-tools/outpainting-v1"
T2V, I2V = {"mode": "t2v", "prompt": "x"}, {"mode": "i2v", "prompt": "x"}


def picture(width=512, height=320):
    """Return a picture as bare base64."""
    data = io.BytesIO()
    Image.new("RGB", (width, height)).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def film():
    """Return a film as bare base64."""
    return base64.b64encode(media.draw(Output("mp4", 64, 64, 1), "x")).decode()


def least(name):
    """Return the least a path needs."""
    body = {field: LINK for field, spec in MODELS[name].fields.items() if spec.required}
    body |= {field: "x" for field in ("prompt", "finetune_id") if field in body}
    body |= {field: 512 for field in ("width", "height") if field in body}
    return {**body, **T2V} if name == "flux-3-video" else body


@pytest.mark.parametrize("name", MODELS)
async def test_every_path_makes_its_file(bfl, name, hand):
    """With the least it needs each path makes one file of its kind and its usual form."""
    made = (await bfl.call("POST", f"/v1/{name}", least(name))).body
    hand.wind(2)
    said = await bfl.call("GET", made["polling_url"])
    file = await bfl.call("GET", said.body["result"]["sample"])
    forms = {"flux-kontext": "image/png", "flux-tools/out": "image/png", "flux-3-video": "video/mp4"}
    forms["flux-tools/video"] = "video/mp4"
    expected = next((form for start, form in forms.items() if name.startswith(start)), "image/jpeg")
    assert (said.body["status"], file.status, file.headers["Content-Type"]) == ("Ready", 200, expected)


@pytest.mark.parametrize(
    ("path", "given", "size", "form"),
    [
        (FLUX_2, {"width": 1344, "height": 768, "output_format": "webp"}, (1344, 768), "WEBP"),
        (FLUX_2, {"width": 1010, "height": 100}, (1008, 96), "JPEG"),
        (FLUX_2, {"input_image": picture(800, 640)}, (800, 640), "JPEG"),
        (FLUX_2, {}, (1024, 1024), "JPEG"),
        (PRO, {}, (1024, 768), "JPEG"),
        (PRO, {"width": 256, "height": 1440}, (256, 1440), "JPEG"),
        ("/v1/flux-pro-1.1-ultra", {"aspect_ratio": "1:1"}, (2048, 2048), "JPEG"),
        (KONTEXT, {"aspect_ratio": "16:9"}, (1360, 768), "PNG"),
        (KONTEXT, {"input_image": picture(640, 320)}, (1456, 720), "PNG"),
        (STILL, {"aspect_ratio": "1:2", "resolution": "2k"}, (1456, 2896), "JPEG"),
        (STILL, {"resolution": "768sq"}, (768, 768), "JPEG"),
        (FILL, {"image": picture(320, 256), "output_format": "png"}, (320, 256), "PNG"),
        ("/v1/flux-pro-1.0-expand", {"image": picture(320, 256), "left": 64, "top": 32}, (384, 288), "JPEG"),
        (CANVAS, {"input_image": LINK, "width": 640, "height": 100}, (640, 100), "PNG"),
    ],
)
async def test_pictures_have_the_size_and_form_asked(bfl, path, given, size, form):
    """Pixels, a ratio or the input decide the size; odd pixels are rounded to the grid."""
    body = given if path == CANVAS else {"prompt": "x", **given}
    made = (await bfl.call("POST", path, body)).body
    link = (await bfl.call("GET", made["polling_url"])).body["result"]["sample"]
    found = Image.open(io.BytesIO((await bfl.call("GET", link)).body))
    assert (found.size, found.format) == (size, form)


@pytest.mark.parametrize(
    ("path", "given", "place", "kind"),
    [
        (FLUX_2, {"prompt": None}, ["body", "prompt"], "string_type"),
        (FLUX_2, {"width": "1024"}, ["body", "width"], "int_type"),
        (FLUX_2, {"width": 63}, ["body", "width"], "greater_than_equal"),
        (FLUX_2, {"width": 2064, "height": 2064}, ["body", "width"], "value_error"),
        (FLUX_2, {"safety_tolerance": 6}, ["body", "safety_tolerance"], "less_than_equal"),
        (FLUX_2, {"output_format": "jpg"}, ["body", "output_format"], "enum"),
        (FLUX_2, {"webhook_url": "http://example.com/x"}, ["body", "webhook_url"], "value_error"),
        (FLUX_2, {"webhook_url": "https://example.com/" + "x" * 2083}, ["body", "webhook_url"], "string_too_long"),
        (
            FLUX_2,
            {f"input_image_{n}": LINK for n in range(2, 9)} | {"input_image": picture(2000, 1200)},
            ["body"],
            "value_error",
        ),
        ("/v1/flux-2-flex", {"guidance": 1}, ["body", "guidance"], "greater_than_equal"),
        ("/v1/flux-2-flex", {"steps": 51}, ["body", "steps"], "less_than_equal"),
        (PRO, {"width": 1000}, ["body", "width"], "multiple_of"),
        (PRO, {"width": 1472}, ["body", "width"], "less_than_equal"),
        (PRO, {"safety_tolerance": 7}, ["body", "safety_tolerance"], "less_than_equal"),
        ("/v1/flux-pro-1.1-ultra", {"aspect_ratio": "22:9"}, ["body", "aspect_ratio"], "value_error"),
        (KONTEXT, {"aspect_ratio": "wide"}, ["body", "aspect_ratio"], "value_error"),
        (FILL, {}, ["body", "image"], "missing"),
        ("/v1/flux-pro-1.0-expand", {"image": LINK, "top": 2049}, ["body", "top"], "less_than_equal"),
        (STILL, {"seed": 1}, ["body", "seed"], "extra_forbidden"),
        (STILL, {"output_format": "png"}, ["body", "output_format"], "extra_forbidden"),
        (STILL, {"webhook_url": "https://example.com/x"}, ["body", "webhook_url"], "extra_forbidden"),
        (STILL, {"images": [LINK] * 11}, ["body", "images"], "list_too_long"),
        (STILL, {"resolution": "2K"}, ["body", "resolution"], "enum"),
        (STILL, {"aspect_ratio": "22:9"}, ["body", "aspect_ratio"], "enum"),
        (STILL, {"safety_tolerance": 5}, ["body", "safety_tolerance"], "less_than_equal"),
        (CANVAS, {"input_image": LINK, "width": 512}, ["body", "height"], "missing"),
        (
            "/v1/flux-tools/erase-v1",
            {"image": LINK, "mask": LINK, "dilate_pixels": 26},
            ["body", "prompt"],
            "extra_forbidden",
        ),
        ("/v1/flux-tools/vto-v2", {"person": LINK}, ["body", "garment"], "missing"),
        (
            "/v1/flux-tools/video-upscale-v1",
            {"video": LINK, "upscale_factor": 4},
            ["body", "upscale_factor"],
            "less_than_equal",
        ),
    ],
)
async def test_what_breaks_a_schema_is_a_422_at_its_place(bfl, sims, path, given, place, kind):
    """Each fault is told with its place and type, and nothing is begun."""
    said = await bfl.call("POST", path, {"prompt": "x", **given})
    entries = [(entry["loc"], entry["type"]) for entry in said.body["detail"]]
    assert (said.status, (place, kind) in entries, sims.jobs()) == (422, True, [])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"prompt": "x"}, "mode"),
        ({"mode": "t2v"}, "prompt"),
        ({**T2V, "mode": "r2v"}, "mode"),
        ({**T2V, "seed": 1}, "seed"),
        ({**T2V, "duration": 4}, "duration"),
        ({**T2V, "duration": "8"}, "duration"),
        ({**T2V, "aspect_ratio": "3:2"}, "aspect_ratio"),
        ({**T2V, "resolution": "720p"}, "resolution"),
        ({**T2V, "batch": 2}, "batch"),
        ({**T2V, "draft": True, "resolution": "fhd"}, "resolution"),
        ({**T2V, "keyframes": [LINK]}, "keyframes"),
        (I2V, "keyframes"),
        ({**I2V, "keyframes": []}, "keyframes"),
        ({**I2V, "keyframes": [LINK] * 11, "duration": 10}, "keyframes"),
        ({**I2V, "keyframes": [LINK] * 3}, "duration"),
        ({**I2V, "keyframes": [[0, LINK], LINK]}, "keyframes"),
        ({**I2V, "keyframes": [[LINK, 0]]}, "keyframes"),
        ({**I2V, "keyframes": LINK, "safety_tolerance": 3}, "safety_tolerance"),
        ({"mode": "v2v", "prompt": "x"}, "start_video"),
        ({"mode": "v2v", "prompt": "x", "start_video": LINK, "duration": 16}, "duration"),
        ({"mode": "draft_enhance"}, "draft_cache"),
        ({"mode": "draft_enhance", "draft_cache": LINK, "prompt": "x"}, "prompt"),
    ],
)
async def test_films_are_judged_by_their_mode(bfl, given, field):
    """What a film needs and may have depends on its mode."""
    said = await bfl.call("POST", FILM, given)
    assert said.status == 422
    assert any(entry["loc"][:2] == ["body", field] for entry in said.body["detail"])


@pytest.mark.parametrize(
    "given",
    [
        {**T2V, "duration": 20, "resolution": "uhd", "generate_audio": False, "safety_tolerance": 4},
        {**T2V, "mode": "text-to-video", "draft": True, "batch": 4, "aspect_ratio": "2:1"},
        {**I2V, "keyframes": picture()},
        {**I2V, "keyframes": [LINK, LINK]},
        {**I2V, "keyframes": [[0, LINK], [2.5, LINK], [4, LINK]]},
        {**I2V, "keyframes": [LINK] * 3, "duration": 6},
        {"mode": "video-continuation", "prompt": "x", "start_video": film(), "duration": 15},
        {"mode": "draft_enhance", "draft_cache": LINK, "resolution": "fhd"},
    ],
)
async def test_films_are_taken_in_all_their_forms(bfl, given):
    """Long names, one keyframe, several, timed ones, a film to go on from, a draft to finish."""
    assert (await bfl.call("POST", FILM, given)).status == 200


@pytest.mark.parametrize(
    ("path", "given"),
    [
        (FLUX_2, {"input_image": "data:image/png;base64," + picture()}),
        (FLUX_2, {"input_image": "http://example.com/a.png"}),
        (FLUX_2, {"input_image_3": "AAAA"}),
        (FILL, {"image": picture(), "mask": "nonsense"}),
        (STILL, {"images": [LINK, picture(255, 400)]}),
        (STILL, {"images": picture(4096, 4096)}),
        (FILM, {**I2V, "keyframes": [picture(), "x"]}),
        (FILM, {"mode": "v2v", "start_video": picture()}),
    ],
)
async def test_inputs_that_cannot_be_read_are_a_400(bfl, path, given):
    """Pictures and films come as https addresses or bare base64, and what is inside is looked at."""
    said = await bfl.call("POST", path, {"prompt": "x", **given})
    assert (said.status, type(said.body["detail"])) == (400, str)


async def test_older_schemas_overlook_what_they_do_not_know(bfl, sims):
    """An unknown field is no fault there, whatever it is named; and nothing at all starts a paid job."""
    odd = {"aspect_ratio": "x", "keyframes": 7, "draft": True, "images": {}}
    for path, body in ((FLUX_2, {"prompt": "x", **odd}), (PRO, {}), ("/v1/flux-dev", odd)):
        assert (await bfl.call("POST", path, body)).status == 200
    assert [job.billed for job in sims.jobs()] == [True] * 3


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "said"),
    [
        ("POST", FLUX_2, "other", 403, "Not authenticated - Invalid Authentication"),
        ("GET", "/v1/credits", None, 403, "Not authenticated - Invalid Authentication"),
        ("POST", "/v1/flux-kontext", "", 404, "Not Found"),
        ("POST", "/v1/flux-2", "", 404, "Not Found"),
        ("GET", FLUX_2, "", 405, "Method Not Allowed"),
        ("GET", "/v1/us9/get_result", "", 405, "Method Not Allowed"),
    ],
)
async def test_keys_and_paths_are_judged(bfl, method, path, key, status, said):
    """A bad key is a 403 since there is no 401, and names that sound right are not found."""
    bfl.key = bfl.key if key == "" else {} if key is None else {"x-key": key}
    found = await bfl.call(method, path, {"prompt": "x"} if method == "POST" else None)
    assert (found.status, found.body) == (status, {"detail": said})


async def test_a_body_that_is_no_object_is_a_422(bfl):
    """Broken JSON, a list and nothing at all break the schema too."""
    for body in (b"{", [], None):
        assert (await bfl.call("POST", FLUX_2, body, Content_Type="application/json")).status == 422
