"""The operator's acts on breakers: see them, hold one open or closed for a while, leave it to itself again.

They live in the memory of a running gateway: there is nothing to hold where none runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway import log
from gateway.ingress.desk import Act, AdminError, Desk, Switchboard, text
from gateway.routing.health import Seen
from gateway.routing.override import EVERY, Forced, Override

_SPAN = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS: Mapping[str, int] = MappingProxyType({"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000})
_USUAL = "30m"
_LONGEST = 7 * 86_400_000  # ms; what is to hold for longer belongs into the policy file


async def list_(desk: Desk, _given: Mapping[str, Any]) -> dict[str, Any]:
    """Every breaker that has ever opened or is held by hand, and how much providers take at once."""
    board = _board(desk)
    now = board.now()
    providers = sorted({provider for provider, _ in board.offers()})
    return {
        "breakers": [shown(each, now) for each in board.health.seen(now)],
        "providers": [
            {
                "provider": provider,
                "under_way": board.health.traffic.under_way(provider),
                "limit": board.health.traffic.most(provider, now),
            }
            for provider in providers
        ],
    }


async def open_(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Ask a provider, or one model there, for nothing for a while."""
    return _hold(desk, given, Forced.OPEN)


async def close(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Ask a provider, or one model there, whatever its breakers say, for a while."""
    return _hold(desk, given, Forced.CLOSED)


async def auto(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Leave a provider with all its models, or one model there, to its breakers again."""
    board = _board(desk)
    provider, model = _offer(board, given)
    was_held = board.health.overrides.let_go(provider, model)
    if was_held:
        log.event("breaker_let_go", provider=provider, model=model)
    return {"provider": provider, "model": model or None, "was_held": was_held}


def shown(each: Seen, now: int) -> dict[str, Any]:
    """One breaker as it is told; how long it stays so by itself in whole seconds."""
    told: dict[str, Any] = {
        "breaker": each.kind.value,
        "provider": each.provider,
        "model": each.model or None,
        "state": each.standing.value,
    }
    if each.until is not None:
        told["for_seconds"] = _seconds(each.until, now)
    return told


def _hold(desk: Desk, given: Mapping[str, Any], forced: Forced) -> dict[str, Any]:
    board = _board(desk)
    provider, model = _offer(board, given)
    parts = _SPAN.fullmatch(text(given, "for", _USUAL))
    length = int(parts[1]) * _UNITS[parts[2]] if parts is not None else 0
    if not 0 < length <= _LONGEST:
        raise AdminError(
            "for is a time such as 90s or 30m, at most 7d; what is to hold longer belongs into the policy file"
        )
    order = Override(provider, model, forced, board.now() + length)
    board.health.overrides.hold(order)
    log.event(
        "breaker_held", level="warning", provider=provider, model=model, forced=forced.value, seconds=length // 1000
    )
    return _held(order, board.now())


def _held(order: Override, now: int) -> dict[str, Any]:
    return {
        "provider": order.provider,
        "model": order.model or None,
        "held": order.forced.value,
        "for_seconds": _seconds(order.until, now),
    }


def _offer(board: Switchboard, given: Mapping[str, Any]) -> tuple[str, str]:
    provider, model = text(given, "provider"), text(given, "model", EVERY)
    known = board.offers()
    providers = sorted({each for each, _ in known})
    if provider not in providers:
        raise AdminError(f"there is no provider {provider!r}; there are {', '.join(providers)}")
    if model != EVERY and (provider, model) not in known:
        raise AdminError(f"{provider} does not serve {model!r}")
    return provider, model


def _board(desk: Desk) -> Switchboard:
    if desk.board is None:
        raise AdminError("no gateway runs on this store, and breakers are in the memory of a running one")
    return desk.board


def _seconds(until: int, now: int) -> int:
    return max(0, -(-(until - now) // 1000))


ACTS: Mapping[str, tuple[Act, tuple[str, ...]]] = MappingProxyType(
    {
        "breakers.list": (list_, ()),
        "breakers.open": (open_, ("provider", "model", "for")),
        "breakers.close": (close, ("provider", "model", "for")),
        "breakers.auto": (auto, ("provider", "model")),
    }
)
