"""Cloudflare's own models as they are played: pictures inside the answer, what is refused and how."""

import base64
import io

import pytest
from PIL import Image

from gateway.simulators.cloudflare_models import HOSTED

LINK = "https://example.com/a.png"
BFL, LEONARDO = "@cf/black-forest-labs/", "@cf/leonardo/"
SCHNELL, KLEIN, PHOENIX = f"{BFL}flux-1-schnell", f"{BFL}flux-2-klein-4b", f"{LEONARDO}phoenix-1.0"
SDXL, PAINT = "@cf/stabilityai/stable-diffusion-xl-base-1.0", "@cf/runwayml/stable-diffusion-v1-5-inpainting"


def picture(width=64, height=48):
    """Return a small picture's bytes."""
    data = io.BytesIO()
    Image.new("RGB", (width, height)).save(data, "PNG")
    return data.getvalue()


INLINE = base64.b64encode(picture()).decode()


def opened(said):
    """Return the picture in an answer, whether it came bare or in the envelope."""
    is_bare = isinstance(said.body, bytes)
    return Image.open(io.BytesIO(said.body if is_bare else base64.b64decode(said.body["result"]["image"])))


async def hosted(cloudflare, name, **values):
    """Run one of the vendor's own models the way it wants to be sent its values."""
    if HOSTED[name].is_form:
        return await cloudflare.form(f"/{name}", ("prompt", "x"), *((key, str(value)) for key, value in values.items()))
    return await cloudflare.call("POST", f"/{name}", {"prompt": "x", **values})


@pytest.mark.parametrize("name", HOSTED)
async def test_every_hosted_model_answers_with_a_picture(cloudflare, sims, name):
    """The picture is in the envelope or is the answer, and its type is told only in the latter case."""
    said = await hosted(cloudflare, name)
    side = 1120 if name.endswith("lucid-origin") else 1024
    assert (said.status, opened(said).size) == (200, (side, side))
    if HOSTED[name].is_bytes:
        assert said.headers["Content-Type"] == f"image/{opened(said).format.lower()}"
    else:
        assert (said.body["success"], said.body["errors"], said.body["messages"]) == (True, [], [])
    assert [(job.model, job.billed) for job in sims.jobs("cloudflare")] == [(name, True)]


@pytest.mark.parametrize(
    ("name", "values", "size", "form"),
    [
        (KLEIN, {"width": 1280, "height": 720, "seed": 5}, (1280, 720), "JPEG"),
        (f"{LEONARDO}lucid-origin", {"width": 0, "height": 2500}, (1120, 2500), "JPEG"),
        (PHOENIX, {"width": 2048, "height": 512}, (2048, 512), "JPEG"),
        (SDXL, {"width": 256, "height": 2048}, (256, 2048), "PNG"),
        ("@cf/bytedance/stable-diffusion-xl-lightning", {}, (1024, 1024), "JPEG"),
        ("@cf/lykon/dreamshaper-8-lcm", {}, (1024, 1024), "PNG"),
    ],
)
async def test_hosted_pictures_have_the_pixels_asked(cloudflare, name, values, size, form):
    """Pixels are as asked, the form is the model's own."""
    found = opened(await hosted(cloudflare, name, **values))
    assert (found.size, found.format) == (size, form)


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        (SCHNELL, {"prompt": ""}, 5004),
        (SCHNELL, {"prompt": "x" * 2049}, 5004),
        (SCHNELL, {"prompt": 7}, 5004),
        (SCHNELL, {"steps": 9}, 5004),
        (SCHNELL, {"seed": 1}, 3003),
        (SCHNELL, {"width": 512}, 3003),
        (f"{LEONARDO}lucid-origin", {"width": 2501}, 5004),
        (f"{LEONARDO}lucid-origin", {"steps": 41}, 5004),
        (PHOENIX, {"guidance": 1}, 5004),
        (PHOENIX, {"seed": "1"}, 5004),
        (SDXL, {"width": 255}, 5004),
        (SDXL, {"num_steps": 21}, 5004),
        (SDXL, {"strength": 1.5}, 5004),
        (SDXL, {"image_b64": LINK}, 5004),
        (SDXL, {"image_b64": "data:image/png;base64," + INLINE}, 5004),
        (SDXL, {"image_b64": "AAAA"}, 5004),
        (SDXL, {"image": [256]}, 5004),
        (SDXL, {"image": LINK}, 5004),
        (PAINT, {"mask": "AAAA"}, 5004),
        (KLEIN, {"width": "wide"}, 5004),
        (KLEIN, {"seed": 1.5}, 5004),
    ],
)
async def test_what_a_hosted_model_refuses_is_refused(cloudflare, sims, name, values, code):
    """A refusal is a 400 in the envelope, told apart by its number, and nothing is begun."""
    said = await hosted(cloudflare, name, **values)
    assert (said.status, said.body["success"], said.body["result"]) == (400, False, None)
    assert ([error["code"] for error in said.body["errors"]], sims.jobs()) == ([code], [])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (SCHNELL, {"steps": 8, "options": {"rejectIfBusy": True}}),
        (PHOENIX, {"odd": 1, "negative_prompt": "y"}),
        (SDXL, {"image_b64": INLINE, "strength": 0.5, "guidance": 7.5}),
        (SDXL, {"image": list(picture())}),
        (PAINT, {"image_b64": INLINE, "mask": list(picture())}),
    ],
)
async def test_what_a_hosted_model_takes_is_taken(cloudflare, name, values):
    """Only the closed schema minds unknown values, and none minds being told not to queue."""
    assert (await hosted(cloudflare, name, **values)).status == 200


async def test_some_models_take_a_form_alone(cloudflare, sims):
    """FLUX.2 needs multipart even for a prompt alone, and takes pictures as files in it."""
    plain = await cloudflare.call("POST", f"/{KLEIN}", {"prompt": "x"})
    shown = await cloudflare.form(f"/{KLEIN}", ("prompt", "x"), *((f"input_image_{n}", picture()) for n in range(4)))
    worded = await cloudflare.form(f"/{KLEIN}", ("prompt", "x"), ("input_image_0", LINK))
    other = await cloudflare.form(f"/{SCHNELL}", ("prompt", "x"))
    assert [one.status for one in (plain, shown, worded, other)] == [400, 200, 400, 400]
    assert sims.jobs()[0].body["input_image_3"]["bytes"] == len(picture())


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/@cf/black-forest-labs/flux-9", {"prompt": "x"}, 400, 5007),
        ("/nonsense", {"prompt": "x"}, 404, 3042),
        ("/google/veo-3.1", {"prompt": "x"}, 400, 5007),
        ("", {"model": "google/veo-9", "input": {"prompt": "x"}}, 400, 5007),
        ("", {"model": 7, "input": {"prompt": "x"}}, 404, 3042),
        ("", {"model": "google/veo-3.1"}, 400, 3003),
        ("", {"input": {"prompt": "x"}}, 400, 3003),
        ("", {"model": SCHNELL, "input": {"prompt": "x"}}, 400, 3003),
        ("", b"{", 400, 3003),
        (f"/{SCHNELL}", b"{", 400, 3003),
        (f"/{SCHNELL}", None, 400, 3003),
        ("/../../nowhere", {}, 400, 7000),
    ],
)
async def test_models_and_paths_are_judged(cloudflare, path, body, status, code):
    """What is not there has a number by what is wrong with it."""
    said = await cloudflare.call("POST", path, body)
    assert (said.status, said.body["errors"][0]["code"]) == (status, code)


async def test_a_hosted_model_can_be_named_with_a_gateway(cloudflare):
    """By the common path one of the vendor's own models needs the name of a gateway."""
    said = await cloudflare.call("POST", "", {"model": SCHNELL, "input": {"prompt": "x"}}, cf_aig_gateway_id="default")
    assert opened(said).size == (1024, 1024)


@pytest.mark.parametrize("name", [SCHNELL, KLEIN])
async def test_a_model_may_be_one_encoded_segment(cloudflare, name):
    """The vendor's own client encodes the slashes of a model's name."""
    cloudflare.base += "/" + name.replace("/", "%2F")
    said = await (
        cloudflare.form("", ("prompt", "x")) if name == KLEIN else cloudflare.call("POST", "", {"prompt": "x"})
    )
    assert said.status == 200


async def test_another_account_has_no_route_and_another_token_no_entry(cloudflare):
    """The account is part of every path; the token is judged first; a GET is not how to run."""
    assert (await cloudflare.call("GET", f"/{SCHNELL}")).body["errors"][0]["code"] == 7001
    listed = await cloudflare.call("GET", cloudflare.base.removesuffix("/run") + "/v1/models")
    assert (listed.status, listed.body["errors"][0]["code"]) == (405, 7001)
    cloudflare.base = cloudflare.base.replace("/accounts/", "/accounts/0")
    other = [await cloudflare.call("POST", path, {"prompt": "x"}) for path in (f"/{SCHNELL}", "")]
    assert [one.body["errors"][0]["code"] for one in other] == [7000, 7000]
    cloudflare.key = {"Authorization": "Bearer other"}
    said = await cloudflare.call("POST", f"/{SCHNELL}", {"prompt": "x"})
    assert (said.status, said.body["errors"][0]["code"]) == (401, 10000)


@pytest.mark.parametrize(
    ("name", "rule", "status", "code"),
    [
        (SCHNELL, {"do": "refuse_content"}, 400, 8007),
        (PHOENIX, {"do": "refuse_content"}, 400, 3030),
        (PHOENIX, {"do": "refuse_content", "code": "8007"}, 400, 8007),
        (SCHNELL, {"do": "fail"}, 500, 3043),
        (SCHNELL, {"do": "fail", "code": "3007"}, 408, 3007),
        (SCHNELL, {"do": "status", "status": 429}, 429, 3040),
        (SCHNELL, {"do": "status", "status": 429, "code": "3036"}, 429, 3036),
        (SCHNELL, {"do": "status", "status": 404}, 404, 3042),
        (SCHNELL, {"do": "status", "status": 403}, 403, 5016),
        (SCHNELL, {"do": "status", "status": 413}, 413, 3006),
    ],
)
async def test_what_goes_wrong_has_its_number(cloudflare, sims, name, rule, status, code):
    """Two kinds of 429 and two kinds of unfit prompts differ in their number alone; none costs."""
    sims.set_chaos([rule])
    said = await hosted(cloudflare, name)
    assert (said.status, said.body["errors"][0]["code"]) == (status, code)
    assert not any(job.billed for job in sims.jobs())


@pytest.mark.parametrize("name", [SCHNELL, SDXL])
@pytest.mark.parametrize("do", ["output_truncated", "output_html"])
async def test_a_picture_may_be_spoilt_inside_its_answer(cloudflare, sims, name, do):
    """Faults of files befall pictures that come in the answer, in the envelope or bare."""
    sims.set_chaos([{"do": do}])
    said = await hosted(cloudflare, name)
    with pytest.raises(OSError, match=r"truncated|cannot identify"):
        opened(said).load()


async def test_an_outage_speaks_html(cloudflare, sims):
    """From 502 on it is the vendor's edge that answers."""
    sims.set_chaos([{"do": "status", "status": 502}])
    said = await hosted(cloudflare, SCHNELL)
    assert (said.status, said.headers["Content-Type"]) == (502, "text/html")
