"""The vendors' own client libraries, run against the simulators."""

import asyncio
import datetime as dt
import ipaddress
import json
import os
import ssl
import sys

import pytest
import replicate as replicate_client
from byteplussdkarkruntime import Ark, AsyncArk
from byteplussdkarkruntime._exceptions import ArkBadRequestError, ArkNotFoundError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from replicate.exceptions import ModelError, ReplicateError

from gateway.simulators import Simulators

SDXL = "stability-ai/sdxl:7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
DANCE = "bytedance/seedance-1-pro"


@pytest.fixture
async def running(monkeypatch):
    """Simulators by the real clock, fast, and a client that polls fast."""
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.02")
    simulators = Simulators(image_seconds=0.02, video_seconds=0.3)
    await simulators.start()
    yield simulators
    await simulators.close()


@pytest.fixture
async def client(running):
    token = running.secrets["REPLICATE_API_TOKEN"]
    found = replicate_client.Client(api_token=token, base_url=running.bases["replicate"])
    yield found
    # The library has no way to close what it opens.
    found._client.close()
    await found._async_client.aclose()


async def test_replicate_runs_a_model_and_waits(client):
    """`run` blocks until there is an output: a list here, one address there, a file from a community model."""
    many = await asyncio.to_thread(
        client.run, "black-forest-labs/flux-schnell", input={"prompt": "fox", "num_outputs": 2}
    )
    one = await asyncio.to_thread(client.run, DANCE, input={"prompt": "waves"})
    inline = await asyncio.to_thread(client.run, SDXL, input={"prompt": "fox", "width": 128, "height": 128})
    assert (len(many), one.endswith(".mp4")) == (2, True)
    assert inline[0].read()[:8] == b"\x89PNG\r\n\x1a\n"


async def test_replicate_creates_reloads_cancels_and_lists(client):
    """A prediction is created, reloaded to its end, another cancelled, and both are listed."""

    def story():
        done = client.predictions.create(model=DANCE, input={"prompt": "waves"})
        done.wait()
        gone = client.predictions.create(model=DANCE, input={"prompt": "waves"})
        gone.cancel()
        return done.status, done.logs, gone.status, [one.id for one in client.predictions.list()], [gone.id, done.id]

    status, logs, canceled, listed, made = await asyncio.to_thread(story)
    assert (status, canceled, listed) == ("succeeded", "canceled", made)
    assert "100%" in logs


async def test_replicate_works_asynchronously_too(client):
    """The asynchronous half of the client tells the same story."""
    prediction = await client.predictions.async_create(model=DANCE, input={"prompt": "waves"})
    await prediction.async_wait()
    assert prediction.output.endswith(".mp4")
    assert (await client.async_run("google/nano-banana", input={"prompt": "fox"})).endswith(".jpeg")


async def test_replicate_raises_what_the_vendor_refuses(client, running):
    """A refused input and a failed run become the client's own errors."""
    with pytest.raises(ReplicateError, match=r"input\.duration"):
        await asyncio.to_thread(client.run, DANCE, input={"prompt": "x", "duration": "5"})
    running.set_chaos([{"do": "refuse_content"}])
    with pytest.raises(ModelError, match="E005"):
        await asyncio.to_thread(client.run, DANCE, input={"prompt": "x"})


async def test_replicate_reads_the_catalogue(client):
    """Account, model and version are read by the client's own types."""
    account = await asyncio.to_thread(client.accounts.current)
    model = await asyncio.to_thread(client.models.get, "google/veo-3.1")
    versions = await asyncio.to_thread(model.versions.list)
    assert (account.username, model.id) == ("simulated", "google/veo-3.1")
    assert versions.results[0].id == model.latest_version.id


async def test_ark_makes_a_picture(running):
    """The vendor's client gets its picture, though it sends every field it knows as null."""
    model = "seedream-4-5-251128"
    with Ark(api_key=running.secrets["ARK_API_KEY"], base_url=running.bases["byteplus"]) as ark:
        made = await asyncio.to_thread(ark.images.generate, model=model, prompt="fox", size="2848x1600")
        assert (made.data[0].size, made.usage.generated_images) == ("2848x1600", 1)
        with pytest.raises(ArkBadRequestError, match="seed"):
            await asyncio.to_thread(ark.images.generate, model=model, prompt="fox", seed=1)


async def test_ark_creates_gets_lists_and_deletes_tasks(sims, hand):
    """A task is created, seen in the list, followed to its end, and deleted."""
    ark = AsyncArk(api_key=sims.secrets["ARK_API_KEY"], base_url=sims.bases["byteplus"])
    tasks = ark.content_generation.tasks
    content = [{"type": "text", "text": "waves"}]
    made = await tasks.create(model="seedance-1-0-pro-250528", content=content, ratio="16:9", duration=5)
    listed = await tasks.list(status="queued", task_ids=[made.id])
    hand.wind(2)
    done = await tasks.get(task_id=made.id)
    await tasks.delete(task_id=made.id)
    with pytest.raises(ArkNotFoundError):
        await tasks.get(task_id=made.id)
    await ark.close()
    assert (listed.total, listed.items[0].id, done.status) == (1, made.id, "succeeded")
    assert done.content.video_url.startswith(sims.origin)


def certificate(folder):
    """Write a throw-away certificate for 127.0.0.1 that is its own authority, and return its two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(days=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return pem, secret


FAL_STORY = """
import json, fal_client
told = {}
handle = fal_client.submit("fal-ai/veo3.1", {"prompt": "waves"})
told["first"] = type(handle.status(with_logs=True)).__name__
told["video"] = handle.get(interval=0.02)["video"]["content_type"]
told["last"] = type(fal_client.status("fal-ai/veo3.1", handle.request_id)).__name__
gone = fal_client.submit("fal-ai/veo3.1", {"prompt": "waves"})
fal_client.cancel("fal-ai/veo3.1", gone.request_id)
told["canceled"] = gone.status().error_type
told["direct"] = len(fal_client.run("fal-ai/flux/schnell", {"prompt": "fox", "num_images": 2})["images"])
told["subscribed"] = len(fal_client.subscribe("fal-ai/flux/dev", {"prompt": "fox"})["images"])
try:
    fal_client.subscribe("fal-ai/veo3.1", {"prompt": "waves", "duration": 8})
except fal_client.FalClientHTTPError as exc:
    told["refused"] = [exc.status_code, exc.response.json()["detail"][0]["type"]]
print(json.dumps(told))
"""


async def test_fal_submits_polls_cancels_and_runs(tmp_path):
    """The vendor's client speaks only TLS and reads its hosts at import, so it runs as its own process."""
    pem, secret = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, secret)
    simulators = Simulators(image_seconds=0.02, video_seconds=1)
    await simulators.start(ssl_context=context)
    host = f"127.0.0.1:{simulators.port}"
    names = {"FAL_RUN_HOST": f"{host}/fal-run", "FAL_QUEUE_RUN_HOST": f"{host}/fal", "SSL_CERT_FILE": str(pem)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        FAL_STORY,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **simulators.secrets, **names},
    )
    said, _ = await process.communicate()
    await simulators.close()
    assert json.loads(said) == {
        "first": "Queued",
        "video": "video/mp4",
        "last": "Completed",
        "canceled": "client_cancelled",
        "direct": 2,
        "subscribed": 1,
        "refused": [422, "literal_error"],
    }
