"""How much of one account is in work at a time, so that the flood of one is nobody else's business.

Every account has a few places of its own; who finds them taken waits in the account's own row, and beyond a length of that is turned
away before anything is held. Who was told to come later and does not is answered slowly: a connection asks once at a time, so
hundreds of them that ask in vain then cost next to nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from gateway.clock import Clock
from gateway.ingress.refusal import Refusal

# Of an account that is alone: what shares one batch of the store, and its sync, is cheaper than one by one.
_ALONE = 32
# Beside others: one is worked on while the other is written. A third would stand before everybody else's.
_AMONG_OTHERS = 2
_COMPANY = 10.0  # seconds after which an account is alone again
_LONGEST = 1_000  # that wait of one account: seconds of work
_COME_AGAIN = 2  # seconds in which about as many are done

_AT_ONCE = 50.0  # refusals of one account or address that are answered at once, and how many a second after those
_LONGEST_HOLD = 10.0  # seconds; clients give up after thirty


@dataclass(slots=True)
class _Share:
    in_work: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Place:
    """One request's place among those of its account; taken once, and left once."""

    def __init__(self, sharing: Sharing, account: str) -> None:
        """Not taken yet."""
        self._sharing = sharing
        self._account = account
        self._has = False

    async def take(self) -> None:
        """Wait for it; Refusal when too many wait already."""
        if not self._has:
            await self._sharing.enter(self._account)
            self._has = True

    def leave(self) -> None:
        """Let the next one have it."""
        if self._has:
            self._has = False
            self._sharing.leave(self._account)


PLACE: web.RequestKey[Place] = web.RequestKey("place", Place)


class Sharing:
    """The places of all accounts."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nobody in work."""
        self._clock = clock
        self._shares: dict[str, _Share] = {}
        self._latest = ""
        self._met = -math.inf  # when somebody else than the latest came

    @property
    def width(self) -> int:
        """How many requests of one account are in work at a time."""
        return _AMONG_OTHERS if self._clock.monotonic() - self._met < _COMPANY else _ALONE

    async def enter(self, account: str) -> None:
        """Wait for a place; Refusal when too many wait already."""
        if account != self._latest:
            if self._latest:
                self._met = self._clock.monotonic()
            self._latest = account
        share = self._shares.setdefault(account, _Share())
        if share.in_work < self.width and not share.waiting:
            share.in_work += 1
            return
        if len(share.waiting) >= _LONGEST:
            said = f"{_LONGEST} requests of this account wait to be worked on already; nothing was begun"
            details = {"limit": _LONGEST, "retry_after_seconds": _COME_AGAIN}
            raise Refusal("concurrency_limit_exceeded", said, details=details, retry_after=_COME_AGAIN)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        share.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(account)
            raise

    def leave(self, account: str) -> None:
        """Let the next ones in."""
        share = self._shares[account]
        share.in_work -= 1
        while share.waiting and share.in_work < self.width:
            turn = share.waiting.popleft()
            if not turn.done():
                share.in_work += 1
                turn.set_result(None)
        if not share.in_work:
            del self._shares[account]


async def arrived(request: web.Request) -> None:
    """Take the place of a request whose body is there: one that is still on its way takes nobody's."""
    place = request.get(PLACE)
    if place is not None:
        await place.take()


def aside(request: web.Request) -> None:
    """Leave the place of a request that only waits from now on."""
    place = request.get(PLACE)
    if place is not None:
        place.leave()


@dataclass(frozen=True, slots=True)
class Held:
    """Until when the refusals of one account or address are answered, at the pace they are."""

    until: float = 0.0

    def one_more(self, now: float) -> tuple[Held, float]:
        """Hold one more back; what is known then, and for how many seconds."""
        until = min(max(self.until, now - 1) + 1 / _AT_ONCE, now + _LONGEST_HOLD)
        return Held(until), max(0.0, until - now)


class Brake:
    """Answers refusals slowly where they are many."""

    def __init__(self, clock: Clock, most: int = 10_000) -> None:
        """Know of at most so many accounts and addresses."""
        self._clock = clock
        self._most = most
        self._held: dict[str, Held] = {}

    async def hold(self, name: str) -> None:
        """Wait with the answer to a refusal as long as is due for this name."""
        now = self._clock.monotonic()
        held, wait = self._held.pop(name, Held(now - 1)).one_more(now)
        if len(self._held) >= self._most:
            self._held = {each: known for each, known in self._held.items() if known.until > now}
        self._held[name] = held
        if wait > 0:
            await self._clock.sleep(wait)


class Waits:
    """How many requests of a key wait for the end of what they began: beyond it an answer comes at once, as `Prefer` allows."""

    def __init__(self, most: int = 200) -> None:
        """Let so many of one key wait."""
        self._most = most
        self._waiting: dict[str, int] = {}

    def begin(self, key: str) -> Callable[[], None] | None:
        """Count one more; gives what counts it out, None when it may not wait."""
        if self._waiting.get(key, 0) >= self._most:
            return None
        self._waiting[key] = self._waiting.get(key, 0) + 1

        def over() -> None:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key]

        return over
