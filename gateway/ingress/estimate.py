"""/v1/estimate: what a request would cost at most. Nothing is held and nobody is asked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from gateway import log
from gateway.generation import Kind, Type, Value
from gateway.ingress import tags
from gateway.ingress.callers import Caller, Guard, Scope
from gateway.ingress.envelope import success
from gateway.ingress.fields import spell
from gateway.ingress.generate import model_of
from gateway.ingress.intake import Intake
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked, unserved, weigh
from gateway.ledger.credits import show as balance_of
from gateway.ledger.database import Database
from gateway.ledger.program import StoreError
from gateway.money import as_number
from gateway.routing.menu import Dish, Menu

MOST = 100  # generations one estimate is for; more are estimated as this many
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_QUERY = ("count", "duration", "resolution", "audio")
_SOME_PICTURE = "https://example.com/picture.png"  # stands in where a model makes nothing without a picture


@dataclass(frozen=True, slots=True)
class _Question:
    """What an estimate is asked for, beside the model; `values` by our names."""

    count: int
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class _Sender:
    """Who asks and how the request is marked: what a route may look at beside the model."""

    account: str
    keys: tuple[str, ...]
    tags: tuple[str, ...]


class Estimate:
    """Answers what a request would cost."""

    def __init__(self, intake: Intake, store: Database, *, enforce: bool) -> None:
        """Weigh as `intake` does; `enforce` says whether a balance is needed."""
        self._intake = intake
        self._store = store
        self._enforce = enforce

    def routes(self, guard: Guard) -> list[web.RouteDef]:
        """The route, behind its scope."""
        return [web.get("/v1/estimate/{model:.+}", guard(Scope.LIBRARY_READ, self.read))]

    async def read(self, request: web.Request, caller: Caller) -> web.Response:
        """The price of one generation and of all, and whether the account can bear it."""
        card = self._intake.menu(model_of(request))
        question = _question(request, card)
        sender = _Sender(caller.account, caller.keys, tags.of(request))
        one = self._price(sender, card, question.values)
        total = self._total(sender, card, question, one)
        data = {
            "model_identifier": card.model,
            "model_type": card.kind.value,
            "assets_count": question.count,
            **_rate(card, question, one),
            "cost_per_generation": as_number(one),
            "cost_total_consumed": as_number(total),
            **await self._means(caller.account, one, total),
        }
        return success(request, "Estimate calculated", data)

    def _price(self, sender: _Sender, card: Menu, values: Mapping[str, Value]) -> int:
        """What a create with these values holds, in millionths: the highest price among those who may serve.

        A provider that rests for a moment counts, so that the figure does not jump; where none is set up, all count.
        """
        missing = {name: _some(dish) for name, dish in card.fields.items() if dish.needed and name not in values}
        raw = {
            name: list(value) if isinstance(value, tuple) else value for name, value in {**missing, **values}.items()
        }
        said = {"prompt": "a prompt", **raw}
        asked = Asked(card.kind, card.model, said, None, _in_query, sender.keys, sender.tags)
        world = self._intake.world
        weighed = weigh(world, sender.account, asked, {})
        if not weighed.plan.steps:
            weighed = weigh(replace(world, standing={}), sender.account, asked, {})
        if not weighed.plan.steps:
            raise unserved(weighed.plan, asked, 0)
        return weighed.plan.hold

    def _total(self, sender: _Sender, card: Menu, question: _Question, one: int) -> int:
        """What all cost: as one request where the model takes so many at once, else as that many requests."""
        takes = "count" in card.fields and card.refusal("count", question.count) is None
        if question.count == 1 or not takes:
            return one * question.count
        return self._price(sender, card, {**question.values, "count": question.count})

    async def _means(self, account: str, one: int, total: int) -> dict[str, Any]:
        names = ("credit_balance", "credit_balance_can_afford", "credit_balance_max_affordable")
        try:
            available = (await self._store.read(balance_of(account))).available
        except StoreError as error:
            log.event("balance_unknown", level="warning", error=error)
            return dict.fromkeys(names)
        affordable = max(available, 0) // one if self._enforce else None
        return dict(
            zip(names, (as_number(available), not self._enforce or available >= total, affordable), strict=True)
        )


def _question(request: web.Request, card: Menu) -> _Question:
    """Read the query; Refusal for words it does not have and for what a model cannot be estimated without."""
    unknown = [name for name in request.query if name not in _QUERY]
    if unknown:
        raise Refusal("invalid_input", f"an estimate takes {', '.join(_QUERY)}; not {unknown[0][:60]!r}")
    values: dict[str, Value] = {}
    if (resolution := _one(request, "resolution")) is not None:
        values["resolution"] = resolution
    if (duration := _one(request, "duration")) is not None:
        if not _NUMBER.fullmatch(duration):
            raise Refusal("invalid_input", "duration must be a number of seconds", field="duration")
        values["duration"] = float(duration)
    elif card.kind is Kind.VIDEO:
        raise Refusal("invalid_input", "duration is missing: a video is priced by its seconds", field="duration")
    if (audio := _one(request, "audio")) is not None:
        if audio not in {"true", "false"}:
            raise Refusal("invalid_input", "audio must be true or false", field="audio")
        values["audio"] = audio == "true"
    return _Question(_count(request), values)


def _count(request: web.Request) -> int:
    count = _one(request, "count")
    if count is None:
        return 1
    if not _WHOLE.fullmatch(count):
        raise Refusal("invalid_input", "count must be a whole number", field="count")
    return min(max(int(count), 1), MOST)


def _one(request: web.Request, name: str) -> str | None:
    sent = request.query.getall(name, [])
    if len(sent) > 1:
        raise Refusal("invalid_input", f"send {name} once", field=name)
    return sent[0] if sent else None


def _rate(card: Menu, question: _Question, one: int) -> dict[str, Any]:
    """What a video costs by the second, and at which resolution where that sets the price."""
    said: dict[str, Any] = {}
    duration = question.values.get("duration")
    if isinstance(duration, int | float) and duration > 0:
        said["cost_per_second"] = as_number(math.ceil(one / duration))
        said["duration_seconds"] = int(duration) if float(duration).is_integer() else duration
    if any("resolution" in price.by for price in card.prices()):
        said["resolution"] = question.values.get("resolution", card.defaults.get("resolution"))
    return said


def _some(dish: Dish) -> Value:
    """A value that any provider of the model takes, for a field an estimate does not ask about."""
    if dish.values is not None:
        return dish.values[0]
    match dish.type:
        case Type.URL:
            return _SOME_PICTURE
        case Type.URLS:
            return (_SOME_PICTURE,)
        case Type.TEXT:
            return "a text"
        case Type.BOOLEAN:
            return False
        case Type.INTEGER | Type.NUMBER:
            return dish.limits.min if dish.limits is not None and dish.limits.min is not None else 1


def _in_query(name: str) -> str:
    return name if name in _QUERY else spell(name)
