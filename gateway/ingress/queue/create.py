"""The calls that begin a request: one answers when it is in the queue, the other when it has ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.generation import State
from gateway.ingress import body as bodies
from gateway.ingress import form as forms
from gateway.ingress import tags
from gateway.ingress.callers import Caller
from gateway.ingress.dialect import digest_of
from gateway.ingress.envelope import dress
from gateway.ingress.kit import Kit
from gateway.ingress.queue import job, wishes
from gateway.ingress.queue.again import Again
from gateway.ingress.queue.files import Files
from gateway.ingress.queue.job import Asked
from gateway.ingress.queue.names import Names
from gateway.ingress.reception import LONGEST_WAIT, Taken, failed, headers, unfinished
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked as Weighable
from gateway.ledger.records import Record

_STREAM = "/stream"  # what clients add to a model that they want to hear of while it runs
_EVENTS = "text/event-stream"
_ALIVE = 15.0  # seconds between signs of life on a stream: proxies close what is silent for a minute


@dataclass(frozen=True, slots=True)
class _Begun:
    taken: Taken
    asked: Asked


class Create:
    """Begins requests."""

    def __init__(self, kit: Kit, names: Names, again: Again, files: Files) -> None:
        """Take in and hand over by `kit`; `again` knows what was answered lately, `files` what was sent before."""
        self._files = files
        self._kit = kit
        self._again = again
        self._reception = kit.reception
        self._names = names

    async def submit(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Put a request for the model of the path into the queue."""
        return await self.queued(request, caller, _app(request), self._base(request), request.query)

    async def run(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Answer a request for the model of the path when it has ended."""
        return await self.waited(request, caller, _app(request))

    async def either(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Where the path does not say which of both is meant, clients that queue are known by what they send."""
        priority = self._names.header("queue-priority")
        if (
            self._is_theirs(request)
            or (priority is not None and priority in request.headers)
            or self._hook(request.query) is not None
        ):
            return await self.submit(request, caller)
        return await self.run(request, caller)

    async def queued(
        self, request: web.Request, caller: Caller, app: str, base: str, query: Mapping[str, str]
    ) -> web.StreamResponse:
        """Put a request into the queue, to be followed under `base`."""
        begun = await self._begin(request, caller, app, base, self._hook(query), queued=True)
        generation = begun.taken.generation
        told = {"X-Tidegate-Generation-Id": generation, **self._names.put({"request-id": generation})}
        if begun.taken.coalesced:
            told["X-Tidegate-Coalesced"] = "true"
        return web.json_response(
            job.submitted(begun.asked, generation, self._kit.delivery.origin(request)), headers=told
        )

    async def waited(self, request: web.Request, caller: Caller, app: str) -> web.StreamResponse:
        """Answer when a request has ended; as one event where the client wants events."""
        spellings = self._reception.spellings
        as_events = app.endswith(_STREAM) and spellings.find(app) is None
        begun = await self._begin(request, caller, app.removesuffix(_STREAM) if as_events else app, self._names.mount)
        if as_events:
            return await self._events(request, begun)
        record = await self._end(request, begun)
        return web.json_response(self._output(request, record, begun), headers=self._headers(record, begun.taken))

    async def _begin(
        self,
        request: web.Request,
        caller: Caller,
        app: str,
        base: str,
        hook: str | None = None,
        *,
        queued: bool = False,
    ) -> _Begun:
        spellings, receivers = self._reception.spellings, self._kit.hooks.receivers
        named = wishes.named(spellings, app, self._names.speaks)
        sent = await bodies.read(request, within=forms.SLOWEST_FORM, most=forms.LARGEST_FORM)
        sent = await self._files.into(request, caller, sent)
        wish = wishes.read(sent, named, spellings, wishes.unheeded(request.headers, self._names))
        told = wishes.callback(hook, receivers.policy, receivers.own, self._names)
        asked, marks, heard = Asked(app, base, wish.adjusted), tags.of(request), wish.heard
        weighable = Weighable(
            heard.kind,
            heard.model,
            heard.fields,
            wish.order,
            heard.spell,
            caller.keys,
            marks,
            door=asked.kept(),
            callback=told,
        )
        digest = digest_of("queue", heard.model, heard.fields, wish.order, marks, hook)
        name = f"{caller.family or caller.key_id} {digest}"
        again = queued and self._is_theirs(request) and self._again.is_one(name, self._kit.clock.monotonic())
        taken = await self._reception.take(request, caller, weighable, digest, again=again)
        if queued:
            self._again.answered(name, taken.generation, self._kit.clock.monotonic())
        return _Begun(taken, asked)

    async def _end(self, request: web.Request, begun: _Begun, seconds: float = LONGEST_WAIT) -> Record:
        record = await self._reception.wait(request, begun.taken, seconds)
        if record is None:
            raise unfinished(begun.taken)
        if record.state is not State.SUCCEEDED:
            raise failed(record)
        return record

    async def _events(self, request: web.Request, begun: _Begun) -> web.StreamResponse:
        generation = begun.taken.generation
        told = {"Content-Type": _EVENTS, "X-Accel-Buffering": "no", **self._names.put({"request-id": generation})}
        response = web.StreamResponse(headers=told)
        dress(request, response)
        await response.prepare(request)
        record = None
        while record is None:
            record = await self._reception.wait(request, begun.taken, _ALIVE)
            if record is None:
                await response.write(b": keep-alive\n\n")
        if record.state is State.SUCCEEDED:
            said: Mapping[str, Any] = self._output(request, record, begun)
        else:
            refusal = failed(record)
            said = {"error": refusal.message, "error_type": refusal.code.type, "detail": refusal.message}
        await response.write(f"data: {json.dumps(said, separators=(',', ':'))}\n\n".encode())
        await response.write_eof()
        return response

    def _output(self, request: web.Request, record: Record, begun: _Begun) -> dict[str, Any]:
        found = job.output(record, self._kit.delivery.addresses(request, record), begun.asked.adjusted)
        return {**found, "request_id": record.id}

    def _headers(self, record: Record, taken: Taken) -> dict[str, str]:
        return {**headers(record, taken), **self._names.put({"request-id": record.id})}

    def _is_theirs(self, request: web.Request) -> bool:
        """Whether one of the clients sent it that this door is for."""
        return self._names.agent is not None and self._names.agent in request.headers.get("User-Agent", "")

    def _hook(self, query: Mapping[str, str]) -> str | None:
        return query.get(self._names.webhook) if self._names.webhook is not None else None

    def _base(self, request: web.Request) -> str:
        """The prefix a request came by, which its addresses get too."""
        return self._names.mount if request.path.startswith(f"{self._names.mount}/") else ""


def _app(request: web.Request) -> str:
    app = next(iter(request.match_info.values())).strip("/")
    if not app:
        raise Refusal("model_not_found", "name the model in the path, such as /owner/model")
    return app
