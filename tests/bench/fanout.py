"""Events told to many endpoints: pictures are made, and each of them is told to all.

Measured by the receiver, from the first event that comes to the last. The gateway makes the pictures meanwhile, reads each event from the
store, words and signs it, and writes down how it went; beside it aiohttp's client posts signed bodies of the same size, as many at
once, and does nothing else.
"""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.webhooks.windows import MOST
from tests.bench.far import far_end
from tests.bench.figure import Bench, Figure, compared, void
from tests.bench.gateway import Gateway, gateway, providers
from tests.bench.load import Load, apply
from tests.bench.posting import Posting, post
from tests.bench.rounds import alternating

_NAME = "fanout"
_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
_ENDPOINTS, _PICTURES = 100, 30
_CONNECTIONS = 8  # that ask for pictures
_END = 120  # seconds for all events to come
_LOOK = 0.1  # seconds between two looks at whether they have


@dataclass(frozen=True, slots=True)
class Told:
    """What came: so many events, their bytes, and the seconds from the first to the last."""

    count: int
    bytes: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return (self.count - 1) / self.seconds

    def __str__(self) -> str:
        """In one line, for whoever waits."""
        return f"{self.count} events of {self.bytes / max(self.count, 1):.0f} bytes, {self.rate:,.0f}/s"


@dataclass(frozen=True, slots=True)
class _Stand:
    """A gateway, the receiver, and how many are told of how many."""

    far: str
    ours: Gateway
    endpoints: int
    pictures: int

    @property
    def events(self) -> int:
        """All there are."""
        return self.endpoints * self.pictures

    def told(self) -> Told:
        """Have pictures made, and wait until everybody was told of each."""
        self._forget()
        body = {"model": "openai/gpt-image-2", "prompt": "a baby seal plays in the Arctic"}
        url = f"{self.ours.origin}/v1/images/generations"
        made = apply(
            Load(url, _CONNECTIONS, count=self.pictures, method="POST", body=json.dumps(body), headers=self.ours.sends)
        )
        if made.errors:
            raise RuntimeError(str(made))
        return self._all()

    def posted(self, size: int) -> Told:
        """As many bodies of a size, posted by the other."""
        self._forget()
        post(Posting(_urls(self.far, self.endpoints), self.events, size, min(MOST, self.events), _SECRET))
        return self._all()

    def _all(self) -> Told:
        ends = time.monotonic() + _END
        while (told := self._figures()).count < self.events:
            if time.monotonic() > ends:
                raise RuntimeError(f"after {_END} s there were {told.count} of {self.events} events")
            time.sleep(_LOOK)
        return told

    def _figures(self) -> Told:
        with urllib.request.urlopen(f"{self.far}/_told") as answer:
            return Told(**json.load(answer))

    def _forget(self) -> None:
        with urllib.request.urlopen(f"{self.far}/_told", data=b"{}"):
            pass


def measure(bench: Bench) -> Iterator[Figure]:
    """Events a second."""
    endpoints, pictures = (10, 4) if bench.quick else (_ENDPOINTS, _PICTURES)
    what = f"events to {endpoints} endpoints"
    with far_end(bench.scratch) as (far, _), gateway(bench, _policy(far, endpoints)) as ours:
        stand = _Stand(far, ours, endpoints, pictures)
        first = stand.told()
        size = first.bytes // first.count
        found = alternating(bench, {"ours": stand.told, "bare aiohttp": lambda: stand.posted(size)})
    wrong = [each for all_ in found.values() for each in all_ if each.count != stand.events]
    if wrong:
        yield void(_NAME, what, f"{wrong[0].count} events came, of {stand.events}")
        return
    rates = {name: [each.rate for each in all_] for name, all_ in found.items()}
    note = f"{stand.events} events of {size} bytes; at most {MOST} at once"
    yield compared(_NAME, what, rates["ours"], rates["bare aiohttp"], "events/s", note=note)


def _policy(far: str, endpoints: int) -> str:
    told: list[Any] = [
        {"url": url, "secret": _SECRET, "events": ["generation.completed"]} for url in _urls(far, endpoints)
    ]
    return f"outputs: {{store: none}}\nwebhooks: {json.dumps(told)}\n" + providers(openai=f"{far}/small/v1")


def _urls(far: str, endpoints: int) -> list[str]:
    return [f"{far}/told?endpoint={number}" for number in range(endpoints)]
