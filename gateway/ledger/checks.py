"""The checks of the ledger: each is a question whose answer must be empty, at any quiet moment and after every crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.ledger.program import Ask, Program, ask
from gateway.ledger.queries import statements


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: its name, what it says, and the statement that finds what breaks it."""

    name: str
    sentence: str
    query: str


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold, and the ids of what breaks it."""

    check: Check
    rows: tuple[str, ...]


# L16 to L18 look outside the store; L20 is who runs these.
CHECKS: tuple[Check, ...] = tuple(
    Check(name, statements()[query].says, query)
    for name, query in (
        (f"L{n}", f"check_l{n}")
        for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 21, 22, 23, 24, 25, 26)
    )
)


def run_checks(now: int, grace: int, chosen: Sequence[Check] = CHECKS) -> Program[list[Finding]]:
    """Run every check, or those chosen; `grace` is how far past its deadline a generation may live, both in milliseconds. Only reads."""
    findings = []
    for check in chosen:
        values = {"now": now, "grace": grace} if check.query == "check_l13" else {}
        rows = yield Ask(check.query, values)
        if rows:
            findings.append(Finding(check, tuple(str(row["id"]) for row in rows)))
    return findings


def version() -> Program[int]:
    """The number of the newest migration the store has."""
    [row] = yield from ask("store_version")
    found: int = row["version"]
    return found
