"""What a form costs, against what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gateway.documents import Path, shown
from gateway.offer import MICRO, Unit
from gateway.providers.compile.table import pick_rows, split_pick
from gateway.providers.noting import Noting


def price(sections: Mapping[str, Any], fields: set[str], path: Path, note: Noting) -> None:
    """Check the price of a form; `fields` are those it offers."""
    priced = sections.get("price")
    if not priced:
        return
    by, usd = tuple(priced.get("by", ())), priced["usd"]
    _multipliers(sections, fields, (*path, "per"), note)
    _fractions(usd, (*path, "usd"), note)
    if bool(by) != isinstance(usd, dict):
        note.value(
            (*path, "usd"),
            "a table of amounts needs `by`, the fields it goes by"
            if isinstance(usd, dict)
            else "`by` needs a table of amounts",
        )
        return
    for name in by:
        if name not in fields:
            note.value((*path, "by"), f"the price goes by {name}, which this model does not offer")
    if not by:
        return
    if len(by) == 2 and not all(isinstance(part, dict) for part in usd.values()):
        note.value((*path, "usd"), f"a table by {by[0]} and {by[1]} nests: {by[0]}, then {by[1]}, then the amount")
        return
    rows = {row for row, _, _ in pick_rows(by, usd)}
    offered = {name: _values(sections, name) for name in by}
    for at, name in enumerate(by):
        for value in offered[name] - {row[at] for row in rows if len(row) > at}:
            note.value((*path, "usd"), f"no price where {name} is {shown(value)}")


def _multipliers(sections: Mapping[str, Any], fields: set[str], path: Path, note: Noting) -> None:
    if sections["price"]["per"] == Unit.SECOND and "duration" not in fields:
        note.value(path, "a price per second needs `duration`, which this model does not offer")
    for name in ("count", "duration"):
        if name in sections.get("takes", {}) and not sections["takes"][name].get("min", 0) > 0:
            note.value(path, f"{name} multiplies the price: give it a `min` above 0 under `takes`")


def _fractions(usd: Any, path: Path, note: Noting) -> None:
    if isinstance(usd, dict):
        for key, part in usd.items():
            _fractions(part, (*path, key), note)
    elif Decimal(str(usd)) * MICRO % 1:
        note.value(path, "an amount is a whole number of millionths; six digits after the point")


def _values(sections: Mapping[str, Any], name: str) -> set[Any]:
    for key, table in sections.get("picks", {}).items():
        fields = split_pick(key)
        if name in fields:
            at = fields.index(name)
            return {row[at] for row, _, _ in pick_rows(fields, table) if len(row) > at}
    return set()
