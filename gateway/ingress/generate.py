"""/v1/generate: the native create. It answers when the generation is committed, or waits for its end if asked to."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from gateway.generation import Kind, State
from gateway.ingress import body, fields, tags
from gateway.ingress.callers import Caller, Guard, Scope
from gateway.ingress.envelope import refused, success
from gateway.ingress.intake import Answer, Intake, Key, idempotency_key
from gateway.ingress.record import failure
from gateway.ingress.refusal import Refusal
from gateway.ingress.sharing import Waits, aside
from gateway.ingress.weigh import Asked
from gateway.ledger import generations as ledger
from gateway.ledger.database import Database
from gateway.ledger.program import StoreError
from gateway.ledger.records import Record
from gateway.routing.plan import Plan

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)+", re.ASCII)
_LONGEST_MODEL = 200  # characters
_WAIT = re.compile(r"wait=([0-9]{1,6})", re.ASCII)
LONGEST_WAIT = 60  # seconds

Wait = Callable[[str, float], Awaitable[object]]


class Generate:
    """Takes generations in."""

    def __init__(self, intake: Intake, store: Database, wait: Wait) -> None:
        """Take in through `intake`; `wait` returns when a generation has ended, or after so many seconds."""
        self._intake = intake
        self._store = store
        self._wait = wait
        self._waits = Waits()
        self._accepting: set[asyncio.Task[Answer]] = set()

    def routes(self, guard: Guard) -> list[web.RouteDef]:
        """The routes, each behind its scope."""
        return [
            web.post("/v1/generate/image/{model:.+}", guard(Scope.GENERATION_WRITE, self.image)),
            web.post("/v1/generate/video/{model:.+}", guard(Scope.GENERATION_WRITE, self.video)),
        ]

    async def image(self, request: web.Request, caller: Caller) -> web.Response:
        """Create on the path of images."""
        return await self._create(request, caller, Kind.IMAGE)

    async def video(self, request: web.Request, caller: Caller) -> web.Response:
        """Create on the path of videos."""
        return await self._create(request, caller, Kind.VIDEO)

    async def _create(self, request: web.Request, caller: Caller, kind: Kind) -> web.Response:
        model = model_of(request)
        key = idempotency_key(_only(request, "Idempotency-Key"))
        wait = _wanted_wait(request)
        sent = await body.read(request)
        said, order = fields.read(sent)
        asked = Asked(kind, model, said, order, fields.spell, caller.keys, tags.of(request))
        answer = await self._accept(caller.account, asked, Key(key, _fingerprint(kind, model, sent)) if key else None)
        headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
        state = State.CANCELED if answer.canceled else None
        if wait and not answer.canceled and (over := self._waits.begin(caller.family or caller.key_id)):
            headers["Preference-Applied"] = f"wait={wait}"
            aside(request)
            try:
                await self._wait(answer.generation, wait)
            finally:
                over()
            found = await self._found(caller.account, answer.generation)
            if found is not None and found.state is State.FAILED:
                return refused(request, failure(found), headers=headers)
            state = found.state if found is not None else None
        data = _canceled(answer) if state is State.CANCELED else answer.body
        return success(request, "Generation initialized", data, headers=headers)

    async def _accept(self, account: str, asked: Asked, key: Key | None) -> Answer:
        """Accept in a task of its own: a caller who hangs up between the commit and the begin of the work changes nothing."""
        name = self._intake.world.name(asked.model)

        def respond(generation: str, plan: Plan) -> Mapping[str, Any]:
            return {
                "model_identifier": name,
                "generation_provider_order": [step.provider for step in plan.steps],
                # The provider's own is not known yet, and clients rely on a text being there.
                "generation_prediction_id": generation,
                "generation_id": generation,
                "generation_initialized": True,
            }

        task = asyncio.ensure_future(self._intake.accept(account, asked, key, respond))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)
        return await asyncio.shield(task)

    async def _found(self, account: str, generation: str) -> Record | None:
        try:
            return await self._store.read(ledger.find(account, generation))
        except StoreError:
            # It is accepted, whatever becomes of this look: an error would make the client ask for a second one.
            return None


def model_of(request: web.Request) -> str:
    """The model a path names, in its plain spelling; Refusal for what cannot be one."""
    model = request.match_info["model"].rstrip("/")
    if len(model) > _LONGEST_MODEL or not _MODEL.fullmatch(model) or "%" in request.rel_url.raw_path:
        raise Refusal("model_not_found", "a model is named by its lab and its name, such as lab/model-1.0")
    return model


def _fingerprint(kind: Kind, model: str, sent: Mapping[str, Any]) -> str:
    """What must be equal for two requests to be the same: everything asked, in one spelling."""
    canonical = json.dumps(["POST", kind.value, model, sent], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _only(request: web.Request, name: str) -> str | None:
    sent = request.headers.getall(name, [])
    if len(sent) > 1:
        raise Refusal("invalid_idempotency_key", f"send {name} once")
    return sent[0] if sent else None


def _wanted_wait(request: web.Request) -> int:
    """The seconds a client prefers to wait; a preference that cannot be read is none, as RFC 7240 has it."""
    preferences = (part.strip() for sent in request.headers.getall("Prefer", []) for part in sent.split(","))
    found = next((match for part in preferences if (match := _WAIT.fullmatch(part))), None)
    return min(int(found[1]), LONGEST_WAIT) if found else 0


def _canceled(answer: Answer) -> Mapping[str, Any]:
    return {"generation_id": answer.generation, "generation_status": "canceled"}
