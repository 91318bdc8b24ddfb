"""What is under way at each provider, how much it takes, and until when it asked to be left alone.

There is one credential for each provider, so what belongs to a credential is kept by provider.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.routing import concurrency
from gateway.routing.concurrency import Limit

_USUAL_PAUSE = 5_000  # ms after a rate limit that does not say how long
# Sooner than a second no provider means it, and longer than five minutes the next generation had better find out.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1_000, 300_000


class Traffic:
    """Counts jobs and keeps pauses. Every method takes the time, in ms."""

    def __init__(self, caps: Mapping[str, int], rates: Mapping[str, float] | None = None) -> None:
        """Begin with nothing under way; `caps` is how many jobs at most a provider is given at once, where that is said.

        `rates` is how many calls a second at most it hears, likewise.
        """
        self.caps = caps
        self.rates = rates or {}
        self._pauses: dict[str, int] = {}
        self._limits: dict[str, Limit] = {}
        self._under_way: dict[str, int] = {}
        self._spilled: dict[str, int] = {}

    def pause(self, provider: str, asked: int | None, now: int) -> None:
        """Leave a provider alone for as long as it asked, or for the usual time; a longer pause stays."""
        wait = _USUAL_PAUSE if asked is None else min(max(asked, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        self._pauses[provider] = max(self._pauses.get(provider, 0), now + wait)

    def paused(self, provider: str, now: int) -> int | None:
        """Until when a provider is to be left alone; None when it is not."""
        until = self._pauses.get(provider, 0)
        return until if now < until else None

    def has_room(self, provider: str, now: int, *, spilled: bool) -> bool:
        """Whether a provider takes one more job."""
        under_way, others = self._under_way.get(provider, 0), self._spilled.get(provider, 0)
        return concurrency.has_room(self.most(provider, now), under_way, others, is_spilled=spilled)

    def most(self, provider: str, now: int) -> int | None:
        """How many jobs may be under way at a provider; None where nothing is known."""
        return concurrency.most(self._limits.get(provider), self.caps.get(provider), now)

    def under_way(self, provider: str) -> int:
        """How many jobs are under way at a provider."""
        return self._under_way.get(provider, 0)

    def enter(self, provider: str, *, spilled: bool) -> None:
        """Count one that goes out."""
        self._under_way[provider] = self._under_way.get(provider, 0) + 1
        self._spilled[provider] = self._spilled.get(provider, 0) + spilled

    def leave(self, provider: str, *, spilled: bool) -> None:
        """Count one that is over."""
        self._under_way[provider] -= 1
        self._spilled[provider] -= spilled

    def refused(self, provider: str, began: int, now: int) -> None:
        """Learn that a call which left at `began` was one too many."""
        under_way = self._under_way.get(provider, 0)
        self._limits[provider] = concurrency.refused(self._limits.get(provider), under_way, began, now)

    def accepted(self, provider: str, now: int) -> None:
        """Learn that a job was taken."""
        learned = concurrency.accepted(self._limits.pop(provider, None), now)
        if learned is not None:
            self._limits[provider] = learned
