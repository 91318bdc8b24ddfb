"""Where outputs go by the operator's settings: into a store, or nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from gateway.artifacts.keep import keep
from gateway.artifacts.store import Artifact, Store
from gateway.egress import Policy
from gateway.generation import Kind
from gateway.outcome import Output

_IMAGE_TIME = 60.0  # seconds for one picture: one of 64 MiB at 10 Mbit/s
_VIDEO_TIME = 600.0


@dataclass(frozen=True, slots=True)
class Relayed:
    """An output that stays where the provider put it: a link, or the bytes inside a `data:` URI."""

    index: int
    uri: str
    type: str | None
    width: int | None
    height: int | None
    sha256: None = None
    size: None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is taken of one output, in bytes."""

    image: int
    video: int


class Keeper:
    """Makes outputs ours. Without a store the provider's links are passed on, and expire when it says."""

    def __init__(self, session: aiohttp.ClientSession, store: Store | None, limits: Limits, policy: Policy) -> None:
        """Fetch through `session`, to the addresses `policy` allows."""
        self._session = session
        self._store = store
        self._limits = limits
        self._policy = policy

    async def keep(self, generation: str, index: int, output: Output, kind: Kind) -> Artifact | Relayed:
        """Make one output ours, trying once. OutputFault for the source's failures, StorageFault for the store's."""
        source = output.url if output.url is not None else f"data:{output.mime or ''};base64,{output.b64}"
        if self._store is None:
            return Relayed(index, source, output.mime, output.width, output.height)
        is_image = kind is Kind.IMAGE
        return await keep(
            self._session,
            self._store,
            generation,
            index,
            source,
            kind=kind.value,
            limit=self._limits.image if is_image else self._limits.video,
            deadline=_IMAGE_TIME if is_image else _VIDEO_TIME,
            policy=self._policy,
        )

    async def discard(self, generation: str) -> None:
        """Remove what was kept for a generation that nobody waits for any more."""
        if self._store is not None:
            await self._store.delete(generation)
