"""The store that is a bucket, against a real service and against what services do on bad days."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import obstore
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.artifacts.access import Access, Place
from gateway.artifacts.bucket import Bucket
from gateway.artifacts.fault import StorageFault
from gateway.artifacts.spool import usual_folder
from gateway.artifacts.store import Store, Waiting
from tests.bucket import SECRET, Service
from tests.gateway.artifacts.kept import LIMIT, bare, broken, files, said
from tests.proxy import CLEAN, Toxic, proxy

MIB = 1024 * 1024


@asynccontextmanager
async def reached(access: Access, folder: Path, place: Place | None = None) -> AsyncIterator[Bucket]:
    """A bucket as it is reached so; nobody has looked whether it is there."""
    opened = Bucket(place or Place("outputs", uuid.uuid4().hex), access, folder / "spool")
    await opened._spool.start()
    yield opened
    await opened.close()


async def test_a_bucket_is_a_store(bucket: Bucket) -> None:
    """The bucket has all that a store has; its name tells neither the service nor the prefix."""
    store: Store = bucket
    assert store.name == "outputs"


async def test_an_output_is_kept_with_its_facts(bucket: Bucket, png: bytes) -> None:
    """What was written is there under our name, with hash, size, type and measures."""
    artifact = await bucket.write("gen_1", 2, said(png[:5], b"", png[5:]), kind="image", limit=LIMIT)
    digest = hashlib.sha256(png).hexdigest()
    assert artifact.uri == f"s3:gen_1/2-{digest[:16]}.png"
    assert (artifact.sha256, artifact.size, artifact.type) == (digest, len(png), "image/png")
    assert (artifact.index, artifact.width, artifact.height) == (2, 31, 17)


@pytest.mark.parametrize("size", [5 * MIB, 5 * MIB + 1, 11 * MIB])
async def test_bytes_in_are_bytes_out(bucket: Bucket, tmp_path: Path, png: bytes, size: int) -> None:
    """In one piece or in parts, what lies there is what was said, and no file stays here."""
    whole = png + bytes(range(256)) * (size // 256 + 1)
    whole = whole[:size]
    cut = [whole[at : at + 700_000] for at in range(0, size, 700_000)]
    artifact = await bucket.write("gen", 0, said(*cut), kind="image", limit=LIMIT)
    stored = await bucket.open(artifact.uri)
    read = b"".join([piece async for piece in stored.read(0, stored.size)])
    assert (artifact.sha256, artifact.size) == (hashlib.sha256(whole).hexdigest(), size)
    assert (stored.size, read == whole) == (size, True)
    middle = b"".join([piece async for piece in stored.read(MIB - 3, 2 * MIB + 5)])
    assert middle == whole[MIB - 3 : 2 * MIB + 5]
    assert files(tmp_path / "spool") == []


async def test_its_own_links_open_for_their_time(bucket: Bucket, png: bytes) -> None:
    """A link of the bucket gives the bytes as what they are, to anybody; one that was changed does not."""
    artifact = await bucket.write("gen", 3, said(png), kind="image", limit=LIMIT)
    link = bucket.link(artifact.uri, 60)
    assert link is not None
    assert SECRET not in link
    async with aiohttp.ClientSession() as anybody:
        async with anybody.get(link) as answer:
            assert (answer.status, await answer.read()) == (200, png)
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.headers["Content-Disposition"] == 'inline; filename="3.png"'
        for other in (bare(link), link.replace("Expires=60", "Expires=600"), link[:-4] + "0000"):
            async with anybody.get(other) as answer:
                assert answer.status == 403
    assert bucket.link("file:aa/gen/0-0123456789abcdef.png", 60) is None


async def test_what_is_there_in_part_is_replaced(bucket: Bucket, png: bytes) -> None:
    """An object of the right name and the wrong size is not taken for the output."""
    artifact = await bucket.write("gen", 0, said(png), kind="image", limit=LIMIT)
    await obstore.put_async(bucket._store, artifact.uri.removeprefix("s3:"), png[:-1])
    again = await bucket.write("gen", 0, said(png), kind="image", limit=LIMIT)
    assert again == artifact
    assert (await bucket.open(again.uri)).size == len(png)


async def test_a_generation_is_deleted_and_its_namesakes_are_not(bucket: Bucket, png: bytes) -> None:
    """An id that begins like another is another."""
    for generation in ("gen", "gen-2", "gen_3"):
        last = await bucket.write(generation, 0, said(png), kind="image", limit=LIMIT)
    assert await bucket.delete("gen") == 1
    assert (await bucket.open(last.uri)).size == len(png)


@pytest.mark.parametrize("size", [0, 12 * MIB])
async def test_what_was_taken_waits_for_a_service_that_is_away(
    shared_service: Service, tmp_path: Path, png: bytes, size: int
) -> None:
    """F39: the source is read once; the bytes stay here, and go where they belong when the service is back."""
    access, was_read = shared_service.access, 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal was_read
        was_read += 1
        yield png
        for _ in range(size // MIB):
            yield bytes(MIB)

    # Connections are refused at first, and lost in the middle of a part; then all is well.
    away: Iterator[Toxic] = itertools.chain([Toxic(deaf=True)] * 9, itertools.repeat(CLEAN))
    async with (
        proxy(shared_service.endpoint, away) as (origin, _),
        reached(replace(access, endpoint=origin), tmp_path) as store,
    ):
        with pytest.raises(Waiting, match="cannot be reached") as caught:
            await store.write("gen", 0, source(), kind="image", limit=LIMIT)
        assert [len(files(tmp_path / "spool")), was_read] == [1, 1]
        artifact = None
        while artifact is None:
            try:
                artifact = await caught.value.taken.store()
            except StorageFault:
                continue
        stored = await store.open(artifact.uri)
    assert (stored.size, was_read) == (len(png) + size // MIB * MIB, 1)
    assert files(tmp_path / "spool") == []


async def test_what_nobody_waits_for_is_let_go(tmp_path: Path, png: bytes) -> None:
    """What was taken and is not wanted any more leaves nothing."""
    async with reached(Access(endpoint="http://127.0.0.1:9", key="k", secret="s"), tmp_path) as store:
        with pytest.raises(Waiting) as caught:
            await store.write("gen", 0, said(png), kind="image", limit=LIMIT)
        await caught.value.taken.discard()
        await caught.value.taken.discard()
    assert files(tmp_path / "spool") == []


async def test_a_broken_source_is_not_the_stores_fault(tmp_path: Path, png: bytes) -> None:
    """While the service is away, a source that breaks is still told as that."""
    async with reached(Access(endpoint="http://127.0.0.1:9", key="k", secret="s"), tmp_path) as store:
        with pytest.raises(Exception, match="cut"):
            await store.write("gen", 0, broken(png), kind="image", limit=LIMIT)


async def test_a_service_that_is_away_does_not_stop_the_start(tmp_path: Path, png: bytes) -> None:
    """What was accepted before has to be waited for, so the gateway starts; a look says how things are."""
    store = Bucket(Place("outputs"), Access(endpoint="http://127.0.0.1:9", key="k", secret="s"), tmp_path / "spool")
    await store.start()
    with pytest.raises(StorageFault, match="cannot be reached"):
        await store.probe()
    await store.close()


@pytest.mark.parametrize(
    ("change", "said_"),
    [
        ({"secret": "wrong" * 8}, r"refuses us \(403 SignatureDoesNotMatch\); look at AWS_ACCESS_KEY_ID"),
        ({"key": "AKIDNOBODY"}, r"refuses us \(403 InvalidAccessKeyId\)"),
    ],
)
async def test_a_wrong_key_is_told_at_the_start(
    shared_service: Service, tmp_path: Path, change: dict[str, str], said_: str
) -> None:
    """H17: what no later try mends is told at once, without the key, the secret or the address."""
    store = Bucket(Place("outputs"), replace(shared_service.access, **change), tmp_path / "spool")
    with pytest.raises(StorageFault, match=said_) as caught:
        await store.start()
    assert not {word for word in (*change.values(), SECRET, "127.0.0.1") if word in str(caught.value)}
    await store.close()


Does = Callable[[web.Request], web.Response]


@asynccontextmanager
async def played(does: Does) -> AsyncIterator[Access]:
    """A service that answers as it is told."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return does(request)

    app = web.Application(client_max_size=LIMIT)
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    yield Access(endpoint=str(server.make_url("")), key="k", secret="s")
    await server.close()


def error(status: int, code: str) -> web.Response:
    """An answer as such services word it."""
    return web.Response(status=status, text=f"<Error><Code>{code}</Code><Message>m</Message></Error>")


async def test_without_conditions_there_are_none(tmp_path: Path, png: bytes) -> None:
    """A service that knows no condition is asked without one, and not with one again."""
    seen: list[bool] = []

    def does(request: web.Request) -> web.Response:
        seen.append("If-None-Match" in request.headers)
        return error(501, "NotImplemented") if seen[-1] else web.Response(headers={"ETag": '"x"'})

    async with played(does) as access, reached(access, tmp_path) as store:
        for index in range(2):
            await store.write("gen", index, said(png), kind="image", limit=LIMIT)
    assert seen[-2:] == [False, False]
    assert not any(seen[seen.index(False) :])


async def test_an_answer_that_passes_is_waited_out(tmp_path: Path, png: bytes) -> None:
    """H17: a 503 or two is nobody's fault."""
    answers = iter([503, 500])

    def does(_: web.Request) -> web.Response:
        status = next(answers, 200)
        return error(status, "SlowDown") if status != 200 else web.Response(headers={"ETag": '"x"'})

    async with played(does) as access, reached(access, tmp_path) as store:
        assert (await store.write("gen", 0, said(png), kind="image", limit=LIMIT)).size == len(png)


@pytest.mark.parametrize(
    ("status", "code", "is_full", "said_"),
    [
        (500, "InternalError", False, r"cannot be used \(500 InternalError\)"),
        (507, "XMinioStorageFull", True, r"cannot be used \(507 XMinioStorageFull\)"),
        (404, "NoSuchBucket", False, r"cannot be used \(404 NoSuchBucket\); look at outputs.store"),
        (403, "AccessDenied", False, r"refuses us \(403 AccessDenied\)"),
    ],
)
async def test_the_service_is_quoted(
    tmp_path: Path, png: bytes, status: int, code: str, is_full: object, said_: str
) -> None:
    """What lasts is a fault of the store, in the service's own word; the bytes wait."""
    async with played(lambda _: error(status, code)) as access, reached(access, tmp_path) as store:
        with pytest.raises(Waiting, match=said_) as caught:
            await store.write("gen", 0, said(png), kind="image", limit=LIMIT)
        assert caught.value.full is is_full
        for call in (store.probe(), store.open("s3:gen/0-0123456789abcdef.png"), store.delete("gen")):
            if status == 404 and call.__name__ in {"open", "delete"}:
                call.close()  # there a name that is not there is no fault
                continue
            with pytest.raises(StorageFault):
                await call
        await caught.value.taken.discard()


async def test_less_than_was_sent_is_not_taken_for_it(tmp_path: Path, png: bytes) -> None:
    """Nothing counts as stored before the service has it whole."""

    def does(request: web.Request) -> web.Response:
        match request.method, request.query.keys():
            case "POST", keys if "uploads" in keys:
                upload = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
                return web.Response(text=upload)
            case "POST", _:
                done = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
                return web.Response(text=done)
            case "PUT", _:
                return web.Response(headers={"ETag": '"x"'})
            case _:
                there = {"Content-Length": "5", "ETag": '"x"', "Last-Modified": "Thu, 26 Nov 2026 01:00:00 GMT"}
                return web.Response(headers=there)

    async with played(does) as access, reached(access, tmp_path) as store:
        with pytest.raises(Waiting, match="does not hold what was sent"):
            await store.write("gen", 0, said(png, bytes(6 * MIB)), kind="image", limit=LIMIT)


async def test_leftovers_are_swept_at_the_start(tmp_path: Path, png: bytes) -> None:
    """A start removes what a dead process had taken, and nothing that a living one is taking: they may share the folder."""
    async with reached(Access(endpoint="http://127.0.0.1:9", key="k", secret="s"), tmp_path) as store:
        with pytest.raises(Waiting) as caught:
            await store.write("gen", 0, said(png), kind="image", limit=LIMIT)
        (tmp_path / "spool" / "part-dead").write_bytes(png)
        async with reached(Access(endpoint="http://127.0.0.1:9", key="k", secret="s"), tmp_path):
            [left] = files(tmp_path / "spool")
        assert left != "part-dead"
        await caught.value.taken.discard()


async def test_others_files_are_not_used(tmp_path: Path) -> None:
    """A name in the folder of temporary files that leads elsewhere is refused, and said so."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "spool").symlink_to(tmp_path / "elsewhere")
    store = Bucket(Place("outputs"), Access(key="k", secret="s"), tmp_path / "spool")
    with pytest.raises(StorageFault, match="is not ours; TMPDIR names another"):
        await store.start()
    await store.close()


def test_temporary_files_go_where_such_files_go(tmp_path: Path) -> None:
    """TMPDIR says where outputs on their way lie; each user of a machine has a folder of their own."""
    assert usual_folder({"TMPDIR": str(tmp_path)}).parent == tmp_path
    assert usual_folder({}).name.startswith("tidegate-outputs-")
