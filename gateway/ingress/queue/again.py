"""When a request for the queue is an earlier one sent again by a client that did not get the answer. Time is an argument.

Into the queue a request goes in a few milliseconds. So when its answer is lost, or spoiled by something in between, nothing of
that is seen here: the work has begun, and the client sends the same again, without a key and without a word. What gives it away is
that nobody has asked how the first one is doing, which a client that got its answer does at once, and the pause: these clients
wait before they try again, and each time about twice as long.

Decided because
- Whoever asks for the same several times in a row, or at once, does not pause, and gets as many.
- Only clients that are known to do so are taken at that; of others nobody knows what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass

# Seconds: the shortest pause of one of the clients is 0.05, the longest first one of another 1.25 and what a slow line adds.
_SHORTEST, _LONGEST = 0.045, 2.5
_LAST = 40.0  # seconds no pause of theirs is longer than
_MOST = 10_000  # requests remembered; the oldest are forgotten first


@dataclass(frozen=True, slots=True)
class _Answer:
    at: float
    generation: str
    times: int


class Again:
    """What was put into the queue lately and nobody has asked for. Times in seconds of a clock that never steps back."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._answered: dict[str, _Answer] = {}
        self._names: dict[str, str] = {}

    def is_one(self, name: str, now: float) -> bool:
        """Whether a request by this name, of its key and all it asks for, is the one before it sent again."""
        before = self._answered.get(name)
        if before is None:
            return False
        return _SHORTEST <= now - before.at <= min(_LONGEST * float(2 ** (before.times - 1)), _LAST)

    def answered(self, name: str, generation: str, now: float) -> None:
        """It was answered with this generation."""
        before = self._answered.pop(name, None)
        is_same = before is not None and before.generation == generation
        self._answered[name] = _Answer(now, generation, before.times + 1 if is_same and before is not None else 1)
        if before is not None and not is_same:
            self._names.pop(before.generation, None)
        self._names[generation] = name
        if len(self._answered) > _MOST:
            self.followed(self._answered[next(iter(self._answered))].generation)

    def followed(self, generation: str) -> None:
        """Somebody knows of this generation: the answer arrived."""
        name = self._names.pop(generation, None)
        if name is not None:
            self._answered.pop(name, None)
