"""What a store operation is: a program that asks by name and does no IO itself.

A program is a generator. It yields an `Ask`, is sent the rows, and returns its result; programs join with `yield from`. Whoever
runs it decides on the engine, the thread and the transaction, so that one text serves every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

I = TypeVar("I")  # noqa: E741 - an item
T = TypeVar("T")

# Floats and bytes are left out on purpose: amounts and times are whole, everything else is text.
SQLValue: TypeAlias = str | int | None


@dataclass(frozen=True, slots=True)
class Ask:
    """One statement to run: its name in the SQL files and the values of its parameters."""

    name: str
    values: Mapping[str, SQLValue]


class Row(Protocol):
    """One row of an answer, read by column name."""

    def __getitem__(self, key: str, /) -> Any:
        """Give the value of a column."""


Program: TypeAlias = Generator[Ask, list[Row], T]


class Apart(Enum):
    """What is told of an item that cannot be done together with others."""

    APART = "apart"


@dataclass(frozen=True, slots=True)
class Many(Generic[I, T]):
    """A change that many want at the same time: how it is made for one, and how for several by as few statements as for one.

    `together` gives a result for each item, or says that it has to be done apart, and has changed nothing for those. Where it raises
    nothing of it is kept, and all are done apart.
    """

    apart: Callable[[I], Program[T]]
    together: Callable[[Sequence[I]], Program[Sequence[T | Apart]]]

    def __call__(self, item: I) -> Wish[T]:
        """Want it for this item."""
        return Wish(self, item)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Wish(Generic[T]):
    """One item that a change is wanted for. It does not show what it holds: a library logs what it is given to do."""

    many: Many[Any, T]
    item: Any


Work: TypeAlias = Program[T] | Wish[T]


class StoreError(Exception):
    """The store did not do what was asked; the message is for people."""


class ConstraintBroken(StoreError):  # noqa: N818 - the name says what happened
    """A rule of the schema, or one of the ledger's own, refused the change; nothing of the program was kept."""


class StoreFailed(StoreError):  # noqa: N818 - the name says what happened
    """The work could not be committed; nothing of it was kept, unless it is a `StoreBroken`."""


class StoreBusy(StoreFailed):
    """Another process held the store's lock for too long; asking again may help."""


class StoreFull(StoreFailed):
    """The disk, or the store's quota on it, is full."""


class StoreBroken(StoreFailed):
    """The disk or the file cannot be trusted any more: the process has to end, a restart reads what was really kept."""


class StoreLost(StoreBroken):
    """Another process took over what this one had under way: it has nothing more to say, and has to end."""


class StoreInUse(StoreError):  # noqa: N818 - the name says what happened
    """Another process owns the store."""


class StoreUnknown(StoreError):  # noqa: N818 - the name says what happened
    """The store was written by a version this one does not know."""


def ask(name: str, /, **values: SQLValue) -> Program[list[Row]]:
    """Run a statement and give all its rows."""
    return (yield Ask(name, values))


def one(name: str, /, **values: SQLValue) -> Program[Row | None]:
    """Run a statement and give its first row, or None."""
    rows = yield Ask(name, values)
    return rows[0] if rows else None
