"""The one door: what is asked is weighed, its price held, its row written, its work begun."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.attempts import job as jobs
from gateway.attempts.run import Runs
from gateway.clock import Clock
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked, Weighed, World, card_of, unserved, weigh
from gateway.ledger import generations as ledger
from gateway.ledger.database import Database
from gateway.ledger.records import dump
from gateway.money import text as money
from gateway.routing.health import Health
from gateway.routing.menu import Menu
from gateway.routing.plan import Plan, Standing, plan

_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_BUSY = 5  # seconds after which some of what is under way has ended

Respond = Callable[[str, Plan], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Key:
    """The caller's idempotency key and the fingerprint of the whole request."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told; `replayed` when it was told before. `ended` carries the id of a canceled replay."""

    body: Mapping[str, Any]
    generation: str
    replayed: bool
    canceled: bool = False


class Intake:
    """Weighs requests and takes them in."""

    def __init__(
        self, world: World, store: Database, runs: Runs, health: Health, clock: Clock, most: int | None = None
    ) -> None:
        """Take in for this store, and hand what is accepted to `runs`, `most` at a time. `world` is replaced at a reload."""
        self.world = world
        self._store = store
        self._runs = runs
        self._health = health
        self._clock = clock
        self.most = most
        self._entering = 0  # accepted by nobody yet, and counted all the same

    def menu(self, model: str) -> Menu:
        """What a model offers; Refusal when nobody serves it."""
        return card_of(self.world, model)

    def weigh(self, account: str, asked: Asked) -> Weighed:
        """Check a request and plan it. Begins nothing, holds nothing; Refusal when it cannot be served."""
        card = card_of(self.world, asked.model)
        weighed = weigh(self.world, account, asked, self._resting(card))
        if weighed.plan.steps:
            return weighed
        now = self._monotonic()
        urgent = self._without_rest(weighed, now)
        if urgent is None:
            raise unserved(weighed.plan, asked, now)
        return replace(weighed, plan=urgent)

    async def accept(self, account: str, asked: Asked, key: Key | None, respond: Respond) -> Answer:
        """Weigh a request, hold its price, write its row, begin its work; the answer is given once that is on disk."""
        weighed = self.weigh(account, asked)
        if self.most is not None and self._runs.live + self._entering >= self.most:
            said = "the gateway has as much under way as it takes on; nothing was begun"
            raise Refusal("overloaded", said, retry_after=_BUSY)
        self._entering += 1
        try:
            return await self._take_in(account, weighed, key, respond)
        finally:
            self._entering -= 1

    async def _take_in(self, account: str, weighed: Weighed, key: Key | None, respond: Respond) -> Answer:
        now = self._clock.now_ms()
        generation = str(uuid.uuid4())
        likely = weighed.plan.steps[: weighed.rules.attempts]
        body = respond(generation, replace(weighed.plan, steps=likely))
        new = ledger.NewGeneration(
            id=generation,
            account=account,
            kind=weighed.kind,
            model=weighed.menu.model,
            request=dict(weighed.fields),
            plan=_pinned(weighed),
            order=tuple(step.provider for step in likely),
            price=weighed.plan.hold,
            created=now,
            deadline=now + weighed.rules.deadline,
            idempotency=ledger.Idempotency(key.key, key.fingerprint, dump(body)) if key else None,
        )
        match await self._store.write(ledger.accept(new)):
            case ledger.Accepted():
                self._runs.start(
                    jobs.accepted(
                        new.id, account, new.kind, new.model, new.request, new.plan, created=now, deadline=new.deadline
                    )
                )
                return Answer(body, generation, replayed=False)
            case ledger.Replay(response, earlier, state):
                return Answer(json.loads(response), earlier, replayed=True, canceled=state.value == "canceled")
            case ledger.KeyMismatch():
                raise Refusal(
                    "idempotency_key_mismatch", "this Idempotency-Key was used for another request; take a new key"
                )
            case ledger.ShortOfCredit(available):
                said = (
                    f"this costs up to {money(weighed.plan.hold)} credits and {money(max(available, 0))} are available"
                )
                raise Refusal("insufficient_credits", said)

    def _resting(self, card: Menu) -> dict[str, Standing]:
        now = self._monotonic()
        known = {provider: self._health.standing(provider, card.model, now) for provider in card.providers}
        return {provider: standing for provider, standing in known.items() if standing is not None}

    def _without_rest(self, weighed: Weighed, now: int) -> Plan | None:
        """When every offer that could serve is resting, one request a second goes to the one that rests the shortest."""
        card = weighed.menu
        made = plan(weighed.fields, weighed.order, weighed.rules, card.offers, self.world.standing)
        if not made.steps or not self._health.may_panic(now):
            return None

        def rest(provider: str) -> int:
            resting = self._health.standing(provider, card.model, now)
            return resting.until or 0 if resting else 0

        return replace(made, steps=tuple(sorted(made.steps, key=lambda step: rest(step.provider)))[:1])

    def _monotonic(self) -> int:
        return int(self._clock.monotonic() * 1000)


def idempotency_key(raw: str | None) -> str | None:
    """Check the caller's key; Refusal when it cannot be one."""
    if raw is None:
        return None
    bare = raw[1:-1] if len(raw) > 2 and raw[0] == raw[-1] == '"' else raw
    if not _KEY.fullmatch(bare):
        said = "an Idempotency-Key is 1 to 255 characters out of letters, digits, _ - : and ."
        raise Refusal("invalid_idempotency_key", said)
    return bare


def _pinned(weighed: Weighed) -> dict[str, Any]:
    """What is fixed when a generation is accepted, whatever the policy says later."""
    step = weighed.plan.steps[0]
    first = next(offer for offer in weighed.menu.offers if offer.provider == step.provider).forms[step.form]
    return {
        "steps": [{**asdict(step), "dropped": list(step.dropped)} for step in weighed.plan.steps],
        "excluded": [
            {"provider": each.provider, "why": each.why.value, "reason": each.reason} for each in weighed.plan.excluded
        ],
        "defaults": dict(first.defaults),
        "attempts": weighed.rules.attempts,
        "follow_refusal": weighed.rules.follow_refusal,
        "in_doubt_max_cost": weighed.rules.in_doubt_max_cost,
    }
