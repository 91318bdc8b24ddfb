"""What is left to be done of a generation: read from the store, after a restart or a step that could not be written."""

from __future__ import annotations

import asyncio

from gateway.attempts.job import Job, from_record, unfinished
from gateway.clock import Clock
from gateway.ledger import attempts, generations
from gateway.ledger.database import Database
from gateway.ledger.program import StoreBroken, StoreFailed
from gateway.ledger.records import Attempt

_AGAIN = 1.0  # seconds before a store that did not answer is asked again


async def left_over(store: Database, clock: Clock, name: str, over: asyncio.Event) -> tuple[Job, Attempt | None] | None:
    """A generation by its id, with its attempt that goes on; None when there is nothing to go on with, or all is `over`.

    Somebody held the lock for too long, or the disk was full: what is in the store is all that counts, and it may be
    less than what happened, which is then in doubt.
    """
    while not over.is_set():
        try:
            record = await store.read(generations.find_any(name, attempts=True))
            if record is None or record.state.is_final:
                return None
            attempt, beside = unfinished(record)
            for each in beside:
                await store.write(attempts.leave(each.id, clock.now_ms()))
        except StoreBroken:
            return None
        except StoreFailed:
            await clock.sleep(_AGAIN)
            continue
        return from_record(record), attempt
    return None
