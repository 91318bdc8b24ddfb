"""Cloudflare's own client, run against the simulators."""

import base64
import io

import cloudflare as library
import pytest
from PIL import Image

from gateway.simulators import Simulators

SCHNELL = "@cf/black-forest-labs/flux-1-schnell"


@pytest.fixture
async def running():
    """Simulators by the real clock, and fast."""
    simulators = Simulators(image_seconds=0.02, video_seconds=0.05)
    await simulators.start()
    yield simulators
    await simulators.close()


@pytest.fixture
async def client(running):
    token, base = running.secrets["CLOUDFLARE_API_TOKEN"], running.bases["cloudflare"]
    async with library.AsyncCloudflare(api_token=token, base_url=base, max_retries=0) as found:
        yield found


@pytest.fixture
def account(running):
    return running.secrets["CLOUDFLARE_ACCOUNT_ID"]


async def test_the_client_runs_a_hosted_model(client, account, running):
    """The client returns what is in the envelope, and sends the model as one encoded segment."""
    result = await client.ai.run(SCHNELL, account_id=account, prompt="fox")
    assert Image.open(io.BytesIO(base64.b64decode(result["image"]))).size == (1024, 1024)
    assert ("%2F" in running.log[0].path, running.log[0].job) == (True, running.jobs()[0].id)


async def test_the_client_sends_forms_and_names_other_labs_models(client, account):
    """What the client has no method for goes through its plain post: a form, and a film by name."""
    path = f"/accounts/{account}/ai/run"
    files = {"prompt": (None, "fox"), "width": (None, "256"), "height": (None, "128")}
    form = {"headers": {"Content-Type": "multipart/form-data"}}
    drawn = await client.post(f"{path}/@cf/black-forest-labs/flux-2-dev", files=files, options=form, cast_to=object)
    given = {"prompt": "waves", "aspect_ratio": "16:9", "duration": "4s", "resolution": "720p", "generate_audio": True}
    filmed = await client.post(path, body={"model": "google/veo-3.1", "input": given}, cast_to=object)
    assert Image.open(io.BytesIO(base64.b64decode(drawn["result"]["image"]))).size == (256, 128)
    assert (filmed["state"], filmed["result"]["video"][-4:]) == ("Completed", ".mp4")


async def test_the_client_raises_what_is_refused(client, account):
    """Errors carry their numbers."""
    with pytest.raises(library.BadRequestError) as refused:
        await client.ai.run(SCHNELL, account_id=account, prompt="fox", seed=1)
    assert [error.code for error in refused.value.errors] == [3003]
    with pytest.raises(library.AuthenticationError):
        await client.with_options(api_token="other").ai.run(SCHNELL, account_id=account, prompt="fox")


async def test_the_client_lists_hosted_models_and_reads_a_schema(client, account):
    """The list ends, holds only the vendor's own models, and each has a schema."""
    names = [row["name"] async for row in client.ai.models.list(account_id=account, per_page=4)]
    schema = await client.ai.models.schema.get(account_id=account, model=SCHNELL)
    assert (len(names), all(name.startswith("@cf/") for name in names)) == (11, True)
    assert (schema.input.required, schema.input.additional_properties) == (["prompt"], False)
