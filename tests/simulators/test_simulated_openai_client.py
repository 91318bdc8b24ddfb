"""OpenAI's own client, run against the simulators."""

import base64
import io

import openai as library
import pytest
from PIL import Image

from gateway.simulators import Simulators


@pytest.fixture
async def running():
    """Simulators by the real clock, and fast."""
    simulators = Simulators(image_seconds=0.02)
    await simulators.start()
    yield simulators
    await simulators.close()


@pytest.fixture
async def client(running):
    key, base = running.secrets["OPENAI_API_KEY"], running.bases["openai"]
    async with library.AsyncOpenAI(api_key=key, base_url=base, max_retries=0) as found:
        yield found


def bytes_of(answer):
    return base64.b64decode(answer.data[0].b64_json)


async def test_the_client_makes_and_edits_a_picture(client, running):
    """A picture is made and shown again, alone and with a mask, from bytes and from several files."""
    made = await client.images.generate(model="gpt-image-2", prompt="fox", size="1536x1024", quality="low")
    mask = io.BytesIO()
    Image.new("RGBA", (1536, 1024)).save(mask, "PNG")
    edited = await client.images.edit(model="gpt-image-2", prompt="snow", image=bytes_of(made), mask=mask.getvalue())
    many = await client.images.edit(model="gpt-image-2.6-flare", prompt="both", n=2, image=[bytes_of(edited)] * 2)
    assert (made.usage.output_tokens, len(many.data), many.size) == (158, 2, "1024x1024")
    assert Image.open(io.BytesIO(bytes_of(made))).size == (1536, 1024)
    assert [(job.state, job.billed) for job in running.jobs("openai")] == [("succeeded", True)] * 3


async def test_the_client_reads_a_stream(client):
    """Events of making and editing become the client's own types."""
    stream = await client.images.generate(model="gpt-image-2", prompt="fox", stream=True, partial_images=1)
    made = [event async for event in stream]
    picture = base64.b64decode(made[-1].b64_json)
    stream = await client.images.edit(model="gpt-image-2", prompt="snow", image=picture, stream=True)
    kinds = [event.type for event in made] + [event.type async for event in stream]
    assert kinds == ["image_generation.partial_image", "image_generation.completed", "image_edit.completed"]


async def test_the_client_raises_what_is_refused(client, running):
    """Refusals become the client's errors with field and code; a broken stream raises too."""
    with pytest.raises(library.BadRequestError) as refused:
        await client.images.generate(model="gpt-image-2", prompt="fox", response_format="url")
    assert (refused.value.param, refused.value.code) == ("response_format", "unknown_parameter")
    with pytest.raises(library.NotFoundError):
        await client.images.generate(model="dall-e-3", prompt="fox")
    with pytest.raises(library.AuthenticationError):
        await client.with_options(api_key="sk-other").models.list()
    running.set_chaos([{"do": "fail"}])
    with pytest.raises(library.APIError):
        [event async for event in await client.images.generate(model="gpt-image-2", prompt="x", stream=True)]


async def test_the_client_lists_models_with_their_end(client):
    """The list says which models go off and when."""
    ends = {model.id: model.shutdown_date async for model in client.models.list()}
    assert (ends["gpt-image-2"], ends["gpt-image-1.5"]) == (None, "2026-12-01")
    assert (await client.models.retrieve("gpt-image-2")).id == "gpt-image-2"
