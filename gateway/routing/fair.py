"""Whose turn is next where accounts want the same thing: one after the other, however much each of them wants.

Whoever comes into an empty row is last of those that wait, and has a turn within one round: what others have waiting behind
their first costs it nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Row(Generic[T]):
    """Those that wait, by account: the accounts in the order of their turns, each one's own in the order they came."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._accounts: OrderedDict[str, OrderedDict[T, None]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._size

    def add(self, account: str, item: T) -> None:
        """Let one more wait; ValueError when it does already."""
        own = self._accounts.setdefault(account, OrderedDict())
        if item in own:
            raise ValueError(f"{item!r} waits already")
        own[item] = None
        self._size += 1

    def drop(self, account: str, item: T) -> bool:
        """Let one wait no longer; False when it does not."""
        own = self._accounts.get(account)
        if own is None or own.pop(item, self) is self:
            return False
        self._size -= 1
        if not own:
            del self._accounts[account]
        return True

    def next(self) -> T:
        """Give the one whose turn it is, which waits no longer; KeyError when nobody does."""
        account, own = next(iter(self._accounts.items()), ("", None))
        if own is None:
            raise KeyError("nobody waits")
        item, _ = own.popitem(last=False)
        self._size -= 1
        if own:
            self._accounts.move_to_end(account)
        else:
            del self._accounts[account]
        return item

    def ahead(self, account: str) -> int:
        """How many have their turn before one more of an account would."""
        own = len(self._accounts.get(account, ()))
        found, is_before = own, True
        for each, waiting in self._accounts.items():
            if each == account:
                is_before = False
            else:
                found += min(len(waiting), own + is_before)
        return found


def interleaved(items: Iterable[tuple[str, T]]) -> Iterator[T]:
    """The same things, each with its account, so that accounts take turns; of one account in the order given."""
    row: Row[T] = Row()
    for account, item in items:
        row.add(account, item)
    while row:
        yield row.next()


def comes_next(
    account: str,
    since: int,
    free: int,
    under_way: Mapping[str, int],
    waiting: Mapping[str, Iterable[int]],
    served: Mapping[str, int],
) -> bool:
    """Whether one of `free` places goes to an account's work that came as number `since`.

    Places go one by one to who has the fewest under way, and among those to who was served the longest ago. `waiting` has by
    account, in order, the numbers of what else waits, `served` when each had its latest place; one that never had is first.
    """
    rows = {each: iter(numbers) for each, numbers in waiting.items()}
    rows[account] = _until(since, waiting.get(account, ()))
    heads = {each: number for each, row in rows.items() if (number := next(row, None)) is not None}
    taken, latest, newest = dict(under_way), dict(served), max(served.values(), default=0)
    for _ in range(free):
        if not heads:
            return False
        first = min(heads, key=lambda each: (taken.get(each, 0), latest.get(each, -1), heads[each]))
        if first == account and heads[first] == since:
            return True
        newest += 1
        taken[first], latest[first] = taken.get(first, 0) + 1, newest
        number = next(rows[first], None)
        if number is None:
            del heads[first]
        else:
            heads[first] = number
    return False


def _until(since: int, numbers: Iterable[int]) -> Iterator[int]:
    """What comes before a number, and it; as many may wait as live, so nobody goes through all of them."""
    yield from takewhile(lambda each: each < since, numbers)
    yield since
