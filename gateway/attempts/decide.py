"""After this fault: the same offer again, the next one, or give up. One pure function."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.fault import Again as Allowed
from gateway.fault import Fault, FaultKind, Following, Reach
from gateway.routing.policy import Patience

LEAST = 5_000  # ms that must be left for another attempt to make sense
_PAUSE = 1_000  # ms after a rate limit that does not say how long
_BACKOFF = 200  # ms before the same offer is asked again, at most doubled by chance


class Reason(StrEnum):
    """Why no further attempt is made."""

    REFUSED = "refused"  # the content was refused, and the route says to leave it at that
    IN_DOUBT = "in_doubt"  # a job may run somewhere, and a second one may cost too much
    EXHAUSTED = "exhausted"  # nobody is left to ask, or enough have been asked
    LATE = "late"  # the deadline is too near


@dataclass(frozen=True, slots=True)
class Situation:
    """All that counts for the decision. Amounts in millionths of a credit, times in ms, `chance` between 0 and 1."""

    fault: Fault
    price: int
    in_doubt_max_cost: int
    follow_refusal: bool
    repeated: bool
    made: int
    allowed: int
    others: bool
    remaining: int
    budget: bool
    chance: float


@dataclass(frozen=True, slots=True)
class Again:
    """Ask the same offer once more, after so many ms."""

    after: int


@dataclass(frozen=True, slots=True)
class Next:
    """Ask the next offer, at once."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the generation as failed."""

    reason: Reason


Verdict = Again | Next | GiveUp


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that was taken and has not ended. Amounts in millionths of a credit, times in ms.

    `usual` is what nearly all such jobs take, None where that is not known. `other` is what a job usually takes at the offer that
    would be asked instead, None where there is none.
    """

    queued: bool
    elapsed: int
    usual: int | None
    patience: Patience | None
    price: int
    in_doubt_max_cost: int
    made: int
    allowed: int
    other: int | None
    remaining: int


def is_slow(elapsed: int, usual: int | None, patience: Patience | None) -> bool:
    """Whether a job has run for longer than it is to be waited for in peace; what is not known is not slow."""
    return usual is not None and patience is not None and elapsed >= patience.lasts(usual)


def may_move(waiting: Waiting) -> bool:
    """Whether a slow job may be withdrawn and given to another offer: one that has not begun, and costs little should it do so."""
    return (
        waiting.queued
        and is_slow(waiting.elapsed, waiting.usual, waiting.patience)
        and waiting.price <= waiting.in_doubt_max_cost
        and waiting.made < waiting.allowed
        and waiting.other is not None
        and waiting.remaining >= waiting.other + LEAST
    )


def decide(situation: Situation) -> Verdict:
    """Decide what follows a fault.

    Another offer costs no waiting, so it comes before a second try on the same one. A job that may be running is never
    followed by another where a double payment would cost more than the policy allows.
    """
    fault, permits = situation.fault, situation.fault.permits
    if may_run(fault) and situation.price > situation.in_doubt_max_cost:
        return GiveUp(Reason.IN_DOUBT if fault.reach is Reach.UNSURE else Reason.LATE)
    if permits.following is Following.IF_ROUTE_SAYS and not situation.follow_refusal:
        return GiveUp(Reason.REFUSED)
    if situation.remaining < LEAST:
        return GiveUp(Reason.LATE)
    if situation.made >= situation.allowed:
        return GiveUp(Reason.EXHAUSTED)
    if situation.others:
        return Next()
    return _again(situation) or GiveUp(Reason.EXHAUSTED)


def may_run(fault: Fault) -> bool:
    """Whether a job may be running at the provider after this fault, at our cost."""
    return fault.reach is Reach.UNSURE or (fault.reach is Reach.ACCEPTED and fault.kind is FaultKind.TIMEOUT)


def _again(situation: Situation) -> Again | None:
    fault = situation.fault
    if situation.repeated or not situation.budget or fault.reach not in {Reach.UNSENT, Reach.REFUSED}:
        return None
    after = _pause(fault)
    if after is None or after > situation.remaining - LEAST:
        return None
    return Again(after + int(_BACKOFF * situation.chance))


def _pause(fault: Fault) -> int | None:
    match fault.permits.again:
        case Allowed.NO:
            return None
        case Allowed.IF_UNSENT:
            return _BACKOFF if fault.reach is Reach.UNSENT else None
        case Allowed.ONCE:
            return max(fault.pause or 0, _BACKOFF)
        case Allowed.AFTER_PAUSE:
            return fault.pause if fault.pause is not None else _PAUSE
