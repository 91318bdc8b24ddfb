"""Where outputs go by the operator's settings: into a store, or nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from gateway.artifacts.fetch import checked, first_bytes, is_inline
from gateway.artifacts.keep import keep
from gateway.artifacts.kinds import identify
from gateway.artifacts.store import Artifact, Store
from gateway.egress import Policy
from gateway.generation import Kind
from gateway.outcome import Output

_IMAGE_TIME = 60.0  # seconds for one picture: one of 64 MiB at 10 Mbit/s
_VIDEO_TIME = 600.0
_UNKNOWN = "application/octet-stream"  # what no browser opens


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

    def is_at_hand(self, output: Output) -> bool:
        """Whether an output came inside an answer, or stays where it is: nothing is fetched to make it ours."""
        return self._store is None or output.url is None or is_inline(output.url)

    async def keep(self, generation: str, index: int, output: Output, kind: Kind) -> Artifact | Relayed:
        """Make one output ours, trying once. OutputFault for the source's failures, StorageFault for the store's."""
        source = output.url if output.url is not None else f"data:{output.mime or ''};base64,{output.b64}"
        if self._store is None:
            return _relayed(index, source, output, self._policy)
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


def _relayed(index: int, source: str, output: Output, policy: Policy) -> Relayed:
    """Pass an output on as it is: a link where it may lead, bytes under the type they have and not the one they claim."""
    if not is_inline(source):
        checked(source, policy)
        return Relayed(index, source, output.mime, output.width, output.height)
    media = identify(first_bytes(source))
    type_ = media.type if media is not None else _UNKNOWN
    return Relayed(index, f"data:{type_};base64,{source.partition(',')[2]}", type_, output.width, output.height)
