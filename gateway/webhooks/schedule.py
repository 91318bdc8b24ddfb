"""How an attempt went → what follows. Time and chance come in as arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_GONE = 410
_TOO_MANY = 429
_LATER = frozenset({_TOO_MANY, 503})  # statuses whose Retry-After counts
_LEAST_AFTER_TOO_MANY = 60_000  # ms
_JITTER = 0.2  # of a wait, either way: receivers that failed together are not asked again together
_LONGEST_REST = 60_000  # ms between attempts at an endpoint that fails: it is found to be back within a minute
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answered:
    """The receiver answered."""

    status: int
    retry_after: str | None = None

    @property
    def is_taken(self) -> bool:
        """Whether it took the event: a redirect is not followed, so it is none."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer came; `reason` is a word for the log of deliveries, such as `timeout` or `blocked_address`."""

    reason: str


Outcome = Answered | Unanswered


@dataclass(frozen=True, slots=True)
class Rules:
    """When to try again and when to stop. All in milliseconds but `disable_after`, which counts failures in a row.

    `waits` has one entry per attempt, the wait before it; the first is none.
    """

    waits: tuple[int, ...]
    timeout: int
    disable_after: int
    keep_queued: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Again:
    """It is tried again at a moment, in milliseconds since the epoch."""

    at: int


@dataclass(frozen=True, slots=True)
class Over:
    """It is not tried again; `gone` when the receiver said that it wants nothing any more."""

    gone: bool = False


Verdict = Arrived | Again | Over


def after(outcome: Outcome, made: int, waits: Sequence[int], now: int, chance: float) -> Verdict:
    """What follows the attempt number `made`, from 1; `chance` is from 0 to 1."""
    if isinstance(outcome, Answered):
        if outcome.is_taken:
            return Arrived()
        if outcome.status == _GONE:
            return Over(gone=True)
    if made >= len(waits):
        return Over()
    wait = round(waits[made] * (1 - _JITTER + 2 * _JITTER * chance))
    if isinstance(outcome, Answered) and outcome.status in _LATER:
        if outcome.status == _TOO_MANY:
            wait = max(wait, _LEAST_AFTER_TOO_MANY)
        asked = retry_after(outcome.retry_after, now)
        wait = wait if asked is None else min(max(asked, wait), 2 * wait)
    return Again(now + wait)


def rest(waits: Sequence[int], failures: int) -> int:
    """How long an endpoint is left alone after so many failures in a row, in milliseconds."""
    return min(waits[min(failures, len(waits) - 1)], _LONGEST_REST)


def retry_after(written: str | None, now: int) -> int | None:
    """Read a Retry-After as milliseconds from now; None when there is none that can be read."""
    if written is None:
        return None
    written = written.strip()
    if _SECONDS.fullmatch(written):
        return int(written) * 1000
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0, round(moment.timestamp() * 1000) - now) if moment > datetime(1970, 1, 1, tzinfo=UTC) else None
