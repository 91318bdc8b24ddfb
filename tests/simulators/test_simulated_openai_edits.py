"""OpenAI's edits as they are played: pictures from files and from addresses, what is refused and how."""

import base64
import io

import pytest
from PIL import Image

EDIT = "/images/edits"
FOX = {"model": "gpt-image-2", "prompt": "fox"}
LINK = {"image_url": "https://example.com/a.png"}


def picture(mode="RGB", size=(64, 48), form="PNG"):
    """Return a small picture's bytes."""
    data = io.BytesIO()
    Image.new(mode, size).save(data, form)
    return data.getvalue()


@pytest.mark.parametrize("names", [["image"], ["image[]"], ["image[]"] * 16])
async def test_an_edit_starts_from_files(openai, sims, names):
    """One picture or up to sixteen come as parts of a form, in which numbers are text."""
    parts = [(name, picture()) for name in names]
    said = await openai.form(
        EDIT, *FOX.items(), ("n", "2"), ("output_compression", "9"), ("output_format", "webp"), *parts
    )
    assert (said.status, len(said.body["data"])) == (200, 2)
    assert said.body["usage"]["input_tokens_details"]["image_tokens"] == 1024 * len(names)
    assert sims.jobs()[0].body["n"] == "2"


@pytest.mark.parametrize(
    ("model", "parts", "param"),
    [
        ("gpt-image-2", [], "image"),
        ("gpt-image-2", [("image", picture())] * 2, "image"),
        ("gpt-image-2", [("image[]", picture())] * 17, "image"),
        ("gpt-image-2", [("image", picture(form="GIF"))], "image"),
        ("gpt-image-2", [("image", "https://example.com/a.png")], "image"),
        ("gpt-image-2", [("image", picture()), ("n", "two")], "n"),
        ("gpt-image-2", [("image", picture()), ("mask", picture())], "mask"),
        ("gpt-image-2", [("image", picture()), ("mask", picture("RGBA", (48, 64)))], "mask"),
        ("gpt-image-2", [("image", picture()), ("mask", picture("RGB", form="JPEG"))], "mask"),
        ("gpt-image-2", [("image", picture()), ("markup", picture("RGBA"))], "markup"),
        (
            "gpt-image-2.5-flare",
            [("image", picture()), ("mask", picture("RGBA")), ("markup", picture("RGBA"))],
            "markup",
        ),
        ("gpt-image-2", [("image", picture()), ("input_fidelity", "high")], "input_fidelity"),
    ],
)
async def test_an_edit_that_is_wrong_is_refused(openai, model, parts, param):
    """Pictures, masks and drawings are looked at: their form, number and size."""
    said = await openai.form(EDIT, ("prompt", "fox"), ("model", model), *parts)
    assert (said.status, said.body["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("gpt-image-2", [("mask", picture("RGBA"))]),
        ("gpt-image-2.5-flare", [("markup", picture("RGBA"))]),
        ("gpt-image-1.5", [("input_fidelity", "high")]),
        ("gpt-image-2.6-flare", [("stream", "false"), ("background", "auto")]),
    ],
)
async def test_an_edit_takes_what_its_model_takes(openai, model, parts):
    """Masks everywhere, drawings since 2.5, fidelity only before 2."""
    said = await openai.form(EDIT, ("prompt", "fox"), ("model", model), ("image", picture()), *parts)
    assert said.status == 200


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"images": [LINK, {"image_url": "data:image/png;base64," + base64.b64encode(picture()).decode()}]}, 200),
        ({"images": [LINK], "mask": LINK}, 200),
        ({}, 400),
        ({"images": []}, 400),
        ({"images": [LINK] * 17}, 400),
        ({"images": [{}]}, 400),
        ({"images": [{**LINK, "file_id": "file-abc"}]}, 400),
        ({"images": [{"file_id": "file-abc"}]}, 400),
        ({"images": [{"image_url": "http://example.com/a.png"}]}, 400),
        ({"images": [{"image_url": "data:image/png;base64,AAAA"}]}, 400),
        ({"images": ["https://example.com/a.png"]}, 400),
        ({"image": "https://example.com/a.png"}, 400),
    ],
)
async def test_an_edit_starts_from_addresses_too(openai, given, status):
    """As JSON an edit names each picture by exactly one of address and file."""
    assert (await openai.call("POST", EDIT, {**FOX, **given})).status == status
