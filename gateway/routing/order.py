"""The order in which offers are tried: as the caller asks, as the route lists, or by price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.offer import Offer
from gateway.routing.policy import Rules, Strategy


def arrange(offers: Iterable[Offer], asked: tuple[str, ...], rules: Rules, prices: Mapping[str, int]) -> list[Offer]:
    """Put offers in order; `prices` by provider, in millionths, for those that fit.

    What the caller asked for comes first, then what the route lists, then the rest by rank. Without a ranking of speed,
    `fastest` is the listed order.
    """
    wanted = {provider: place for place, provider in enumerate(dict.fromkeys((*asked, *rules.order)))}
    cheapest = rules.strategy is Strategy.CHEAPEST and not asked

    def key(offer: Offer) -> tuple[int, int, int, str]:
        price = prices.get(offer.provider, 0) if cheapest else 0
        return price, wanted.get(offer.provider, len(wanted)), offer.rank, offer.provider

    return sorted(offers, key=key)
