"""A store that is a bucket: `<prefix>/<generation>/<index>-<sha16>.<ext>` in a service that speaks S3.

An output is taken whole into a file of our own first, for two reasons: its name holds its hash, which is known at the end, and a
service that is down may be down for longer than the provider's link works. Nothing is kept here between two outputs, so any
number of gateways may share a bucket.

This file and `answers` alone know the client library; they are imported where a bucket is wanted and nowhere else.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from gateway import log
from gateway.artifacts.access import Access, Place
from gateway.artifacts.answers import Refused, said, translated
from gateway.artifacts.fault import NotStored, StorageFault
from gateway.artifacts.kinds import Kind
from gateway.artifacts.spool import Spool, Spooled
from gateway.artifacts.store import Artifact, Stored, Waiting

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

_PART = 5 * 1024 * 1024  # bytes: the least a part may have, and what is sent in one piece below it
_PARTS = 1  # of one output on their way at once; so a film holds about 10 MiB while it is sent
_SMALL = 16  # outputs of one piece that are sent at once
_LARGE = 4
_PIECE = 1024 * 1024  # bytes read at once, and one piece ahead
_CONNECT = timedelta(seconds=5)
_CALL = timedelta(seconds=30)  # for one call: a part of 5 MiB at 1.4 Mbit/s
# What passes in a moment is tried again here; what lasts is for whoever can wait, and is told soon.
_RETRIES = 2
_RETRYING = timedelta(seconds=20)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(milliseconds=100), timedelta(seconds=2)
_LOOK = 3.0  # seconds for the look at the start: nobody is served before
_LISTED = 1000
_PROBE = ".probe"  # no generation's id can begin so

_GENERATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
_URI = re.compile(
    r"s3:([A-Za-z0-9][A-Za-z0-9_-]{0,127}/([0-9]{1,6})-[0-9a-f]{16}\.([a-z0-9]{1,5}))",
    re.ASCII,
)
_NO_CONDITIONS = frozenset({"NotImplemented", "501"})


class Bucket:
    """Outputs in a bucket, which has to be there."""

    def __init__(self, place: Place, access: Access, folder: Path) -> None:
        """Keep outputs at `place`; `folder` is for those on their way. OSError for a file of certificates that cannot be read."""
        self._place = place
        self._spool = Spool(folder)
        self._store = S3Store(
            place.bucket,
            prefix=place.prefix or None,
            config=_config(access),
            client_options=_client(access),
            retry_config={
                "max_retries": _RETRIES,
                "retry_timeout": _RETRYING,
                "backoff": {"init_backoff": _FIRST_WAIT, "max_backoff": _LONGEST_WAIT, "base": 2},
            },
        )
        self._small, self._large = asyncio.Semaphore(_SMALL), asyncio.Semaphore(_LARGE)
        self._has_conditions = True

    @property
    def name(self) -> str:
        """The bucket's own name."""
        return self._place.bucket

    async def start(self) -> None:
        """Look whether it can be used. One that is not reached now may be later, and what was accepted waits for it."""
        await self._spool.start()
        try:
            async with asyncio.timeout(_LOOK):
                await self.probe()
        except Refused:
            raise
        except (StorageFault, TimeoutError) as error:
            reason = str(error) or "the bucket does not answer"
            log.event("outputs_unreachable", level="warning", bucket=self.name, reason=reason)

    async def write(
        self, generation: str, index: int, source: AsyncIterator[bytes], *, kind: Kind, limit: int
    ) -> Artifact:
        """Take all of `source`: see `Store.write`. `Waiting` when it was taken and the service failed."""
        folder = _folder(generation)
        spooled = await self._spool.take(source, kind, limit)
        taken = _Taken(self, spooled, folder, index)
        try:
            return await taken.store()
        except StorageFault as fault:
            raise Waiting(fault, taken) from fault
        except BaseException:
            await asyncio.shield(asyncio.ensure_future(taken.discard()))
            raise

    async def open(self, uri: str) -> Stored:
        """Find an output: see `Store.open`. A URI that is not of our making is not stored either."""
        key = _key(uri)
        with translated():
            size = await self._size(key)
        if size is None:
            raise NotStored("no output is stored under this URI")
        return Stored(size=size, read=lambda start, stop: self._read(key, start, stop))

    async def delete(self, generation: str) -> int:
        """Remove all outputs of a generation: see `Store.delete`."""
        folder = _folder(generation)
        with translated():
            keys = [
                each["path"] async for page in obstore.list(self._store, folder, chunk_size=_LISTED) for each in page
            ]
            if keys:
                await obstore.delete_async(self._store, keys)
        return len(keys)

    async def probe(self) -> float:
        """Write and remove a small object; the seconds it took."""
        began = time.monotonic()
        key = f"{_PROBE}/{uuid.uuid4().hex}"
        with translated():
            await obstore.put_async(self._store, key, b"probe", use_multipart=False)
            await obstore.delete_async(self._store, [key])
        return time.monotonic() - began

    def link(self, uri: str, life: int) -> str | None:
        """Sign a link of the bucket's own to an output, good for `life` seconds; None for a URI not of our making."""
        parts = _URI.fullmatch(uri)
        # With a key at hand nothing is asked for: this is arithmetic.
        return obstore.sign(self._store, "GET", parts[1], timedelta(seconds=life)) if parts is not None else None

    async def close(self) -> None:
        """Finish what is being written and let go of everything."""
        await self._spool.close()

    async def discard(self, spooled: Spooled) -> None:
        """Let go of what was taken."""
        await self._spool.discard(spooled.part)

    async def put(self, key: str, spooled: Spooled, name: str) -> None:
        """Store what was taken under a key; on return it is there whole."""
        headers = {"Content-Type": spooled.media.type, "Content-Disposition": f'inline; filename="{name}"'}
        with translated():
            if spooled.part.size > _PART:
                async with self._large:
                    await self._put_large(key, spooled, headers)
            else:
                async with self._small:
                    await self._put_small(key, spooled, headers)

    async def _put_small(self, key: str, spooled: Spooled, headers: dict[str, str]) -> None:
        path = spooled.part.path
        if self._has_conditions:
            try:
                await obstore.put_async(self._store, key, path, mode="create", use_multipart=False, attributes=headers)
            except AlreadyExistsError:
                if await self._size(key) == spooled.part.size:
                    return
            except BaseError as error:
                if not _NO_CONDITIONS & set(said(error)):
                    raise
                self._has_conditions = False
            else:
                return
        # The name holds the hash, so whatever is there already is the same bytes, or a part of them.
        await obstore.put_async(self._store, key, path, use_multipart=False, attributes=headers)

    async def _put_large(self, key: str, spooled: Spooled, headers: dict[str, str]) -> None:
        size = spooled.part.size
        if await self._size(key) == size:
            return
        # Told piece by piece: of a path the client reads four parts ahead.
        pieces = self._spool.read(spooled.part)
        await obstore.put_async(self._store, key, pieces, attributes=headers, chunk_size=_PART, max_concurrency=_PARTS)
        if await self._size(key) != size:
            raise StorageFault("the bucket does not hold what was sent to it")

    async def _size(self, key: str) -> int | None:
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            return None

    async def _read(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        coming: asyncio.Future[bytes] | None = None
        try:
            for at in range(start, stop, _PIECE):
                piece = await (coming or self._piece(key, at, stop))
                more = at + _PIECE
                coming = asyncio.ensure_future(self._piece(key, more, stop)) if more < stop else None
                yield piece
        finally:
            if coming is not None:
                coming.cancel()
                with suppress(asyncio.CancelledError, StorageFault):
                    await coming

    async def _piece(self, key: str, start: int, stop: int) -> bytes:
        with translated():
            piece = bytes(await obstore.get_range_async(self._store, key, start=start, end=min(start + _PIECE, stop)))
        if len(piece) != min(_PIECE, stop - start):
            raise StorageFault("the bucket gave less than it holds")
        return piece


class _Taken:
    """An output that was taken, for one bucket."""

    def __init__(self, bucket: Bucket, spooled: Spooled, folder: str, index: int) -> None:
        self._bucket = bucket
        self._spooled = spooled
        self._folder = folder
        self._index = index

    async def store(self) -> Artifact:
        """Send it; the file is gone once it is there."""
        part, media, measures = self._spooled.part, self._spooled.media, self._spooled.measures
        key = f"{self._folder}/{self._index}-{part.sha256[:16]}.{media.extension}"
        await self._bucket.put(key, self._spooled, f"{self._index}.{media.extension}")
        await self.discard()
        return Artifact(
            index=self._index,
            uri=f"s3:{key}",
            sha256=part.sha256,
            size=part.size,
            type=media.type,
            width=measures.width if measures else None,
            height=measures.height if measures else None,
        )

    async def discard(self) -> None:
        """Remove the file."""
        await self._bucket.discard(self._spooled)


def _config(access: Access) -> S3Config:
    config: S3Config = {
        "region": access.region,
        "virtual_hosted_style_request": access.in_host,
        # One by one: not every service has the other call, and a generation has few outputs.
        "disable_bulk_delete": True,
    }
    if access.endpoint is not None:
        config["endpoint"] = access.endpoint
    if access.key is not None and access.secret is not None:
        config["access_key_id"], config["secret_access_key"] = access.key, access.secret
    if access.token is not None:
        config["session_token"] = access.token
    return config


def _client(access: Access) -> ClientConfig:
    options: ClientConfig = {"connect_timeout": _CONNECT, "timeout": _CALL, "user_agent": "tidegate"}
    if access.endpoint is not None and access.endpoint.startswith("http:"):
        options["allow_http"] = True
    elif access.authorities is not None:
        options["root_certificate"] = Path(access.authorities).read_bytes()
    return options


def _folder(generation: str) -> str:
    if not _GENERATION.fullmatch(generation):
        raise ValueError("a generation's id is letters, digits, '_' and '-'; other ids cannot name a folder")
    return generation


def _key(uri: str) -> str:
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise NotStored("no output is stored under this URI")
    return parts[1]
