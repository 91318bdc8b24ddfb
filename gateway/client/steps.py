"""The steps that a flow asks a client for, and what it is told of them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from gateway.client.calls import Call
from gateway.client.records import Generation
from gateway.client.replies import Reply

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Send:
    """Send a call, and hear its reply."""

    call: Call


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Let the caller know how far a generation is."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get a link, without the key, and write what comes into a new file in a folder."""

    url: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Write:
    """Write bytes that are there already into a new file in a folder."""

    content: bytes
    folder: Path


@dataclass(frozen=True, slots=True)
class Keep:
    """Give a new file its name."""

    part: Path
    path: Path


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove a new file."""

    part: Path


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer, or half of one; `unsent` when not one byte of the request left."""

    why: str
    unsent: bool


@dataclass(frozen=True, slots=True)
class Fetched:
    """A new file with what a link gave; the names of the headers in small letters."""

    part: Path
    headers: Mapping[str, str]
    size: int
    sha256: str


Step: TypeAlias = Send | Pause | Tell | Fetch | Write | Keep | Drop


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a step, when (seconds of a clock that never steps back), and a random number from 0 to 1."""

    reply: Reply | Broken | Fetched | None
    at: float
    chance: float


Flow: TypeAlias = Generator[Step, Heard, _T]
