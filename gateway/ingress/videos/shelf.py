"""The calls on films there are: one, a list of them, the file, its end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from aiohttp import web

from gateway import log
from gateway.artifacts.fault import StorageFault
from gateway.generation import Kind, State
from gateway.ingress.callers import Caller
from gateway.ingress.content import whole
from gateway.ingress.envelope import dress
from gateway.ingress.kit import Kit
from gateway.ingress.outputs import send
from gateway.ingress.reception import Taken, headers
from gateway.ingress.refusal import Refusal
from gateway.ingress.sharing import Waits, arrived, aside
from gateway.ingress.videos import answer
from gateway.ledger import films, generations
from gateway.ledger.records import Record

_ID = re.compile(r"[0-9A-Za-z_-]{1,80}", re.ASCII)
_POLLS = "X-Stainless-Poll-Helper"
_OWN_PACE = "X-Stainless-Custom-Poll-Interval"
_HELD = 5.0  # seconds a client that only waits is held: its own limit is far above, and what it asks for in between is saved
_PAUSE_HELD, _PAUSE = 500, 5000  # ms until the next look, of one that is held, and of one that is not
_PAGE, _LARGEST_PAGE = 20, 100
_VARIANT = "video"


class Shelf:
    """Answers for an account's films; those of others are not there."""

    def __init__(self, kit: Kit) -> None:
        """Read and remove by `kit`."""
        self._kit = kit
        self._waits = Waits()

    async def find(self, request: web.Request, caller: Caller) -> Record:
        """The film a path names, with its attempts; Refusal when there is none, or when it is a picture."""
        named = request.match_info["id"]
        if not _ID.fullmatch(named):
            raise _not_found()
        return await self._found(caller, answer.generation_of(named))

    def film(self, record: Record, more: Mapping[str, str]) -> web.Response:
        """Answer with one film."""
        return _json(self._told(record), {**more, **self._pace(_PAUSE)})

    async def read(self, request: web.Request, caller: Caller) -> web.Response:
        """One film. A client that says that it only waits for the end is held until then, for a moment."""
        record = await self.find(request, caller)
        pause = _PAUSE
        if not record.state.is_final and request.headers.get(_POLLS) == "true" and _OWN_PACE not in request.headers:
            over = self._waits.begin(caller.family or caller.key_id)
            if over is not None:
                try:
                    pause = _PAUSE_HELD
                    await self._kit.reception.wait(request, Taken(record.id), _HELD)
                finally:
                    over()
                record = await self._found(caller, record.id)
        return _json(self._told(record), {**headers(record), **self._pace(pause)})

    async def page(self, request: web.Request, caller: Caller) -> web.Response:
        """Some films, the newest first unless asked otherwise, after the one that is named."""
        limit = whole(request, "limit", _PAGE, 1, _LARGEST_PAGE)
        order = _only(request, "order", "desc")
        if order not in {"asc", "desc"}:
            raise Refusal("invalid_input", "order must be asc or desc", field="order")
        after = _only(request, "after", "")
        if after and not _ID.fullmatch(after):
            raise _no_place(after)
        asked = films.page(
            caller.account, answer.generation_of(after) if after else None, limit + 1, is_rising=order == "asc"
        )
        found = await self._kit.store.read(asked)
        if found is None:
            raise _no_place(after)
        data = [self._told(record) for record in found[:limit]]
        ids = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
        return _json({"object": "list", "data": data, **ids, "has_more": len(found) > limit})

    async def delete(self, request: web.Request, caller: Caller) -> web.Response:
        """Remove a film with its file; one that is under way is canceled first."""
        await arrived(request)
        record, now = await self.find(request, caller), self._kit.clock.now_ms
        if not record.state.is_final:
            done = await self._kit.store.write(generations.cancel(caller.account, record.id, now()))
            if isinstance(done, generations.Canceled):
                aside(request)  # the provider may take seconds
                await self._kit.cancel(record.id)
        gone = await self._kit.store.write(generations.delete(caller.account, record.id, now()))
        if isinstance(gone, generations.NotFound):
            raise _not_found()
        if isinstance(gone, generations.StillLive):
            raise Refusal("overloaded", "the video has not ended yet; try again", retry_after=1)
        try:
            await self._kit.remove(record.id)
        except StorageFault as error:
            # The record is gone and no link opens any more; what is left is for the sweep.
            log.event("files_left", level="error", generation=record.id, error=error)
        return _json({"id": answer.identity(record.id), "object": "video.deleted", "deleted": True})

    async def content(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """The file, or the part of it that a Range asks for."""
        record = await self.find(request, caller)
        variant = _only(request, "variant", _VARIANT)
        if variant != _VARIANT:
            said = f"variant {variant[:40]!r} is not made here; there is `{_VARIANT}`"
            raise Refusal("invalid_input", said, field="variant")
        match record.state:
            case State.SUCCEEDED if record.removed is None and record.artifacts:
                pass
            case State.SUCCEEDED:
                raise Refusal("output_not_found", "the video's file is not kept any more")
            case State.FAILED | State.CANCELED:
                raise Refusal("generation_state_conflict", "the video failed and has no file")
            case _:
                raise Refusal("generation_state_conflict", "the video is not completed yet; look again later")
        artifact = record.artifacts[0]
        store = self._kit.delivery.keeps(artifact)
        if store is not None:
            aside(request)
            return await send(request, store, artifact, f"{answer.identity(record.id)}.{_ending(artifact.type)}")
        async with self._kit.delivery.open(record, artifact) as content:
            response = web.StreamResponse(headers={**headers(record), "Content-Type": content.type})
            response.content_length = content.size
            aside(request)
            dress(request, response)
            await response.prepare(request)
            if request.method != "HEAD":
                async for piece in content.pieces:
                    await response.write(piece)
            await response.write_eof()
            return response

    async def _found(self, caller: Caller, generation: str) -> Record:
        try:
            record = await self._kit.reception.find(caller, generation)
        except Refusal as refusal:
            raise _not_found() from refusal
        if record.kind is not Kind.VIDEO:
            raise _not_found()
        return record

    def _told(self, record: Record) -> dict[str, object]:
        return answer.film(record, share=self._kit.share(record.id), keep=self._kit.keep)

    def _pace(self, pause: int) -> dict[str, str]:
        """How long to wait until the next look, under the names that clients know it by."""
        return {name: str(pause) for name in self._names()}

    def _names(self) -> Iterator[str]:
        for provider in self._kit.catalog().providers.values():
            for mount in provider.doors.values():
                if "poll_after" in mount.names:
                    yield mount.names["poll_after"]


def _ending(type_: str | None) -> str:
    return {"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm"}.get(type_ or "", "bin")


def _only(request: web.Request, name: str, usual: str) -> str:
    sent = request.query.getall(name, [])
    if len(sent) > 1:
        raise Refusal("invalid_input", f"send {name} once", field=name)
    return sent[0] if sent else usual


def _not_found() -> Refusal:
    return Refusal("generation_not_found", "there is no such video in this account")


def _no_place(after: str) -> Refusal:
    return Refusal(
        "invalid_input", f"after must be the id of a video of this account, not {after[:80]!r}", field="after"
    )


def _json(body: Mapping[str, object], more: Mapping[str, str] | None = None) -> web.Response:
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    return web.Response(text=text, content_type="application/json", headers=more)
