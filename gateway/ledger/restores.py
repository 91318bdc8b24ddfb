"""Programs about the store itself: how often it was written to, and what became of it after it was put back from a backup."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.ledger.program import Program, ask, one

_SHOWN = 1_000  # ids kept of each kind; the counts say how many there were
_BEATS, _SECRET, _REPORT = "beats", "secret", "restored"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a start found in a store that is older than what was done. Times in ms; `ended` is None while it is made good.

    `why` is how it is known, `known` the newest step the store has, `until` the last sign of what it lacks. `live` had not ended:
    of those `in_doubt` had a call on its way, and `unsent` none open, so that one may have been sent that the store knows nothing
    of. `orphans` have outputs and no record; None before they were looked for, or where they cannot be.
    """

    at: int
    why: str
    known: int | None
    until: int | None
    live: int
    in_doubt: tuple[str, ...]
    unsent: tuple[str, ...]
    orphans: tuple[str, ...] | None = None
    orphaned: int = 0
    ended: int | None = None

    def row(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)

    def with_orphans(self, found: Sequence[str]) -> Restored:
        """The same, with the generations that have outputs and no record."""
        return replace(self, orphans=tuple(found[:_SHOWN]), orphaned=len(found))


def beats() -> Program[int | None]:
    """How often it was noted that the store was written to; None for one that was never marked."""
    found = yield from one("meta_read", key=_BEATS)
    return None if found is None else int(found["value"])


def beat(number: int) -> Program[None]:
    """Note how often that was."""
    yield from ask("meta_write", key=_BEATS, value=str(number))


def sealed(fingerprint: str) -> Program[bool]:
    """Note by its fingerprint which secret the store's keys are made with; False when it was another one before."""
    found = yield from one("meta_read", key=_SECRET)
    yield from ask("meta_write", key=_SECRET, value=fingerprint)
    return found is None or found["value"] == fingerprint


def report() -> Program[Restored | None]:
    """What the last start found that came after a restore; None when there was none."""
    found = yield from one("meta_read", key=_REPORT)
    return None if found is None else _read(json.loads(found["value"]))


def keep(found: Restored) -> Program[None]:
    """Keep what a start found, in the place of what an earlier one did."""
    yield from ask("meta_write", key=_REPORT, value=json.dumps(found.row()))


def begin(why: str, until: int | None, now: int) -> Program[Restored]:
    """Look at what has to be made good, and keep it."""
    [last] = yield from ask("restored_last")
    live = yield from ask("restored_live", until=now)
    in_doubt = [row["id"] for row in live if row["state"] == "submitting"]
    unsent = [row["id"] for row in live if row["state"] is None]
    found = Restored(now, why, last["at"], until, len(live), tuple(in_doubt[:_SHOWN]), tuple(unsent[:_SHOWN]))
    yield from keep(found)
    return found


def is_left(until: int) -> Program[bool]:
    """Whether anything that was begun up to a time, in ms, has not ended."""
    return (yield from one("restored_left", until=until)) is not None


def unknown(ids: Sequence[str]) -> Program[list[str]]:
    """Which of these generations the store knows nothing of."""
    known = set()
    for each in ids:
        if (yield from one("restored_knows", id=each)) is not None:
            known.add(each)
    return [each for each in ids if each not in known]


def _read(row: Mapping[str, Any]) -> Restored:
    lists = {name: None if row[name] is None else tuple(row[name]) for name in ("in_doubt", "unsent", "orphans")}
    return Restored(**{**row, **lists})
