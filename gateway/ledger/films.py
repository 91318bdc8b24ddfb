"""Generations that make videos, as a client pages through them: from one that it knows to those beyond."""

from __future__ import annotations

from gateway.ledger.program import Program, ask, one
from gateway.ledger.records import Record, by_generation, record

_FIRST, _LAST = 0, 2**62  # before and after any time and any number of a generation


def page(account: str, after: str | None, limit: int, *, is_rising: bool) -> Program[list[Record] | None]:
    """Some videos of an account beyond the one named, by their creation; None when that one is none of the account's.

    One that was deleted meanwhile still has its place. Without attempts.
    """
    at = _FIRST if is_rising else _LAST
    created, seq = at, at
    if after is not None:
        place = yield from one("film_place", id=after, account=account)
        if place is None:
            return None
        created, seq = place["created"], place["seq"]
    if is_rising:
        rows = yield from ask("films_rising", account=account, created=created, seq=seq, limit=limit)
    else:
        rows = yield from ask("films_falling", account=account, created=created, seq=seq, limit=limit)
    if not rows:
        return []
    times = [row["created"] for row in rows]
    files = by_generation((yield from ask("films_outputs", account=account, low=min(times), high=max(times))))
    return [record(row, files.get(row["seq"], ())) for row in rows]
