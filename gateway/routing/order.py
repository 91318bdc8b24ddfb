"""The order in which offers are tried: as the caller asks, as the route lists, by price, by speed or by weight."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate
from typing import assert_never

from gateway.offer import Offer
from gateway.routing.policy import Rules, Strategy


def arrange(
    offers: Iterable[Offer],
    asked: tuple[str, ...],
    rules: Rules,
    prices: Mapping[str, int],
    *,
    ranking: tuple[str, ...] = (),
    chance: float = 0.0,
) -> list[Offer]:
    """Put offers in order; `prices` by provider, in millionths, for those that fit.

    What the caller asked for comes first, then what the route lists, then the rest by rank; who asks for providers by name
    gets no other order. `ranking` names providers, the fastest first: those it lacks follow in the listed order, so that they
    are not forgotten. `chance`, from 0 up to but not including 1, draws the first where there are weights.
    """
    usual = sorted(offers, key=lambda offer: (offer.rank, offer.provider))
    listed = _listed(usual, (*asked, *rules.order))
    if asked:
        return listed
    match rules.strategy:
        case Strategy.LISTED:
            return listed
        case Strategy.CHEAPEST:
            return sorted(listed, key=lambda offer: prices.get(offer.provider, 0))
        case Strategy.FASTEST:
            return _listed(listed, ranking)
        case Strategy.WEIGHTED:
            return _drawn(listed, dict(rules.weights), chance)
        case _:
            assert_never(rules.strategy)


def _listed(offers: Iterable[Offer], names: Collection[str]) -> list[Offer]:
    """Those that are named come first, as they are named; the others stay as they are."""
    if not names:
        return list(offers)
    places = {provider: place for place, provider in enumerate(dict.fromkeys(names))}
    return sorted(offers, key=lambda offer: places.get(offer.provider, len(places)))


def _drawn(listed: list[Offer], weights: Mapping[str, int], chance: float) -> list[Offer]:
    """Draw the first by weight and have the rest follow, the heaviest first; one without weight is never drawn."""
    heavy = sorted(listed, key=lambda offer: -weights.get(offer.provider, 0))
    bounds = list(accumulate(weights.get(offer.provider, 0) for offer in heavy))
    if not bounds or bounds[-1] == 0:
        return heavy
    # Below 1 a chance times a whole number stays below it, in floats too: the search ends before those without weight.
    first = heavy[bisect_right(bounds, chance * bounds[-1])]
    return [first, *(offer for offer in heavy if offer is not first)]
