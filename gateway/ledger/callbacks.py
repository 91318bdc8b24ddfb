"""Programs about those who are told of one generation alone, because whoever asked for it named an address with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.ledger.events import EventType
from gateway.ledger.program import Program, ask
from gateway.ledger.records import dump


@dataclass(frozen=True, slots=True)
class Callback:
    """Who is told: in which dialect's words, where, and of what."""

    dialect: str
    url: str
    events: tuple[EventType, ...]


def register(generation: int, account: str, callback: Callback, at: int) -> Program[None]:
    """Write down who is told of a generation, by its number, in the transaction that accepts it."""
    parts = urlsplit(callback.url)
    host = f"{parts.scheme}://{parts.netloc}"
    digest = hashlib.sha256(f"{account}\n{callback.dialect}\n{host}".encode()).hexdigest()
    endpoint = f"cb_{digest[:16]}"
    yield from ask("callback_endpoint", id=endpoint, account=account, url=host, dialect=callback.dialect, at=at)
    events = dump([each.value for each in callback.events])
    yield from ask("callback_add", generation=generation, endpoint=endpoint, url=callback.url, events=events)
