"""A request is held against what its model offers and against the policy: what is wrong with it, or the plan that serves it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway import egress
from gateway.documents import nearest
from gateway.generation import Kind, Type, Value, mistake, settle
from gateway.ingress.refusal import Refusal
from gateway.ledger.callbacks import Callback
from gateway.offer import is_inline
from gateway.providers.reverse import Spellings
from gateway.routing.menu import Menu
from gateway.routing.plan import Exclusion, Plan, Standing, Why, plan
from gateway.routing.policy import Policy, Request, Rules, Strategy, heeding, rules

LONGEST_TEXT = 10_000  # characters of any text but the prompt
LONGEST_PROMPT = 5_000  # characters, as the native API promises
LONGEST_ORDER = 200  # characters of an order of providers
_INLINE = re.compile(r"data:(image|video)/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=]", re.ASCII)
_OWN_WORDS = Spellings({}, {})
_MOST = 1024  # plans remembered
_KEPT = 64  # characters of a value that one is remembered by
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_UNLIKELY = 4  # seconds a caller is asked to wait when every provider rests and none says for how long


@dataclass(frozen=True, slots=True)
class World:
    """All that planning looks at beside the request; replaced whole when the configuration is loaded anew."""

    menus: Mapping[str, Menu]
    name: Callable[[str], str]
    policy: Policy
    standing: Mapping[str, Standing]  # providers that cannot be asked whatever the request
    egress: egress.Policy
    spellings: Spellings = _OWN_WORDS  # every name of the models anywhere, and how bodies of other APIs read


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a dialect read it: our field names, JSON values, and how to spell a field back to the caller.

    `keys` are the names the caller's API key goes by, `tags` what the request was marked with, both for routes that name one.
    `door` is JSON that a dialect keeps with the plan to tell of the generation later, `callback` who is told how it ends.
    `within` is how many milliseconds the caller gives it, where that is less than the policy does.
    """

    kind: Kind
    model: str
    fields: Mapping[str, Any]
    order: str | None
    spell: Callable[[str], str]
    keys: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    door: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    callback: Callback | None = None
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A request that was found in order: its values, the rules that hold for it, and the plan."""

    kind: Kind
    menu: Menu
    fields: Mapping[str, Value]
    order: tuple[str, ...]
    rules: Rules
    plan: Plan


def card_of(world: World, model: str) -> Menu:
    """What a model offers; Refusal when nobody serves it."""
    card = world.menus.get(world.name(model))
    if card is None:
        near = nearest(model, world.menus)
        hint = f"; did you mean {near!r}?" if near else ""
        raise Refusal("model_not_found", f"no provider here serves the model {model!r}{hint}")
    return card


def weigh(
    world: World,
    account: str,
    asked: Asked,
    resting: Mapping[str, Standing],
    *,
    ranking: tuple[str, ...] = (),
    chance: float = 0.0,
    before: Before | None = None,
) -> Weighed:
    """Check a request and plan it; the plan may be without steps. Refusal with everything that is wrong with the request.

    `resting` are the providers of the model that cannot be asked just now, `ranking` its providers with the fastest first;
    `chance`, from 0 up to but not including 1, draws the first where a route has weights. What was decided `before` for another
    such request is not decided anew.
    """
    card = card_of(world, asked.model)
    _check_kind(card, asked)
    fields = _check_fields(card, asked, world.egress)
    key = before.key(card, account, asked, ranking, fields) if before is not None and not resting else None
    if key is not None and before is not None and (found := before.made.get(key)) is not None:
        return Weighed(found.kind, card, fields, found.order, found.rules, found.plan)
    weighed = _weigh(world, account, asked, {**resting, **world.standing}, card, fields, ranking=ranking, chance=chance)
    if key is not None and before is not None and weighed.rules.strategy is not Strategy.WEIGHTED:
        before.keep(key, weighed)
    return weighed


class Before:
    """Plans that were made in one world, by all that they depend on. Of a prompt that is its length alone."""

    def __init__(self) -> None:
        """Begin without any."""
        self.made: dict[Hashable, Weighed] = {}
        self._lengths: dict[str, list[int]] = {}  # by model, the lengths that a prompt may not exceed somewhere

    def key(
        self, card: Menu, account: str, asked: Asked, ranking: tuple[str, ...], fields: Mapping[str, Value]
    ) -> Hashable | None:
        """What a plan depends on; None where a value is too long to be kept for that."""
        shape: list[Value | None] = [card.model, account, asked.order, asked.keys, asked.tags, ranking]
        for name, value in fields.items():
            if name == "prompt" and isinstance(value, str):
                shape += (name, value != "" and bisect_left(self._bounds(card), len(value)))
            elif not isinstance(value, str) or len(value) <= _KEPT:
                shape += (name, value)
            else:
                return None
        return tuple(shape)

    def keep(self, key: Hashable, weighed: Weighed) -> None:
        """Remember a plan."""
        if len(self.made) >= _MOST:
            self.made.clear()
        self.made[key] = weighed

    def _bounds(self, card: Menu) -> list[int]:
        found = self._lengths.get(card.model)
        if found is None:
            limits = (form.takes.get("prompt") for offer in card.offers for form in offer.forms)
            bounds = {each.max_chars for each in limits if each is not None and each.max_chars is not None}
            found = self._lengths[card.model] = sorted(bounds)
        return found


def _weigh(
    world: World,
    account: str,
    asked: Asked,
    standing: Mapping[str, Standing],
    card: Menu,
    fields: Mapping[str, Value],
    *,
    ranking: tuple[str, ...],
    chance: float,
) -> Weighed:
    wished = parse_order(asked.order, card)
    found = heeding(rules(world.policy, Request(card.model, card.kind, account, asked.keys, asked.tags)), wished)
    order = wished or ()
    made = plan(fields, order, found, card.offers, standing, ranking=ranking, chance=chance)
    return Weighed(card.kind, card, fields, order, found, made)


def unserved(made: Plan, asked: Asked, now: int) -> Refusal:
    """Say why no provider can serve a request; `now` in ms of the clock that the pauses are counted by."""
    whys = {exclusion.why for exclusion in made.excluded}
    if whys == {Why.MISFIT}:
        said = "; ".join(f"{exclusion.provider}: {exclusion.reason}" for exclusion in made.excluded)
        field = next((exclusion.field for exclusion in made.excluded if exclusion.field), None)
        spelled = asked.spell(field) if field else None
        return Refusal("invalid_input", f"no provider takes this combination: {said}", field=spelled)
    errors = [_excluded(exclusion) for exclusion in made.excluded]
    waits = [exclusion.until - now for exclusion in made.excluded if exclusion.until is not None]
    seconds = max(1, -(-min(waits) // 1000)) if waits else _UNLIKELY
    if Why.BUSY in whys:
        said = "every provider of this model that can be asked has as much under way as it takes; nothing was begun"
        return Refusal("overloaded", said, provider_errors=errors, retry_after=seconds)
    if Why.RESTING in whys:
        said = "every provider of this model is resting after failures; try again later"
        return Refusal("all_providers_failed", said, provider_errors=errors, retry_after=seconds)
    listed = "; ".join(f"{each.provider}: {each.reason}" for each in made.excluded)
    said = f"no provider of this model can be asked: {listed}"
    return Refusal("provider_not_configured", said, provider_errors=errors, retry_after=seconds if waits else None)


def parse_order(order: str | None, card: Menu) -> tuple[str, ...] | None:
    """Read an order of providers, names between commas; empty for `fastest`, None when the policy is to decide."""
    if order is None:
        return None
    if len(order) > LONGEST_ORDER:
        raise Refusal("invalid_provider_order", "the order of providers is too long", field="generation_provider_order")
    if order.strip() == "fastest":
        return ()
    names = tuple(name for part in order.split(",") if (name := part.strip()))
    known = ", ".join(card.providers)
    for name in names:
        if name not in card.providers:
            said = (
                f"{name!r} does not serve {card.model}; it is served by {known}, and `fastest` lets the gateway choose"
            )
            raise Refusal("invalid_provider_order", said, field="generation_provider_order")
    if len(set(names)) < len(names) or not names:
        said = f"name each provider once, out of {known}"
        raise Refusal("invalid_provider_order", said, field="generation_provider_order")
    return names


def _check_kind(card: Menu, asked: Asked) -> None:
    duration = asked.spell("duration")
    if card.kind is asked.kind:
        return
    if card.kind is Kind.VIDEO:
        said = f"{card.model} makes videos: {duration} is missing, and its path is /v1/generate/video/{card.model}"
    else:
        said = f"{card.model} makes images and takes no {duration}; its path is /v1/generate/image/{card.model}"
    raise Refusal("invalid_input", said, field=duration)


def _check_fields(card: Menu, asked: Asked, policy: egress.Policy) -> dict[str, Value]:
    """Check every field on its own; all that is wrong is told together."""
    wrong: list[tuple[str, str, str]] = []
    fields: dict[str, Value] = {}
    for name, raw in asked.fields.items():
        spelled = asked.spell(name)
        if name not in card.fields:
            near = nearest(spelled, [asked.spell(known) for known in card.fields])
            hint = f"; did you mean {near}?" if near else ""
            wrong.append((spelled, "invalid_input", f"unknown field {spelled}{hint}"))
            continue
        dish = card.fields[name]
        said = mistake(dish.type, raw)
        if said is None:
            fields[name] = settle(dish.type, raw)
            said = card.refusal(name, fields[name]) or _check_text(name, dish.type, fields[name], policy)
            out = said is not None and dish.values is None and dish.type in {Type.INTEGER, Type.NUMBER}
            if said is not None:
                wrong.append(
                    (spelled, "parameter_out_of_range" if out else "invalid_input", f"{spelled} {_tidy(said)}")
                )
        else:
            wrong.append((spelled, "invalid_input", f"{spelled} {said}"))
    wrong += [
        (asked.spell(name), "invalid_input", f"{asked.spell(name)} is required")
        for name in card.required
        if asked.fields.get(name) in (None, "", []) and not any(field == asked.spell(name) for field, _, _ in wrong)
    ]
    if wrong:
        field, name, _ = wrong[0]
        details = {"problems": [{"field": each, "message": said} for each, _, said in wrong]} if len(wrong) > 1 else {}
        raise Refusal(name, "; ".join(said for _, _, said in wrong), field=field, details=details)
    return fields


def _check_text(name: str, type_: Type, value: Value, policy: egress.Policy) -> str | None:
    match type_:
        case Type.TEXT:
            longest = LONGEST_PROMPT if name == "prompt" else LONGEST_TEXT
            if isinstance(value, str) and len(value) > longest:
                return f"is longer than {longest} characters"
            return "holds a NUL character" if isinstance(value, str) and "\0" in value else None
        case Type.URL | Type.URLS:
            for address in value if isinstance(value, tuple) else (str(value),):
                if is_inline(address):
                    if not _INLINE.match(address):
                        return "holds data of no known kind: write data:image/png;base64,… or give a public address"
                    continue
                try:
                    egress.check_url(address, policy)
                except egress.BadAddress as error:
                    return f"holds an address that cannot be used: {error}"
            return None
        case Type.INTEGER | Type.NUMBER | Type.BOOLEAN:
            return None


def _tidy(said: str) -> str:
    return said.removeprefix("the value ")


def _excluded(exclusion: Exclusion) -> dict[str, Any]:
    names = {
        Why.MISFIT: ("BSE2001", "invalid_input", False),
        Why.NO_CREDENTIAL: ("BSE4008", "provider_authentication_failed", False),
        Why.RESTING: ("BSE4003", "provider_unavailable", True),
        Why.BUSY: ("BSE4003", "provider_unavailable", True),
    }
    code, type_, retryable = names.get(exclusion.why, ("BSE4010", "provider_not_configured", False))
    return {
        "provider": exclusion.provider,
        "code": code,
        "type": type_,
        "message": exclusion.reason,
        "retryable": retryable,
    }
