"""Who waits, and since when: a queue in which everybody has the same time. The time is an argument.

All of a queue have the same limit, so whoever came first is over first: to enter, to leave and to find who is over costs the
same with one connection and with ten thousand.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Who = TypeVar("Who", bound=Hashable)


class Waiting(Generic[Who]):
    """Those who wait, the longest waiting first. Seconds of a clock that never steps back."""

    def __init__(self, limit: float) -> None:
        """Let each wait for `limit` s."""
        self.limit = limit
        self._since: dict[Who, float] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._since)

    def __contains__(self, who: Who) -> bool:
        """Whether somebody waits."""
        return who in self._since

    def enter(self, who: Who, now: float) -> None:
        """Begin to wait, or begin again."""
        self._since.pop(who, None)
        self._since[who] = now

    def leave(self, who: Who) -> None:
        """Wait no more; nothing for whoever did not."""
        self._since.pop(who, None)

    def over(self, now: float, *, after: float | None = None, most: int | None = None) -> list[Who]:
        """Take out whoever has waited for the limit, or for `after` s; no more than `most` of them."""
        found: list[Who] = []
        longest = self.limit if after is None else after
        for who, since in self._since.items():
            if now - since < longest or len(found) == most:
                break
            found.append(who)
        for who in found:
            del self._since[who]
        return found
