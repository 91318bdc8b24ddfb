"""Ids that every line names which is logged within what they stand for: a request, a generation, an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType

_HERE: ContextVar[Mapping[str, object]] = ContextVar("ids", default=MappingProxyType({}))


class Bound:
    """A stretch of work; within it, and in the tasks that are begun in it, each line has these fields."""

    __slots__ = ("_fields", "_token")

    def __init__(self, fields: Mapping[str, object]) -> None:
        """Add these to what is bound at this place."""
        self._fields = {**_HERE.get(), **fields}
        self._token: Token[Mapping[str, object]] | None = None

    def __enter__(self) -> None:
        """Begin."""
        self._token = _HERE.set(self._fields)

    def __exit__(self, *_error: object) -> None:
        """End: what was bound around it is bound again."""
        assert self._token is not None, "it was begun"
        _HERE.reset(self._token)


def bound(**fields: object) -> Bound:
    """Bind fields to every line that is logged within; an event's own field of the same name wins."""
    return Bound(fields)


def bind(**fields: object) -> None:
    """Bind fields, and no others, to every line that is logged from here on in this task and those it begins."""
    _HERE.set(fields)


def here() -> Mapping[str, object]:
    """What is bound at this place."""
    return _HERE.get()
