"""Cloudflare's catalogue of other labs' models as it is played: links in the answer, what is refused and how."""

import base64
import io

import aiohttp
import pytest
from PIL import Image

from gateway.simulators import Simulators
from gateway.simulators.cloudflare_models import PASSED_ON

LINK = "https://example.com/a.png"
VEO = {"prompt": "x", "aspect_ratio": "16:9", "duration": "8s", "resolution": "720p", "generate_audio": True}
DANCE = {
    "prompt": "x",
    "duration": 5,
    "resolution": "480p",
    "aspect_ratio": "9:16",
    "fps": 24,
    "camera_fixed": False,
    "watermark": False,
    "use_virtual_avatar": False,
}
NEEDED = {"google/veo-3.1": VEO, "bytedance/seedance-2.0": DANCE}


@pytest.fixture
async def sims(hand):
    """Films take no time either, since they hold the line and the clock stands still."""
    simulators = Simulators(image_seconds=0, video_seconds=0, clock=hand)
    await simulators.start()
    yield simulators
    await simulators.close()


def picture(width=64, height=48):
    """Return a small picture's bytes."""
    data = io.BytesIO()
    Image.new("RGB", (width, height)).save(data, "PNG")
    return data.getvalue()


INLINE = base64.b64encode(picture()).decode()


async def passed(cloudflare, name, given, **headers):
    return await cloudflare.call("POST", "", {"model": name, "input": given}, **headers)


@pytest.mark.parametrize(("name", "model"), PASSED_ON.items())
async def test_every_model_passed_on_answers_with_a_link(cloudflare, name, model):
    """The file lies behind a link or several; beside it stand the state and who paid."""
    said = await passed(cloudflare, name, NEEDED.get(name, {"prompt": "x"}))
    found = {"video": "video", "image": "images" if name == "bytedance/seedream-4.5" else "image"}[model.kind]
    link = said.body["result"][found]
    file = await cloudflare.call("GET", link[0] if isinstance(link, list) else link)
    assert (said.body["state"], said.body["gatewayMetadata"]) == ("Completed", {"keySource": "Unified"})
    assert (file.status, file.headers["Content-Type"].split("/")[0]) == (200, model.kind)


@pytest.mark.parametrize(
    ("name", "given", "size", "form"),
    [
        (
            "google/nano-banana",
            {"aspect_ratio": "16:9", "image_size": "2K", "output_format": "jpg"},
            (2736, 1536),
            "JPEG",
        ),
        ("openai/gpt-image-2", {"size": "1024x1536", "output_format": "webp"}, (1024, 1536), "WEBP"),
        ("openai/gpt-image-2", {"size": "auto"}, (1024, 1024), "PNG"),
        ("black-forest-labs/flux-2-max", {"width": 1280, "height": 720}, (1280, 720), "JPEG"),
        ("google/imagen-4", {"aspect_ratio": "3:4"}, (880, 1184), "PNG"),
    ],
)
async def test_pictures_passed_on_have_the_size_asked(cloudflare, name, given, size, form):
    """Ratio, tier, pixels and form are as asked."""
    said = await passed(cloudflare, name, {"prompt": "x", **given})
    found = Image.open(io.BytesIO((await cloudflare.call("GET", said.body["result"]["image"])).body))
    assert (found.size, found.format) == (size, form)


async def test_a_set_has_several_pictures(cloudflare):
    """A model that may make a set decides how many, up to the number allowed."""
    given = {"prompt": "x", "sequential_image_generation": "auto", "max_images": 4, "size": "2K", "aspect_ratio": "1:1"}
    links = (await passed(cloudflare, "bytedance/seedream-4.5", given)).body["result"]["images"]
    assert 1 <= len(links) <= 4
    assert Image.open(io.BytesIO((await cloudflare.call("GET", links[0])).body)).size == (2048, 2048)


async def test_links_die_after_an_hour(cloudflare, hand):
    """What was passed on must be fetched soon."""
    link = (await passed(cloudflare, "google/imagen-4", {"prompt": "x"})).body["result"]["image"]
    hand.wind(3601)
    assert (await cloudflare.call("GET", link)).status == 404


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        *(("google/veo-3.1", {key: VEO[key] for key in VEO if key != left}, 3003) for left in VEO),
        ("google/veo-3.1", {**VEO, "seed": 1}, 3003),
        ("google/veo-3.1", {**VEO, "duration": 8}, 5004),
        ("google/veo-3.1", {**VEO, "duration": "5s"}, 5004),
        ("google/veo-3.1", {**VEO, "image_input": LINK}, 5004),
        *(("bytedance/seedance-2.0", {key: DANCE[key] for key in DANCE if key != left}, 3003) for left in DANCE),
        ("bytedance/seedance-2.0", {**DANCE, "duration": "5"}, 5004),
        ("bytedance/seedance-2.0", {**DANCE, "duration": 13}, 5004),
        ("bytedance/seedance-2.0", {**DANCE, "fps": 25}, 5004),
        ("bytedance/seedance-2.0", {**DANCE, "reference_images": [LINK] * 5}, 5004),
        ("bytedance/seedance-2.0", {**DANCE, "image": INLINE}, 5004),
        ("bytedance/seedream-4.5", {"prompt": "x", "size": "1K"}, 5004),
        ("bytedance/seedream-4.5", {"prompt": "x", "max_images": 3}, 5004),
        ("google/nano-banana", {"prompt": "x", "output_format": "jpeg"}, 5004),
        ("google/nano-banana", {"prompt": "x", "image_input": [LINK] * 4}, 5004),
        ("openai/gpt-image-2", {"prompt": "x", "images": [LINK]}, 5004),
        ("openai/gpt-image-2", {"prompt": "x", "n": 2}, 3003),
        ("black-forest-labs/flux-2-max", {"prompt": "x", "width": 63}, 5004),
        ("klingai/kling-v3", {"prompt": "x", "sound": True}, 5004),
        ("klingai/kling-v3", {"prompt": "x", "duration": 16}, 5004),
        ("google/imagen-4", {"prompt": "x", "aspect_ratio": "3:2"}, 5004),
        ("google/veo-3", {}, 3003),
    ],
)
async def test_what_a_model_passed_on_refuses_is_refused(cloudflare, sims, name, given, code):
    """Closed schemas want every field they call required, of the right type, and no other."""
    said = await passed(cloudflare, name, given)
    assert (said.status, said.body["errors"][0]["code"], sims.jobs()) == (400, code, [])


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("google/veo-3.1", {**VEO, "image_input": INLINE}),
        ("klingai/kling-v3", {"prompt": "x", "image_input": "data:image/png;base64," + INLINE, "sound": "on"}),
        ("openai/gpt-image-2", {"prompt": "x", "images": [INLINE] * 16}),
        ("bytedance/seedance-2.0", {**DANCE, "image": LINK, "last_frame_image": LINK, "seed": 1}),
        ("google/nano-banana", {"prompt": "x", "image_input": ["data:image/png;base64," + INLINE, LINK]}),
        ("google/veo-3", {"prompt": "x", "anything": 1}),
    ],
)
async def test_inputs_are_taken_as_their_model_has_them(cloudflare, name, given):
    """Base64 alone here, an address or a data URI there; of some models the fields are not known."""
    assert (await passed(cloudflare, name, given)).status == 200


@pytest.mark.parametrize(
    ("rule", "status", "state", "words"),
    [
        ({"do": "fail"}, 200, "Failed", None),
        ({"do": "fail", "code": "3008"}, 408, None, "Aborted"),
        ({"do": "refuse_content"}, 400, None, "content moderation"),
        ({"do": "no_output"}, 200, "Completed", None),
    ],
)
async def test_a_model_passed_on_breaks_in_its_own_way(cloudflare, sims, rule, status, state, words):
    """A run that broke at its lab is a 200 in another state, and a refusal of its lab speaks of content."""
    sims.set_chaos([rule])
    said = await passed(cloudflare, "google/veo-3.1", VEO)
    assert (said.status, said.body.get("state"), said.body["result"] or None) == (status, state, None)
    assert words is None or words in said.body["errors"][0]["message"]
    assert not any(job.billed for job in sims.jobs())


async def test_a_film_whose_line_breaks_is_lost_and_billed(cloudflare, sims):
    """A dropped answer leaves a job that nobody can ask after, and that costs."""
    sims.set_chaos([{"do": "drop_after", "model": "google/veo*"}])
    with pytest.raises(aiohttp.ClientConnectionError):
        await passed(cloudflare, "google/veo-3.1", VEO)
    assert [(job.model, job.billed) for job in sims.jobs()] == [("google/veo-3.1", True)]
