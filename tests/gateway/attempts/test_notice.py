"""What is measured and logged when a breaker moves."""

from __future__ import annotations

import logging

import pytest

from gateway import metrics
from gateway.attempts.notice import tell
from gateway.fault import Fault, FaultKind, Reach
from gateway.routing.health import Health
from gateway.routing.signal import Trial

MODEL = "lab/noticed"


def value(name: str, **labels: str) -> float | None:
    """A series as a scrape shows it."""
    return metrics.REGISTRY.get_sample_value(name, labels)


def fail(health: Health, kind: FaultKind, now: int, provider: str) -> None:
    """One attempt fails."""
    health.failed(Trial(provider, MODEL, now), Fault(kind, Reach.REFUSED, "no"), now, 0)


def state(provider: str) -> float | None:
    """The state of the one breaker."""
    return value("tidegate_breaker_state", provider=provider, model=MODEL, breaker="submit")


def test_a_breaker_is_measured_from_its_first_opening_on(caplog: pytest.LogCaptureFixture) -> None:
    """Not before; then 2, 1 and 0, with one event for the opening and one for the closing."""
    caplog.set_level(logging.INFO, "gateway")
    health = Health()
    for now in range(5):
        tell(health, "first", now)
        assert state("first") is None
        fail(health, FaultKind.OVERLOADED, now, "first")
    tell(health, "first", 4)
    assert state("first") == 2
    for number in range(2):
        trial = Trial("first", MODEL, 31_000 + number)
        assert health.take(trial, trial.began)
        tell(health, "first", trial.began)
        assert state("first") == 1
        health.submitted(trial, trial.began)
    tell(health, "first", 31_001)
    assert state("first") == 0
    told = [(each.msg, each.levelname) for each in caplog.records if each.msg.startswith("breaker")]
    assert told == [("breaker_opened", "WARNING"), ("breaker_closed", "INFO")]


def test_what_a_provider_takes_is_measured_while_it_is_known() -> None:
    """From its first refusal until ten quiet minutes later."""
    health = Health()
    tell(health, "limited", 0)
    assert value("tidegate_provider_concurrency", provider="limited") is None
    for _ in range(10):
        health.enter(Trial("limited", MODEL, 0))
    fail(health, FaultKind.RATE_LIMITED, 1, "limited")
    tell(health, "limited", 1)
    assert value("tidegate_provider_concurrency", provider="limited") == 7
    tell(health, "limited", 600_001)
    assert value("tidegate_provider_concurrency", provider="limited") is None
