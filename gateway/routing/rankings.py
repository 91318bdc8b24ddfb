"""What is known of every offer's speed, and the ranking of each model made of it, kept between requests.

`note` is told of each finished attempt; `refresh` is called about once a second, away from the requests, which only look with
`of`. It lives in memory: a restart begins with what `restore` reads from the store. Times are in milliseconds since the epoch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.routing.rank import (
    DAY,
    EXPLORE,
    UNKNOWN,
    Belief,
    Dice,
    Outcome,
    Past,
    Published,
    Ranking,
    Source,
    as_listed,
    observed,
    plausible,
    published,
    ranked,
)

_FRESH = 10_000  # ms that a published score is given again: it costs some ms at a model that is asked for a lot
_REMEMBERED = 500  # attempts of each offer that the published score goes by


class Finished(Protocol):
    """A finished attempt as the store keeps it; `outcome` is a word of `Outcome`, times are in milliseconds."""

    @property
    def provider(self) -> str:
        """Who was asked."""

    @property
    def model(self) -> str:
        """For which model."""

    @property
    def outcome(self) -> str:
        """What came of it."""

    @property
    def started(self) -> int:
        """When it was submitted."""

    @property
    def ended(self) -> int:
        """When it ended."""


@dataclass(slots=True)
class _Model:
    """What is kept of one model, by provider; `heard` is when something was last noted, `told` the score and when it was made."""

    beliefs: dict[str, Belief] = field(default_factory=dict)
    past: dict[str, deque[Past]] = field(default_factory=dict)
    heard: int = 0
    told: tuple[int, Published | None] = (0, None)


class Rankings:
    """The rankings of all models. Every method that needs the time takes it; nothing here waits."""

    def __init__(
        self, listed: Callable[[str], Mapping[str, int]], *, explore: float = EXPLORE, enabled: bool = True
    ) -> None:
        """Begin with nothing known.

        `listed` gives a model's providers in the listed order, each with a price in millionths (0 where there is none), and
        nothing for a model that is not offered. `explore` is the share of requests that may be spent on learning.
        """
        self._listed = listed
        self.explore = explore
        self._enabled = enabled
        self._models: dict[str, _Model] = {}
        self._news: dict[str, None] = {}  # in the order they came, so that chance falls the same way in every run
        self._rankings: dict[str, Ranking] = {}

    def of(self, model: str) -> Ranking | None:
        """The ranking of a model as it was last made, or None while nothing is known."""
        return self._rankings.get(model)

    def published(self, model: str, now: int) -> Published | None:
        """The published score of a model's providers over the last day, or None while nothing is known."""
        known = self._models.get(model)
        if known is None:
            return None
        made, told = known.told
        if told is None or now - made > _FRESH:
            told = published(known.past, now)
            known.told = (now, told)
        return told

    def note(self, provider: str, model: str, outcome: Outcome, ms: int, now: int) -> None:
        """Take note of an attempt that ended now and took `ms`."""
        if not plausible(ms):
            return
        known = self._models.setdefault(model, _Model())
        known.beliefs[provider] = observed(known.beliefs.get(provider, UNKNOWN), outcome, ms, now)
        known.past.setdefault(provider, deque(maxlen=_REMEMBERED)).append(Past(outcome, ms, now - ms))
        known.heard = now
        self._news[model] = None

    def refresh(self, now: int, dice: Dice) -> None:
        """Rank anew the models of which something was noted, and forget those not heard of for a day."""
        for model in [model for model, known in self._models.items() if now - known.heard > DAY]:
            self._forget(model)
        for model in self._news:
            providers = self._listed(model)
            known = self._models.get(model)
            if known is None:
                continue
            if not providers:
                self._forget(model)
                continue
            for gone in known.past.keys() - providers.keys():
                del known.past[gone], known.beliefs[gone]
            if self._enabled:
                made = ranked(known.beliefs, providers, providers, now, dice, self.explore)
            else:
                made = as_listed(tuple(providers), Source.DISABLED)
            self._rankings[model] = made
        self._news.clear()

    def restore(self, rows: Iterable[Finished], now: int) -> None:
        """Take note of the attempts of the last day that ended before a restart, in any order."""
        recent = [row for row in rows if now - DAY <= row.ended <= now]
        for row in sorted(recent, key=lambda row: row.ended):
            self.note(row.provider, row.model, Outcome(row.outcome), row.ended - row.started, row.ended)

    def _forget(self, model: str) -> None:
        del self._models[model]
        self._rankings.pop(model, None)
