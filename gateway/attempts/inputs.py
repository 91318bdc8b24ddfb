"""Inputs as each provider takes them: an address stays one where it may, and is fetched and converted where it may not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import assert_never

from pybase64 import b64encode

from gateway.artifacts.fault import OutputFault, OutputFaultKind
from gateway.artifacts.kinds import identify
from gateway.artifacts.source import Source
from gateway.attempts.room import Room, Share
from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import Value
from gateway.offer import Form, Handing, is_inline
from gateway.providers.render import File, Handed

_LARGEST = 20 * 1024 * 1024  # bytes; the least of what the providers that take bytes accept
_TIME = 30.0  # seconds to fetch one input
_COPIES = 3  # a file is held as it came, as text, and within the body that is sent
_HEAD = 1024  # bytes that say what a file is
_WHY: Mapping[OutputFaultKind, str] = {
    "gone": "its address says that nothing is there",
    "refused": "what its address answers cannot be used",
    "truncated": "it ended before its end",
    "too_large": f"it has more than {_LARGEST // 1024 // 1024} MiB",
    "too_slow": f"it did not come within {_TIME:g} s",
    "not_media": "it is neither a picture nor a film",
    "blocked": "its address may not be called from here (blocked_address)",
    "unreachable": "its address cannot be reached",
}


class Unusable(Exception):  # noqa: N818 - named for what it is
    """An input that cannot be handed over; `fault` says why, and nothing was sent."""

    def __init__(self, message: str) -> None:
        """Word the fault."""
        super().__init__(message)
        self.fault = Fault(FaultKind.INPUT_UNREADABLE, Reach.UNSENT, message)


class Inputs:
    """Prepares files for providers."""

    def __init__(self, source: Source, room: Room | None = None) -> None:
        """Read files from `source`, at a time as many as there is `room` for; without one, any number."""
        self._source = source
        self._room = room

    def room(self, account: str, form: Form, values: Mapping[str, Value]) -> AbstractAsyncContextManager[Share | None]:
        """Wait until what would have to be fetched finds room in memory, and hold that until the end."""
        files = sum(
            not _may_stay(address, limits.takes) and not is_inline(address)
            for name, limits in form.takes.items()
            if limits.takes
            for address in _addresses(values.get(name))
        )
        return nullcontext() if self._room is None else self._room.hold(account, files * _LARGEST * _COPIES)

    @staticmethod
    def are_whole(form: Form, values: Mapping[str, Value]) -> bool:
        """Whether nothing has to be fetched or converted."""
        return all(
            _may_stay(address, limits.takes)
            for name, limits in form.takes.items()
            if limits.takes
            for address in _addresses(values.get(name))
        )

    async def prepare(
        self, form: Form, values: Mapping[str, Value], share: Share | None = None
    ) -> dict[str, Value | Handed]:
        """Convert every file among the values to a way this form takes it. Raises Unusable.

        Of the `share` of the room that is held for them, what they turn out not to need is given back.
        """
        prepared: dict[str, Value | Handed] = dict(values)
        for name, limits in form.takes.items():
            value = values.get(name)
            if not limits.takes:
                continue
            if isinstance(value, tuple):
                handed = [
                    await self._hand(name, address, limits.takes, place) for place, address in enumerate(value, 1)
                ]
                prepared[name] = tuple(handed)
            elif isinstance(value, str):
                prepared[name] = await self._hand(name, value, limits.takes, 1)
        if share is not None:
            share.keep(_weight(prepared))
        return prepared

    async def _hand(self, name: str, address: str, ways: tuple[Handing, ...], place: int) -> str | File:
        if _may_stay(address, ways):
            return address
        way = _conversion(ways)
        if way is None:
            raise Unusable(f"{name}: this provider takes public addresses only")
        try:
            data = await self._source.read(address, limit=_LARGEST, deadline=_TIME)
        except OutputFault as fault:
            raise Unusable(f"{name}: file {place} cannot be used: {_WHY[fault.kind]}") from fault
        media = identify(data[:_HEAD])
        if media is None:
            raise Unusable(f"{name}: file {place} is neither a picture nor a film of a known kind")
        match way:
            case Handing.DATA:
                return f"data:{media.type};base64,{b64encode(data).decode()}"
            case Handing.BASE64:
                return b64encode(data).decode()
            case Handing.FILE | Handing.URL:  # no file is ever converted to an address
                return File(data, media.type, f"{name}-{place}.{media.extension}")
            case _:
                assert_never(way)


def shown(form: Form, values: Mapping[str, Value]) -> dict[str, Value | Handed]:
    """The values with a word in place of each file that would be converted, for people; nothing is fetched."""
    told: dict[str, Value | Handed] = dict(values)
    for name, limits in form.takes.items():
        value = values.get(name)
        if limits.takes and value is not None:
            files = [_word(address, limits.takes) for address in (value if isinstance(value, tuple) else (str(value),))]
            told[name] = tuple(files) if isinstance(value, tuple) else files[0]
    return told


def _weight(prepared: Mapping[str, Value | Handed]) -> int:
    """Give how many bytes of memory files take that are handed over."""
    handed = (each for value in prepared.values() for each in (value if isinstance(value, tuple) else (value,)))
    sizes = (len(each.data) if isinstance(each, File) else len(each) if isinstance(each, str) else 0 for each in handed)
    return sum(sizes) * _COPIES


def _addresses(value: Value | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()


def _word(address: str, ways: tuple[Handing, ...]) -> str | File:
    way = _conversion(ways)
    if way is None or _may_stay(address, ways):
        return address
    origin = "the data given" if is_inline(address) else address
    return File(b"", "application/octet-stream", f"<{origin}>") if way is Handing.FILE else f"<{way.value} of {origin}>"


def _may_stay(address: str, ways: tuple[Handing, ...]) -> bool:
    """Whether the input is already what the provider takes."""
    return (Handing.DATA if is_inline(address) else Handing.URL) in ways


def _conversion(ways: tuple[Handing, ...]) -> Handing | None:
    """What a file becomes that cannot stay what it is: the first way that holds its bytes."""
    return next((way for way in ways if way is not Handing.URL), None)
