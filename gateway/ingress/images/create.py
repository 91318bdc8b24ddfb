"""The calls that make pictures: each answers when the pictures are there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from aiohttp import web
from pybase64 import b64encode

from gateway.artifacts.kinds import identify
from gateway.generation import Kind, State
from gateway.ingress import body as bodies
from gateway.ingress import form as forms
from gateway.ingress import tags
from gateway.ingress.callers import Caller
from gateway.ingress.dialect import digest_of
from gateway.ingress.images import wishes as reading
from gateway.ingress.images.answer import Answer, Event
from gateway.ingress.images.wishes import Wishes
from gateway.ingress.kit import Kit
from gateway.ingress.reception import Taken, failed, unfinished
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked
from gateway.ledger.records import Record
from gateway.routing.menu import Menu

_HEAD = 1024  # bytes that say what a file is
_KEPT = 32 * 1024  # characters of a file that stay with what was asked for, as much as the native API could bring
_LARGE = 1024 * 1024  # bytes; more are converted beside the loop


@dataclass(frozen=True, slots=True)
class _Sent:
    """A body as it came: its fields, or the texts of a form, and the files among them."""

    fields: Mapping[str, Any]
    texts: tuple[tuple[str, str], ...] = ()
    files: tuple[forms.File, ...] = ()


class Create:
    """Answers for new pictures."""

    def __init__(self, kit: Kit) -> None:
        """Take in and hand over by `kit`."""
        self._reception = kit.reception
        self._answer = Answer(kit.delivery, kit.clock)

    async def generation(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Pictures out of words."""
        sent = _Sent(await bodies.read(request))
        menu = self._reception.menu(reading.model_of(sent.fields, request.match_info.get("deployment")))
        if wrong := sorted({"image", "images", "mask"} & {name for name, value in sent.fields.items() if value}):
            said = f"{wrong[0]} is for /v1/images/edits; this path makes pictures out of words alone"
            raise Refusal("invalid_input", said, field=wrong[0])
        return await self._make(request, caller, menu, reading.read(sent.fields, menu), Event.GENERATION)

    async def edit(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Pictures out of pictures and words, sent as a form or as JSON."""
        sent = await _read(request)
        named = dict(sent.texts) if sent.texts else sent.fields
        menu = self._reception.menu(reading.model_of(named, request.match_info.get("deployment")))
        fields = reading.typed(sent.texts, menu) if sent.texts else dict(sent.fields)
        images, mask = await _files(sent) if sent.files else ([], None)
        images += _addresses(fields.pop("image", None), "image") + _addresses(fields.pop("images", None), "images")
        masks = _addresses(fields.pop("mask", None), "mask")
        if not images:
            raise Refusal("invalid_input", "image is required: a file, or the address of one", field="image")
        return await self._make(
            request, caller, menu, reading.read(fields, menu, images, masks[0] if masks else mask), Event.EDIT
        )

    async def variation(self, _request: web.Request, _caller: Caller) -> NoReturn:
        """Nobody offers them."""
        said = "variations are not offered; send the picture to /v1/images/edits with a prompt that says what to vary"
        raise Refusal("not_found", said)

    async def _make(
        self, request: web.Request, caller: Caller, menu: Menu, wishes: Wishes, event: Event
    ) -> web.StreamResponse:
        marks = tags.of(request)
        if menu.kind is not Kind.IMAGE:
            said = f"{menu.model} makes videos; its path is /v1/videos"
            raise Refusal("invalid_input", said, field="model")
        asked = Asked(Kind.IMAGE, menu.model, wishes.fields, wishes.order, reading.spell, caller.keys, marks)
        as_bytes = self._answer.wants_bytes(request, wishes)
        brief = await asyncio.to_thread(_brief, wishes.fields) if _is_large(wishes.fields) else wishes.fields
        digest = digest_of("images", event.value, menu.model, brief, wishes.order, marks)
        taken = await self._reception.take(request, caller, asked, digest)
        end = self._end(request, taken, None if brief is wishes.fields else brief)
        if wishes.stream:
            return await self._answer.events(request, wishes, taken, event, end)
        record = await end
        if as_bytes:
            return await self._answer.file(request, record, taken)
        return await self._answer.json(request, record, wishes, taken)

    async def _end(self, request: web.Request, taken: Taken, brief: Mapping[str, Any] | None) -> Record:
        """The end of a generation; large files that came with it are no longer kept with what it was asked for."""
        record = await self._reception.wait(request, taken)
        if record is None:
            raise unfinished(taken)
        if brief is not None:
            await self._reception.shorten(taken.generation, brief)
        if record.state is not State.SUCCEEDED:
            raise failed(record)
        return record


def _is_large(fields: Mapping[str, Any]) -> bool:
    """Whether there are files in it that are too large for a record that is read again and again."""
    return any(len(address) > _KEPT for value in fields.values() for address in _texts(value))


def _brief(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the hash of each large file in its place."""
    return {
        name: [_hashed(each) for each in value] if isinstance(value, list) else _hashed(value)
        for name, value in fields.items()
    }


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def _hashed(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= _KEPT:
        return value
    return f"{value.partition(';')[0]};sha256,{hashlib.sha256(value.encode()).hexdigest()}"


async def _read(request: web.Request) -> _Sent:
    if not forms.is_form(request):
        return _Sent(await bodies.read(request, within=forms.SLOWEST_FORM, most=forms.LARGEST_FORM))
    form = await forms.read(request)
    if not form.texts and not form.files:
        raise Refusal("invalid_input", "the form is empty; send model, prompt and image")
    return _Sent({}, form.texts or (("prompt", ""),), form.files)


async def _files(sent: _Sent) -> tuple[list[str], str | None]:
    """The pictures of a form, as addresses that hold them."""
    images: list[str] = []
    mask: str | None = None
    for file in sent.files:
        field = file.field.removesuffix("[]")
        if field not in {"image", "images", "mask"}:
            raise Refusal("invalid_input", f"{field} is no field for a file; send image, or mask", field=field)
        address = await asyncio.to_thread(_inline, file) if len(file.data) > _LARGE else _inline(file)
        if field != "mask":
            images.append(address)
        elif mask is not None:
            raise Refusal("invalid_input", "mask is there twice; send it once", field="mask")
        else:
            mask = address
    return images, mask


def _inline(file: forms.File) -> str:
    """A file as an address that holds it; what it is its first bytes say, and not its sender."""
    media = identify(file.data[:_HEAD])
    if media is None or not media.type.startswith("image/"):
        field = file.field.removesuffix("[]")
        raise Refusal("invalid_input", f"{field} is no picture of a known kind: PNG, JPEG, WebP or GIF", field=field)
    return f"data:{media.type};base64,{b64encode(file.data).decode()}"


def _addresses(value: Any, name: str) -> list[str]:
    """Pictures as JSON has them: an address, an object that holds one, or a list of either."""
    found: list[str] = []
    for each in value if isinstance(value, list) else [] if value is None else [value]:
        address = each
        if isinstance(each, dict):
            if "file_id" in each:
                said = f"{name}: files by id are not kept here; send the picture, or its address as image_url"
                raise Refusal("invalid_input", said, field=name)
            address = each.get("image_url", each.get("url"))
        if not isinstance(address, str) or not address:
            raise Refusal("invalid_input", f"{name} must be a file, or hold an address as image_url", field=name)
        found.append(address)
    return found
