"""How often somebody may ask: a bucket of tokens for each key, account and address. The time is an argument.

A bucket holds as many tokens as may be asked for in a minute and fills up within one; a request takes one. So a burst of a full
minute's requests is let through after a quiet minute, and in the long run no more than the rate.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

_MINUTE = 60.0  # seconds
_ONE = 1 - 1e-9  # a token, less what adding up fractions may lose
_MOST = 10_000  # buckets; those that are full are forgotten first: it makes no difference whether they are known


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many tokens at that moment, in seconds of a clock that never steps back."""

    tokens: float
    at: float

    def filled(self, limit: int, now: float) -> Bucket:
        """The same bucket now."""
        return Bucket(min(limit, self.tokens + max(0.0, now - self.at) * limit / _MINUTE), now)


@dataclass(frozen=True, slots=True)
class Claim:
    """One token of a bucket that holds `limit` a minute."""

    name: str
    limit: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands with the tightest of its limits: requests a minute, how many of them are left, seconds until all are.

    `wait` is in whole seconds until one is there again; None when the request was let through.
    """

    limit: int
    remaining: int
    reset: int
    wait: int | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """How many requests a minute an account may make: those that begin a generation, and all others; None for any number."""

    requests: int | None = None
    generations: int | None = None


_USUAL = Rates()


class Limiter:
    """Remembers buckets. A request takes from all that it claims, or from none."""

    def __init__(self, most: int = _MOST) -> None:
        """Remember at most so many buckets."""
        self._most = most
        self._buckets: dict[str, tuple[Bucket, int]] = {}
        self.taken: Counter[Claim] | None = None  # tokens, where somebody else wants to know

    def admit(self, claims: Sequence[Claim], now: float) -> Standing | None:
        """Take a token of every claim, if each has one; how the caller then stands, None without claims."""
        filled = [(claim, self._bucket(claim, now)) for claim in claims]
        short = [_refused(claim, bucket) for claim, bucket in filled if bucket.tokens < _ONE]
        if short:
            return max(short, key=lambda each: each.wait or 0)
        left = [(claim, Bucket(max(0.0, bucket.tokens - 1), now)) for claim, bucket in filled]
        for claim, bucket in left:
            self._put(claim, bucket, now)
        if self.taken is not None:
            self.taken.update(claim for claim, _ in left)
        return min((_standing(*each) for each in left), key=lambda each: each.remaining, default=None)

    def charge(self, claim: Claim, tokens: int, now: float) -> None:
        """Take tokens that were given out elsewhere; a bucket may owe as many as it holds."""
        bucket = self._bucket(claim, now)
        self._put(claim, Bucket(max(-float(claim.limit), bucket.tokens - tokens), now), now)

    def wait(self, claim: Claim, now: float) -> int | None:
        """How many whole seconds until a token of the claim is there, None when one is; takes nothing."""
        bucket = self._bucket(claim, now)
        return _refused(claim, bucket).wait if bucket.tokens < _ONE else None

    def _bucket(self, claim: Claim, now: float) -> Bucket:
        known = self._buckets.get(claim.name)
        # With another limit than before the bucket is never fuller than the new one is.
        return known[0].filled(claim.limit, now) if known is not None else Bucket(claim.limit, now)

    def _put(self, claim: Claim, bucket: Bucket, now: float) -> None:
        self._buckets.pop(claim.name, None)
        if len(self._buckets) >= self._most:
            self._forget(now)
        self._buckets[claim.name] = (bucket, claim.limit)

    def _forget(self, now: float) -> None:
        full = [name for name, (bucket, limit) in self._buckets.items() if bucket.filled(limit, now).tokens >= limit]
        # When none is, those that were used the longest time ago, many at once: the look through all of them has to pay.
        for name in full or list(self._buckets)[: max(1, self._most // 10)]:
            del self._buckets[name]


class Pace:
    """Holds callers to their rates: each account to those of all accounts, each key to its own."""

    def __init__(self, now: Callable[[], float], rates: Rates) -> None:
        """Hold accounts to these rates; `now` gives the seconds of a clock that never steps back. `rates` may be replaced."""
        self.rates = rates
        self._now = now
        self._limiter = Limiter()

    def share(self) -> Counter[Claim]:
        """Count from now on what is taken, for others who hold the same callers to the same rates."""
        taken: Counter[Claim] = Counter()
        self._limiter.taken = taken
        return taken

    def charge(self, name: str, limit: int, tokens: int) -> None:
        """Take what such others gave out."""
        self._limiter.charge(Claim(name, limit), tokens, self._now())

    def admit(self, account: str, key: str, rate: int | None, *, creates: bool, own: Rates = _USUAL) -> Standing | None:
        """Let a request through, or say how long to wait; None where nothing limits it.

        `rate` is the key's own, `own` what was said of the account alone. Looking at what becomes of a generation never takes
        from what may be begun.
        """
        said, usual = (own.generations, self.rates.generations) if creates else (own.requests, self.rates.requests)
        limit = said if said is not None else usual
        kind = "generations" if creates else "requests"
        claims = [
            *([Claim(f"account {kind} {account}", limit)] if limit is not None else ()),
            *([Claim(f"key {key}", rate)] if rate is not None else ()),
        ]
        return self._limiter.admit(claims, self._now()) if claims else None


def _standing(claim: Claim, bucket: Bucket) -> Standing:
    return Standing(claim.limit, max(0, int(bucket.tokens)), _seconds(claim, claim.limit - bucket.tokens))


def _refused(claim: Claim, bucket: Bucket) -> Standing:
    return replace(_standing(claim, bucket), remaining=0, wait=max(1, _seconds(claim, 1 - bucket.tokens)))


def _seconds(claim: Claim, tokens: float) -> int:
    """How many whole seconds so many tokens take to come; what adding up fractions leaves over is no second."""
    return math.ceil(round(tokens * _MINUTE / claim.limit, 6))
