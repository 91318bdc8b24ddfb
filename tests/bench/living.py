"""Generations under way: accepted by the gateway, and by a provider that has not made them yet."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping

from tests.bench.gateway import Gateway
from tests.bench.load import Load, apply
from tests.bench.made import PICTURE, wish

_CONNECTIONS = 64
_WAIT = 120  # seconds for all of them to have been taken


def begin(gateway: Gateway, far: str, count: int) -> None:
    """Begin so many more, and wait until the far end has all of their jobs. RuntimeError when one is refused, or not sent in time."""
    before = counts(far)["jobs"]
    _, body = wish(1)
    told = apply(
        Load(
            url=f"{gateway.origin}/v1/generate/{PICTURE}",
            connections=min(_CONNECTIONS, count),
            count=count,
            method="POST",
            body=json.dumps(body),
            headers=gateway.sends,
            holds='"generation_initialized":true',
        )
    )
    if told.errors:
        raise RuntimeError(f"{told.errors} of {count} generations were not accepted: {told.wrong[:1]}")
    ends = time.monotonic() + _WAIT
    while (jobs := counts(far)["jobs"] - before) < count:
        if time.monotonic() > ends:
            raise RuntimeError(f"of {count} generations the far end has only {jobs}")
        time.sleep(0.1)


def counts(far: str) -> Mapping[str, int]:
    """What the far end was asked, and how many jobs it has."""
    with urllib.request.urlopen(f"{far}/_counts", timeout=30) as answer:
        found: dict[str, int] = json.load(answer)
    return found


def finish(far: str) -> None:
    """Let all jobs end at their next look."""
    asked = urllib.request.Request(f"{far}/_finish", data=b"true", method="POST")
    urllib.request.urlopen(asked, timeout=30).close()


def live(gateway: Gateway) -> int:
    """How many the gateway says are under way."""
    asked = urllib.request.Request(f"{gateway.origin}/metrics", headers=dict(gateway.headers))
    with urllib.request.urlopen(asked, timeout=30) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith("tidegate_generations_live "):
                return int(float(line.split()[1]))
    raise RuntimeError("/metrics does not say how many are under way")
