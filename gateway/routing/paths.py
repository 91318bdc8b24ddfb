"""The way to a provider's status calls: where it is broken, running jobs are looked at less often, and none is given up."""

from __future__ import annotations

from gateway.routing.window import Bucket, count, totals

_ENOUGH = 20  # looks in the last minute before a share says anything
_SHARE = 0.8
_SLOWER = 3  # times the usual wait: from at most ten seconds to half a minute, of the two that a job may go unseen


class Paths:
    """Remembers the looks of the last minute at each provider. Every method takes the time, in ms."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._looks: dict[str, tuple[Bucket, ...]] = {}
        self._broken: set[str] = set()

    def looked(self, provider: str, now: int, *, arrived: bool) -> bool:
        """Take note of a look, and whether it reached the provider; True when that made the path broken, or whole again."""
        looks = self._looks[provider] = count(
            self._looks.get(provider, ()), now, succeeded=int(arrived), failed=int(not arrived)
        )
        done, lost = totals(looks)
        was = provider in self._broken
        if done >= _ENOUGH and lost / done >= _SHARE:
            self._broken.add(provider)
        else:
            self._broken.discard(provider)
        return was is not (provider in self._broken)

    def slower(self, provider: str) -> int:
        """How many times longer to wait between two looks."""
        return _SLOWER if provider in self._broken else 1

    @property
    def broken(self) -> frozenset[str]:
        """The providers that looks hardly reach."""
        return frozenset(self._broken)
