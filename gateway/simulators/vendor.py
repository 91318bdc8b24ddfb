"""What a played vendor is: a record of its paths, its words, and functions that answer calls.

A vendor's file decides and never waits: each of its functions takes an `Ask`, the time included,
and returns a `Reply`, or a `Held` when the vendor keeps the line open. `server.py` does the rest.
Adding a vendor is one file that ends in a `Vendor`, and one line in `server.py`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.simulators import forms
from gateway.simulators.chaos import Call, Do, Rule
from gateway.simulators.jobs import Job, Jobs, Output


@dataclass(frozen=True, slots=True)
class Ask:
    """One call as it came in.

    `headers` have lower-case names, `now` is in ms, `trace` is the call's own id, `params` are the
    named parts of the path. `body` is the JSON that was sent, None without one; `parts` is the
    multipart form that was sent, None without one; `malformed` says that something was sent and it
    is neither.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    now: int
    origin: str
    trace: str
    body: Any = None
    malformed: bool = False
    parts: tuple[forms.Part, ...] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    rule: Rule | None = None

    @property
    def sent(self) -> Any:
        """What was sent, as JSON: of a form the values, and what its files are."""
        return self.body if self.parts is None else forms.told(self.parts)

    def asked(self, name: str) -> list[str]:
        """All values of one query parameter."""
        return [value for key, value in self.query if key == name]

    def refused_content(self) -> bool:
        """Whether the script wants this content refused as unfit."""
        return self.rule is not None and self.rule.do is Do.REFUSE_CONTENT

    def link(self, provider: str, output: Output) -> str:
        """The address a finished file is fetched from."""
        return f"{self.origin}/_files/{provider}/{output.name}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: `body` is bytes as they are, any other value as JSON, or nothing."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    job: Job | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The line is kept open until `until` (ms), then `answer` says what is sent at that time."""

    job: Job
    until: float
    answer: Callable[[int], Reply]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path of a vendor: `pattern` has `{name}` for a segment and `{name*}` for one or more."""

    method: str
    pattern: str
    call: Call
    answer: Callable[[Ask, Jobs], Reply | Held]

    def fits(self, path: str) -> dict[str, str] | None:
        """Return the named parts of a path, or nothing when it is another path."""
        found = _compiled(self.pattern).fullmatch(path)
        return None if found is None else found.groupdict()


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)(\\\*)?\\\}", _part, re.escape(pattern)))


def _part(found: re.Match[str]) -> str:
    name, many = found.groups()
    return f"(?P<{name}>{'.+' if many else '[^/]+'})"


@dataclass(frozen=True, slots=True)
class Vendor:
    """One played vendor.

    `heads` are the first segments of its paths on the common port, `base` is what a gateway is
    pointed at, `secrets` the keys it accepts under the names people use for them. `word` phrases
    a bare status, and a code of the vendor's own if one is named, as the vendor would.
    """

    name: str
    heads: tuple[str, ...]
    base: str
    secrets: Mapping[str, str]
    endpoints: tuple[Endpoint, ...]
    is_authorized: Callable[[Ask], bool]
    subject: Callable[[Ask], tuple[str, str]]
    word: Callable[[Ask, int, str | None], Reply]
    is_billed: Callable[[Job, int], bool]
    stamp: Callable[[Ask], Mapping[str, str]]

    def find(self, method: str, path: str) -> tuple[Endpoint | None, dict[str, str], bool]:
        """Return the endpoint of a call with its named parts, and whether the path alone was right."""
        is_path = False
        for endpoint in self.endpoints:
            params = endpoint.fits(path)
            if params is None:
                continue
            if endpoint.method == method:
                return endpoint, params, True
            is_path = True
        return None, {}, is_path
