"""The calls that begin a prediction."""

from __future__ import annotations

from aiohttp import web

from gateway.ingress import body as bodies
from gateway.ingress import tags
from gateway.ingress.callers import Caller
from gateway.ingress.dialect import Name, digest_of
from gateway.ingress.form import LARGEST_FORM, SLOWEST_FORM
from gateway.ingress.kit import Kit
from gateway.ingress.predictions import wishes as reading
from gateway.ingress.predictions.answer import Answer
from gateway.ingress.predictions.prediction import kept
from gateway.ingress.weigh import Asked
from gateway.providers.reverse import Named

_NOT_BEGUN = "starting"  # the clients take any other word for an end, when they asked to wait for it


class Create:
    """Answers for new predictions."""

    def __init__(self, kit: Kit, answer: Answer, speaks: str | None) -> None:
        """Take in by `kit`; `speaks` is the provider in whose spelling the clients ask."""
        self._kit = kit
        self._reception = kit.reception
        self._answer = answer
        self._speaks = speaks

    async def by_version(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Begin a prediction of the model or version that the body names."""
        body = await _read(request)
        version = reading.version_of(body)
        named = reading.named(self._reception.spellings, version, self._speaks, "version")
        return await self._begin(request, caller, body, named)

    async def by_model(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Begin a prediction of the model that the path names."""
        body = await _read(request)
        return await self._begin(request, caller, body, self._named(request))

    async def by_deployment(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Begin a prediction of a deployment, which here is the model of that name."""
        body = await _read(request)
        named = self._named(request)
        return await self._begin(request, caller, body, named, deployment=named.name)

    def _named(self, request: web.Request) -> Named:
        name = f"{request.match_info['owner']}/{request.match_info['name']}"
        return reading.named(self._reception.spellings, name, self._speaks)

    async def _begin(
        self, request: web.Request, caller: Caller, body: dict[str, object], named: Named, deployment: str | None = None
    ) -> web.StreamResponse:
        receivers = self._kit.hooks.receivers
        wishes = reading.read(body, named, self._reception.spellings)
        callback = reading.callback(body, Name.PREDICTIONS, receivers.policy, receivers.own)
        within = reading.span(request.headers.get("Cancel-After"))
        heard, marks = wishes.heard, tags.of(request)
        answers = self._reception.spellings.answers(named)
        asked = Asked(
            heard.kind,
            heard.model,
            heard.fields,
            wishes.order,
            heard.spell,
            caller.keys,
            marks,
            door=kept(wishes, _base(request), answers, within, deployment),
            callback=callback,
            within=within,
        )
        url = callback.url if callback is not None else None
        digest = digest_of("predictions", heard.model, dict(heard.fields), wishes.order, marks, url, within)
        taken = await self._reception.take(request, caller, asked, digest)
        wait = reading.wait(request.headers.getall("Prefer", []))
        record = await self._reception.wait(request, taken, wait) if wait else None
        more = {"Preference-Applied": f"wait={wait}"} if wait else {}
        if record is None:
            record = await self._reception.find(caller, taken.generation)
        said = None if record.state.is_final else _NOT_BEGUN
        return await self._answer.one(request, record, status=201, said=said, taken=taken, more=more)


async def _read(request: web.Request) -> dict[str, object]:
    """The body; as large as files may be that come in it."""
    return await bodies.read(request, within=SLOWEST_FORM, most=LARGEST_FORM)


def _base(request: web.Request) -> str:
    """The path under which the client knows this door: what stands before the door's own words."""
    parts = request.path.split("/")
    ends = [index for index, part in enumerate(parts) if part in {"predictions", "models", "deployments"}]
    return "/".join(parts[: ends[0]])
