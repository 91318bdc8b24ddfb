"""The operator's act on the audit, and what a line of it says: what was given, without what could be a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from gateway.clock import iso
from gateway.ingress.desk import Act, AdminError, Desk, text
from gateway.ledger import audit

_LONGEST = 1_000  # characters of a line
_LONGEST_VALUE = 200
_USUAL, _MOST = 50, 500


def said(given: Mapping[str, Any]) -> str:
    """What an act was given, on one line. Of an address the host alone: receivers put tokens into its path and its query."""
    parts = [f"{name}={_value(name, value)}" for name, value in given.items() if value is not None]
    return " ".join(parts)[:_LONGEST]


async def list_(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Some of what was changed, the latest first: all, or what one thing suffered or one key did."""
    limit, before = given.get("limit", _USUAL), given.get("before")
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= _MOST:
        raise AdminError(f"limit is a whole number from 1 to {_MOST}")
    if before is not None and (isinstance(before, bool) or not isinstance(before, int)):
        raise AdminError("before is the number of an entry")
    who = text(given, "who") if given.get("who") is not None else None
    rows = await desk.store.report(audit.page(who, limit, before))
    entries = [
        {
            "seq": row.seq,
            "at": iso(row.at),
            "actor": row.actor,
            "act": row.act,
            "subject": row.subject,
            "said": row.said,
        }
        for row in rows
    ]
    return {"entries": entries}


def _value(name: str, value: Any) -> str:
    if name == "url" and isinstance(value, str):
        return _host(value)
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = "".join(char if char.isprintable() else " " for char in written)
    return line if len(line) <= _LONGEST_VALUE else f"{line[:_LONGEST_VALUE]}…"


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…"
    return f"{parts.scheme}://{parts.hostname or ''}"


ACTS: Mapping[str, tuple[Act, tuple[str, ...]]] = MappingProxyType({"audit.list": (list_, ("who", "limit", "before"))})
