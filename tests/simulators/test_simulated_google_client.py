"""Google's own client, run against the simulators with an API key."""

import asyncio
import base64
import io

import pytest
from google import genai
from google.genai import errors, types
from PIL import Image

from gateway.simulators import Simulators

# The client derives from a class of its HTTP library that warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
STILL, FILM = "gemini-3-pro-image", "gemini-omni-1.1-flash"


@pytest.fixture
async def running():
    """Simulators by the real clock, and fast."""
    simulators = Simulators(image_seconds=0.02, video_seconds=0.05)
    await simulators.start()
    yield simulators
    await simulators.close()


def client_of(running, key):
    where = types.HttpOptions(base_url=running.bases["google"].removesuffix("/v1beta"), api_version="v1beta")
    return genai.Client(api_key=key, http_options=where)


@pytest.fixture
async def client(running):
    found = client_of(running, running.secrets["GEMINI_API_KEY"])
    yield found.aio
    await found.aio.aclose()
    found.close()


async def test_the_client_makes_and_edits_a_picture(client):
    """A picture is made from words, and another from it; the client tells drafts from pictures."""
    shape = types.ImageConfig(aspect_ratio="16:9", image_size="2K")
    config = types.GenerateContentConfig(response_modalities=["IMAGE"], image_config=shape, seed=7)
    made = await client.models.generate_content(model=STILL, contents="fox", config=config)
    (whole,) = [part.inline_data for part in made.candidates[0].content.parts if not part.thought]
    again = types.Part.from_bytes(data=whole.data, mime_type=whole.mime_type)
    edited = await client.models.generate_content(model="gemini-2.5-flash-image", contents=[again, "in snow"])
    last = edited.candidates[0].content.parts[-1].inline_data
    assert (Image.open(io.BytesIO(whole.data)).size, made.usage_metadata.candidates_token_count) == ((2752, 1536), 1120)
    assert Image.open(io.BytesIO(last.data)).size == (1344, 768)


async def test_the_client_reads_what_was_refused(client, running):
    """A blocked prompt is an answer, the rest are the client's errors."""
    running.set_chaos([{"do": "refuse_content", "times": 1}, {"do": "status", "status": 503, "times": 1}])
    blocked = await client.models.generate_content(model=STILL, contents="fox")
    assert (blocked.candidates, blocked.prompt_feedback.block_reason) == (None, types.BlockedReason.SAFETY)
    with pytest.raises(errors.ServerError):
        await client.models.generate_content(model=STILL, contents="fox")
    with pytest.raises(errors.ClientError) as refused:
        await client.models.generate_content(model="gemini-2.5-flash-image-preview", contents="fox")
    other = client_of(running, "other")
    with pytest.raises(errors.ClientError) as unknown:
        await other.aio.models.generate_content(model=STILL, contents="fox")
    await other.aio.aclose()
    other.close()
    assert (refused.value.status, unknown.value.code) == ("NOT_FOUND", 400)


async def test_the_client_follows_an_interaction(client):
    """A film is begun in the background and asked after; another is cancelled and deleted."""
    wanted = {"type": "video", "duration": "3s", "delivery": "uri", "resolution": "360p"}
    made = await client.interactions.create(model=FILM, input="waves", response_format=wanted, background=True)
    other = await client.interactions.create(model=FILM, input="waves", background=True)
    stopped = await client.interactions.cancel(other.id)
    await client.interactions.delete(other.id)
    await asyncio.sleep(0.06)
    done = await client.interactions.get(made.id)
    assert (made.status, stopped.status, done.status) == ("in_progress", "cancelled", "completed")
    assert base64.b64decode(done.steps[-1].content[0].data)[4:8] == b"ftyp"


async def test_the_client_waits_and_downloads(client, running):
    """A call that waits names a file, which the client looks at and downloads."""
    shown = {"type": "image", "mime_type": "image/png", "data": PIXEL}
    made = await client.interactions.create(
        model=FILM,
        input=[{"type": "user_input", "content": [shown, {"type": "text", "text": "waves"}]}],
        response_format={"type": "video", "duration": "3s", "delivery": "uri"},
    )
    file = await client.files.get(name="files/" + made.steps[-1].content[0].uri.split("/")[-1])
    assert (file.state, file.mime_type) == (types.FileState.PROCESSING, "video/mp4")
    assert running.jobs()[0].billed
