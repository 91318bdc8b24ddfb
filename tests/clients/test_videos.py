"""OpenAI's own client, unmodified, at the door of videos."""

from __future__ import annotations

import asyncio
import base64
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from tests.clients.between import between
from tests.house.tree import ROOT
from tests.story.house import House, house

WAN = "wan/2.6-t2v"
KLING = "kling/kling-4"
VEO = "google/veo-3.1"
SEEDANCE = "bytedance/seedance-1-pro"
MADE = {"queued", "in_progress", "completed", "failed"}

pytestmark = [
    # The library warns on every call that its own service of this kind has ended.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # One gateway for all: what it takes to start one is most of what these tests would take.
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serves(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway with the vendors played behind it."""
    folder = tmp_path_factory.mktemp("videos")
    async with house(folder, config=_hasty(folder)) as at:
        yield at


def _hasty(folder: Path) -> str:
    """The policy by which vendors are looked at more often than they would like."""
    for vendor in ("byteplus", "runway"):
        text = (ROOT / "providers.d" / vendor / "provider.yaml").read_text(encoding="utf-8")
        (folder / "packs" / vendor).mkdir(parents=True)
        often = re.sub(r"first: 5s, every: [25]s", "first: 100ms, every: 100ms", text)
        (folder / "packs" / vendor / "provider.yaml").write_text(often, encoding="utf-8")
    return f"catalog: [{ROOT / 'providers.d'}, {folder / 'packs'}]\n"


@pytest.fixture
def at(serves: House) -> House:
    """The gateway, with vendors that do no mischief."""
    serves.sims.set_chaos([])
    return serves


def client(origin: str, **more: Any) -> AsyncOpenAI:
    """The client, with nothing but another base address."""
    return AsyncOpenAI(base_url=f"{origin}/v1", api_key="bye_any", **more)


def count(at: House, where: str = "1=1") -> int:
    """Generations in the store."""
    with sqlite3.connect(at.folder / "story.db") as store:
        found: int = store.execute(f"SELECT count(*) FROM generation WHERE {where}").fetchone()[0]
        return found


def request_of(at: House, video: str) -> str:
    """What was asked of the model, as the store has it."""
    with sqlite3.connect(at.folder / "story.db") as store:
        found: str = store.execute(
            "SELECT request FROM generation WHERE id = ?", (video.removeprefix("video_"),)
        ).fetchone()[0]
        return found


async def test_a_film_from_words_to_bytes(at: House) -> None:
    """It is begun, waited for by the library's own loop, loaded, and made by another vendor than the client knows."""
    async with client(at.running.origin) as asking:
        film = await asking.videos.create_and_poll(model=SEEDANCE, prompt="a seal", seconds="5", size="1280x720")
        assert (film.status, film.progress, film.seconds, film.size) == ("completed", 100, "5", "1280x720")
        assert (film.model, film.object, film.prompt, film.error) == (SEEDANCE, "video", "a seal", None)
        assert film.created_at <= (film.completed_at or 0) < (film.expires_at or 0)
        told = film.model_extra["tidegate"] if film.model_extra else {}
        assert (told["provider"], told["attempts"]) == ("byteplus", 1)
        assert told["cost"] > 0
        loaded = await asking.videos.download_content(film.id)
        assert (await loaded.aread())[4:8] == b"ftyp"
        assert loaded.response.headers["content-type"] == "video/mp4"
        assert '"ratio":"16:9"' in request_of(at, film.id)
        assert '"resolution":"720p"' in request_of(at, film.id)


async def test_what_is_taken_in_is_answered_at_once(at: House) -> None:
    """The answer to a create has every member the library's type asks for, and says how often to look."""
    at.sims.set_chaos([{"call": "submit", "do": "late", "seconds": 30}])
    async with client(at.running.origin) as asking:
        raw = await asking.videos.with_raw_response.create(model=SEEDANCE, prompt="a seal")
        film = raw.parse()
        assert raw.status_code == 200
        assert int(raw.headers["openai-poll-after-ms"]) >= 1000
        assert film.id.startswith("video_")
        assert film.status in {"queued", "in_progress"}
        assert (film.progress, film.seconds, film.completed_at, film.expires_at) == (0, "4", None, None)
        gone = await asking.videos.delete(film.id)
        assert (gone.id, gone.object, gone.deleted) == (film.id, "video.deleted", True)


@pytest.mark.parametrize("size", ["720x1280", "1024x1792"])
async def test_a_size_is_meant_by_shape_and_class(at: House, size: str) -> None:
    """Pixels nobody makes exactly are made by the nearest class of the same shape, as the film itself then says."""
    async with client(at.running.origin) as asking:
        film = await asking.videos.create_and_poll(model=SEEDANCE, prompt="a seal", size=size)  # type: ignore[arg-type] # any text passes
        assert '"ratio":"9:16"' in request_of(at, film.id)
        assert f'"resolution":"{"720p" if size == "720x1280" else "1080p"}"' in request_of(at, film.id)


async def test_a_picture_to_start_from(at: House) -> None:
    """A file, an address in a form and an address in JSON all reach the model as the picture it starts from."""
    async with client(at.running.origin) as asking:
        drawn = await asking.images.generate(
            model="bytedance/seedream-4.5", prompt="a seal", response_format="b64_json"
        )
        assert drawn.data is not None
        data = base64.b64decode(drawn.data[0].b64_json or "")
        film = await asking.videos.create_and_poll(model=SEEDANCE, prompt="it swims", input_reference=data)
        assert film.status == "completed"
        assert '"images":["data:image/' in request_of(at, film.id)
        address = "https://example.com/a.jpg"
        film = await asking.videos.create(
            model=SEEDANCE, prompt="it swims", extra_body={"input_reference": {"image_url": address}}
        )
        assert address in request_of(at, film.id)
        body = {"model": SEEDANCE, "prompt": "it swims", "seconds": 5, "input_reference": {"image_url": address}}
        _, _, said = await at.ask("POST", "/v1/videos", json=body)
        assert address in request_of(at, said["id"])
        assert said["seconds"] == "5"


async def test_lists_are_paged_by_the_library(at: House) -> None:
    """Its pager walks through all films, newest first or oldest first, and sees no picture among them."""
    async with client(at.running.origin) as asking:
        made = [(await asking.videos.create(model=SEEDANCE, prompt=f"seal {n}")).id for n in range(5)]
        await asking.images.generate(model="bytedance/seedream-4.5", prompt="a seal")
        page = await asking.videos.list(limit=2)
        assert [each.id for each in page.data] == made[:2:-1]
        assert page.has_more
        every = [each.id async for each in asking.videos.list(limit=2)]
        assert every[:5] == made[::-1]
        assert len(every) == len(set(every)) == count(at, "kind = 'video' AND deleted IS NULL")
        rising = [each.id async for each in asking.videos.list(limit=3, order="asc")]
        assert rising == every[::-1]


async def test_a_list_goes_on_after_what_was_deleted(at: House) -> None:
    """Whoever deletes while paging misses none: a deleted film still has its place."""
    async with client(at.running.origin) as asking:
        made = [(await asking.videos.create_and_poll(model=SEEDANCE, prompt=f"seal {n}")).id for n in range(3)]
        gone = []
        async for each in asking.videos.list(limit=1):
            if each.id in made:
                await asking.videos.delete(each.id)
                gone.append(each.id)
        assert gone == made[::-1]
        with pytest.raises(openai.NotFoundError):
            await asking.videos.retrieve(made[0])
        with pytest.raises(openai.BadRequestError) as refused:
            await asking.videos.list(after="video_nobody")
        assert refused.value.param == "after"


async def test_a_film_under_way_is_stopped_by_deleting_it(at: House) -> None:
    """Its hold is given back, its provider is told, and it is gone."""
    at.sims.set_chaos([{"call": "submit", "do": "late", "seconds": 30}])
    async with client(at.running.origin) as asking:
        before, jobs = await at.balance(), len(at.sims.jobs())
        film = await asking.videos.create(model=SEEDANCE, prompt="a seal", extra_body={"provider_order": "fal"})
        await at.until(lambda: len(at.sims.jobs()) > jobs)
        assert (await asking.videos.delete(film.id)).deleted
        assert await at.balance() == before
        with pytest.raises(openai.NotFoundError) as gone:
            await asking.videos.retrieve(film.id)
        assert gone.value.code == "video_not_found"


async def test_a_failure_ends_the_waiting(at: House) -> None:
    """The loop returns with a film that says why, and nothing was paid."""
    at.sims.set_chaos([{"call": "submit", "do": "refuse_content"}])
    async with client(at.running.origin) as asking:
        before = await at.balance()
        film = await asking.videos.create_and_poll(model=VEO, prompt="a seal")
        assert film.status == "failed"
        assert film.error is not None
        assert film.error.code == "moderation_blocked"
        assert await at.balance() == before
        with pytest.raises(openai.BadRequestError) as refused:
            await asking.videos.download_content(film.id)
        assert refused.value.code == "video_not_completed"


async def test_a_canceled_film_failed_in_their_words(at: House) -> None:
    """What was canceled by another way is told as failed, with the word for it."""
    at.sims.set_chaos([{"call": "submit", "do": "late", "seconds": 30}])
    async with client(at.running.origin) as asking:
        film = await asking.videos.create(model=SEEDANCE, prompt="a seal")
        await at.ask("POST", f"/v1/content/generation/cancel/{film.id.removeprefix('video_')}")
        film = await asking.videos.poll(film.id)
        assert film.status == "failed"
        assert film.error is not None
        assert film.error.code == "canceled"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"model": "no/such"}, "model"),
        ({"model": "bytedance/seedream-4.5"}, "model"),
        ({"seconds": "77"}, "seconds"),
        ({"seconds": "soon"}, "seconds"),
        ({"size": "large"}, "size"),
        ({"size": "2000x100"}, "size"),
        ({"extra_body": {"input_reference": {"file_id": "file_1"}}}, "input_reference"),
        ({"extra_body": {"fps": 60}}, "fps"),
        ({"extra_body": {"provider_order": "nobody"}}, None),
        ({"input_reference": b"not a picture"}, "input_reference"),
        ({"prompt": ""}, "prompt"),
    ],
)
async def test_what_cannot_be_had_is_refused_by_name(at: House, more: dict[str, Any], param: str | None) -> None:
    """Nothing is begun, the field is named as the client wrote it, and the client does not ask again by itself."""
    before = count(at)
    async with between(at.running.origin) as line, client(line.origin) as asking:
        with pytest.raises((openai.BadRequestError, openai.NotFoundError)) as refused:
            await asking.videos.create(**{"model": SEEDANCE, "prompt": "a seal", **more})
        assert len(line.asked) == 1
        if param is not None:
            assert refused.value.param == param
        assert refused.value.response.headers["x-should-retry"] == "false"
    assert count(at) == before


async def test_two_forced_5xx_begin_one_film(at: House) -> None:
    """The client sends its form three times, each with another boundary, and one film is begun."""
    before = count(at)
    async with between(at.running.origin) as line, client(line.origin) as asking:
        line.spoil = 2
        film = await asking.videos.create(model=SEEDANCE, prompt="one seal")
        assert [each["x-stainless-retry-count"] for each in line.asked] == ["0", "1", "2"]
        assert len({told["x-tidegate-generation-id"] for _, told in line.told}) == 1
        assert count(at) == before + 1
        assert film.status in MADE


async def test_a_remix_starts_from_the_film(at: House) -> None:
    """A model that takes films makes another one out of it; one that does not is refused with those that do."""
    async with client(at.running.origin) as asking:
        film = await asking.videos.create_and_poll(model=SEEDANCE, prompt="a seal", seconds="5")
        with pytest.raises(openai.BadRequestError) as refused:
            await asking.videos.remix(film.id, prompt="at night")
        assert refused.value.param == "model"
        again = await asking.videos.remix(film.id, prompt="at night", extra_body={"model": "bytedance/seedance-2.5"})
        assert (again.remixed_from_video_id, again.prompt, again.seconds) == (film.id, "at night", "5")
        assert '"video":"data:video/mp4;base64,' in request_of(at, again.id)
        assert (await asking.videos.poll(again.id)).status == "completed"
        with pytest.raises(openai.NotFoundError):
            await asking.videos.remix("video_nobody", prompt="at night")


async def test_a_part_of_the_file(at: House) -> None:
    """A player may ask for a part; other variants are refused by name; a film that is under way has no file yet."""
    async with client(at.running.origin) as asking:
        film = await asking.videos.create_and_poll(model=SEEDANCE, prompt="a seal")
        path = f"{at.running.origin}/v1/videos/{film.id}/content"
        async with at.client.get(path, headers={"Range": "bytes=4-7"}) as part:
            assert (part.status, await part.read()) == (206, b"ftyp")
        async with at.client.head(path) as head:
            assert head.status == 200
        with pytest.raises(openai.BadRequestError) as refused:
            await asking.videos.download_content(film.id, variant="thumbnail")
        assert refused.value.param == "variant"
        at.sims.set_chaos([{"call": "submit", "do": "late", "seconds": 30}])
        film = await asking.videos.create(model=SEEDANCE, prompt="a seal")
        with pytest.raises(openai.BadRequestError) as early:
            await asking.videos.download_content(film.id)
        assert early.value.code == "video_not_completed"
        await asking.videos.delete(film.id)


async def test_pictures_and_strangers_are_no_films(at: House) -> None:
    """A picture's id, a word that is no id and what is not offered are not found, in the words of the API."""
    async with client(at.running.origin) as asking:
        _, _, said = await at.create("image/bytedance/seedream-4.5", prompt="a seal")
        for named in (said["data"]["generation_id"], f"video_{said['data']['generation_id']}", "a%20b", "x" * 200):
            with pytest.raises(openai.NotFoundError):
                await asking.videos.retrieve(named)
        for path in ("edits", "extensions", "characters"):
            status, _, told = await at.ask("POST", f"/v1/videos/{path}", json={"prompt": "x"})
            assert (status, told["error"]["code"]) == (404, "unsupported_endpoint")


@pytest.mark.parametrize("base", ["/v1", "", "/openai/v1", "/openai", "/v1/v1"])
async def test_base_addresses_people_paste(at: House, base: str) -> None:
    """With or without the version, with or without the prefix of the client's own service."""
    async with AsyncOpenAI(base_url=f"{at.running.origin}{base}", api_key="bye_any") as asking:
        assert (await asking.videos.list(limit=1)).object == "list"


async def test_the_provider_s_own_link_is_passed_through(serves: House, tmp_path: Path) -> None:
    """Where a gateway keeps no outputs the film comes from its provider, through here."""
    config = f"catalog: [{ROOT / 'providers.d'}, {serves.folder / 'packs'}]\noutputs: {{store: none}}\n"
    async with house(tmp_path, config=config) as at, client(at.running.origin) as asking:
        film = await asking.videos.create_and_poll(model=SEEDANCE, prompt="a seal")
        assert (film.status, film.expires_at) == ("completed", None)
        assert (await (await asking.videos.download_content(film.id)).aread())[4:8] == b"ftyp"


async def test_progress_is_what_the_provider_tells(at: House) -> None:
    """A provider that counts its work shows in the film while it is made, and never as done before it is."""
    at.sims.set_chaos([{"call": "submit", "do": "late", "seconds": 1}])
    async with client(at.running.origin) as asking:
        more = {"provider_order": "runway"}
        film = await asking.videos.create(model="runway/gen-4.5", prompt="a seal", seconds="5", extra_body=more)
        seen = []
        async with asyncio.timeout(20):
            while not seen or seen[-1][0] in {"queued", "in_progress"}:
                film = await asking.videos.retrieve(film.id)
                seen.append((film.status, film.progress))
        assert seen[-1] == ("completed", 100)
        under_way = [progress for status, progress in seen if status == "in_progress"]
        assert any(0 < progress < 100 for progress in under_way)
        assert under_way == sorted(under_way)


async def test_a_client_that_only_waits_is_held(at: House) -> None:
    """Whoever says that it only polls asks once and is answered at the end; whoever has a pace of its own is answered at once."""
    at.sims.set_chaos([{"call": "submit", "do": "late", "seconds": 1}])
    async with between(at.running.origin) as line, client(line.origin) as asking:
        film = await asking.videos.create(model=SEEDANCE, prompt="a seal")
        path = f"{at.running.origin}/v1/videos/{film.id}"
        own = {"X-Stainless-Poll-Helper": "true", "X-Stainless-Custom-Poll-Interval": "100"}
        async with at.client.get(path, headers=own) as answer:
            assert (await answer.json())["status"] in {"queued", "in_progress"}
        looks = len(line.asked)
        assert (await asking.videos.poll(film.id)).status == "completed"
        assert len(line.asked) - looks <= 2
