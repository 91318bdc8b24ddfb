"""Files that somebody else has, read whole: the inputs that a provider wants as bytes."""

from __future__ import annotations

import aiohttp

from gateway.artifacts.fetch import fetch
from gateway.egress import Policy


class Source:
    """Reads files into memory, through the same door and under the same checks as outputs."""

    def __init__(self, session: aiohttp.ClientSession, policy: Policy) -> None:
        """Fetch through `session`, which comes from `open_session`, what `policy` lets be dialled."""
        self._session = session
        self._policy = policy

    async def read(self, url: str, *, limit: int, deadline: float) -> bytes:
        """Read one file, or unpack a `data:` URI; at most `limit` bytes within `deadline` seconds. Raises OutputFault."""
        async with fetch(self._session, url, limit=limit, deadline=deadline, policy=self._policy) as arriving:
            return b"".join([chunk async for chunk in arriving.body])
