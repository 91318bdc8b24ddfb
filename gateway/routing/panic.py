"""When every offer rests somebody has to ask all the same: one attempt a second, to the offer that rests the shortest."""

from __future__ import annotations

_EVERY = 1_000  # ms between two such attempts
_PASS = 10_000  # ms within which a request that was let in has to begin: its row is written first


class Panic:
    """Counts such attempts, over all models. Every method takes the time, in ms."""

    def __init__(self) -> None:
        """Begin with one to give."""
        self._last = -_EVERY
        self._passes: dict[tuple[str, str], int] = {}

    def is_due(self, provider: str, model: str, now: int) -> bool:
        """Whether such an attempt may go out now."""
        return now - self._last >= _EVERY or now < self._passes.get((provider, model), now)

    def take(self, provider: str, model: str, now: int) -> bool:
        """Ask for such an attempt; one that was let in before goes first."""
        if now < self._passes.pop((provider, model), now):
            return True
        if now - self._last < _EVERY:
            return False
        self._last = now
        return True

    def let_in(self, provider: str, model: str, now: int) -> bool:
        """Ask for one on behalf of a request that will `take` it a moment later."""
        if now - self._last < _EVERY:
            return False
        self._last, self._passes[provider, model] = now, now + _PASS
        return True
