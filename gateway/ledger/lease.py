"""This process's lease on a store that is shared: begun before anything is written, renewed while it lives, given up at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway import log
from gateway.clock import Clock
from gateway.ledger import leases
from gateway.ledger.database import Database
from gateway.ledger.program import StoreBroken, StoreError

_EVERY = 5.0  # seconds between renewals: four may fail before the lease is over
_AGAIN = 1.0  # seconds after one that failed


class Lease:
    """An epoch, and until when nobody else may believe this process to be gone."""

    def __init__(self, store: Database, clock: Clock, epoch: int) -> None:
        """Hold the lease that was just begun."""
        self.epoch = epoch
        self.leads = False  # whether this process does what is done once for all; said by whoever looks at the others
        self._store = store
        self._clock = clock
        self._until = clock.monotonic() + leases.LEASE / 1000

    def is_held(self) -> bool:
        """Whether it cannot have been taken away yet. Nothing that costs money is begun without it, however late a process wakes."""
        return self._clock.monotonic() < self._until

    async def keep(self) -> None:
        """Renew it for ever. Once it was taken away the store has failed, and this process has to end."""
        wait = _EVERY
        while True:
            await self._clock.sleep(wait)
            wait = _EVERY
            began = self._clock.monotonic()  # before it is asked for: the server counts from a later moment
            try:
                if await self._store.write(leases.renew(self.epoch)):
                    self._until = began + leases.LEASE / 1000
            except StoreBroken as error:
                log.event("lease_lost", level="error", epoch=self.epoch, error=error)
                return
            except StoreError as error:
                log.event("lease_not_renewed", level="warning", epoch=self.epoch, reason=str(error))
                wait = _AGAIN


@asynccontextmanager
async def held(store: Database, clock: Clock, name: str, version: str) -> AsyncIterator[Lease]:
    """Begin a lease under which everything is written from here on, and give it up at the end."""
    epoch = await store.write(leases.join(name, version))
    store.epoch = epoch
    lease = Lease(store, clock, epoch)
    keeping = asyncio.create_task(lease.keep(), name="lease")
    log.event("lease_begun", epoch=epoch)
    try:
        yield lease
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        try:
            await store.write(leases.leave(epoch))
        except StoreError as error:  # it ends by itself
            log.event("lease_left", level="warning", epoch=epoch, reason=str(error))
