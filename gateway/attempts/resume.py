"""After a restart: takes up what was in flight."""

from __future__ import annotations

from gateway import log
from gateway.attempts.job import from_record, unfinished
from gateway.attempts.run import Runs
from gateway.ledger import generations as ledger
from gateway.ledger.database import Database

_LEAST_SPREAD = 2.0  # seconds; what was begun together is not looked at together
_PER_SECOND = 200  # of all that is taken up: a tenth of what one process is able to send


async def resume(store: Database, runs: Runs) -> int:
    """Take up every generation that has not ended, from where the store says it is; give how many there were."""
    records = await store.report(ledger.live())
    spread = max(_LEAST_SPREAD, len(records) / _PER_SECOND)
    runs.take_up(((from_record(record), unfinished(record)) for record in records), spread)
    if records:
        log.event("generations_resumed", count=len(records))
    return len(records)
