"""The door of queued requests, spoken to by hand: through the proxy, as events, with keys, and in ways nobody means well."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

from tests.clients.test_queue import KLING, MOUNT, SEEDREAM, count
from tests.gateway.webhooks.receiver import receiving
from tests.story.house import House, house

TARGET = "x-fal-target-url"
QUEUE, WAIT, REST = "https://queue.fal.run", "https://fal.run", "https://rest.fal.ai"
EDIT = "fal-ai/bytedance/seedream/v4.5/edit"


async def meant(at: House, method: str, url: str, body: Any = None) -> tuple[int, Any]:
    """What the proxy answers to a call that names this address."""
    status, _, said = await at.ask(method, "/fal/proxy", headers={TARGET: url}, json=body)
    return status, said


async def test_a_proxy_answers_what_was_meant(tmp_path: Path) -> None:
    """Each call of the client by the address it would go to: begun, looked at, fetched, waited for and ended."""
    async with house(tmp_path, video=5) as at:
        status, begun = await meant(at, "POST", f"{QUEUE}/{SEEDREAM}", {"prompt": "a seal"})
        assert (status, begun["status"]) == (200, "IN_QUEUE")
        assert begun["status_url"].startswith(f"{at.running.origin}{MOUNT}/fal-ai/bytedance/requests/")
        here = f"{QUEUE}/fal-ai/bytedance/requests/{begun['request_id']}"
        for _ in range(200):
            status, now = await meant(at, "GET", f"{here}/status?logs=1")
            if status == 200:
                break
            assert (status, now["status"] in {"IN_QUEUE", "IN_PROGRESS"}) == (202, True)
            await asyncio.sleep(0.05)
        assert (now["status"], bool(now["logs"])) == ("COMPLETED", True)
        status, done = await meant(at, "GET", here)
        assert (status, len(done["images"])) == (200, 1)
        status, done = await meant(at, "POST", f"{WAIT}/{SEEDREAM}", {"prompt": "a seal"})
        assert (status, len(done["images"])) == (200, 1)
        _, begun = await meant(at, "POST", f"{QUEUE}/{KLING}", {"prompt": "waves", "duration": "5"})
        here = f"{QUEUE}/fal-ai/kling-video/requests/{begun['request_id']}"
        assert await meant(at, "PUT", f"{here}/cancel") == (202, {"status": "CANCELLATION_REQUESTED"})
        assert (await meant(at, "PUT", f"{here}/cancel"))[1]["status"] == "ALREADY_COMPLETED"
        assert (await meant(at, "GET", here))[0] == 499


async def test_the_address_that_was_meant_is_never_asked(tmp_path: Path) -> None:
    """S60: it is the name of a call; whatever it names, nothing goes there."""
    async with receiving() as receiver, house(tmp_path) as at:
        for host in (
            receiver.origin,
            receiver.origin.replace("127.0.0.1", "queue.localhost"),
            "http://169.254.169.254",
        ):
            for method, path in (
                ("POST", f"/{SEEDREAM}"),
                ("GET", "/a/b/requests/c"),
                ("PUT", "/a/b/requests/c/cancel"),
            ):
                await meant(at, method, host + path, {"prompt": "a seal"})
        assert receiver.got == []


MEANINGLESS: list[tuple[str, str | None, int]] = [
    ("POST", None, 422),
    ("POST", "", 422),
    ("POST", "no address", 422),
    ("POST", "https://[", 422),
    ("POST", "file:///etc/passwd", 422),
    ("POST", f"{QUEUE}/{'x' * 5000}", 422),
    ("POST", QUEUE, 404),
    ("POST", f"{QUEUE}/nobody/knows", 404),
    ("POST", "https://rest.fal.ai/storage/upload/initiate-multipart?storage_type=fal-cdn-v3", 422),
    ("POST", "https://rest.fal.ai/tokens/", 422),
    ("GET", f"{QUEUE}/{SEEDREAM}", 404),
    ("GET", f"{QUEUE}/a/b/requests/no%20pe/status", 404),
    ("GET", f"{WAIT}/a/b/requests/nope", 404),
    ("PUT", f"{QUEUE}/a/b/requests/nope/cancel", 404),
    ("PUT", f"{QUEUE}/a/b/requests/nope", 404),
    ("DELETE", f"{QUEUE}/a/b/requests/nope", 405),
]


async def test_what_a_proxy_cannot_answer_is_said(tmp_path: Path) -> None:
    """Never a 500, and a reason each time."""
    async with house(tmp_path) as at:
        for method, url, status in MEANINGLESS:
            headers = {TARGET: url} if url is not None else {}
            answer = await at.ask(method, "/fal/proxy", headers=headers, json={"prompt": "a seal"})
            assert answer[0] == status, url
            assert answer[2]["detail"]


async def test_a_file_is_handed_over_first(tmp_path: Path) -> None:
    """An upload has one address, to send the file to and to name it by; the provider gets what was sent."""
    async with house(tmp_path, config="routes: [{match: {model: '*'}, order: [byteplus]}]\n") as at:
        _, done = await meant(at, "POST", f"{WAIT}/{SEEDREAM}", {"prompt": "a seal"})
        async with at.client.get(done["images"][0]["url"]) as answer:
            data = await answer.read()
        begin, told = (
            f"{REST}/storage/upload/initiate?storage_type=x",
            {"file_name": "a.jpg", "content_type": "image/jpeg"},
        )
        _, place = await meant(at, "POST", begin, told)
        assert place["upload_url"] == place["file_url"]
        edit, given = f"{WAIT}/{EDIT}", {"prompt": "at night", "image_urls": [place["file_url"]]}
        assert (await meant(at, "POST", edit, given))[0] == 422
        async with at.client.put(place["upload_url"], data=b"no picture") as answer:
            assert answer.status == 422
        async with at.client.put(place["upload_url"], data=data) as answer:
            assert answer.status == 200
        async with at.client.get(place["file_url"]) as answer:
            assert (answer.content_type, await answer.read()) == ("image/jpeg", data)
        status, done = await meant(at, "POST", edit, given)
        assert (status, done["tidegate"]["provider"]) == (200, "byteplus")
        assert count(at, "generation", "request LIKE '%data:image/jpeg%'") == 1
        gone = place["file_url"][:-4] + "0000"
        assert (await meant(at, "POST", edit, {**given, "image_urls": [gone]}))[0] == 422
        async with at.client.put(gone, data=data) as answer:
            assert answer.status == 404
        async with at.client.put(place["upload_url"], data=io.BytesIO(bytes(21 * 1024 * 1024))) as answer:
            assert answer.status == 413


async def test_a_status_comes_as_events(tmp_path: Path) -> None:
    """One for each change, with the lines of the log that are new, until the end."""
    async with house(tmp_path, image=0.7) as at:
        _, _, begun = await at.ask("POST", f"{MOUNT}/{SEEDREAM}", json={"prompt": "a seal"})
        async with at.client.get(f"{begun['status_url']}/stream?logs=1") as answer:
            assert answer.content_type == "text/event-stream"
            events = [json.loads(line[6:]) async for line in answer.content if line.startswith(b"data: ")]
        assert events[-1]["status"] == "COMPLETED"
        assert {each["status"] for each in events[:-1]} <= {"IN_QUEUE", "IN_PROGRESS"}
        lines = [line["message"] for each in events for line in each["logs"]]
        assert len(lines) == len(set(lines)) == 2
        status, _, said = await at.ask("GET", f"{MOUNT}/a/b/requests/nope/status/stream")
        assert (status, bool(said["detail"])) == (404, True)


async def test_a_status_asks_no_provider(tmp_path: Path) -> None:
    """However often a client looks, providers are asked as often as the gateway wants to."""
    async with house(tmp_path, video=20) as at:
        begun = (await at.ask("POST", f"{MOUNT}/{KLING}", json={"prompt": "waves", "provider_order": "fal"}))[2]
        await at.until(lambda: bool(at.sims.jobs("fal")))
        for _ in range(50):
            status, headers, said = await at.ask("GET", begun["status_url"].removeprefix(at.running.origin))
            assert (status, said["logs"]) == (202, None)
            assert headers["x-fal-request-id"] == begun["request_id"]
        looks = sum(seen.call == "status" for seen in at.sims.log)
        assert looks < 25
        assert count(at, "generation") == 1


async def test_what_a_caller_may_ask_of_the_queue_s_headers_is_told(tmp_path: Path) -> None:
    """A header that is not heeded is told where the client looks; the usual one of it is nothing to tell."""
    async with house(tmp_path) as at:
        headers = {"X-Fal-Queue-Priority": "normal", "X-Fal-Store-IO": "0"}
        _, _, done = await at.ask("POST", f"/fal/{SEEDREAM}", json={"prompt": "a seal"}, headers=headers)
        told = [each["says"] for each in done["tidegate"]["adjustments"]]
        assert told == ["x-fal-store-io is not heeded here"]
