"""The least that tells somebody of something: aiohttp's client posting signed bodies, in a process of its own. `post(Posting(…))`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from dataclasses import asdict, dataclass

import aiohttp
import uvloop

from gateway.clock import iso
from gateway.webhooks import sign
from tests.bench.process import module, run


@dataclass(frozen=True, slots=True)
class Posting:
    """What is posted: so many bodies of a size, to each of the addresses in turn, at most so many at once."""

    urls: list[str]
    count: int
    size: int
    at_once: int
    secret: str


def post(posting: Posting) -> None:
    """Post all of it. RuntimeError when one is not taken."""
    run(module("tests.bench.posting"), given=json.dumps(asdict(posting)), seconds=300)


async def _main(posting: Posting) -> None:
    body = json.dumps({"pad": "x" * (posting.size - 10)}).encode()
    numbers = iter(range(posting.count))
    connector = aiohttp.TCPConnector(limit=posting.at_once)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def work() -> None:
            for number in numbers:
                now, delivery = time.time_ns() // 1_000_000, str(uuid.uuid4())
                headers = sign.headers(
                    [posting.secret], delivery=delivery, event="any", happened=iso(now), now=now, body=body
                )
                url = posting.urls[number % len(posting.urls)]
                async with session.post(url, data=body, headers=headers) as answer:
                    await answer.read()
                    answer.raise_for_status()

        await asyncio.gather(*(work() for _ in range(posting.at_once)))


if __name__ == "__main__":
    uvloop.run(_main(Posting(**json.load(sys.stdin))))
