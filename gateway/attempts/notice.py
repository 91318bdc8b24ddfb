"""Breakers that have moved, told to the log and the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway import log, metrics
from gateway.routing.breaker import Standing
from gateway.routing.health import Health

_LEVELS: Mapping[Standing, int] = MappingProxyType({Standing.CLOSED: 0, Standing.HALF_OPEN: 1, Standing.OPEN: 2})


def tell(health: Health, provider: str, now: int) -> None:
    """Log and measure which breakers have moved, and how much the provider takes by now; `now` in ms."""
    for moved in health.changes():
        metrics.BREAKER_STATE.labels(moved.provider, moved.model, moved.kind.value).set(_LEVELS[moved.standing])
        match moved.standing:
            case Standing.OPEN:
                seconds = round((moved.until - now) / 1000, 1) if moved.until is not None else None
                log.event("breaker_opened", level="warning", provider=moved.provider, model=moved.model,
                          breaker=moved.kind.value, seconds=seconds)  # fmt: skip
            case Standing.CLOSED:
                log.event("breaker_closed", provider=moved.provider, model=moved.model, breaker=moved.kind.value)
            case Standing.HALF_OPEN:
                pass  # a probe is an attempt, and is logged as one
    most = health.traffic.most(provider, now)
    if most is not None:
        metrics.CONCURRENCY.labels(provider).set(most)
        health.traffic.shown.add(provider)
    elif provider in health.traffic.shown:
        metrics.CONCURRENCY.remove(provider)
        health.traffic.shown.discard(provider)
