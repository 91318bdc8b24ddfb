"""When each of all running jobs is looked at, so that all together are not looked at more often than a process can bear.

Looks that fall together are spread over the moments after, and where there are more of them than there is room for, each waits for
its turn, the first to be due first. So thousands of jobs cost callers nothing, and news of them comes later.
"""

from __future__ import annotations

_SLOT = 100  # ms
_MOST = 40  # looks in each: 400 a second take about a third of a core, which leaves the rest to callers
_LATEST = 60_000  # ms after it was due; a job that goes unseen for twice as long is given up


class Crowd:
    """A calendar of looks: how many there are to be in each slot."""

    def __init__(self) -> None:
        """Begin with none."""
        self._taken: dict[int, int] = {}  # by slot
        self._after: dict[int, int] = {}  # a full slot, and one behind it before which none is free
        self._passed = 0  # no slot before it is remembered

    def wait(self, usual: int, now: float) -> int:
        """How many ms to wait for a look that is usually due in so many; `now` in seconds on the clock that never steps."""
        at = int(now * 1000)
        self._forget(at // _SLOT)
        due = at + usual
        slot = self._free(due // _SLOT)
        if slot * _SLOT - due > _LATEST:
            return usual + _LATEST
        taken = self._taken[slot] = self._taken.get(slot, 0) + 1
        if taken == _MOST:
            self._after[slot] = slot + 1
        # Those of one slot come one after another.
        return max(usual, slot * _SLOT + taken * _SLOT // _MOST - at) if slot > due // _SLOT else usual

    def _free(self, slot: int) -> int:
        """The first slot from this one on that has room; the way there is shortened for whoever comes next."""
        found = slot
        while (after := self._after.get(found)) is not None:
            found = after
        while (after := self._after.get(slot)) is not None:
            self._after[slot] = found
            slot = after
        return found

    def _forget(self, slot: int) -> None:
        if slot - self._passed > len(self._taken):
            for each in [each for each in self._taken if each < slot]:
                del self._taken[each]
                self._after.pop(each, None)
        else:
            for each in range(self._passed, slot):
                self._taken.pop(each, None)
                self._after.pop(each, None)
        self._passed = slot
