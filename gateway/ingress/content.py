"""/v1/content: read, list, cancel and delete generations."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import NoReturn

from aiohttp import web

from gateway import log
from gateway.artifacts.fault import StorageFault
from gateway.clock import Clock
from gateway.ingress import record
from gateway.ingress.callers import Caller, Guard, Scope
from gateway.ingress.envelope import success
from gateway.ingress.outputs import Links
from gateway.ingress.refusal import Refusal
from gateway.ingress.sharing import arrived, aside
from gateway.ledger import generations as ledger
from gateway.ledger.database import Database
from gateway.ledger.records import Record
from gateway.money import as_number

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
USUAL_PAGE = 50
LARGEST_PAGE = 100
DEEPEST_OFFSET = 10_000_000  # generations; beyond it the walk to the page costs more than the page is worth

Cancel = Callable[[str], Awaitable[bool]]
Remove = Callable[[str], Awaitable[int]]


class Content:
    """Answers for an account's generations; those of others are not there."""

    def __init__(self, store: Database, links: Links, cancel: Cancel, remove: Remove, clock: Clock) -> None:
        """Stop work by `cancel`, which says whether the provider was told, and files by `remove`, which counts them."""
        self._store = store
        self._links = links
        self._cancel = cancel
        self._remove = remove
        self._clock = clock

    def routes(self, guard: Guard) -> list[web.RouteDef]:
        """The routes, each behind its scope."""
        return [
            web.get("/v1/content/list", guard(Scope.GENERATION_READ, self.page)),
            web.get("/v1/content/{id}", guard(Scope.GENERATION_READ, self.read)),
            web.post("/v1/content/generation/cancel/{id}", guard(Scope.GENERATION_DELETE, self.cancel)),
            web.delete("/v1/content/{id}", guard(Scope.GENERATION_DELETE, self.delete)),
        ]

    async def read(self, request: web.Request, caller: Caller) -> web.Response:
        """One generation with its attempts."""
        found = await self._store.read(ledger.find(caller.account, _id(request), attempts=True))
        if found is None:
            _not_found()
        headers = {"ETag": tag} if (tag := _tag(found)) is not None else {}
        if tag is not None and tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return success(request, "Generation retrieved", record.whole(found, self._links.on(request)), headers=headers)

    async def page(self, request: web.Request, caller: Caller) -> web.Response:
        """Some generations, newest first."""
        limit = whole(request, "limit", USUAL_PAGE, 1, LARGEST_PAGE)
        offset = whole(request, "offset", 0, 0, DEEPEST_OFFSET)
        rows, total = await self._store.read(ledger.page(caller.account, limit, offset))
        link = self._links.on(request)
        counters = {"total": total, "limit": limit, "offset": offset}
        data = {"generations": [record.record(row, link) for row in rows], **counters}
        return success(request, "Generations retrieved", data, beside=counters)

    async def cancel(self, request: web.Request, caller: Caller) -> web.Response:
        """End a generation; its credits are back when this answers, whether or not the provider listens."""
        await arrived(request)
        generation = _id(request)
        done = await self._store.write(ledger.cancel(caller.account, generation, self._clock.now_ms()))
        if isinstance(done, ledger.NotFound):
            _not_found()
        if isinstance(done, ledger.WrongState):
            now = record.STATUS[done.state]
            said = f"the generation has ended: it is {now}, and only one under way can be canceled"
            raise Refusal("generation_state_conflict", said)
        aside(request)  # the provider may take seconds
        sent = await self._cancel(generation)
        data = {
            "generation_id": generation,
            "generation_status": "canceled",
            "provider_cancel_sent": sent,
            "credits_refunded": as_number(done.credits_refunded),
        }
        return success(request, "Generation canceled", data)

    async def delete(self, request: web.Request, caller: Caller) -> web.Response:
        """Remove an ended generation and its files."""
        generation = _id(request)
        done = await self._store.write(ledger.delete(caller.account, generation, self._clock.now_ms()))
        if isinstance(done, ledger.NotFound):
            _not_found()
        if isinstance(done, ledger.StillLive):
            said = f"the generation is {record.STATUS[done.state]}; cancel it first, or wait for its end"
            raise Refusal("generation_state_conflict", said)
        data = {"generation_id": generation, "files_deleted": await self._remove_files(generation)}
        return success(request, "Generation deleted", data)

    async def _remove_files(self, generation: str) -> int:
        try:
            return await self._remove(generation)
        except StorageFault as error:
            # The record is gone and no link opens any more; what is left on the disk is for the sweep.
            log.event("files_left", level="error", generation=generation, error=error)
            return 0


def whole(request: web.Request, name: str, usual: int, least: int, most: int) -> int:
    """A whole number out of the query, `usual` when it is not there; Refusal when it is out of bounds or none."""
    sent = request.query.getall(name, [])
    if not sent:
        return usual
    if len(sent) > 1 or not _WHOLE.fullmatch(sent[0]) or not least <= int(sent[0]) <= most:
        raise Refusal("invalid_input", f"{name} must be one whole number from {least} to {most}", field=name)
    return int(sent[0])


def _tag(found: Record) -> str | None:
    """What tells how far a generation under way is, for those who wait for news; None for one that is over, whose links expire."""
    if found.state.is_final:
        return None
    tries = [(each.n, each.state.value, each.ended, each.cost, each.billing.value) for each in found.attempts]
    digest = hashlib.blake2b(repr((found.id, found.state.value, found.changed, tries)).encode(), digest_size=12)
    return f'W/"{digest.hexdigest()}"'


def _id(request: web.Request) -> str:
    found = request.match_info["id"]
    if not _ID.fullmatch(found):
        _not_found()
    return found


def _not_found() -> NoReturn:
    raise Refusal("generation_not_found", "there is no such generation in this account")
