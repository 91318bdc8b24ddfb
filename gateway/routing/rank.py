"""`fastest`: from what came of attempts to the order in which a model's providers are tried.

Two figures come of the same attempts. `expected` decides: the seconds until a caller holds a finished output, failures
included, because the mean of that is what callers feel. `published` is the score that clients of the contract know; it weighs
success, waste and the 95th percentile by fixed shares, and is reported only.

Nothing here changes in place. Time comes in as `now`, in milliseconds, and chance as `dice` or `chance`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from math import ceil, exp, inf, log, sqrt
from typing import Protocol

DAY = 86_400_000  # ms; what is older says nothing of now, and no attempt takes longer
EXPLORE = 0.05  # share of requests that may be spent on learning about the others
_DISCOUNT = 0.98  # per observation: the last fifty count
_MOST = 1.01 / (1 - _DISCOUNT)  # no discounted count grows beyond
_FADING = 0.999 ** (1 / 1000)  # per ms: what was not heard of for ten minutes counts half
_FLOOR = 5.0  # observations that fading leaves where new ones come in: at a request an hour, the last one alone is mostly luck
# How much of the evidence counts when a trial is drawn: providers change, and fifty observations are less sure than they look.
_TRUST = 0.3
_PENALTY = 1.0  # seconds a failure costs beside its own time: what may have been billed, and asking the next
# What is believed of a provider before anything is known: two observations' worth of working nine times in ten, seconds
# that may lie a factor e to either side of what the model usually takes, and a spread of half of that about their mean.
_WORKS, _BREAKS = 1.8, 0.2
_DOUBT = 1.0
_SPREAD = 0.25
_RAREST = 0.01  # least share of success reckoned with, so that nothing is divided by zero
# How much slower the dearest offer is made to look at most. Fifty observations cannot tell so little apart, so that price
# decides where speed does not, and never costs a caller more than that.
_DEARER = 0.05
_WASTE, _SLOWNESS = 0.5, 0.3  # the published score's penalties


class Outcome(StrEnum):
    """What came of an attempt. One that the caller gave up on has none: it says nothing of the provider."""

    USED = "used"
    FAILED = "failed"
    DISCARDED = "discarded"  # nobody waited for it any more


class Source(StrEnum):
    """Where an order comes from."""

    RANKED = "ranked"
    FALLBACK = "fallback"  # the listed order, because nothing is known or what is known makes no sense
    DISABLED = "disabled"  # the listed order, because ranking is switched off


class Dice(Protocol):
    """Chance, as `random.Random` has it."""

    def betavariate(self, alpha: float, beta: float, /) -> float:
        """Draw a share."""

    def gauss(self, mu: float, sigma: float, /) -> float:
        """Draw from a normal distribution."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known of one provider for one model.

    `wins` and `losses` are discounted counts. `mean` and `variance` are of the log of the seconds that finished attempts
    took, `lost` is the mean seconds of the failed ones. `at` is the last observation, in milliseconds.
    """

    wins: float = 0.0
    losses: float = 0.0
    mean: float = 0.0
    variance: float = 0.0
    lost: float = 0.0
    at: int = 0


UNKNOWN = Belief()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The order of a model's providers, and the one that `explore`, a share of the requests, gets instead.

    `scores` are expected seconds, price weighed in, for those of whom enough is known.
    """

    order: tuple[str, ...]
    trial: tuple[str, ...]
    scores: Mapping[str, float]
    source: Source
    explore: float = 0.0

    def pick(self, chance: float) -> tuple[str, ...]:
        """Give the order for one request; `chance` is drawn evenly from 0 up to 1."""
        return self.trial if chance < self.explore else self.order


@dataclass(frozen=True, slots=True)
class Past:
    """One finished attempt: what came of it, how long it took and when it was submitted, in milliseconds."""

    outcome: Outcome
    ms: int
    submitted: int


@dataclass(frozen=True, slots=True)
class Published:
    """The published score of a model's providers, best first; `computed_at` is RFC 3339."""

    providers_ranked: tuple[str, ...]
    scores: Mapping[str, float]
    attempts_total: int
    window_hours: int
    computed_at: str

    def payload(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return {
            "providers_ranked": list(self.providers_ranked),
            "scores": dict(self.scores),
            "attempts_total": self.attempts_total,
            "window_hours": self.window_hours,
            "computed_at": self.computed_at,
        }


def plausible(ms: int) -> bool:
    """Whether an attempt can have taken so long; otherwise the clock was set meanwhile, and the time says nothing."""
    return 0 <= ms <= DAY


def observed(belief: Belief, outcome: Outcome, ms: int, now: int) -> Belief:
    """Take note of what came of an attempt that took `ms`; a belief that makes no sense is begun anew."""
    if not plausible(ms):
        return belief
    kept = _faded(belief, now, _FLOOR) if _sound(belief) else UNKNOWN
    seconds = max(ms, 1) / 1000
    wins, losses = kept.wins * _DISCOUNT, kept.losses * _DISCOUNT
    match outcome:
        case Outcome.USED:
            share, off = 1 / (wins + 1), log(seconds) - kept.mean
            variance = (1 - share) * (kept.variance + share * off * off)
            return Belief(wins + 1, losses, kept.mean + share * off, variance, kept.lost, now)
        case Outcome.FAILED | Outcome.DISCARDED:
            lost = kept.lost + (seconds - kept.lost) / (losses + 1)
            return replace(kept, wins=wins, losses=losses + 1, lost=lost, at=now)


def expected(belief: Belief) -> float:
    """The seconds until a finished output, asking the same provider until there is one; infinite while none was finished."""
    if not belief.wins:
        return inf
    works = (belief.wins + _WORKS) / (belief.wins + belief.losses + _WORKS + _BREAKS)
    return _until_done(works, belief.mean, belief)


def ranked(
    beliefs: Mapping[str, Belief],
    providers: Iterable[str],
    prices: Mapping[str, int],
    now: int,
    dice: Dice,
    explore: float = EXPLORE,
) -> Ranking:
    """Rank providers, given in the listed order, by expected seconds; ValueError for none, and for nothing else.

    Those none of whose attempts was finished follow in the listed order. `prices` are in millionths; they decide between
    offers about as fast, see `_DEARER`, and one without a price counts as cheap.
    """
    listed = tuple(dict.fromkeys(providers))
    if not listed:
        raise ValueError("there is no provider to rank")
    known = {name: beliefs[name] for name in listed if name in beliefs and now - beliefs[name].at <= DAY}
    means = [belief.mean for belief in known.values() if belief.wins]
    if not means or not all(_sound(belief) for belief in known.values()):
        return as_listed(listed, Source.FALLBACK)
    weights = _weights(listed, prices)
    scores = {name: expected(belief) * weights[name] for name, belief in known.items() if belief.wins}
    order = tuple(sorted(listed, key=lambda name: scores.get(name, inf)))
    first = next((name for name in listed if name not in known), None)
    if first is None:
        usual = sum(means) / len(means)
        drawn = {name: _drawn(_faded(known[name], now), usual, dice) * weights[name] for name in listed}
        first = min(drawn, key=drawn.__getitem__)
    # Behind the one that is tried stands the best, so that a trial costs one attempt at most.
    trial = (first, *(name for name in order if name != first))
    return Ranking(order, trial, scores, Source.RANKED, explore)


def as_listed(providers: Sequence[str], source: Source) -> Ranking:
    """The listed order, when there is nothing better."""
    return Ranking(tuple(providers), tuple(providers), {}, source)


def published(attempts: Mapping[str, Iterable[Past]], now: int, hours: int = 24) -> Published | None:
    """The score of the contract over the last `hours`, by provider; None when nothing was submitted within them.

    It is the share of attempts that were used, less half the share of the others, less 0.3 times the 95th percentile (nearest
    rank) as a share of the slowest provider's. It is reported; what decides is `expected`.
    """
    since = now - hours * 3_600_000
    recent = {name: [each for each in past if each.submitted >= since] for name, past in attempts.items()}
    recent = {name: past for name, past in recent.items() if past}
    if not recent:
        return None
    slowness = {name: _p95(each.ms for each in past) for name, past in recent.items()}
    slowest = max(slowness.values()) or 1
    scores = {}
    for name, past in recent.items():
        used = sum(each.outcome is Outcome.USED for each in past) / len(past)
        scores[name] = used - _WASTE * (1 - used) - _SLOWNESS * slowness[name] / slowest
    order = sorted(recent, key=lambda name: (-scores[name], slowness[name], name))
    computed = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds")
    return Published(tuple(order), scores, sum(map(len, recent.values())), hours, computed)


def _p95(times: Iterable[int]) -> int:
    ordered = sorted(times)
    return ordered[ceil(len(ordered) * 95 / 100) - 1]


def _until_done(works: float, mean: float, belief: Belief) -> float:
    """Seconds an attempt takes and what its failing costs, over the share of attempts that succeed."""
    seconds = exp(mean + belief.variance / 2)
    lost = belief.lost if belief.losses else seconds
    return (works * seconds + (1 - works) * (lost + _PENALTY)) / works


def _drawn(belief: Belief, usual: float, dice: Dice) -> float:
    """Expected seconds as they may be, the more widely drawn the less is known; `usual` is the log of what others take."""
    wins, losses = belief.wins * _TRUST, belief.losses * _TRUST
    works = max(dice.betavariate(wins + _WORKS, losses + _BREAKS), _RAREST)
    spread = (_SPREAD + wins * belief.variance) / (1 + wins)
    doubt = sqrt(1 / (1 / _DOUBT + wins / spread))
    return _until_done(works, dice.gauss(belief.mean if belief.wins else usual, doubt), belief)


def _faded(belief: Belief, now: int, least: float = 0.0) -> Belief:
    """What is left of a belief after its idle time; no fewer than `least` observations, if there were as many."""
    count = belief.wins + belief.losses
    if not count:
        return belief
    left = max(_FADING ** min(max(0, now - belief.at), DAY), min(1.0, least / count))
    return replace(belief, wins=belief.wins * left, losses=belief.losses * left)


def _sound(belief: Belief) -> bool:
    """Whether a belief can have come of observations; the log of a day's seconds is 11."""
    counted = 0 <= belief.wins < _MOST and 0 <= belief.losses < _MOST
    return counted and 0 <= belief.lost <= DAY / 1000 and abs(belief.mean) < 20 and 0 <= belief.variance < 400


def _weights(providers: Iterable[str], prices: Mapping[str, int]) -> dict[str, float]:
    cheapest = min((price for price in prices.values() if price > 0), default=0)
    return {name: 1 + _DEARER * (1 - cheapest / prices[name]) if prices.get(name, 0) > 0 else 1.0 for name in providers}
