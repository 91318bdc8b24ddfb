"""(generation, rules, offers, standing) → plan. Every provider of the model is either a step or an exclusion with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from gateway.generation import Value
from gateway.offer import Fit, Misfit, Offer, fit
from gateway.routing.order import arrange
from gateway.routing.policy import Rules, left_out


class Why(StrEnum):
    """Why a provider is not asked."""

    MISFIT = "misfit"  # it cannot honour what is asked
    SWITCHED_OFF = "switched_off"  # the operator turned it off
    NO_CREDENTIAL = "no_credential"  # its credential is not set
    POLICY = "policy"  # a route leaves it out
    TOO_DEAR = "too_dear"  # above the route's highest price
    RESTING = "resting"  # its breaker is open, or it asked for a pause
    BUSY = "busy"  # it has as many jobs under way as it takes


@dataclass(frozen=True, slots=True)
class Standing:
    """Why an offer cannot be asked right now, whatever the request; `until` in ms where it will pass by itself."""

    why: Why
    reason: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One offer to try: by which form, at what price (millionths), leaving out which fields."""

    provider: str
    form: int
    native: str
    price: int
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One provider that is not asked, and why."""

    provider: str
    why: Why
    reason: str
    field: str | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be tried, in order, and what will not."""

    steps: tuple[Step, ...]
    excluded: tuple[Exclusion, ...]

    @property
    def hold(self) -> int:
        """The highest price among the offers that may serve: what has to be there before anything starts."""
        return max((step.price for step in self.steps), default=0)


def plan(
    fields: Mapping[str, Value],
    asked: tuple[str, ...],
    rules: Rules,
    offers: Iterable[Offer],
    standing: Mapping[str, Standing],
    *,
    ranking: tuple[str, ...] = (),
    chance: float = 0.0,
) -> Plan:
    """Make the plan for one request. `standing` holds, by provider, those that cannot be asked right now.

    `ranking` and `chance` are those of `arrange`.
    """
    offers = tuple(offers)
    fits = {offer.provider: fit(offer, fields) for offer in offers}
    prices = {provider: found.price for provider, found in fits.items() if isinstance(found, Fit)}
    judged = {
        offer.provider: _judge(offer, fits[offer.provider], rules, standing.get(offer.provider)) for offer in offers
    }
    # Each half by itself: the share of a provider that cannot be asked falls to the others by their weights.
    steps = {provider: found for provider, found in judged.items() if isinstance(found, Step)}
    excluded = {provider: found for provider, found in judged.items() if isinstance(found, Exclusion)}
    order = partial(arrange, asked=asked, rules=rules, prices=prices, ranking=ranking, chance=chance)
    return Plan(
        tuple(steps[offer.provider] for offer in order([offer for offer in offers if offer.provider in steps])),
        tuple(excluded[offer.provider] for offer in order([offer for offer in offers if offer.provider in excluded])),
    )


def _judge(offer: Offer, found: Fit | Misfit, rules: Rules, standing: Standing | None) -> Step | Exclusion:
    provider = offer.provider
    if isinstance(found, Misfit):
        field, _ = found.reasons[0]
        said = "; ".join(sentence for _, sentence in found.reasons)
        return Exclusion(provider, Why.MISFIT, said, field)
    if (reason := left_out(rules, provider, rules.carried)) is not None:
        return Exclusion(provider, Why.POLICY, reason)
    if rules.max_price is not None and found.price > rules.max_price:
        return Exclusion(provider, Why.TOO_DEAR, "its price is above the route's max_price")
    if standing is not None:
        return Exclusion(provider, standing.why, standing.reason, until=standing.until)
    return Step(provider, found.form, offer.forms[found.form].native, found.price, found.dropped)
