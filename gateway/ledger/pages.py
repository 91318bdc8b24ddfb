"""Pages of an account's generations, as quickly found behind a million others as at the top.

How many were accepted on each day is counted as they come, so that a page is looked for within its day only.
"""

from __future__ import annotations

from gateway.ledger.program import Program, ask, one
from gateway.ledger.records import Record, by_generation, record
from gateway.ledger.usage import DAY

_EVER = 2**62  # after every time


def page(account: str, limit: int, offset: int, before: int | None = None) -> Program[tuple[list[Record], int]]:
    """Some generations of an account, newest first, and how many it has. The total is a counter, not a scan.

    `offset` counts from the last that was made `before` a time in milliseconds, where one is given.
    """
    before = _EVER if before is None else before
    counted = yield from one("generation_total", account=account)
    total = counted["generations"] if counted else 0
    if offset:
        before, offset = yield from _nearer(account, offset, before)
    rows = yield from ask("generation_page", account=account, before=before, limit=limit, offset=offset)
    if not rows:
        return [], total
    low, high = rows[-1]["created"], rows[0]["created"]
    files = by_generation((yield from ask("artifacts_page", account=account, low=low, high=high)))
    return [record(row, files.get(row["seq"], ())) for row in rows], total


def _nearer(account: str, offset: int, before: int) -> Program[tuple[int, int]]:
    """The same place as a time and what is left to be passed over before it, which is less than the day before it has."""
    day = (before - 1) // DAY
    for row in (yield from ask("generation_days", account=account, day=day)):
        n: int = row["n"]
        if row["day"] == day and before % DAY:
            [part] = yield from ask("generation_part", account=account, low=day * DAY, high=before)
            n = part["n"]
        if offset < n:
            return min(before, (row["day"] + 1) * DAY), offset
        offset -= n
    return 0, 0
