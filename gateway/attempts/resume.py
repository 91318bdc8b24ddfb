"""After a restart: takes up what was in flight."""

from __future__ import annotations

from gateway import log
from gateway.attempts.job import from_record
from gateway.attempts.run import Runs
from gateway.ledger import generations as ledger
from gateway.ledger.database import Database


async def resume(store: Database, runs: Runs) -> int:
    """Start every generation that has not ended, from where the store says it is; give how many there were."""
    records = await store.report(ledger.live())
    for record in records:
        attempt = next((attempt for attempt in reversed(record.attempts) if attempt.state.is_open), None)
        runs.start(from_record(record), attempt)
    if records:
        log.event("generations_resumed", count=len(records))
    return len(records)
