"""Taking requests in for all doors, waiting for their end, and finding what is under way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from gateway import log
from gateway.clock import Clock
from gateway.generation import State
from gateway.ingress.callers import CALLER, Caller, check_model
from gateway.ingress.intake import Answer, Intake, Key, idempotency_key
from gateway.ingress.record import failure
from gateway.ingress.refusal import Refusal
from gateway.ingress.repeats import Repeats, Visit
from gateway.ingress.sharing import aside
from gateway.ingress.weigh import Asked
from gateway.ledger import generations as ledger
from gateway.ledger.database import Database
from gateway.ledger.program import StoreError
from gateway.ledger.records import Record
from gateway.ledger.together import Settled
from gateway.money import as_number, text
from gateway.providers.reverse import Spellings
from gateway.routing.menu import Menu
from gateway.routing.plan import Plan

# Seconds an answer is waited for at most. The clients give up after 600; the answer then says to ask again, and who does goes on
# waiting for the same generation.
LONGEST_WAIT = 590.0
_LOOKS = (0.05, 0.1, 0.25, 0.5, 1.0)  # seconds between looks at what another process works on; the last from then on
_STORE_AGAIN = 3  # looks at a store that does not answer, before the client is told so
_COUNT = "x-stainless-retry-count"
_MARK = "~"  # begins the keys made here: no key of a client's own may hold it

# Wait for the end of a generation at most so many seconds; how it ended, where that is at hand.
Wait = Callable[[str, float], Awaitable[Settled | None]]

_VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)


@dataclass(frozen=True, slots=True)
class Taken:
    """The generation that answers a request: begun for it, as `new`, or, `coalesced`, for an earlier one that it repeats."""

    generation: str
    coalesced: bool = False
    new: ledger.NewGeneration | None = None


class Reception:
    """What every door does between reading a request and wording its answer."""

    def __init__(self, intake: Intake, store: Database, wait: Wait, clock: Clock) -> None:
        """Take in through `intake`; `wait` returns when a generation has ended here, or after so many seconds."""
        self._intake = intake
        self._store = store
        self._wait = wait
        self._clock = clock
        self._repeats = Repeats(clock.now_ms())
        self._accepting: set[asyncio.Task[Answer]] = set()

    def name(self, model: str) -> str:
        """The one name of a model, out of its aliases; the same text back when nobody knows it.

        Clients of other APIs know models without their labs; that is enough where one lab has a model of the name.
        """
        found = self._intake.world.name(model)
        if found not in self.menus and "/" not in found:
            ending = [each for each in self.menus if each.endswith(f"/{found}")]
            return ending[0] if len(ending) == 1 else found
        return found

    def menu(self, model: str) -> Menu:
        """What a model offers; Refusal when nobody serves it."""
        return self._intake.menu(self.name(model))

    @property
    def spellings(self) -> Spellings:
        """Every name of the models anywhere, and how bodies of other APIs read."""
        return self._intake.world.spellings

    @property
    def menus(self) -> Mapping[str, Menu]:
        """What every model offers, by its name."""
        return self._intake.world.menus

    async def take(
        self, request: web.Request, caller: Caller, asked: Asked, digest: str, *, again: bool = False
    ) -> Taken:
        """Take a request in, once however often its client sends it; Refusal when it is not taken in.

        `digest` is one text for all that is asked for, as `dialect.digest_of` makes it. With `again` the door knows it for one that was
        sent before.
        """
        if (name := self.name(asked.model)) != asked.model:
            asked = replace(asked, model=name)
        check_model(caller, asked.model)
        own = idempotency_key(_only(request, "Idempotency-Key"))
        if own is not None:
            return _taken(await self._accept(caller.account, asked, Key(own, digest)))
        key, name = self._key(request, caller, digest, again=again)
        request[_VISIT] = self._repeats.enter(name, _is_gone(request))
        if (before := await self._before(caller.account, key)) is not None:
            return Taken(before, coalesced=True)
        try:
            return _taken(await self._accept(caller.account, asked, key))
        except Refusal:
            self._repeats.refuse(name, self._clock.now_ms())
            raise

    def leave(self, request: web.Request) -> None:
        """A request has its answer, or nobody waits for it any more."""
        if (visit := request.get(_VISIT)) is not None:
            self._repeats.leave(visit, self._clock.now_ms())

    async def wait(self, request: web.Request, taken: Taken, seconds: float = LONGEST_WAIT) -> Record | None:
        """Wait for the end of a generation and give it with its attempts; None when it goes on after so many seconds.

        Meanwhile the request takes nobody's place. Refusal when the store cannot be read.
        """
        aside(request)
        account = request[CALLER].account
        ends = self._clock.monotonic() + seconds
        settled = await self._wait(taken.generation, seconds)
        if settled is not None and taken.new is not None:
            return settled.record(taken.new)
        looks = iter(_LOOKS)
        while True:
            found = await self._found(account, taken.generation)
            if found is None or found.state.is_final:
                return found
            left = ends - self._clock.monotonic()
            if left <= 0:
                return None
            # Another process has it, or the store did not take a step; so it is looked at instead.
            await self._clock.sleep(min(next(looks, _LOOKS[-1]), left))

    async def shorten(self, generation: str, request: Mapping[str, Any]) -> None:
        """Keep this in place of what an ended generation was asked for; what the store does not take now stays as it is."""
        try:
            await self._store.write(ledger.shorten(generation, request))
        except StoreError as error:
            log.event("request_kept_long", level="warning", generation=generation, error=error)

    async def find(self, caller: Caller, generation: str) -> Record:
        """A generation of the caller's account with its attempts; Refusal when there is none."""
        found = await self._store.read(ledger.find(caller.account, generation, attempts=True))
        if found is None:
            raise Refusal("generation_not_found", "there is no such generation in this account")
        return found

    async def _found(self, account: str, generation: str) -> Record | None:
        for more in reversed(range(_STORE_AGAIN)):
            try:
                return await self._store.read(ledger.find(account, generation, attempts=True))
            except StoreError as error:
                if not more:
                    log.event("end_unknown", level="error", generation=generation, error=error)
                    said = "the store failed; what was begun goes on, and may be read when it is there again"
                    details = {"generation_id": generation}
                    raise Refusal("storage_error", said, details=details, retryable=False) from error
                await self._clock.sleep(1)
        raise AssertionError("unreachable")

    def _key(self, request: web.Request, caller: Caller, digest: str, *, again: bool) -> tuple[Key, str]:
        """A key for a request without one, and the name it is known by."""
        # Hashed, for a key of the store is no place for what identifies a caller.
        name = hashlib.sha256(f"{caller.family or caller.key_id}\n{digest}".encode()).hexdigest()
        count = request.headers.get(_COUNT, "")
        says_again = again or (count.isascii() and count.isdecimal() and count.strip("0") != "")
        span = self._repeats.span(name, self._clock.now_ms(), says_again=says_again)
        return Key(_MARK + name, digest, span), name

    async def _before(self, account: str, key: Key) -> str | None:
        """The generation a request repeats, found before anything is weighed: it may be one that would be refused by now."""
        assert key.lately is not None
        if key.lately.before <= self._clock.now_ms():
            return None  # none, or one that a restart left: seldom enough to be looked for where the new one is written
        known = ledger.Idempotency(key.key, key.fingerprint, "", key.lately)
        found = await self._store.read(ledger.repeated(account, known, self._clock.now_ms()))
        return found.generation if isinstance(found, ledger.Replay) else None

    async def _accept(self, account: str, asked: Asked, key: Key) -> Answer:
        """Accept in a task of its own: a caller who hangs up between the commit and the begin of the work changes nothing."""
        task = asyncio.ensure_future(self._intake.accept(account, asked, key, _nothing))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)
        return await asyncio.shield(task)


def failed(record: Record) -> Refusal:
    """How the end of a generation without success is told; nothing of it is worth sending again at once."""
    if record.state is State.CANCELED:
        said = "the generation was canceled"
        return Refusal("generation_state_conflict", said, details={"generation_id": record.id}, retryable=False)
    return failure(record)


def unfinished(taken: Taken) -> Refusal:
    """How it is told that a generation goes on longer than is waited: whoever sends the request again goes on waiting for it."""
    said = f"it is still under way as {taken.generation}; send the request again, or read it at /v1/content/{taken.generation}"
    return Refusal("provider_timeout", said, retry_after=1)


def told(record: Record) -> dict[str, Any]:
    """What a door says of a generation beyond what its dialect has words for."""
    return {
        "generation_id": record.id,
        "model": record.model,
        "provider": record.provider_used,
        "cost": as_number(record.settled) if record.settled is not None else None,
        "attempts": len(record.attempts),
        "adjustments": adjustments(record),
    }


def adjustments(record: Record) -> list[dict[str, Any]]:
    """What the serving provider had no word for, and what a door could not ask for as it was written."""
    served = next((step for step in record.plan.get("steps", ()) if step["provider"] == record.provider_used), None)
    dropped = served["dropped"] if served else ()
    return [{"field": name, "provider": record.provider_used, "action": "dropped"} for name in dropped]


def headers(record: Record, taken: Taken | None = None) -> dict[str, str]:
    """The same in the head of an answer."""
    found = {"X-Tidegate-Generation-Id": record.id, "X-Tidegate-Attempts": str(len(record.attempts))}
    if record.provider_used is not None:
        found["X-Tidegate-Provider"] = record.provider_used
    if record.settled is not None:
        found["X-Tidegate-Cost"] = text(record.settled)
    if taken is not None and taken.coalesced:
        found["X-Tidegate-Coalesced"] = "true"
    return found


def _nothing(_generation: str, _plan: Plan) -> Mapping[str, Any]:
    """A door words its answer from the record, so none is kept."""
    return {}


def _taken(answer: Answer) -> Taken:
    return Taken(answer.generation, coalesced=answer.replayed, new=answer.new)


def _is_gone(request: web.Request) -> Callable[[], bool]:
    """What tells whether a client has hung up."""
    line = request.transport
    return line.is_closing if line is not None else lambda: True


def _only(request: web.Request, name: str) -> str | None:
    sent = request.headers.getall(name, [])
    if len(sent) > 1:
        raise Refusal("invalid_idempotency_key", f"send {name} once")
    return sent[0] if sent else None
