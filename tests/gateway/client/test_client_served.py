"""Both clients against a gateway that serves, with the vendors played behind it, and against lines that break."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.client import (
    AsyncClient,
    Client,
    DownloadError,
    Generation,
    GenerationCanceledError,
    GenerationFailedError,
    RefusedError,
    Retries,
    Status,
    UnreachableError,
    WaitTimeoutError,
    replies,
    verify,
)
from tests.gateway.client.either import MODEL, VIDEO, Either, listed
from tests.gateway.webhooks.receiver import Receiver, until
from tests.house.tree import ROOT
from tests.story.house import House
from tests.story.test_webhooks import SECRET, listening

Make = Callable[..., Either]
# One gateway for all: what it takes to start one is most of what these tests would take.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serves(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[House, Receiver]]:
    """A gateway with little money, and who is told what it does."""
    async with listening(tmp_path_factory.mktemp("served"), credits=3) as both:
        yield both


@pytest.fixture
def at(serves: tuple[House, Receiver]) -> House:
    """The gateway, with vendors that do no mischief."""
    serves[0].sims.set_chaos([])
    return serves[0]


@pytest_asyncio.fixture(params=[Client, AsyncClient], loop_scope="module")
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Make one of the two clients; it is closed at the end."""
    made: list[Either] = []

    def client(url: str, key: str | None = None, **more: Any) -> Either:
        made.append(Either(request.param(url, key, **{"retries": Retries(first=0.02), **more})))
        return made[-1]

    yield client
    for each in made:
        await each.close()


async def _until_begun(at: House, before: int) -> None:
    await at.until(lambda: len(at.sims.jobs()) > before)


async def test_a_picture_from_begin_to_file(make: Make, at: House, tmp_path: Path) -> None:
    """It is begun, waited for with progress, saved with the hash the gateway told, and priced exactly."""
    seen: list[Generation] = []
    client = make(at.running.origin)
    made = await client.run(
        MODEL,
        "a baby seal",
        ratio="16:9",
        input_file=["https://example.com/a.jpg"],
        provider_order=["byteplus", "fal"],
        progress=seen.append,
    )
    assert (made.status, made.provider, made.providers[:2]) == (
        Status.SUCCEEDED,
        "byteplus",
        ("byteplus", "fal"),
    )
    assert made.cost == Decimal("0.04")
    assert made.created_at.tzinfo is not None
    assert made.completed_at >= made.created_at
    assert [each.provider for each in made.attempts] == ["byteplus"]
    assert seen[-1] == made
    assert len({repr(each) for each in seen}) == len(seen)
    [saved] = await client.save(made, tmp_path)
    assert saved.path == tmp_path / f"bytedance-seedream-4.5-{made.id[:8]}.jpg"
    content = saved.path.read_bytes()
    assert (saved.type, saved.size, saved.is_verified) == ("image/jpeg", len(content), True)
    assert saved.sha256 == hashlib.sha256(content).hexdigest()
    assert not [name for name in listed(tmp_path) if name.endswith(".part")]


async def test_failover_is_on_the_record(make: Make, at: House) -> None:
    """Who failed and why stands in the attempts, before the one that served."""
    chaos = [{"provider": "byteplus", "call": "submit", "do": "status", "status": 503, "times": 1}]
    at.sims.set_chaos(chaos)
    made = await make(at.running.origin).run(MODEL, "a seal", provider_order="byteplus, fal")
    assert [each.provider for each in made.attempts][-1] == "fal"
    first = made.attempts[0]
    assert first.error is not None
    assert (first.provider, first.error.type, first.error.retryable) == ("byteplus", "provider_unavailable", True)


async def test_failure_is_an_error_with_the_record(make: Make, at: House) -> None:
    """When nobody serves, the error names every provider that was asked, and the money is back."""
    at.sims.set_chaos([{"call": "submit", "do": "status", "status": 500}])
    client = make(at.running.origin)
    with pytest.raises(GenerationFailedError, match="every provider failed") as caught:
        await client.run("bfl/flux-schnell", "a seal", provider_order="replicate, fal")
    assert caught.value.generation.status is Status.FAILED
    assert {each.provider for each in caught.value.generation.attempts} >= {"replicate", "fal"}
    assert caught.value.generation.cost is None
    assert caught.value.idempotency_key


async def test_refusals_say_what_is_wrong(make: Make, at: House) -> None:
    """A wrong request, a wrong model and an empty account are refused at once, by code, and not asked for again."""
    client = make(at.running.origin)
    before = (await client.list()).total
    for words, code, status in (
        ((MODEL, {"ratio": "7:2"}), "BSE2001", 400),
        (("no/such", {}), "BSE2011", 404),
        (("google/veo-3.1", {"duration": 8, "generate_audio": True}), "BSE1004", 402),
    ):
        with pytest.raises(RefusedError) as caught:
            await client.generate(words[0], "a seal", **words[1])
        assert (caught.value.code, caught.value.status, caught.value.retryable) == (code, status, False)
        assert caught.value.request_id.startswith("req_")
    assert (await client.list()).total == before


async def test_a_film_is_priced_canceled_and_deleted(make: Make, at: House) -> None:
    """What is under way can be stopped and costs nothing; what is over can be removed."""
    at.sims.set_chaos([{"call": "submit", "do": "late", "seconds": 30}])
    client = make(at.running.origin)
    price = await client.estimate(VIDEO, duration=5, count=2)
    assert price.total == price.each * 2
    assert price.can_afford
    before = len(at.sims.jobs())
    begun = await client.generate(VIDEO, "a seal", duration=5, provider_order="fal")
    await _until_begun(at, before)
    with pytest.raises(WaitTimeoutError):
        await client.wait(begun, timeout=0.05)
    stopped = await client.cancel(begun.id)
    assert (stopped.id, stopped.refunded, stopped.is_provider_told) == (begun.id, price.each, True)
    with pytest.raises(GenerationCanceledError):
        await client.wait(begun)
    with pytest.raises(RefusedError, match="canceled"):
        await client.cancel(begun.id)
    assert (await client.read(begun.id)).status is Status.CANCELED
    assert await client.delete(begun.id) == 0
    with pytest.raises(RefusedError) as gone:
        await client.read(begun.id)
    assert gone.value.type == "generation_not_found"


async def test_lists_and_library(make: Make, at: House) -> None:
    """Records come newest first with their count, and models say what they make and who makes it."""
    client = make(f"{at.running.origin}/v1/")
    made = [(await client.run(MODEL, f"seal {n}")).id for n in range(3)]
    page = await client.list(limit=2, offset=0)
    assert [each.id for each in page.generations] == [made[2], made[1]]
    assert page.total >= 3
    kinds = {each.id: each.kind for each in await client.models()}
    assert (kinds[MODEL], kinds[VIDEO]) == ("image", "video")


async def test_one_key_begins_one_generation(make: Make, at: House) -> None:
    """The same key joins what was begun, another request under it is refused."""
    client = make(at.running.origin)
    key = str(uuid.uuid4())
    first = await client.generate(MODEL, "a seal", idempotency_key=key)
    again = await client.generate(MODEL, "a seal", idempotency_key=key)
    assert (first.is_replayed, again.is_replayed, again.id) == (False, True, first.id)
    with pytest.raises(RefusedError) as caught:
        await client.generate(MODEL, "another", idempotency_key=key)
    assert caught.value.type == "idempotency_key_mismatch"


async def test_deliveries_are_verified(serves: tuple[House, Receiver], at: House) -> None:
    """What a gateway tells is believed, and read as the event it is."""
    receiver = serves[1]
    _, _, said = await at.create(f"image/{MODEL}", prompt="a seal")
    generation = said["data"]["generation_id"]
    await until(lambda: sum(generation.encode() in got.body for got in receiver.got) == 2)
    events = [verify(got.headers, got.body, SECRET) for got in receiver.got if generation.encode() in got.body]
    assert {event.type for event in events} == {"generation.started", "generation.completed"}
    assert {event.generation for event in events} == {generation}
    assert len({event.delivery for event in events}) == 2
    assert all(event.happened_at.tzinfo for event in events)


async def test_the_example_of_the_readme_runs(
    at: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the README shows does what it says."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## From Python")[2]
    code = text.partition("```python\n")[2].partition("```")[0]
    assert "http://127.0.0.1:8080" in code
    code = code.replace("http://127.0.0.1:8080", at.running.origin).replace("bye_…", "bye_none")
    monkeypatch.chdir(tmp_path)
    await asyncio.to_thread(exec, code, {})
    said = capsys.readouterr().out
    assert "seal.jpg" in said
    assert "byteplus 0.04 of at most 0.04" in said
    assert listed(tmp_path) == ["seal.jpg"]


async def test_several_outputs_are_numbered(make: Make, at: House, tmp_path: Path) -> None:
    """Outputs beyond one get numbers before the ending; a file that cannot be written leaves nothing behind."""
    client = make(at.running.origin)
    made = await client.run(MODEL, "a seal", output_number=2)
    saved = await client.save(made, tmp_path / "seal.jpg")
    assert [each.path.name for each in saved] == ["seal-1.jpg", "seal-2.jpg"]
    with pytest.raises(OSError, match="nowhere"):
        await client.save(made, tmp_path / "nowhere" / "seal.jpg")


async def test_outputs_inside_the_answer_are_saved(make: Make, tmp_path: Path) -> None:
    """Where a gateway keeps no outputs, what a provider sent inside its answer is a file too."""
    link = "data:image/png;base64," + base64.b64encode(b"picture").decode()
    [saved] = await make("http://127.0.0.1:9").save(_succeeded(link), tmp_path)
    assert saved.path.read_bytes() == b"picture"
    assert (saved.path.suffix, saved.type, saved.size, saved.is_verified) == (".png", "image/png", 7, False)
    assert listed(tmp_path) == [saved.path.name]


# ---- lines that break


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve one handler on every path; gives its origin."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


def _created() -> web.Response:
    return web.json_response({"status": "success", "data": {"generation_id": "g1", "model_identifier": MODEL}})


async def test_a_create_survives_a_line_that_breaks_and_a_gateway_that_is_full(make: Make) -> None:
    """Dropped after the body was read, refused with a wait, then taken in: three requests, one key, the wait kept."""
    keys: list[str] = []
    at: list[float] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Idempotency-Key"])
        at.append(asyncio.get_running_loop().time())
        await request.read()
        if len(keys) == 1:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if len(keys) == 2:
            error = {"code": "BSE5003", "type": "overloaded", "message": "full", "retryable": True}
            told = {"status": "error", "request_id": "r", "error": error}
            return web.json_response(told, status=503, headers={"Retry-After": "1"})
        return _created()

    async with serving(answer) as origin:
        begun = await make(origin, "bye_key").generate(MODEL, "a seal")
    assert begun.id == "g1"
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert at[2] - at[1] >= 1


async def test_silence_ends_a_try(make: Make) -> None:
    """A gateway that says nothing is given up after the time allowed, and the key to go on with is told."""
    asked = 0

    async def answer(_: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.15)
        return _created()

    async with serving(answer) as origin:
        client = make(origin, timeout=0.05, retries=Retries(tries=2, first=0.01))
        with pytest.raises(UnreachableError, match="no answer in time") as caught:
            await client.generate(MODEL, "a seal")
    assert asked == 2
    assert caught.value.idempotency_key


async def test_nobody_there_is_told(make: Make) -> None:
    """A port without a gateway gives one error, in words."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response()

    async with serving(answer) as origin:
        pass
    with pytest.raises(UnreachableError, match="no gateway answers") as caught:
        await make(origin, retries=Retries(tries=1)).models()
    assert caught.value.retryable


async def test_a_key_never_leaves_for_elsewhere(make: Make, tmp_path: Path) -> None:
    """Outputs are read without the key, and a broken one is read again until it is whole."""
    heads: list[Any] = []
    content = b"x" * 300_000

    async def answer(request: web.Request) -> web.StreamResponse:
        heads.append(request.headers)
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        response.content_length = len(content)
        await response.prepare(request)
        await response.write(content[: 100_000 if len(heads) == 1 else len(content)])
        if len(heads) == 1:
            assert request.transport is not None
            request.transport.close()
        return response

    async with serving(answer) as origin:
        client = make("http://127.0.0.1:9", "bye_key")
        made = _succeeded(f"{origin}/0.png")
        [saved] = await client.save(made, tmp_path / "a.png")
        assert saved.path.read_bytes() == content
        assert len(heads) == 2
        assert not any("Authorization" in head for head in heads)
        assert listed(tmp_path) == ["a.png"]
    with pytest.raises(DownloadError):
        await make("http://127.0.0.1:9", retries=Retries(tries=1)).save(made, tmp_path / "b.png")
    assert listed(tmp_path) == ["a.png"]


def _succeeded(link: str) -> Generation:
    return replies.generation(
        {
            "generation_id": "g1",
            "model_identifier": MODEL,
            "generation_status": "succeeded",
            "generation_created_at": "2026-11-25T15:00:00.000Z",
            "generation_output_file": [link],
        }
    )
