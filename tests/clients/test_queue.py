"""The queue's own client, unmodified, at the door of queued requests: over TLS, for it speaks nothing else."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import os
import sqlite3
import sys
import time
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.commands import selfsigned
from tests.clients.between import between
from tests.gateway.webhooks.receiver import Got, receiving
from tests.story.house import House, house

SEEDREAM = "fal-ai/bytedance/seedream/v4.5/text-to-image"
KLING = "fal-ai/kling-video/v3/pro/text-to-video"
DOWN = {"call": "submit", "do": "status", "status": 503}
QUICK = "delivery: {schedule: [0s, 100ms, 200ms, 400ms], timeout: 500ms, disable_after: 2}\n"
MOUNT = "/fal-queue"

# The client reads its hosts when it is imported, so each story is a process of its own.
BEGIN = """
import asyncio, json, os, sys, time
import fal_client, httpx
SEEDREAM, KLING = {seedream!r}, {kling!r}
told = {{}}

def refused(name, call):
    try:
        call()
        told[name] = "was not refused"
    except fal_client.FalClientHTTPError as error:
        told[name] = [error.status_code, error.error_type, error.message]

def main():
{story}

main()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> selfsigned.Files:
    """A certificate of this machine's."""
    return selfsigned.prepare(tmp_path_factory.mktemp("tls"), (), dt.datetime.now(dt.UTC))


@asynccontextmanager
async def serving(
    folder: Path, files: selfsigned.Files, chaos: Sequence[Mapping[str, Any]] = (), **options: Any
) -> AsyncIterator[House]:
    """A gateway that speaks TLS too."""
    async with house(folder, chaos, tls=files.context(), **options) as at:
        yield at


async def told(at: House | str, files: selfsigned.Files, story: str, *, mount: str = MOUNT) -> dict[str, Any]:
    """What the client tells of a story: nothing but its hosts and the certificates it trusts are other than usual."""
    origin = at if isinstance(at, str) else at.running.origin
    host = f"localhost:{origin.rpartition(':')[2]}"
    names = {
        "FAL_QUEUE_RUN_HOST": f"{host}{mount}",
        "FAL_RUN_HOST": f"{host}/fal",
        "FAL_KEY": "bye_any",
        "SSL_CERT_FILE": str(files.bundle),
    }
    body = "\n".join(f"    {line}" for line in story.strip().splitlines())
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        BEGIN.format(seedream=SEEDREAM, kling=KLING, story=body),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **names},
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


def count(at: House, table: str, where: str = "1=1") -> int:
    """Rows of the store."""
    with sqlite3.connect(at.folder / "story.db") as store:
        found: int = store.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
        return found


async def test_another_vendor_runs_what_the_client_asks_its_own_for(tmp_path: Path, files: selfsigned.Files) -> None:
    """Submitted, followed, fetched, run and streamed: the words of the client's vendor reach another in that one's words."""
    story = """
handle = fal_client.submit(SEEDREAM, {"prompt": "a seal", "image_size": {"width": 2848, "height": 1600}})
told["updates"] = sorted({type(each).__name__ for each in handle.iter_events(with_logs=True, interval=0.02)})
done = handle.get()
[picture] = done["images"]
told["bytes"] = len(httpx.get(picture["url"]).content)
told["picture"] = picture
told["by"] = done["tidegate"]
last = fal_client.status(SEEDREAM, handle.request_id, with_logs=True)
told["logs"] = [each["message"] for each in last.logs]
told["metrics"] = last.metrics
told["again"] = fal_client.result(SEEDREAM, handle.request_id) ["images"][0]["content_type"]
told["subscribed"] = fal_client.subscribe(SEEDREAM, {"prompt": "a walrus"})["tidegate"]["provider"]
told["run"] = fal_client.run(SEEDREAM, {"prompt": "a seal"})["tidegate"]["provider"]
told["streamed"] = [each["tidegate"]["provider"] for each in fal_client.stream(SEEDREAM, {"prompt": "a seal"})]
told["video"] = fal_client.subscribe(KLING, {"prompt": "waves", "duration": "5", "provider_order": "fal"})["video"]["content_type"]
async def main():
    handle = await fal_client.submit_async(SEEDREAM, {"prompt": "at night"})
    told["async"] = (await handle.get())["tidegate"]["provider"]
asyncio.run(main())
"""
    async with serving(tmp_path, files, config="routes: [{match: {model: '*'}, order: [byteplus]}]\n") as at:
        found = await told(at, files, story)
        [picture] = [found["picture"]]
        assert picture["file_size"] == found["bytes"] > 1000
        assert (picture["content_type"], picture["width"], picture["height"]) == ("image/jpeg", 2848, 1600)
        assert picture["url"].startswith("https://localhost:")
        assert picture["file_name"] == "0.jpg"
        assert found["by"]["provider"] == "byteplus"
        assert found["by"]["cost"] == 0.04
        assert found["by"]["adjustments"] == []
        assert "Completed" in found["updates"]
        assert found["logs"] == ["asked byteplus", "served by byteplus for 0.04 credits"]
        assert found["metrics"]["inference_time"] > 0
        assert found["again"] == "image/jpeg"
        assert {found["subscribed"], found["run"], found["async"], *found["streamed"]} == {"byteplus"}
        assert found["video"] == "video/mp4"
        assert at.sims.jobs("byteplus")[0].body["size"] == "2848x1600"
        assert len(at.sims.jobs("fal")) == 1  # the film


async def test_it_waits_in_the_queue_and_is_canceled(tmp_path: Path, files: selfsigned.Files) -> None:
    """A request under way says so and has no result; one that is canceled ends as that API has it, and costs nothing."""
    story = """
handle = fal_client.submit(KLING, {"prompt": "waves"}, priority="low", hint="a")
first = handle.status(with_logs=True)
told["first"] = type(first).__name__
early = httpx.get(handle.response_url, headers={"Authorization": "Key bye_any"})
told["early"] = [early.status_code, early.json()["error_type"], early.json()["detail"]]
handle.cancel()
last = handle.status(with_logs=True)
told["last"] = [last.error, last.error_type]
told["logs"] = [each["message"] for each in last.logs][:2]
refused("result", lambda: fal_client.result(KLING, handle.request_id))
refused("twice", handle.cancel)
refused("unknown", lambda: fal_client.status(KLING, "nope"))
refused("stranger", lambda: fal_client.cancel(KLING, "00000000-0000-4000-8000-000000000000"))
"""
    async with serving(tmp_path, files, video=30) as at:
        found = await told(at, files, story)
        assert found["first"] in {"Queued", "InProgress"}
        assert found["early"] == [400, "bad_request", "Request is still in progress"]
        assert found["last"] == ["the generation was canceled", "client_cancelled"]
        assert found["logs"] == ["x-fal-queue-priority is not heeded here", "x-fal-runner-hint is not heeded here"]
        assert found["result"] == [499, "client_cancelled", "the generation was canceled"]
        assert found["twice"][0] == 400
        assert found["unknown"][0] == found["stranger"][0] == 404
        assert await at.balance() == 100


async def test_a_failed_request_says_why(tmp_path: Path, files: selfsigned.Files) -> None:
    """The status has an error and the result is one, in that API's words; asked once, nothing is sent again or paid."""
    story = """
handle = fal_client.submit(SEEDREAM, {"prompt": "a seal"})
for last in handle.iter_events(interval=0.02):
    pass
told["status"] = [last.error, last.error_type]
refused("get", handle.get)
refused("run", lambda: fal_client.run(SEEDREAM, {"prompt": "another"}))
refused("content", lambda: fal_client.subscribe("fal-ai/flux/dev", {"prompt": "a seal"}))
"""
    refuses = {"call": "submit", "do": "refuse_content", "model": "*flux*"}
    async with serving(tmp_path, files, [refuses, DOWN]) as at:
        found = await told(at, files, story)
        assert found["status"][1] == found["get"][1] == found["run"][1] == "downstream_service_error"
        assert found["get"][0] == found["run"][0] == 500
        assert found["status"][0] == found["get"][2]
        status, type_, [detail] = found["content"]
        assert (status, type_) == (422, "content_policy_violation")
        assert (detail["type"], detail["loc"]) == ("content_policy_violation", ["body"])
        assert count(at, "generation") == 3
        assert await at.balance() == 100


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    (SEEDREAM, {"prompt": "a seal", "image_sze": "square"}, 422, "did you mean image_size?"),
    (SEEDREAM, {"prompt": "a seal", "image_size": "tiny"}, 422, "image_size"),
    (SEEDREAM, {"prompt": "a seal", "image_size": {"width": 100, "height": 7}}, 422, "image_size"),
    (SEEDREAM, {"prompt": "a seal", "max_images": 4}, 422, "max_images 4 is not offered"),
    (SEEDREAM, {"prompt": "a seal", "sync_mode": True}, 422, "sync_mode"),
    (SEEDREAM, {"prompt": 5}, 422, "prompt must be a text"),
    (SEEDREAM, {}, 422, "prompt is required"),
    (SEEDREAM, {"prompt": "a seal", "provider_order": "nobody"}, 422, "nobody"),
    (SEEDREAM, {"prompt": "a seal", "provider_order": 5}, 422, "provider_order"),
    ("fal-ai/bytedance/seedream/v4.5/edit", {"prompt": "a seal"}, 422, "image_urls is required"),
    ("fal-ai/bytedance/seedream/v4.6/edit", {"prompt": "a seal"}, 404, "did you mean"),
    ("nobody/knows-this", {"prompt": "a seal"}, 404, "no provider here serves"),
]


async def test_what_cannot_be_had_is_refused_by_name(tmp_path: Path, files: selfsigned.Files) -> None:
    """Nothing is clamped and nothing dropped: the parameter that is wrong is named in the client's own word for it."""
    story = f"""
for number, (model, given) in enumerate(json.loads({json.dumps([each[:2] for each in REFUSED])!r})):
    refused(str(number), lambda: fal_client.submit(model, given))
refused("poor", lambda: fal_client.run(SEEDREAM, {{"prompt": "a seal"}}))
refused("hook", lambda: fal_client.submit(SEEDREAM, {{"prompt": "a seal"}}, webhook_url="http://10.0.0.1/x"))
"""
    async with serving(tmp_path, files, credits=0) as at:
        found = await told(at, files, story)
        for number, (_, _, status, says) in enumerate(REFUSED):
            assert found[str(number)][0] == status, found[str(number)]
            assert says in str(found[str(number)][2])
        assert found["poor"][0] == 403
        assert found["hook"][0] == 422
        assert found["hook"][2][0]["loc"] == ["body", "fal_webhook"]
        assert count(at, "generation") == 0


async def test_everything_that_is_wrong_is_listed(tmp_path: Path) -> None:
    """One entry a parameter, in the form that API has for it, and beside it what clients of other kinds read."""
    async with house(tmp_path) as at:
        body = {"prompt": "a seal", "smile": 1, "image_size": "9K"}
        status, headers, said = await at.ask("POST", f"{MOUNT}/{SEEDREAM}", json=body)
        assert (status, headers["Content-Type"]) == (422, "application/json; charset=utf-8")
        assert [each["loc"] for each in said["detail"]] == [["body", "image_size"], ["body", "smile"]]
        assert all(each["msg"] and each["type"] == "value_error" for each in said["detail"])
        assert headers["x-fal-error-type"] == said["error_type"] == "value_error"
        assert headers["x-fal-retryable"] == "false"
        for raw in (b"", b"[]", b"{", b'"a"', b'{"prompt": NaN}'):
            kind = {"Content-Type": "application/json"}
            status, _, said = await at.ask("POST", f"{MOUNT}/{SEEDREAM}", data=raw, headers=kind)
            assert (status, isinstance(said["detail"], str)) == (400, True)
        for method, path in (("GET", f"{MOUNT}/{SEEDREAM}"), ("PUT", MOUNT), ("GET", "/fal/nothing")):
            status, _, said = await at.ask(method, path)
            assert status in {404, 405}
            assert said["detail"]


async def test_a_storm_of_repeats_begins_one(tmp_path: Path, files: selfsigned.Files) -> None:
    """Two answers are lost on the way and the client sends the same again: one generation, one entry in the ledger."""
    story = """
handle = fal_client.submit(SEEDREAM, {"prompt": "a seal"})
told["id"] = handle.request_id
told["done"] = len(handle.get()["images"])
"""
    async with serving(tmp_path, files) as at, between(at.running.origin, files.context()) as line:
        line.cut = 2
        found = await told(line.origin, files, story)
        assert found["done"] == 1
        submits = [status for status, _ in line.told if status == 200][:3]
        assert len(submits) == 3
        assert line.told[2][1]["x-tidegate-coalesced"] == "true"
        assert count(at, "generation") == 1
        assert await at.balance() == 99.96


async def test_a_large_picture_arrives_whole_and_goes_back(tmp_path: Path, files: selfsigned.Files) -> None:
    """By its link, over TLS, it is to the byte what is kept, in whole and in part; in a request to hosts without a prefix it is taken."""
    story = """
import hashlib
done = fal_client.run(SEEDREAM, {"prompt": "a seal", "image_size": {"width": 5504, "height": 3040}})
url = done["images"][0]["url"]
data = httpx.get(url).content
told["digest"], told["size"] = hashlib.sha256(data).hexdigest(), len(data)
part = httpx.get(url, headers={"Range": "bytes=100-199"})
told["part"] = [part.status_code, part.content == data[100:200]]
given = {"prompt": "at night", "image_urls": [fal_client.encode(data, "image/jpeg")]}
handle = fal_client.submit("fal-ai/bytedance/seedream/v4.5/edit", given)
told["url"] = handle.status_url
told["edited"] = handle.get()["tidegate"]["provider"]
"""
    async with serving(tmp_path, files, config="routes: [{match: {model: '*'}, order: [byteplus]}]\n") as at:
        found = await told(at, files, story, mount="")
        assert found["size"] > 300_000  # three times what the native API takes in a body
        assert found["part"] == [206, True]
        assert count(at, "artifact", f"sha256 = '{found['digest']}' AND bytes = {found['size']}") == 1
        port = at.running.origin.rpartition(":")[2]
        assert found["url"].startswith(f"https://localhost:{port}/fal-ai/bytedance/requests/")
        assert found["edited"] == "byteplus"
        assert count(at, "generation", "request LIKE '%data:image/jpeg%'") == 1


async def test_at_the_root_others_wait(tmp_path: Path) -> None:
    """Clients that do not queue get what was made at once; a path that names no model is unknown, whatever the method."""
    async with house(tmp_path) as at:
        status, _, said = await at.ask("POST", f"/{SEEDREAM}", json={"prompt": "a seal"})
        assert (status, len(said["images"])) == (200, 1)
        status, _, said = await at.ask("POST", f"/{SEEDREAM}?fal_webhook=http://10.0.0.1/", json={"prompt": "a seal"})
        assert status == 422
        for method, path, expected in (
            ("POST", "/nobody/knows", 404),
            ("GET", "/nobody/knows", 404),
            ("GET", f"/{SEEDREAM}", 405),
        ):
            status, _, said = await at.ask(method, path, json={})
            assert status == expected


async def test_any_name_of_a_model_will_do(tmp_path: Path) -> None:
    """Our ids and other providers' names are known here too, each read in its own spelling or ours."""
    async with house(tmp_path) as at:
        for name, body in (
            ("bytedance/seedream-4.5", {"prompt": "a seal", "ratio": "16:9", "provider_order": ["byteplus"]}),
            (
                "bytedance/seedream-4.5",
                {"prompt": "a seal", "image_size": "landscape_16_9", "provider_order": "byteplus"},
            ),
            ("black-forest-labs/flux-schnell", {"prompt": "a seal", "aspect_ratio": "16:9"}),
        ):
            status, _, said = await at.ask("POST", f"/fal/{name}", json=body)
            assert status == 200, said
            assert said["images"]
        assert {job.body["size"] for job in at.sims.jobs("byteplus")} == {"2848x1600"}


def signed(got: Got, keys: Sequence[Mapping[str, str]]) -> str:
    """The id of a request that was told, by a signature as that API's receivers check it. InvalidSignature when it is none."""
    headers = {name.lower(): value for name, value in got.headers.items()}
    assert abs(time.time() - int(headers["x-fal-webhook-timestamp"])) < 300
    names = ("request-id", "user-id", "timestamp")
    said = [*(headers[f"x-fal-webhook-{name}"] for name in names), hashlib.sha256(got.body).hexdigest()]
    for key in keys:
        assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
        public = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4)))
        public.verify(bytes.fromhex(headers["x-fal-webhook-signature"]), "\n".join(said).encode())
    return headers["x-fal-webhook-request-id"]


async def test_who_was_named_is_told_under_a_public_key(tmp_path: Path, files: selfsigned.Files) -> None:
    """The end goes to the address of the request, as that API tells it; a changed body is seen, and the key outlives a restart."""
    async with receiving() as receiver:
        story = f"""
told["ok"] = fal_client.submit(SEEDREAM, {{"prompt": "a seal"}}, webhook_url={receiver.origin + "/ok?job=1"!r}).request_id
told["bad"] = fal_client.submit("fal-ai/flux/dev", {{"prompt": "a seal"}}, webhook_url={receiver.origin + "/bad"!r}).request_id
"""
        chaos = [{**DOWN, "model": "*flux*"}]
        async with serving(tmp_path, files, chaos, config=QUICK) as at:
            found = await told(at, files, story)
            await at.until(lambda: len(receiver.got) >= 2)
            _, headers, known = await at.ask("GET", f"{MOUNT}/.well-known/jwks.json")
            assert "max-age" in headers["Cache-Control"]
        [ok], [bad] = receiver.of("/ok"), receiver.of("/bad")
        assert signed(ok, known["keys"]) == found["ok"]
        assert signed(bad, known["keys"]) == found["bad"]
        done, failed = json.loads(ok.body), json.loads(bad.body)
        assert (done["status"], done["request_id"], len(done["payload"]["images"])) == ("OK", found["ok"], 1)
        assert (failed["status"], failed["error"]) == ("ERROR", "Invalid status code: 500")
        assert failed["payload"]["detail"]
        with pytest.raises(InvalidSignature):
            signed(Got(ok.path, ok.headers, ok.body + b" "), known["keys"])
    async with house(tmp_path) as at:
        assert (await at.ask("GET", "/.well-known/jwks.json"))[2] == known
