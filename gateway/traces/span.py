"""A stretch of work in a trace, and the one that is under way at this place.

Without a tracer nothing is recorded: a span is then the same nothing for everybody, or, where the work belongs to somebody's
trace, what names that trace to whoever is asked next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Self

from gateway.traces.parent import Parent

Value = str | bool | int | float | Sequence[str]
Values = Mapping[str, Value | None]

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Side(StrEnum):
    """Which side of a call a span is on."""

    SERVER = "server"
    CLIENT = "client"
    INTERNAL = "internal"


class Span:
    """Work that is not recorded; `parent` is what its own calls name as theirs."""

    __slots__ = ("parent",)

    def __init__(self, parent: Parent | None = None) -> None:
        """Stand for work that is done for `parent`."""
        self.parent = parent

    def __enter__(self) -> Self:
        """Begin; nothing else is at this place."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; an exception that comes through is what went wrong."""

    @property
    def is_recorded(self) -> bool:
        """Whether what is said of it is kept: where it is not, nothing needs to be put together."""
        return False

    def rename(self, name: str, *, passing: bool = False) -> None:
        """Name it by what it turned out to be; a name in `passing` gives way to any other."""

    def note(self, values: Values) -> None:
        """Say more of it; what is None is left out."""

    def event(self, name: str, values: Values = MappingProxyType({})) -> None:
        """Say what happened in it just now."""

    def failed(self, kind: str, said: str = "") -> None:
        """Say that it came to nothing, by a word of a closed set, and why in words fit for everybody who may see traces."""


NOTHING = Span()
_HERE: ContextVar[Span] = ContextVar("span", default=NOTHING)

Begin = Callable[[str, Side, Parent | None], Span]


class Placed(Span):
    """A span that is the one at this place while it is under way."""

    __slots__ = ("_token",)

    def __enter__(self) -> Self:
        """Begin, here and in the tasks that are begun from here."""
        self._token: Token[Span] = _HERE.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: what was at this place before is there again."""
        _HERE.reset(self._token)


class _Tracer:
    """What makes spans in this process; nothing does at first."""

    begin: Begin | None = None
    prompts = False


def use(begin: Begin | None, *, prompts: bool = False) -> None:
    """Make spans of this process by `begin`: a name, a side, and what they are done for. None to record nothing.

    With `prompts` the words of callers may be in them.
    """
    _Tracer.begin, _Tracer.prompts = begin, prompts


def tells_prompts() -> bool:
    """Whether the words of callers may be in what is recorded."""
    return _Tracer.prompts


def begin(name: str, side: Side = Side.INTERNAL, parent: Parent | None = None) -> Span:
    """A span, to be entered: below `parent`, or without one below what is under way here."""
    if _Tracer.begin is not None:
        return _Tracer.begin(name, side, parent if parent is not None else _HERE.get().parent)
    return NOTHING if parent is None else Placed(parent)


def belong(parent: Parent | None) -> None:
    """Do what comes from here on, in this task and those it begins, for this."""
    _HERE.set(NOTHING if parent is None else Placed(parent))


def here() -> Span:
    """What is under way at this place."""
    return _HERE.get()


def headers(*, state: bool = True) -> Mapping[str, str]:
    """What tells whoever is called from here which trace that belongs to; `state` adds what tracers have noted about it."""
    parent = _HERE.get().parent
    if parent is None:
        return _NO_HEADERS
    said = {"traceparent": parent.header}
    return {**said, "tracestate": parent.state} if state and parent.state else said


def exemplar() -> dict[str, str] | None:
    """What a measurement made here is an example of: the trace it can be looked up by, if that is recorded."""
    parent = _HERE.get().parent
    return {"trace_id": parent.trace, "span_id": parent.span} if parent is not None and parent.is_sampled else None
