"""What the simulators saw: one record per call, as evidence of what a gateway really sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Calls kept, so that a long run of polling does not fill the memory; jobs are kept apart and all of them.
_KEPT = 50_000
_CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-key", "x-api-key", "api-key", "x-goog-api-key"}
)


@dataclass(slots=True)
class Seen:
    """One call; `at` is in ms, credentials in `headers` are struck out, `status` stays None if nothing was answered."""

    n: int
    at: int
    provider: str
    call: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int | None = None
    job: str | None = None
    fault: str | None = None


class Log:
    """The calls seen, in the order they came; the newest 50,000 of them."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.calls: deque[Seen] = deque(maxlen=_KEPT)
        self._count = 0

    def enter(self, seen: Seen) -> Seen:
        """Number a call and keep it."""
        self._count += 1
        seen.n = self._count
        self.calls.append(seen)
        return seen


def struck(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with credentials struck out; that one was sent stays visible."""
    return {name: "***" if name.lower() in _CREDENTIALS else value for name, value in headers.items()}
