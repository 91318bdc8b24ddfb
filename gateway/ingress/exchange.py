"""One rate over several processes: each tells the others, once a second, how often somebody asked it.

Whoever spreads his requests gets no more than the rate, but for what comes within a second; and whoever stays with one process
gets all of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from gateway import log
from gateway.clock import Clock
from gateway.ingress.limiter import Claim, Pace
from gateway.ledger import paces
from gateway.ledger.database import Database
from gateway.ledger.paces import Asked
from gateway.ledger.program import StoreError

_EVERY = 1.0  # seconds
_FORGET = 60  # turns between two times of forgetting


class Exchange:
    """Tells what this process let through, and hears of the others."""

    def __init__(self, store: Database, pace: Pace, clock: Clock, epoch: int) -> None:
        """Speak for the lease of this epoch."""
        self._store = store
        self._pace = pace
        self._clock = clock
        self._epoch = epoch
        self._taken = pace.share()
        self._told: Counter[Claim] = Counter()
        self._heard: dict[tuple[int, str], int] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._for_ever(), name="exchange")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def turn(self) -> None:
        """Tell and hear once."""
        fresh = {claim: n for claim, n in self._taken.items() if n != self._told[claim]}
        own = [Asked(claim.name, claim.limit, n, self._epoch) for claim, n in fresh.items()]
        # Looking costs the others nothing; telling takes the writers' turn.
        exchange = paces.exchange(self._epoch, own)
        found = await (self._store.write(exchange) if own else self._store.read(exchange))
        for claim, n in fresh.items():
            self._told[claim] = n
        heard: dict[tuple[int, str], int] = {}
        for each in found:
            known = (each.epoch, each.name)
            heard[known] = each.n
            more = each.n - self._heard.get(known, 0)
            if more > 0:
                self._pace.charge(each.name, each.rate, more)
        self._heard = heard

    async def _for_ever(self) -> None:
        turns = 0
        while True:
            await self._clock.sleep(_EVERY)
            turns += 1
            try:
                await self.turn()
                if turns % _FORGET == 0:
                    await self._store.write(paces.forget())
            except StoreError as error:
                log.event("rates_not_exchanged", level="warning", reason=str(error))
