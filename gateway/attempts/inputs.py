"""Inputs as each provider takes them: an address stays one where it may, and is fetched and converted where it may not."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

import aiohttp

from gateway.artifacts.fault import OutputFault
from gateway.artifacts.fetch import fetch
from gateway.artifacts.kinds import identify
from gateway.egress import Policy
from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import Value
from gateway.offer import Form, Handing, is_inline
from gateway.providers.render import File, Handed

_LARGEST = 20 * 1024 * 1024  # bytes; the least of what the providers that take bytes accept
_TIME = 30.0  # seconds to fetch one input


class Unusable(Exception):  # noqa: N818 - named for what it is
    """An input that cannot be handed over; `fault` says why, and nothing was sent."""

    def __init__(self, message: str) -> None:
        """Word the fault."""
        super().__init__(message)
        self.fault = Fault(FaultKind.INPUT_UNREADABLE, Reach.UNSENT, message)


class Inputs:
    """Prepares files for providers."""

    def __init__(self, session: aiohttp.ClientSession, policy: Policy) -> None:
        """Fetch through `session`, whose sockets are guarded."""
        self._session = session
        self._policy = policy

    async def prepare(self, form: Form, values: Mapping[str, Value]) -> dict[str, Value | Handed]:
        """Convert every file among the values to a way this form takes it. Raises Unusable."""
        prepared: dict[str, Value | Handed] = dict(values)
        for name, limits in form.takes.items():
            value = values.get(name)
            if not limits.takes or value is None:
                continue
            if isinstance(value, tuple):
                handed = [await self._hand(address, limits.takes, place) for place, address in enumerate(value, 1)]
                prepared[name] = tuple(handed)
            elif isinstance(value, str):
                prepared[name] = await self._hand(value, limits.takes, 1)
        return prepared

    async def _hand(self, address: str, ways: tuple[Handing, ...], place: int) -> str | File:
        if not is_inline(address) and Handing.URL in ways:
            return address
        if is_inline(address) and Handing.DATA in ways:
            return address
        data = _inline(address) if is_inline(address) else await self._fetch(address)
        media = identify(data[:64])
        if media is None:
            raise Unusable("an input is neither a picture nor a film of a known kind")
        way = next(way for way in ways if way is not Handing.URL)
        match way:
            case Handing.DATA:
                return f"data:{media.type};base64,{b64encode(data).decode()}"
            case Handing.BASE64:
                return b64encode(data).decode()
            case _:
                return File(data, media.type, f"input-{place}.{media.extension}")

    async def _fetch(self, address: str) -> bytes:
        try:
            async with fetch(self._session, address, limit=_LARGEST, deadline=_TIME, policy=self._policy) as (body, _):
                return b"".join([chunk async for chunk in body])
        except OutputFault as fault:
            raise Unusable(f"an input could not be fetched: {fault}") from fault


def shown(form: Form, values: Mapping[str, Value]) -> dict[str, Value | Handed]:
    """The values with a word in place of each file that would be converted, for people; nothing is fetched."""
    told: dict[str, Value | Handed] = dict(values)
    for name, limits in form.takes.items():
        value = values.get(name)
        if limits.takes and value is not None:
            files = [_word(address, limits.takes) for address in (value if isinstance(value, tuple) else (str(value),))]
            told[name] = tuple(files) if isinstance(value, tuple) else files[0]
    return told


def _word(address: str, ways: tuple[Handing, ...]) -> str | File:
    if (Handing.DATA if is_inline(address) else Handing.URL) in ways:
        return address
    origin = "the data given" if is_inline(address) else address
    way = next(way for way in ways if way is not Handing.URL)
    return File(b"", "application/octet-stream", f"<{origin}>") if way is Handing.FILE else f"<{way.value} of {origin}>"


def _inline(address: str) -> bytes:
    head, _, body = address.partition(",")
    try:
        return b64decode(body, validate=True) if head.endswith(";base64") else unquote_to_bytes(body)
    except (binascii.Error, ValueError) as error:
        raise Unusable("an input is not valid base64") from error
