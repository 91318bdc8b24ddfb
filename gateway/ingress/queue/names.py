"""The headers and words that only the clients of this door know: those of the pack that mounts it, for none stand here. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.providers.pack import DoorName, Provider

# The words a pack gives a name, under `names` of its door.
_HEADERS = "headers"  # how its headers begin
_WEBHOOK = "webhook"  # the parameter of the query that says who is told
_AGENT = "agent"  # what is found in the User-Agent of clients that queue


@dataclass(frozen=True, slots=True)
class Names:
    """Which provider's clients these are, the prefixes of their doors, and their words; None for a word nobody gave."""

    speaks: str | None = None
    mount: str = ""
    waiting: str = ""
    headers: str | None = None
    webhook: str | None = None
    agent: str | None = None

    def header(self, name: str) -> str | None:
        """A header of theirs by the rest of its name."""
        return f"{self.headers}{name}" if self.headers is not None else None

    def put(self, values: Mapping[str, str]) -> dict[str, str]:
        """Headers of theirs with their values; none where nobody said how they begin."""
        return {f"{self.headers}{name}": value for name, value in values.items()} if self.headers is not None else {}


def of(providers: Mapping[str, Provider]) -> Names:
    """The words of the first pack that mounts the door."""
    for id_, provider in providers.items():
        mount = provider.doors.get(DoorName.QUEUE)
        if mount is not None:
            said = mount.names
            other = provider.doors.get(DoorName.RUNS)
            waiting = other.prefix if other is not None else ""
            return Names(id_, mount.prefix, waiting, said.get(_HEADERS), said.get(_WEBHOOK), said.get(_AGENT))
    return Names()
