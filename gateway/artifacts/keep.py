"""One attempt at making one output ours."""

from __future__ import annotations

import aiohttp

from gateway.artifacts.fault import OutputFault
from gateway.artifacts.fetch import fetch, is_inline
from gateway.artifacts.kinds import Kind
from gateway.artifacts.store import Artifact, Store
from gateway.egress import Policy


async def keep(  # noqa: PLR0913 - the act joins two stages and each takes what is its own
    session: aiohttp.ClientSession,
    store: Store,
    generation: str,
    index: int,
    source_url: str,
    *,
    kind: Kind,
    limit: int,
    deadline: float,
    policy: Policy,
) -> Artifact:
    """Fetch an output and store it; `limit` in bytes, `deadline` in seconds for the fetch.

    Raises `OutputFault` for the source's failures and `StorageFault` for the store's. Tries once: when to try again is the
    caller's to say.
    """
    try:
        async with fetch(session, source_url, limit=limit, deadline=deadline, policy=policy) as arriving:
            return await store.write(generation, index, arriving.body, kind=kind, limit=limit)
    except OutputFault as fault:
        if fault.retryable and is_inline(source_url):
            raise OutputFault(fault.kind, str(fault), retryable=False) from fault  # the same text gives the same bytes
        raise
