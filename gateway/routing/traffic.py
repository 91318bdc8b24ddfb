"""What is under way at each provider, how much it takes, and until when it asked to be left alone.

There is one credential for each provider, so what belongs to a credential is kept by provider.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from gateway.routing import concurrency
from gateway.routing.concurrency import Limit
from gateway.routing.fair import comes_next

_USUAL_PAUSE = 5_000  # ms after a rate limit that does not say how long
_MOST_SERVED = 10_000  # accounts remembered at a provider; forgotten, they are as those that never had a place
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
        self._own_pauses: set[str] = set()  # whose present pause nobody asked for but us
        self._limits: dict[str, Limit] = {}
        self._under_way: dict[str, Counter[str]] = {}  # by provider and account
        self._waiting: dict[
            str, dict[str, dict[int, None]]
        ] = {}  # the same, the numbers of those that wait for a place
        self._last = 0
        self._served: dict[str, dict[str, int]] = {}  # by provider and account, the number of its latest place
        self._spilled: dict[str, int] = {}
        self.shown: set[str] = set()  # the providers of which `most` was last shown

    def pause(self, provider: str, asked: int | None, now: int, *, is_own: bool = False) -> None:
        """Leave a provider alone for as long as it asked, or for the usual time; a longer pause stays.

        One of our own is for calls that waited longer for its rate than they can.
        """
        wait = _USUAL_PAUSE if asked is None else min(max(asked, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        if now + wait > self._pauses.get(provider, 0):
            self._pauses[provider] = now + wait
            (self._own_pauses.add if is_own else self._own_pauses.discard)(provider)

    def paused(self, provider: str, now: int) -> int | None:
        """Until when a provider is to be left alone; None when it is not."""
        until = self._pauses.get(provider, 0)
        return until if now < until else None

    def is_own_pause(self, provider: str) -> bool:
        """Whether its rate is why it is left alone, and not its own word."""
        return provider in self._own_pauses

    def has_room(self, provider: str, now: int, *, spilled: bool) -> bool:
        """Whether a provider takes one more job."""
        under_way, others = self.under_way(provider), self._spilled.get(provider, 0)
        return concurrency.has_room(self.most(provider, now), under_way, others, is_spilled=spilled)

    def is_turn(self, provider: str, account: str, number: int, now: int) -> bool:
        """Whether a place that is free is for an account's work of this number, before all that waits for one."""
        most, waiting = self.most(provider, now), self._waiting.get(provider)
        if most is None or not waiting:
            return True
        free = most - self.under_way(provider)
        under_way, served = self._under_way.get(provider, Counter()), self._served.get(provider, {})
        return comes_next(account, number, free, under_way, waiting, served)

    def is_owed(self, provider: str, account: str, now: int) -> bool:
        """Whether a full provider will have a place for an account soon: it has, and waits for, less than its even share."""
        most, under_way = self.most(provider, now), self._under_way.get(provider, Counter())
        waiting = self._waiting.get(provider, {})
        accounts = {each for each, count in under_way.items() if count} | set(waiting) | {account}
        if most is None or len(accounts) == 1:
            return False
        return under_way[account] + len(waiting.get(account, ())) < max(1, most // len(accounts))

    @property
    def upcoming(self) -> int:
        """The number that one more would have."""
        return self._last + 1

    def number(self) -> int:
        """The number of one more that may have to wait: higher than any before."""
        self._last += 1
        return self._last

    @contextmanager
    def waits(self, providers: Iterable[str], account: str, number: int) -> Iterator[None]:
        """Have an account's work of this number wait for a place at any of these."""
        names = list(providers)
        for each in names:
            self._waiting.setdefault(each, {}).setdefault(account, {})[number] = None
        try:
            yield
        finally:
            for each in names:
                own = self._waiting[each][account]
                del own[number]
                if not own:
                    del self._waiting[each][account]

    def most(self, provider: str, now: int) -> int | None:
        """How many jobs may be under way at a provider; None where nothing is known."""
        limit, cap = self._limits.get(provider), self.caps.get(provider)
        return None if limit is None and cap is None else concurrency.most(limit, cap, now)

    def under_way(self, provider: str) -> int:
        """How many jobs are under way at a provider."""
        return self._under_way.get(provider, Counter()).total()

    def enter(self, provider: str, account: str = "", *, spilled: bool) -> None:
        """Count one that goes out for an account."""
        under_way, served = self._under_way.setdefault(provider, Counter()), self._served.setdefault(provider, {})
        under_way[account] += 1
        if len(served) >= _MOST_SERVED:
            served.clear()
        served[account] = self.number()
        self._spilled[provider] = self._spilled.get(provider, 0) + spilled

    def leave(self, provider: str, account: str = "", *, spilled: bool) -> None:
        """Count one that is over."""
        accounts = self._under_way[provider]
        accounts[account] -= 1
        if not accounts[account]:
            del accounts[account]
        self._spilled[provider] -= spilled

    def refused(self, provider: str, began: int, now: int) -> None:
        """Learn that a call which left at `began` was one too many."""
        under_way = self.under_way(provider)
        self._limits[provider] = concurrency.refused(self._limits.get(provider), under_way, began, now)

    def accepted(self, provider: str, now: int) -> None:
        """Learn that a job was taken."""
        learned = concurrency.accepted(self._limits.pop(provider, None), now)
        if learned is not None:
            self._limits[provider] = learned
