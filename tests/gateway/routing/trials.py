"""Trials on two providers, for the tests of what is known of offers."""

from __future__ import annotations

from gateway.fault import Fault, FaultKind, Reach
from gateway.routing.health import Health
from gateway.routing.signal import Trial

A, B, MODEL, OTHER, THIRD = "a", "b", "lab/model", "lab/other", "lab/third"
FAILED = "it failed too often"
JOBS = "its jobs failed too often"
REFUSED = "its credential was refused"
UNREACHED = "it could not be reached"
SEVERAL = "several of its models failed too often"
PAUSED = "it asked for a pause"
HELD_BACK = "more calls wait than its rate allows"
FULL = "as many jobs as it takes are under way"


def fault(kind: FaultKind, pause: int | None = None, reach: Reach = Reach.REFUSED) -> Fault:
    """A fault of a kind."""
    return Fault(kind, reach, "something went wrong", pause=pause)


def fail(health: Health, kind: FaultKind, now: int, *, times: int = 1, model: str = MODEL, **more) -> None:
    """Attempts at the first provider fail now."""
    for _ in range(times):
        health.failed(Trial(A, model, now), fault(kind, **more), now, 0)


def ask(health: Health, now: int, model: str = MODEL, provider: str = A, **more) -> Trial | None:
    """Send one if it may go."""
    trial = Trial(provider, model, now, **more)
    return trial if health.take(trial, now) else None


def sent(health: Health, now: int, model: str = MODEL, **more) -> Trial:
    """Send one, which may go."""
    trial = ask(health, now, model, **more)
    assert trial is not None
    return trial


def why(health: Health, now: int, provider: str = A, model: str = MODEL) -> str | None:
    """Why an offer cannot be asked now."""
    standing = health.standing(provider, model, now)
    return standing.reason if standing else None
