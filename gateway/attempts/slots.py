"""Calls that wait until their provider's rate has room for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.clock import Clock
from gateway.routing import rate
from gateway.routing.fair import Row
from gateway.routing.rate import Gone
from gateway.routing.traffic import Traffic

_NOW = 1e-6  # seconds; what is due this soon is due: a clock that counts in floats may never get nearer
_NEWS = 1.0  # seconds after which a rate that was changed meanwhile is heeded

_Row = Row[asyncio.Future[None]]


@dataclass(slots=True)
class _Waiting:
    """Those that wait for one provider, each sort by account."""

    gone: Gone = field(default_factory=Gone)
    urgent: _Row = field(default_factory=_Row)
    others: _Row = field(default_factory=_Row)
    task: asyncio.Task[None] | None = None


class Slots:
    """Hands out the moments at which providers may be called, to one account after the other; at once where there is no cap."""

    def __init__(self, traffic: Traffic, clock: Clock) -> None:
        """Go by the rates that `traffic` has at the time."""
        self._traffic = traffic
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}

    async def take(
        self, provider: str, account: str = "", *, is_urgent: bool, patience: float | None = None
    ) -> float | None:
        """Wait until a call for an account may go out, in seconds at most `patience`; None when it may.

        Where it would take longer nothing is waited for, and what is given is how long.
        """
        cap = self._traffic.rates.get(provider)
        if cap is None:
            return None
        waiting = self._waiting.setdefault(provider, _Waiting())
        ahead, others = waiting.urgent.ahead(account), len(waiting.others)
        expected = rate.wait(waiting.gone, cap, ahead, others, self._clock.monotonic())
        if patience is not None and expected > patience:
            return expected
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        row = waiting.urgent if is_urgent else waiting.others
        row.add(account, turn)
        if waiting.task is None:
            serving = self._serve(provider, waiting)
            waiting.task = asyncio.get_running_loop().create_task(serving, name=f"calls to {provider}")
        try:
            await turn
        finally:
            row.drop(account, turn)
        return None

    def is_too_soon(self, provider: str) -> bool:
        """Whether a call that had its turn a while ago has to wait for another."""
        cap, waiting = self._traffic.rates.get(provider), self._waiting.get(provider)
        return cap is not None and waiting is not None and rate.is_too_soon(waiting.gone, cap, self._clock.monotonic())

    def sent(self, provider: str) -> None:
        """Take note that a call is sent."""
        if provider in self._waiting:
            waiting = self._waiting[provider]
            waiting.gone = rate.sent(waiting.gone, self._clock.monotonic())

    async def _serve(self, provider: str, waiting: _Waiting) -> None:
        """Let one after the other go, until nobody waits."""
        try:
            while waiting.urgent or waiting.others:
                now = self._clock.monotonic()
                cap = self._traffic.rates.get(provider)
                left = rate.opens(waiting.gone, cap, now) - now if cap is not None else 0.0
                if left > _NOW:
                    await self._clock.sleep(min(left, _NEWS))
                    continue
                others = len(waiting.others)
                is_urgent = rate.is_urgents_turn(waiting.gone, len(waiting.urgent), others)
                turn = (waiting.urgent if is_urgent else waiting.others).next()
                if not turn.done():  # one whose caller was canceled just now leaves its moment to the next
                    waiting.gone = rate.went(waiting.gone, now, is_urgent=is_urgent, others=others)
                    turn.set_result(None)
        finally:
            waiting.task = None
