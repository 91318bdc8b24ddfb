"""Where the vendors act: reads a call, asks the script whether it goes wrong, lets the vendor answer, sends.

The vendors' functions only decide. Keeping a line open, breaking it, drawing a file and writing
down what was seen happen here.
"""

from __future__ import annotations

import asyncio
import json
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from gateway.simulators import forms, media
from gateway.simulators.chaos import Call, Chaos, Do, Rule
from gateway.simulators.jobs import Job, Jobs, baffle
from gateway.simulators.log import Log, Seen, struck
from gateway.simulators.mischief import drop, send
from gateway.simulators.vendor import Ask, Endpoint, Held, Reply, Vendor

# Of the faults a rule can bring on a call, those that are about the answer and not about the job.
_ON_THE_WIRE = frozenset({Do.HTML, Do.EMPTY, Do.WRONG_SHAPE, Do.TRUNCATED, Do.TRICKLE})


class Stage:
    """The vendors, what they have begun and seen, and the script they go wrong by."""

    def __init__(self, vendors: Sequence[Vendor], jobs: Jobs, chaos: Chaos, clock: Callable[[], int]) -> None:
        """Take the vendors to play and a clock in ms; jobs, log and script may be replaced while it runs."""
        self.jobs = jobs
        self.log = Log()
        self.chaos = chaos
        self.clock = clock
        self._vendors = vendors
        self._heads = {head: vendor for vendor in vendors for head in vendor.heads}

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Answer a call to a vendor."""
        vendor = self._heads.get(request.path.split("/")[1])
        if vendor is None:
            known = ", ".join(f"/{head}" for head in self._heads)
            return web.json_response({"error": f"nothing is played here; paths begin with {known}"}, status=404)
        endpoint, params, is_path = vendor.find(request.method, request.path)
        call = Call.OTHER if endpoint is None else endpoint.call
        ask = await self._ask(request, params)
        job = self.jobs.find(vendor.name, params.get("id") or request.query.get("id", ""))
        model, prompt = vendor.subject(ask) if job is None else (job.model, job.prompt)
        rule = self.chaos.pick(vendor.name, call, model, prompt)
        seen = self._enter(request, ask, vendor, call, rule)
        seen.job = None if job is None else job.id
        if rule is not None and rule.do is Do.DROP_BEFORE:
            return drop(request)
        if rule is not None and job is not None:
            _befall(job, rule, call, ask.now)
        ask = replace(ask, rule=rule)
        reply = await self._reply(ask, vendor, endpoint, seen, is_path=is_path)
        if reply is None:
            return drop(request)
        seen.status = reply.status
        return await send(request, reply, rule.do if rule is not None and rule.do in _ON_THE_WIRE else None)

    async def _ask(self, request: web.Request, params: Mapping[str, str]) -> Ask:
        raw = await request.read()
        kind = request.headers.get("Content-Type", "")
        body, parts, malformed = None, None, False
        try:
            if kind.lower().startswith("multipart/form-data"):
                parts = forms.read(raw, kind)
            elif raw:
                body = _parsed(raw)
        except (ValueError, RecursionError):
            malformed = True
        return Ask(
            method=request.method,
            path=request.path,
            query=tuple(request.query.items()),
            headers={name.lower(): value for name, value in request.headers.items()},
            now=self.clock(),
            # As the caller addressed us: links in answers then lead through the same proxy or name.
            origin=f"{request.scheme}://{request.host}",
            trace=uuid.uuid4().hex,
            body=body,
            malformed=malformed,
            parts=parts,
            params=params,
        )

    def _enter(self, request: web.Request, ask: Ask, vendor: Vendor, call: Call, rule: Rule | None) -> Seen:
        return self.log.enter(
            Seen(
                n=0,
                at=ask.now,
                provider=vendor.name,
                call=call.value,
                method=ask.method,
                path=request.path_qs,
                headers=struck(dict(request.headers)),
                body=ask.sent,
                fault=None if rule is None else rule.do.value,
            )
        )

    async def _reply(
        self, ask: Ask, vendor: Vendor, endpoint: Endpoint | None, seen: Seen, *, is_path: bool
    ) -> Reply | None:
        """Return what the vendor says, or nothing when the line breaks after the vendor has acted."""
        rule = ask.rule
        if rule is not None and rule.do is Do.STATUS:
            return _scripted(ask, vendor, rule)
        if not vendor.is_authorized(ask):
            answer: Reply | Held = vendor.word(ask, 401, None)
        elif endpoint is None:
            answer = vendor.word(ask, 405 if is_path else 404, None)
        else:
            answer = endpoint.answer(ask, self.jobs)
        if answer.job is not None:
            seen.job = answer.job.id
        if rule is not None and rule.do is Do.DROP_AFTER:
            return None
        if rule is not None and rule.do is Do.DELAY:
            # The vendor has acted and is slow to say so: a caller who gives up has a job all the same.
            await self._until(ask.now + (rule.seconds or 0) * 1000)
        if isinstance(answer, Held):
            await self._until(answer.until)
            answer = answer.answer(max(self.clock(), math.ceil(answer.until)))
        return _stamped(ask, vendor, answer)

    async def _until(self, moment: float) -> None:
        """Wait for a moment (ms) by the stage's clock, for ever if it never comes."""
        if moment == math.inf:
            await asyncio.get_running_loop().create_future()
        while True:
            left = moment - self.clock()
            if left <= 0:
                return
            await asyncio.sleep(left / 1000)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Send a file some job made."""
        vendor = next((vendor for vendor in self._vendors if vendor.name == request.match_info["vendor"]), None)
        found = vendor and self.jobs.file(vendor.name, request.match_info["name"])
        if vendor is None or not found or request.method not in ("GET", "HEAD"):
            return web.Response(status=404, text="no such file")
        job, output = found
        ask = await self._ask(request, {})
        rule = self.chaos.pick(vendor.name, Call.OUTPUT, job.model, job.prompt)
        do = job.output_fault if rule is None else rule.do
        seen = self._enter(request, ask, vendor, Call.OUTPUT, rule)
        seen.job, seen.fault = job.id, None if do is None else do.value
        if do is Do.DROP_BEFORE:
            return drop(request)
        if rule is not None and do is Do.DELAY:
            await self._until(ask.now + (rule.seconds or 0) * 1000)
        if rule is not None and do is Do.STATUS:
            reply = _scripted(ask, vendor, rule)
        elif do is Do.OUTPUT_404 or not _is_there(job, self.clock()):
            reply = Reply(404, b"no such file", {"Content-Type": "text/plain"})
        else:
            data = await asyncio.to_thread(media.draw, output, job.prompt)
            reply = Reply(200, data, {"Content-Type": media.TYPES[output.form]})
        if do is Do.DROP_AFTER:
            return drop(request)
        seen.status = reply.status
        return await send(request, reply, do)


def _parsed(raw: bytes) -> Any:
    """Return a body's JSON; `ValueError` for what only lax readers take: numbers that are none, half characters."""
    body = json.loads(raw, parse_constant=_refuse_constant)
    if b"\\u" in raw:
        json.dumps(body, ensure_ascii=False).encode()
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _befall(job: Job, rule: Rule, call: Call, now: int) -> None:
    """Let a fault that a later call brings change the job itself."""
    if rule.do is Do.UNKNOWN_STATUS and call is Call.STATUS and not job.state(now).is_final:
        baffle(job, rule, now)
    if rule.do is Do.CANCEL_IGNORED and call is Call.CANCEL:
        job.cancel_ignored = True


def _scripted(ask: Ask, vendor: Vendor, rule: Rule) -> Reply:
    assert rule.status is not None, "a script without it is refused"
    reply = _stamped(ask, vendor, vendor.word(ask, rule.status, rule.code))
    if rule.body is not None:
        body = rule.body.encode() if isinstance(rule.body, str) else rule.body
        reply = Reply(rule.status, body, vendor.stamp(ask))
    if rule.retry_after is not None:
        reply = replace(reply, headers={**reply.headers, "Retry-After": f"{rule.retry_after:g}"})
    return reply


def _stamped(ask: Ask, vendor: Vendor, reply: Reply) -> Reply:
    """Add the headers a vendor puts on all its answers; pages from its edge have none of them."""
    if reply.headers.get("Content-Type") == "text/html":
        return reply
    return replace(reply, headers={**vendor.stamp(ask), **reply.headers})


def _is_there(job: Job, now: int) -> bool:
    return job.state(now).is_final and job.canceled is None and now - job.finished(now) <= job.files_kept
