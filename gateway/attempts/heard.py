"""What the looks at one job have told of how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.fault import FaultKind
from gateway.providers.pack import JobState
from gateway.providers.read import Reading

COST = "reported_cost"  # kept beside what finds the job again
_LOST_GRACE = 30_000  # ms after the submit in which a provider may not know its own job yet
_KEPT = 8  # shares of one job, in which it is known for long whether they are true


@dataclass(frozen=True, slots=True)
class Heard:
    """Times in ms since the submit: when a job was last seen waiting, first seen at work, and had done which share.

    `waited` is 0 where it was never seen waiting, and None where it may have been and nobody was there to see. `is_news` says
    that the last look told of a greater share than any before: one that stays or falls tells nothing.
    """

    waited: int | None = 0
    began: int | None = None
    shares: tuple[tuple[int, float], ...] = ()
    is_news: bool = False

    @property
    def start(self) -> int | None:
        """When it began, as near as is known: half-way between two looks, or with the submit; None where that was not seen."""
        if self.waited is None or self.began is None:
            return None
        return (self.waited + self.began) // 2 if self.waited else 0


NOTHING = Heard()  # of a job that was just submitted
AWAY = Heard(waited=None)  # of one that ran while nobody looked


def hear(heard: Heard, state: JobState | None, share: float | None, at: int) -> Heard:
    """Add what a look at this moment told: the state of the job, and the share it has done (0 to 1) where the provider counts."""
    match state:
        case JobState.QUEUED:
            return Heard(waited=at)
        case JobState.RUNNING:
            began = heard.began if heard.began is not None else at
            if share is None or share <= (heard.shares[-1][1] if heard.shares else 0):
                return replace(heard, began=began, is_news=False)
            return replace(heard, began=began, shares=(*heard.shares, (at, share))[-_KEPT:], is_news=True)
        case JobState.SUCCEEDED | JobState.FAILED | JobState.CANCELED | None:
            return replace(heard, is_news=False)


def may_be_too_early(reading: Reading, began: int, now: int) -> bool:
    """Whether a provider may not know its own job yet; times in ms."""
    unknown = reading.fault is not None and reading.fault.kind is FaultKind.LOST and reading.fault.status == 404
    return unknown and now - began < _LOST_GRACE


def has_ended(reading: Reading) -> bool:
    """Whether it was the job that ended: one that is lost may have run on."""
    lost = reading.fault is not None and reading.fault.kind is FaultKind.LOST
    return reading.state is JobState.SUCCEEDED or (reading.state is JobState.FAILED and not lost)


def costed(reading: Reading, kept: Mapping[str, Any]) -> Reading:
    """A reading with what its job costs, where the answer to the submit said it and this one does not."""
    return reading if reading.cost is not None else replace(reading, cost=kept.get(COST))
