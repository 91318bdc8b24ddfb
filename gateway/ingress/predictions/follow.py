"""The calls that read, list and stop predictions."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.ingress.callers import Caller
from gateway.ingress.kit import Kit
from gateway.ingress.predictions.answer import Answer
from gateway.ingress.refusal import Refusal
from gateway.ingress.sharing import arrived, aside
from gateway.ledger import generations as ledger
from gateway.ledger.records import Record

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_CURSOR = re.compile(r"[0-9]{1,8}", re.ASCII)
_PAGE = 100  # predictions, as that API has it


class Follow:
    """Answers for an account's predictions, by whichever door they came."""

    def __init__(self, kit: Kit, answer: Answer) -> None:
        """Look up and stop by `kit`."""
        self._kit = kit
        self._answer = answer

    async def one(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """One prediction."""
        return await self._answer.one(request, await self._kit.reception.find(caller, _id(request)))

    async def page(self, request: web.Request, caller: Caller) -> web.Response:
        """Some predictions, newest first, with where to go on."""
        cursor = request.query.get("cursor", "0")
        if not _CURSOR.fullmatch(cursor):
            raise Refusal("invalid_input", "cursor must be one that a list has given", field="cursor")
        after, before = _moment(request, "created_after"), _moment(request, "created_before")
        rows, following = await self._rows(caller.account, int(cursor), after, before)
        here = f"{self._kit.delivery.origin(request)}{request.path}"
        kept = "".join(
            f"&{name}={request.query[name]}" for name in ("created_after", "created_before") if name in request.query
        )
        previous = max(0, int(cursor) - _PAGE)
        return web.json_response(
            {
                "previous": f"{here}?cursor={previous}{kept}" if int(cursor) else None,
                "next": f"{here}?cursor={following}{kept}" if following is not None else None,
                "results": self._answer.many(request, rows),
            }
        )

    async def cancel(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Stop a prediction; one that has ended is given as it is."""
        await arrived(request)
        generation = _id(request)
        done = await self._kit.store.write(ledger.cancel(caller.account, generation, self._kit.clock.now_ms()))
        if isinstance(done, ledger.Canceled):
            aside(request)  # the provider may take seconds
            await self._kit.cancel(generation)
        return await self._answer.one(request, await self._kit.reception.find(caller, generation))

    async def _rows(
        self, account: str, offset: int, after: int | None, before: int | None
    ) -> tuple[list[Record], int | None]:
        """Records from an offset on, made between two times, and the offset at which the next page begins."""
        rows, _ = await self._kit.store.read(ledger.page(account, _PAGE + 1, offset, before))
        found = [row for row in rows[:_PAGE] if after is None or row.created >= after]
        return found, offset + _PAGE if len(rows) > _PAGE == len(found) else None


def _id(request: web.Request) -> str:
    found = request.match_info["id"]
    if not _ID.fullmatch(found):
        raise Refusal("generation_not_found", "there is no such prediction in this account")
    return found


def _moment(request: web.Request, name: str) -> int | None:
    """A time out of the query in milliseconds."""
    written: Any = request.query.get(name)
    if written is None:
        return None
    try:
        # A plus sign that was not escaped came as a space.
        moment = datetime.fromisoformat(written.replace(" ", "+"))
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise Refusal("invalid_input", f"{name} must be a time such as 2026-11-22T08:00:00Z", field=name) from error
