"""How much each endpoint is sent at once: more to those that take it, one at a time to those that fail.

Nothing here waits or tells the time; moments come in as milliseconds on a clock that never steps back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.ledger.deliveries import Room

MOST = 200  # attempts under way in all
_LARGEST = 10  # at one endpoint
_FIRST = 1  # at one that nothing is known of: should it hang, it holds no more than that
_MOST_FAILING = (
    MOST // 2
)  # at endpoints that fail, taken together: the other half is always there for those that do not


@dataclass(slots=True)
class _Window:
    size: int = _FIRST
    rests_until: int = 0
    fails: bool = False
    held: set[int] = field(default_factory=set)


class Windows:
    """What is under way, and what there is room for."""

    def __init__(self) -> None:
        """Begin with nothing under way; `held` counts what is."""
        self.held = 0  # attempts under way
        self._windows: dict[str, _Window] = {}

    def room(self, now: int, after: str = "") -> Room:
        """What may be taken now; `after` is the endpoint whose turn was last."""
        failing = [(name, window) for name, window in self._windows.items() if window.fails]
        left = _MOST_FAILING - sum(len(window.held) for _, window in failing)
        of = {name: window.size - len(window.held) for name, window in self._windows.items() if not window.fails}
        for name, window in sorted(failing, key=lambda each: each[1].rests_until):
            of[name] = 1 if left > 0 and not window.held and window.rests_until <= now else 0
            left -= of[name]
        held = {name: frozenset(window.held) for name, window in self._windows.items() if window.held}
        return Room(max(0, MOST - self.held), _FIRST, of, held, after)

    def is_free(self, endpoint: str, now: int) -> bool:
        """Whether one more attempt at an endpoint may begin."""
        window = self._windows.get(endpoint, _Window())
        return self.held < MOST and len(window.held) < window.size and window.rests_until <= now

    def wakes(self, now: int) -> int | None:
        """When the next endpoint that rests may be tried again, if one rests."""
        return min((each.rests_until for each in self._windows.values() if each.rests_until > now), default=None)

    def begin(self, endpoint: str, seq: int) -> None:
        """Note that an attempt is under way."""
        self._windows.setdefault(endpoint, _Window()).held.add(seq)
        self.held += 1

    def arrived(self, endpoint: str, seq: int) -> None:
        """Note that an attempt arrived: twice as many may be under way next."""
        window = self._end(endpoint, seq)
        window.size, window.fails, window.rests_until = min(2 * window.size, _LARGEST), False, 0
        self._tidy()

    def failed(self, endpoint: str, seq: int, rests_until: int) -> None:
        """Note that an attempt failed: one at a time from now on, and none until a moment."""
        window = self._end(endpoint, seq)
        window.size, window.fails, window.rests_until = 1, True, rests_until

    def forget(self, endpoint: str) -> None:
        """Begin anew with an endpoint that was disabled; what is under way stays counted."""
        window = self._windows.get(endpoint)
        if window is not None:
            window.size, window.fails, window.rests_until = _FIRST, False, 0
            self._tidy()

    def _end(self, endpoint: str, seq: int) -> _Window:
        window = self._windows.setdefault(endpoint, _Window())
        window.held.remove(seq)
        self.held -= 1
        return window

    def _tidy(self) -> None:
        """Forget who needs no memory, once there are many: their next attempts begin as everybody's do."""
        if len(self._windows) > 10 * MOST:
            self._windows = {name: each for name, each in self._windows.items() if each.held or each.fails}
