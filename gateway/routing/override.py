"""What the operator holds open or closed by hand, each for a while. It outlives a reload and not a restart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

EVERY = ""  # instead of a model: every model of the provider


class Forced(StrEnum):
    """Which way a breaker is held."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Override:
    """One order of the operator's; `until` in ms of the clock that never steps."""

    provider: str
    model: str
    forced: Forced
    until: int


class Overrides:
    """The orders in force. What is said of one model goes before what is said of its provider."""

    def __init__(self) -> None:
        """Begin without any."""
        self._orders: dict[tuple[str, str], Override] = {}

    def hold(self, order: Override) -> None:
        """Hold a breaker open or closed, in place of an earlier order about the same."""
        self._orders[order.provider, order.model] = order

    def let_go(self, provider: str, model: str) -> bool:
        """Leave it to the breakers again, a provider with all its models; whether anything was held."""
        gone = [key for key in self._orders if key[0] == provider and model in {EVERY, key[1]}]
        for key in gone:
            del self._orders[key]
        return bool(gone)

    def of(self, provider: str, model: str, now: int) -> Override | None:
        """The order that holds for an offer now."""
        if not self._orders:
            return None
        for key in ((provider, model), (provider, EVERY)):
            order = self._orders.get(key)
            if order is not None and now < order.until:
                return order
        return None

    def listed(self, now: int) -> list[Override]:
        """All that are in force, by provider and model; the others are forgotten."""
        self._orders = {key: order for key, order in self._orders.items() if now < order.until}
        return [self._orders[key] for key in sorted(self._orders)]
