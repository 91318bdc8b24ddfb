"""The trace that work belongs to, and the span it is done for, as W3C Trace Context writes them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_FIRST = "00"  # the version that is written, and the only one whose end is known
_NO_VERSION = "ff"
_SAMPLED = 0x01
_LONGEST_STATE = (
    512  # characters that have to be passed on; a longer list is dropped whole, as cutting one may split an entry
)
_MOST_ENTRIES = 32
_ENTRY = re.compile(
    r"([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


@dataclass(frozen=True, slots=True)
class Parent:
    """A span by its ids in hexadecimal, the flags of its trace, and what tracers have noted about it (`state`).

    `remote` says that it is another program's.
    """

    trace: str
    span: str
    flags: int
    state: str = ""
    remote: bool = False

    @property
    def is_sampled(self) -> bool:
        """Whether its trace is recorded."""
        return bool(self.flags & _SAMPLED)

    @property
    def header(self) -> str:
        """The value of `traceparent`."""
        return f"{_FIRST}-{self.trace}-{self.span}-{self.flags:02x}"


def read(parents: Sequence[str], states: Sequence[str] = ()) -> Parent | None:
    """Read what came as `traceparent` and `tracestate`; None for what cannot be one, which is as if there were none."""
    found = _HEADER.fullmatch(parents[0].strip(" \t")) if len(parents) == 1 else None
    if found is None:
        return None
    version, trace, span, flags, rest = found.groups()
    if version == _NO_VERSION or (version == _FIRST and rest) or not trace.strip("0") or not span.strip("0"):
        return None
    return Parent(trace, span, int(flags, 16) & _SAMPLED, _state(states), remote=True)


def _state(sent: Sequence[str]) -> str:
    """A list of entries, each with a name of its own; nothing where anything in it is not one."""
    entries = [bare for each in sent for part in each.split(",") if (bare := part.strip(" \t"))]
    whole = ",".join(entries)
    if len(whole) > _LONGEST_STATE or len(entries) > _MOST_ENTRIES:
        return ""
    names = {found[1] for entry in entries if (found := _ENTRY.fullmatch(entry))}
    return whole if len(names) == len(entries) else ""
