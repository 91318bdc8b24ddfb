"""After a restart: takes up what was in flight."""

from __future__ import annotations

from gateway import log
from gateway.attempts.run import Runs
from gateway.ledger import generations as ledger
from gateway.ledger.database import Database

_LEAST_SPREAD = 2.0  # seconds; what was begun together is not looked at together
_PER_SECOND = 200  # of all that is taken up: a tenth of what one process is able to send


async def resume(store: Database, runs: Runs) -> int:
    """Take up every generation that has not ended, from where the store says it is; give how many there were."""
    live = await store.report(ledger.live())
    runs.take_up(live, spread(len(live)))
    if live:
        log.event("generations_resumed", count=len(live))
    return len(live)


def spread(count: int) -> float:
    """Over how many seconds so many are taken up."""
    return max(_LEAST_SPREAD, count / _PER_SECOND)
