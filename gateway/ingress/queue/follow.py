"""The calls that follow a request: its status, once or as events, its result, and its end before that."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from aiohttp import web

from gateway.generation import State
from gateway.ingress.callers import Caller
from gateway.ingress.envelope import dress
from gateway.ingress.kit import Kit
from gateway.ingress.queue import job
from gateway.ingress.queue.again import Again
from gateway.ingress.queue.job import Asked
from gateway.ingress.queue.names import Names
from gateway.ingress.reception import Taken, failed, headers
from gateway.ingress.refusal import Refusal
from gateway.ingress.sharing import arrived, aside
from gateway.ledger import generations as ledger
from gateway.ledger.records import Record

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_LOOK = 0.5  # seconds between looks at a request that is streamed, as often as the slower client asks by itself
_ALIVE = 30  # looks without news before a sign of life: proxies close what is silent for a minute
_EARLY = "Request is still in progress"  # the very words by which clients know it


class Follow:
    """Follows requests."""

    def __init__(self, kit: Kit, names: Names, again: Again) -> None:
        """Read and hand over by `kit`; `again` is told of what is asked for."""
        self._kit = kit
        self._again = again
        self._names = names

    async def status(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """How far it is."""
        return await self.told(request, caller, _id(request), request.query)

    async def stream(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """The same as events, until its end."""
        return await self.streamed(request, caller, _id(request), request.query)

    async def result(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """What came of it."""
        return await self.fetched(request, caller, _id(request))

    async def cancel(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """End it."""
        return await self.canceled(request, caller, _id(request))

    async def told(
        self, request: web.Request, caller: Caller, generation: str, query: Mapping[str, str]
    ) -> web.StreamResponse:
        """How far a request is, out of the store alone."""
        record = await self._found(caller, generation)
        asked = Asked.of(record, self._names.mount)
        lines = job.logs(record, asked.adjusted) if query.get("logs") in {"1", "true"} else None
        told = job.status(record, asked, self._kit.delivery.origin(request), lines)
        return web.json_response(told, status=200 if record.state.is_final else 202, headers=self._mark(record))

    async def streamed(
        self, request: web.Request, caller: Caller, generation: str, query: Mapping[str, str]
    ) -> web.StreamResponse:
        """Each change of a request as an event, with the lines of the log that are new."""
        record = await self._found(caller, generation)
        asked, origin = Asked.of(record, self._names.mount), self._kit.delivery.origin(request)
        kind = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers={**kind, **self._mark(record)})
        dress(request, response)
        await response.prepare(request)
        with_logs, said, before, idle = query.get("logs") in {"1", "true"}, 0, None, 0
        while True:
            lines = job.logs(record, asked.adjusted)
            state = (record.state, len(lines) if with_logs else 0)
            idle = 0 if state != before else idle + 1
            if state != before:
                told = job.status(record, asked, origin, lines[said:] if with_logs else None)
                await response.write(f"data: {json.dumps(told, separators=(',', ':'))}\n\n".encode())
                said, before = len(lines), state
            elif idle % _ALIVE == 0:
                await response.write(b": keep-alive\n\n")
            if record.state.is_final:
                break
            ended = await self._kit.reception.wait(request, Taken(generation), _LOOK)
            record = ended or await self._kit.reception.find(caller, generation)
        await response.write_eof()
        return response

    async def fetched(self, request: web.Request, caller: Caller, generation: str) -> web.StreamResponse:
        """What came of a request; Refusal for one that goes on, and for one that came to nothing."""
        record = await self._found(caller, generation)
        if not record.state.is_final:
            raise Refusal("generation_state_conflict", _EARLY)
        if record.state is not State.SUCCEEDED:
            raise failed(record)
        if record.removed is not None:
            raise Refusal("output_not_found", "the outputs of this request are not kept any more")
        asked = Asked.of(record, self._names.mount)
        made = job.output(record, self._kit.delivery.addresses(request, record), asked.adjusted)
        return web.json_response(made, headers={**headers(record), **self._mark(record)})

    async def canceled(self, request: web.Request, caller: Caller, generation: str) -> web.StreamResponse:
        """End a request; its credits are back when this answers, whether or not the provider listens."""
        await arrived(request)
        self._again.followed(generation)
        done = await self._kit.store.write(ledger.cancel(caller.account, generation, self._kit.clock.now_ms()))
        if isinstance(done, ledger.NotFound):
            said = "there is no such request in this account"
            return web.json_response({"status": "NOT_FOUND", "detail": said}, status=404)
        told = self._names.put({"request-id": generation})
        if isinstance(done, ledger.WrongState):
            said = "the request has ended, and only one under way can be canceled"
            return web.json_response({"status": "ALREADY_COMPLETED", "detail": said}, status=400, headers=told)
        aside(request)  # the provider may take seconds
        await self._kit.cancel(generation)
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202, headers=told)

    async def _found(self, caller: Caller, generation: str) -> Record:
        self._again.followed(generation)
        return await self._kit.reception.find(caller, generation)

    def _mark(self, record: Record) -> dict[str, str]:
        return self._names.put({"request-id": record.id})


def _id(request: web.Request) -> str:
    return checked(request.match_info["id"])


def checked(written: str) -> str:
    """The id of a request; Refusal for what cannot be one."""
    if not _ID.fullmatch(written):
        raise Refusal("generation_not_found", "there is no such request in this account")
    return written
