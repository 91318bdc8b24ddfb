"""Programs about the audit: who changed what, written in the transaction that changed it and never afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gateway.ledger.program import Program, Row, ask

T = TypeVar("T")

OPERATOR = "operator"  # whoever opens the private socket or the store
_NEWEST = 2**62  # above every number there will be


@dataclass(frozen=True, slots=True)
class Entry:
    """What was done, at a time in milliseconds: by whom, to what, and a line of what was said. `seq` is 0 before it is written."""

    at: int
    actor: str
    act: str
    subject: str
    said: str
    seq: int = 0


def add(entry: Entry) -> Program[None]:
    """Write down what was done."""
    yield from ask("audit_add", at=entry.at, actor=entry.actor, act=entry.act, subject=entry.subject, said=entry.said)


def noted(program: Program[T], entry: Entry, was_done: Callable[[T], bool]) -> Program[T]:
    """Run a program and write down that it was done, in one transaction; nothing is written when it changed nothing."""
    result = yield from program
    if was_done(result):
        yield from add(entry)
    return result


def page(who: str | None, limit: int, before: int | None = None) -> Program[list[Entry]]:
    """Some of what was done, the latest first: all, or what one thing suffered or one key did; below a number, if given."""
    before = _NEWEST if before is None else before
    if who is None:
        return [_entry(row) for row in (yield from ask("audit_page", before=before, limit=limit))]
    suffered = yield from ask("audit_of", who=who, before=before, limit=limit)
    did = yield from ask("audit_by", who=who, before=before, limit=limit)
    found = {row["seq"]: row for row in (*suffered, *did)}
    return [_entry(found[seq]) for seq in sorted(found, reverse=True)[:limit]]


def _entry(row: Row) -> Entry:
    return Entry(row["at"], row["actor"], row["act"], row["subject"], row["said"], seq=row["seq"])
