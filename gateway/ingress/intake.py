"""The one door: what is asked is weighed, its price held, its row written, its work begun."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway import traces
from gateway.attempts import job as jobs
from gateway.attempts.job import Job
from gateway.attempts.opening import Opened
from gateway.attempts.run import Runs
from gateway.clock import Clock
from gateway.entropy import Entropy
from gateway.ingress import traced
from gateway.ingress.keyform import is_key
from gateway.ingress.pinned import pinned
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked, Before, Weighed, World, card_of, unserved, weigh
from gateway.ledger import generations as ledger
from gateway.ledger import spending, together
from gateway.ledger.accounts import NO_CAPS
from gateway.ledger.database import Database
from gateway.ledger.keys import Per
from gateway.ledger.records import dump
from gateway.ledger.together import Beginning, Begun
from gateway.money import text as money
from gateway.routing.health import Health, Turn
from gateway.routing.menu import Menu
from gateway.routing.plan import Plan, Standing, Step, Why, plan
from gateway.routing.rankings import Rankings

KEY = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_GREEDY = 9  # times what is free: one account alone fills nine tenths, and another still finds room
_BUSY = 5  # seconds after which some of what is under way has ended

Respond = Callable[[str, Plan], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Key:
    """The caller's idempotency key and the fingerprint of the whole request.

    With `lately` the key was made out of the request, and stands for the latest such generation within that span.
    """

    key: str
    fingerprint: str
    lately: ledger.Lately | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told; `replayed` when it was told before, `canceled` when that generation was. `new` is what was accepted."""

    body: Mapping[str, Any]
    generation: str
    replayed: bool
    canceled: bool = False
    new: ledger.NewGeneration | None = None


class Intake:
    """Weighs requests and takes them in."""

    def __init__(
        self,
        world: World,
        store: Database,
        runs: Runs,
        health: Health,
        clock: Clock,
        most: int | None = None,
        *,
        chance: Callable[[], float] = lambda: 0.0,
        rankings: Rankings | None = None,
    ) -> None:
        """Take in for this store, and hand what is accepted to `runs`, `most` at a time.

        `world` is replaced at a reload, and so is `usual`: what accounts are held to of which nothing else is said. Where it
        `is_shared` among accounts, none may take up all there is.
        `chance` gives a number from 0 up to but not including 1, for weights and trials. Without `rankings` nothing is known of
        speed.
        """
        self._world = world
        self._before = Before()
        self._entropy = Entropy()
        self._store = store
        self._runs = runs
        self._health = health
        self._clock = clock
        self.most = most
        self.usual = NO_CAPS
        self.is_shared = False
        self._chance = chance
        self._rankings = rankings or Rankings(lambda _model: {})
        self._entering: Counter[str] = Counter()  # by account, accepted by nobody yet, and counted all the same

    @property
    def world(self) -> World:
        """All that planning looks at beside the request."""
        return self._world

    @world.setter
    def world(self, world: World) -> None:
        self._world, self._before = world, Before()

    def menu(self, model: str) -> Menu:
        """What a model offers; Refusal when nobody serves it."""
        return card_of(self.world, model)

    def weigh(self, account: str, asked: Asked) -> Weighed:
        """Check a request and plan it. Begins nothing, holds nothing; Refusal when it cannot be served."""
        return self._decide(account, asked)[0]

    def _decide(self, account: str, asked: Asked) -> tuple[Weighed, dict[str, Any]]:
        """Plan a request, and give with it what is kept of that."""
        with traces.begin("plan") as span:
            weighed, kept = self._planned(account, asked)
            if span.is_recorded:
                traced.planned(span, weighed)
        return weighed, kept

    def _planned(self, account: str, asked: Asked) -> tuple[Weighed, dict[str, Any]]:
        card = card_of(self.world, asked.model)
        resting, ranking, chance = self._resting(card, account), self._rankings.of(card.model), self._chance()
        known = ranking.pick(chance) if ranking is not None else ()
        weighed = weigh(self.world, account, asked, resting, ranking=known, chance=chance, before=self._before)
        if not weighed.plan.steps:
            weighed = self._urgent(weighed, asked)
        return weighed, pinned(weighed, asked, resting, ranking, chance)

    def _urgent(self, weighed: Weighed, asked: Asked) -> Weighed:
        """A plan for what nobody could serve, where one may be asked all the same; Refusal otherwise."""
        now = self._monotonic()
        urgent = self._without_rest(weighed, now)
        if urgent is None:
            raise unserved(weighed.plan, asked, now)
        return replace(weighed, plan=urgent)

    async def accept(self, account: str, asked: Asked, key: Key | None, respond: Respond) -> Answer:
        """Weigh a request, hold its price, write its row, begin its work; the answer is given once that is on disk."""
        weighed, kept = self._decide(account, asked)
        self._check_room(account)
        self._entering[account] += 1
        try:
            return await self._take_in(account, asked, weighed, kept, key, respond)
        finally:
            self._entering[account] -= 1
            if not self._entering[account]:
                del self._entering[account]

    def _check_room(self, account: str) -> None:
        """Refusal when the gateway has as much under way as it takes on, or nearly, and the account has most of that."""
        if self.most is None:
            return
        free = self.most - self._runs.live - self._entering.total()
        if free <= 0:
            said = "the gateway has as much under way as it takes on; nothing was begun"
            raise Refusal("overloaded", said, retry_after=_BUSY)
        own = self._runs.live_of(account) + self._entering[account] if self.is_shared else 0
        if own > _GREEDY * free:
            said = (
                f"this account has {own} generations under way, and what room is left is for others; nothing was begun"
            )
            details = {"limit": own, "retry_after_seconds": _BUSY}
            raise Refusal("concurrency_limit_exceeded", said, details=details, retry_after=_BUSY)

    async def _take_in(
        self,
        account: str,
        asked: Asked,
        weighed: Weighed,
        kept: Mapping[str, Any],
        key: Key | None,
        respond: Respond,
    ) -> Answer:
        now, key_id = self._clock.now_ms(), next(iter(asked.keys), None)
        generation = self._entropy.uuid()
        likely = weighed.plan.steps[: weighed.rules.attempts]
        body = respond(generation, replace(weighed.plan, steps=likely))
        new = ledger.NewGeneration(
            id=generation,
            account=account,
            kind=weighed.kind,
            model=weighed.menu.model,
            request=dict(weighed.fields),
            plan={**kept, "origin": traces.kept()},
            order=tuple(step.provider for step in likely),
            price=weighed.plan.hold,
            created=now,
            deadline=now + min(weighed.rules.deadline, asked.within or weighed.rules.deadline),
            idempotency=ledger.Idempotency(key.key, key.fingerprint, dump(body), key.lately) if key else None,
            callback=asked.callback,
            owner=self._store.epoch,
        )
        match await self._begin(new, key_id, jobs.planned(new, weighed.plan.steps, weighed.rules)):
            case Begun(attempt=attempt):
                traced.accepted(new, weighed, key_id, begun=attempt is not None)
                return Answer(body, generation, replayed=False, new=new)
            case ledger.Replay(response, earlier, state):
                traced.replayed(earlier)
                return Answer(json.loads(response), earlier, replayed=True, canceled=state.value == "canceled")
            case refused:
                raise _refusal(refused, weighed.plan.hold)

    async def _begin(self, new: ledger.NewGeneration, key_id: str | None, job: Job) -> together.Answer:
        """Write a generation, with its first attempt where that can go out at once, and begin its work."""
        ready = self._runs.openings.ready(job)
        answer: together.Answer | None = None
        try:
            opening = ready.opening if ready is not None else None
            answer = await self._store.write(together.begin(Beginning(new, key_id, self.usual, opening)))
        finally:
            if ready is not None and not isinstance(answer, Begun):
                self._runs.openings.drop(ready)
        if isinstance(answer, Begun):
            self._runs.start(job, Opened(ready, answer.attempt) if ready and answer.attempt is not None else None)
        return answer

    def _resting(self, card: Menu, account: str | None = None) -> dict[str, Standing]:
        now, turn = self._monotonic(), Turn(account) if account is not None else None
        known = {provider: self._health.standing(provider, card.model, now, turn=turn) for provider in card.providers}
        return {provider: standing for provider, standing in known.items() if standing is not None}

    def _without_rest(self, weighed: Weighed, now: int) -> Plan | None:
        """When every offer that could serve is resting, one request a second goes to the one that rests the shortest."""
        card, standing = weighed.menu, self._resting(weighed.menu)
        held = {provider: each for provider, each in standing.items() if each.why is not Why.RESTING}
        made = plan(weighed.fields, weighed.order, weighed.rules, card.offers, {**held, **self.world.standing})
        if any(each.why is Why.BUSY for each in made.excluded) or not made.steps:
            return None  # one that has as much as it takes is well, and will have room

        def rest(step: Step) -> int:
            resting = standing.get(step.provider)
            return resting.until or 0 if resting else 0

        soonest = min(made.steps, key=rest)
        if not self._health.panic.let_in(soonest.provider, card.model, now):
            return None
        return replace(made, steps=(soonest,))

    def _monotonic(self) -> int:
        return int(self._clock.monotonic() * 1000)


def _refusal(
    refused: ledger.KeyMismatch | ledger.ShortOfCredit | spending.OverBudget | spending.Busy, price: int
) -> Refusal:
    """Word why the store took a generation of this price not in."""
    match refused:
        case ledger.KeyMismatch():
            said = "this Idempotency-Key was used for another request; take a new key"
            return Refusal("idempotency_key_mismatch", said)
        case ledger.ShortOfCredit(available):
            said = f"this costs up to {money(price)} credits and {money(max(available, 0))} are available"
            return Refusal("insufficient_credits", said)
        case spending.OverBudget(left, per, of_key):
            span, whose = "today" if per is Per.DAY else "in all", "key" if of_key else "account"
            said = f"this costs up to {money(price)} credits and the {whose} may spend {money(left)} more {span}"
            return Refusal("insufficient_credits", said)
        case spending.Busy(most, kind, of_key):
            what, whose = f"{kind.value}s" if kind else "generations", "key" if of_key else "account"
            said = f"this {whose} may have {most} {what} under way, and has; nothing was begun"
            details = {"limit": most, "retry_after_seconds": _BUSY}
            return Refusal("concurrency_limit_exceeded", said, details=details, retry_after=_BUSY)


def idempotency_key(raw: str | None) -> str | None:
    """Check the caller's key; Refusal when it cannot be one."""
    if raw is None:
        return None
    bare = raw[1:-1] if len(raw) > 2 and raw[0] == raw[-1] == '"' else raw
    if not KEY.fullmatch(bare):
        said = "an Idempotency-Key is 1 to 255 characters out of letters, digits, _ - : and ."
        raise Refusal("invalid_idempotency_key", said)
    if is_key(bare):
        said = "an API key must not serve as Idempotency-Key: it would be stored; draw a fresh one, such as a UUID"
        raise Refusal("invalid_idempotency_key", said)
    return bare
