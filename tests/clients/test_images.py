"""OpenAI's own client, unmodified, at the door of images."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from openai import AsyncOpenAI

from tests.clients.between import between
from tests.clients.keyed import keyed
from tests.story.house import House, house

SEEDREAM = "bytedance/seedream-4.5"
GPT = "openai/gpt-image-2"
DOWN = {"call": "submit", "do": "status", "status": 503}


def client(origin: str, **more: Any) -> AsyncOpenAI:
    """The client, with nothing but another base address."""
    return AsyncOpenAI(base_url=f"{origin}/v1", api_key="bye_any", **more)


def count(at: House, table: str, where: str = "1=1") -> int:
    """Rows of the store."""
    with sqlite3.connect(at.folder / "story.db") as store:
        found: int = store.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
        return found


async def test_another_vendor_draws_for_the_client(tmp_path: Path) -> None:
    """With no format asked for, both a link that opens and the same bytes are in the answer, and who served is told."""
    async with house(tmp_path) as at, client(at.running.origin) as asking:
        said = await asking.images.generate(model=SEEDREAM, prompt="a seal", size="1024x1024")
        assert said.data is not None
        [picture] = said.data
        assert picture.url is not None
        assert picture.b64_json is not None
        async with aiohttp.ClientSession() as anybody, anybody.get(picture.url) as file:
            assert await file.read() == base64.b64decode(picture.b64_json)
        told = said.model_extra["tidegate"] if said.model_extra else {}
        assert (told["provider"], told["cost"], told["attempts"]) == ("byteplus", 0.04, 1)
        assert told["adjustments"] == [
            {"field": "size", "asked": "1024x1024", "given": "2048x2048", "action": "adjusted"}
        ]


async def test_what_is_asked_for_reaches_the_vendor_in_its_words(tmp_path: Path) -> None:
    """Number, shape, effort and format arrive, whichever of that API's words they were said in."""
    async with house(tmp_path) as at, client(at.running.origin) as asking:
        said = await asking.images.generate(
            model="gpt-image-2",
            prompt="a seal",
            n=2,
            size="1536x1024",
            quality="low",
            output_format="webp",
            response_format="b64_json",
            user="u-1",
            extra_body={"provider_order": ["openai"]},
        )
        assert said.data is not None
        assert [each.url for each in said.data] == [None, None]
        assert (said.size, said.quality, said.output_format) == ("1536x1024", "low", "webp")
        assert base64.b64decode(said.data[0].b64_json or "")[8:12] == b"WEBP"


async def test_two_forced_5xx_leave_one_generation_and_one_entry(tmp_path: Path) -> None:
    """The client sends three times, is answered from one generation, and pays for one."""
    async with house(tmp_path) as at, between(at.running.origin) as line, client(line.origin) as asking:
        line.spoil = 2
        raw = await asking.images.with_raw_response.generate(model=SEEDREAM, prompt="a seal")
        assert [each["x-stainless-retry-count"] for each in line.asked] == ["0", "1", "2"]
        assert raw.headers["x-tidegate-coalesced"] == "true"
        assert len({told["x-tidegate-generation-id"] for _, told in line.told}) == 1
        assert (count(at, "generation"), len(at.sims.jobs())) == (1, 1)
        assert count(at, "entry", "account_id = 'local'") == 2  # the opening, and the picture
        assert await at.balance() == pytest.approx(99.96)


async def test_lost_lines_are_paid_for_once(tmp_path: Path) -> None:
    """The same with answers that never arrive, and with an edit, whose form has another boundary each time."""
    async with house(tmp_path) as at, between(at.running.origin) as line, client(line.origin) as asking:
        line.cut = 2
        said = await asking.images.edit(model=GPT, image=await _picture(at), prompt="at night")
        assert said.data is not None
        assert len(said.data) == 1
        assert len(line.asked) == 3
        assert count(at, "generation", "model = 'openai/gpt-image-2' AND request LIKE '%at night%'") == 1


async def test_a_client_that_gave_up_while_it_was_drawn_finds_it_again(tmp_path: Path) -> None:
    """A client of any kind that hangs up and asks the same within a moment is given the picture under way; then it is a new one."""
    body = {"model": SEEDREAM, "prompt": "a seal"}
    async with house(tmp_path, image=1.0) as at:
        url = f"{at.running.origin}/v1/images/generations"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as hasty:
            with pytest.raises(asyncio.TimeoutError):
                await hasty.post(url, json=body)
        async with at.client.post(url, json=body) as second:
            assert second.headers["X-Tidegate-Coalesced"] == "true"
        async with at.client.post(url, json=body) as third:
            assert third.status == 200
            assert "X-Tidegate-Coalesced" not in third.headers
        assert count(at, "generation") == 2


async def test_whoever_asks_twice_at_once_gets_two(tmp_path: Path) -> None:
    """Equal requests of two who both wait are no repetition."""
    async with house(tmp_path) as at, client(at.running.origin) as asking:
        made = await asyncio.gather(*(asking.images.generate(model=SEEDREAM, prompt="a seal") for _ in range(3)))
        assert len({each.model_extra["tidegate"]["generation_id"] for each in made if each.model_extra}) == 3


async def test_after_a_restart_the_repetition_finds_its_generation(tmp_path: Path) -> None:
    """The store knows what a request without a key began, so another process answers its repetition from it."""
    body = {"model": SEEDREAM, "prompt": "a seal"}
    async with house(tmp_path) as at, at.client.post(f"{at.running.origin}/v1/images/generations", json=body) as first:
        made = first.headers["X-Tidegate-Generation-Id"]
    async with house(tmp_path, credits=0) as at:
        again = {"x-stainless-retry-count": "1"}
        async with at.client.post(f"{at.running.origin}/v1/images/generations", json=body, headers=again) as second:
            assert second.headers["X-Tidegate-Generation-Id"] == made
        assert count(at, "generation") == 1


async def test_a_key_of_the_client_s_own_decides_alone(tmp_path: Path) -> None:
    """The same key gets the same picture, however often; for another request it is refused, not with a status that is sent again."""
    async with house(tmp_path) as at, client(at.running.origin) as asking:
        headers = {"Idempotency-Key": "k-1"}
        for _ in range(2):
            await asking.images.generate(model=SEEDREAM, prompt="a seal", extra_headers=headers)
        assert count(at, "generation") == 1
        with pytest.raises(openai.UnprocessableEntityError) as refused:
            await asking.images.generate(model=SEEDREAM, prompt="a cat", extra_headers=headers)
        assert refused.value.response.headers["x-should-retry"] == "false"


async def test_a_failure_is_final_and_costs_nothing(tmp_path: Path) -> None:
    """When every provider failed the client is told who and why, and does not send it again by itself."""
    async with house(tmp_path, [DOWN]) as at, between(at.running.origin) as line, client(line.origin) as asking:
        with pytest.raises(openai.InternalServerError) as failed:
            await asking.images.generate(model=SEEDREAM, prompt="a seal")
        body = failed.value.body
        assert isinstance(body, dict)
        assert (failed.value.code, body["type"]) == ("all_providers_failed", "server_error")
        whole = failed.value.response.json()
        assert [each["provider"] for each in whole["attempts"]][:2] == ["byteplus", "replicate"]
        assert (len(line.asked), count(at, "generation"), await at.balance()) == (1, 1, 100)


async def test_refused_content_is_the_client_s_to_change(tmp_path: Path) -> None:
    """A refusal of the content is a 400 with the code that API has for it."""
    async with house(tmp_path, [{"call": "submit", "do": "refuse_content"}]) as at, client(at.running.origin) as asking:
        with pytest.raises(openai.BadRequestError) as refused:
            await asking.images.generate(model=GPT, prompt="a seal")
        assert refused.value.code == "moderation_blocked"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"size": "1000x300"}, "size"),
    ({"size": "big"}, "size"),
    ({"n": 11}, "n"),
    ({"quality": "ultra"}, "quality"),
    ({"output_format": "gif"}, "output_format"),
    ({"output_compression": 50}, "output_compression"),
    ({"response_format": "file"}, "response_format"),
    ({"partial_images": 9}, "partial_images"),
    ({"model": "lab/nothing"}, "model"),
    ({"prompt": ""}, "prompt"),
    ({"extra_body": {"smile": True}}, "smile"),
    ({"extra_body": {"stream": "yes"}}, "stream"),
    ({"extra_body": {"provider_order": 5}}, "provider_order"),
    ({"extra_body": {"image": "https://example.com/a.png"}}, "image"),
]


async def test_what_cannot_be_had_is_refused_by_name(tmp_path: Path) -> None:
    """Nothing is clamped and nothing dropped: the field that is wrong is named in that API's word for it."""
    async with house(tmp_path, credits=0) as at, client(at.running.origin) as asking:
        for asked, param in REFUSED:
            with pytest.raises(openai.APIStatusError) as refused:
                await asking.images.generate(**{"model": GPT, "prompt": "a seal", **asked})
            assert (refused.value.status_code, refused.value.param) == (404 if param == "model" else 400, param)
        assert count(at, "generation") == 0


async def test_without_credit_nobody_is_told_to_wait(tmp_path: Path) -> None:
    """That API has no 402: its clients know the code of a 429, and are told not to send it again."""
    async with house(tmp_path, credits=0) as at, between(at.running.origin) as line, client(line.origin) as asking:
        with pytest.raises(openai.RateLimitError) as refused:
            await asking.images.generate(model=SEEDREAM, prompt="a seal")
        assert (refused.value.code, len(line.asked)) == ("insufficient_quota", 1)


async def test_a_stream_ends_with_each_picture(tmp_path: Path) -> None:
    """One event for each picture, its bytes whole."""
    async with house(tmp_path) as at, client(at.running.origin) as asking:
        stream = await asking.images.generate(model=GPT, prompt="a seal", stream=True, partial_images=1, n=2)
        events = [each async for each in stream]
        assert [each.type for each in events] == ["image_generation.completed"] * 2
        assert base64.b64decode(events[0].b64_json).startswith(b"\x89PNG")


async def test_a_stream_that_fails_says_so_at_its_end(tmp_path: Path) -> None:
    """After the head is out an error is an event, which the client raises."""
    async with house(tmp_path, [DOWN]) as at, client(at.running.origin) as asking:
        stream = await asking.images.generate(model=GPT, prompt="a seal", stream=True)
        with pytest.raises(openai.APIError) as failed:
            _ = [each async for each in stream]
        assert failed.value.code == "all_providers_failed"


async def test_pictures_are_edited_from_files_and_from_json(tmp_path: Path) -> None:
    """One file, several, and addresses in JSON: each arrives at the vendor."""
    async with house(tmp_path) as at, client(at.running.origin) as asking:
        picture = await _picture(at)
        one = await asking.images.edit(model=GPT, image=picture, prompt="at night", n=1)
        two = await asking.images.edit(model=GPT, image=[picture, picture], prompt="at night")
        assert one.data
        assert two.data
        body = {"model": GPT, "prompt": "at night", "images": [{"image_url": "https://example.com/a.png"}]}
        async with at.client.post(f"{at.running.origin}/v1/images/edits", json=body) as said:
            assert said.status == 200
        with pytest.raises(openai.BadRequestError) as refused:
            await asking.images.edit(model=GPT, image=b"no picture", prompt="at night")
        assert refused.value.param == "image"
        with pytest.raises(openai.BadRequestError) as masked:
            await asking.images.edit(model=GPT, image=picture, mask=picture, prompt="at night")
        assert masked.value.param == "mask"


async def test_where_nothing_is_kept_bytes_and_links_are_passed_on(tmp_path: Path) -> None:
    """Bytes inside an answer are given as bytes and under a link of ours, a provider's link as it is; and as bytes if asked for."""
    async with house(tmp_path, config="outputs: {store: none}\n") as at, client(at.running.origin) as asking:
        held = await asking.images.generate(model=GPT, prompt="a seal", extra_body={"provider_order": "openai"})
        assert held.data is not None
        assert held.data[0].url is not None
        async with at.client.get(held.data[0].url) as file:
            assert await file.read() == base64.b64decode(held.data[0].b64_json or "")
        linked = await asking.images.generate(model=SEEDREAM, prompt="a seal")
        assert linked.data is not None
        assert (linked.data[0].url or "").startswith("http")
        assert linked.data[0].b64_json is None
        fetched = await asking.images.generate(model=SEEDREAM, prompt="a seal", response_format="b64_json")
        assert fetched.data is not None
        assert base64.b64decode(fetched.data[0].b64_json or "")[:3] == b"\xff\xd8\xff"


async def test_names_of_one_service_lead_to_models_of_others(tmp_path: Path) -> None:
    """An alias of the operator's, and a model's name without its lab, are enough."""
    config = "aliases: {dall-e-3: bytedance/seedream-4.5}\n"
    async with house(tmp_path, config=config) as at, client(at.running.origin) as asking:
        for name in ("dall-e-3", "seedream-4.5"):
            said = await asking.images.generate(model=name, prompt="a seal", quality="standard", size="1792x1024")
            assert said.model_extra is not None
            assert said.model_extra["tidegate"]["model"] == SEEDREAM
        assert (await asking.models.retrieve("dall-e-3")).id == SEEDREAM


async def test_a_form_may_come_in_chunks_and_ask_for_a_stream(tmp_path: Path) -> None:
    """As a stream of a file is sent: no length, no type of the file, and everything else as text."""
    async with house(tmp_path) as at:
        picture = await _picture(at)

        async def pieces() -> AsyncIterator[bytes]:
            head = "Content-Disposition: form-data; name="
            for name, value in (("model", GPT), ("prompt", "at night"), ("stream", "true"), ("n", "2")):
                yield f'--b\r\n{head}"{name}"\r\n\r\n{value}\r\n'.encode()
            kind = "Content-Type: application/octet-stream"
            yield f'--b\r\n{head}"image[]"; filename="upload"\r\n{kind}\r\n\r\n'.encode()
            for begin in range(0, len(picture), 1000):
                yield picture[begin : begin + 1000]
            yield b"\r\n--b--\r\n"

        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        async with at.client.post(f"{at.running.origin}/v1/images/edits", data=pieces(), headers=headers) as said:
            assert said.content_type == "text/event-stream"
            assert (await said.text()).count("event: image_edit.completed\n") == 2


async def test_curl_gets_the_picture_itself(tmp_path: Path) -> None:
    """Whoever accepts pictures is given one."""
    body = {"model": GPT, "prompt": "a seal"}
    async with (
        house(tmp_path) as at,
        at.client.post(f"{at.running.origin}/v1/images/generations", json=body, headers={"Accept": "image/*"}) as said,
    ):
        assert (said.content_type, (await said.read())[:4]) == ("image/png", b"\x89PNG")


async def test_every_way_to_paste_the_address_works(tmp_path: Path) -> None:
    """With the version, without it, twice, under the prefix of that API's clients, and as its cloud's client writes it."""
    async with house(tmp_path) as at:
        for path in ("/v1/v1", "", "/openai", "/openai/v1"):
            async with AsyncOpenAI(base_url=at.running.origin + path, api_key="bye_any") as asking:
                assert (await asking.models.retrieve("bfl/flux-2-pro")).owned_by == "bfl"
                assert (await asking.images.generate(model=SEEDREAM, prompt="a seal")).data
        cloud = openai.AsyncAzureOpenAI(azure_endpoint=at.running.origin, api_key="bye_any", api_version="2026-01-01")
        async with cloud:
            assert (await cloud.images.generate(model=SEEDREAM, prompt="a seal")).data


async def test_the_models_are_listed(tmp_path: Path) -> None:
    """The list is whole, its ids are those that are asked for, and one that is not there is not found."""
    async with house(tmp_path) as at, client(at.running.origin) as asking:
        ids = [each.id async for each in asking.models.list()]
        assert SEEDREAM in ids
        assert GPT in ids
        with pytest.raises(openai.NotFoundError) as missing:
            await asking.models.retrieve("lab/nothing")
        assert missing.value.code == "model_not_found"


async def _picture(at: House) -> bytes:
    body = {"model": GPT, "prompt": "a seal", "quality": "low"}
    async with at.client.post(
        f"{at.running.origin}/v1/images/generations", json=body, headers={"Accept": "image/png"}
    ) as said:
        return await said.read()


async def test_a_large_picture_goes_both_ways_whole(tmp_path: Path) -> None:
    """Megabytes of a file arrive at the vendor, stay out of what lists read again, and a large answer comes whole."""
    large = _png(900_000)
    async with house(tmp_path) as at, client(at.running.origin) as asking:
        said = await asking.images.edit(model=GPT, image=[large, large], prompt="at night", response_format="b64_json")
        assert said.data is not None
        assert base64.b64decode(said.data[0].b64_json or "").startswith(b"\x89PNG")
        assert count(at, "generation", "length(request) > 1000") == 0
        again = {"x-stainless-retry-count": "1"}
        same = await asking.images.edit(
            model=GPT, image=[large, large], prompt="at night", response_format="b64_json", extra_headers=again
        )
        assert same.model_extra is not None
        assert same.model_extra["tidegate"]["coalesced"] is True


def _png(size: int) -> bytes:
    """A picture of so many bytes: one pixel, and a chunk nobody looks at."""
    pixel = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    kind, data = b"tEXt", b"k\0" + b"x" * size
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return pixel[:33] + chunk + pixel[33:]


async def test_a_key_opens_the_door_however_clients_send_it(tmp_path: Path) -> None:
    """As a bearer, or in a header of its own; a wrong one is told as that API tells it, and so are its limits."""
    body = {"model": SEEDREAM, "prompt": "a seal"}
    async with keyed(tmp_path, models=["bytedance/*"], rate=6) as at, aiohttp.ClientSession() as plain:
        async with AsyncOpenAI(base_url=f"{at.origin}/v1", api_key=at.key, max_retries=0) as asking:
            raw = await asking.images.with_raw_response.generate(model=SEEDREAM, prompt="a seal")
            assert raw.headers["x-ratelimit-remaining-requests"] == "5"
            listed = [each.id async for each in asking.models.list()]
            assert {each.partition("/")[0] for each in listed} == {"bytedance"}
            with pytest.raises(openai.PermissionDeniedError):
                await asking.images.generate(model=GPT, prompt="a seal")
        for name in ("api-key", "x-api-key"):
            async with plain.post(f"{at.origin}/v1/images/generations", json=body, headers={name: at.key}) as said:
                assert said.status == 200
        async with AsyncOpenAI(base_url=f"{at.origin}/v1", api_key=f"bye_{'x' * 39}", max_retries=0) as stranger:
            with pytest.raises(openai.AuthenticationError) as refused:
                await stranger.images.generate(model=SEEDREAM, prompt="a seal")
            assert refused.value.code == "invalid_api_key"
        async with AsyncOpenAI(base_url=f"{at.origin}/v1", api_key=at.key, max_retries=0) as asking:
            await asking.models.list()
            with pytest.raises(openai.RateLimitError) as busy:
                await asking.models.list()
            assert (busy.value.code, int(busy.value.response.headers["retry-after-ms"]) > 0) == (
                "rate_limit_exceeded",
                True,
            )
