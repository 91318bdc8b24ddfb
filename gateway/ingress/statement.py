"""The operator's act on an account's movements between two days: what was there before, what moved, what was there after."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.clock import iso, parse_iso
from gateway.ingress.desk import Act, AdminError, Desk, text
from gateway.ledger import accounts, credits
from gateway.money import as_number

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DAY_MS = 24 * 60 * 60 * 1000
_MOST = 10_000  # movements on one statement; the sums are of all of them


async def statement(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say what moved on an account from the beginning of one day to the end of another, both in UTC.

    Without days, from the first of the month to today.
    """
    account = text(given, "account")
    today = iso(desk.now)[:10]
    first, last = text(given, "from", f"{today[:8]}01"), text(given, "to", today)
    since, until = _begins("from", first), _begins("to", last) + _DAY_MS
    if since >= until:
        raise AdminError(f"from is {first} and to {last}: the first day comes first")
    if await desk.store.report(accounts.find(account)) is None:
        raise AdminError(f"there is no account {account!r}; open it with accounts create")
    found = await desk.store.report(credits.statement(account, since, until, _MOST))
    return {
        "account": account,
        "from": first,
        "to": last,
        "opening": as_number(found.opening),
        "added": as_number(found.added),
        "charged": as_number(found.charged),
        "closing": as_number(found.closing),
        "movements": found.movements,
        "entries": [entry(each) for each in found.entries],
    }


def entry(row: credits.Entry) -> dict[str, Any]:
    """One movement, as people are told it."""
    return {
        "at": iso(row.at),
        "kind": row.kind,
        "amount": as_number(row.delta),
        "balance": as_number(row.balance),
        "reference": row.reference,
        "note": row.note,
    }


def _begins(name: str, day: str) -> int:
    wrong = f"{name} is a day such as 2026-11-25, found {day[:40]!r}"
    if not _DAY.fullmatch(day):
        raise AdminError(wrong)
    try:
        return parse_iso(f"{day}T00:00:00Z")
    except ValueError as error:
        raise AdminError(wrong) from error


ACTS: Mapping[str, tuple[Act, tuple[str, ...]]] = MappingProxyType(
    {"credits.statement": (statement, ("account", "from", "to"))}
)
