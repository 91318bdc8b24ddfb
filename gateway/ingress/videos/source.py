"""What a film starts from: files and addresses out of a body, and a film that was made before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from pybase64 import b64encode

from gateway.artifacts.kinds import identify, measure
from gateway.generation import State
from gateway.ingress import form as forms
from gateway.ingress.delivery import Delivery
from gateway.ingress.refusal import Refusal
from gateway.ingress.videos.wishes import REFERENCE, Reference, wrong
from gateway.ledger.records import Record

_HEAD = 1024  # bytes that say what a file is
_HEADER = 64 * 1024  # bytes within which a picture says how large it is
_LARGE = 1024 * 1024  # bytes; more are converted beside the loop
_ADDRESS = f"{REFERENCE}[image_url]"
_BY_ID = f"{REFERENCE}[file_id]"
LARGEST = 20 * 1024 * 1024  # bytes of a film that goes along in a request, as of any file


async def of_files(files: Sequence[forms.File]) -> list[Reference]:
    """The files of a form; Refusal for what is no picture or film."""
    found = []
    for file in files:
        name = file.field.removesuffix("[]")
        if name != REFERENCE:
            raise Refusal("invalid_input", f"{name} is no field for a file; send {REFERENCE}", field=name)
        found.append(await asyncio.to_thread(_inline, file) if len(file.data) > _LARGE else _inline(file))
    return found


def of_body(body: dict[str, Any]) -> list[Reference]:
    """Take the references out of a body, as JSON or a form has them: an address, or an object that holds one."""
    said = [body.pop(name) for name in (REFERENCE, _ADDRESS) if body.get(name) is not None]
    if body.pop(_BY_ID, None) is not None:
        said.append({"file_id": ""})
    each = [item for value in said for item in (value if isinstance(value, list) else [value])]
    return [Reference(_address(item)) for item in each]


async def of_film(request: web.Request, delivery: Delivery, record: Record) -> Reference:
    """A film that was made here, as another one may start from it: by its link where a provider can follow that, else itself."""
    if record.state is not State.SUCCEEDED or record.removed is not None or not record.artifacts:
        raise Refusal("generation_state_conflict", "the video is not there: only one that is completed can be remixed")
    [link, *_] = delivery.addresses(request, record)
    if link.startswith(("https://", "data:")):
        return Reference(link, is_video=True)
    pieces, size = [], 0
    async with delivery.open(record, record.artifacts[0]) as content:
        async for piece in content.pieces:
            size += len(piece)
            if size > LARGEST:
                said = f"the video has more than {LARGEST} bytes, and without a public https address no provider can fetch it"
                raise Refusal("invalid_input", said)
            pieces.append(piece)
    data = b"".join(pieces)
    text = await asyncio.to_thread(b64encode, data)
    return Reference(f"data:{content.type};base64,{text.decode()}", is_video=True)


def _inline(file: forms.File) -> Reference:
    """A file as an address that holds it; what it is its first bytes say, and not its sender."""
    media = identify(file.data[:_HEAD])
    if media is None or media.kind == "audio":
        raise wrong(REFERENCE, "is no picture or film of a known kind: PNG, JPEG, WebP, GIF, or MP4")
    size = measure(media, file.data[:_HEADER])
    return Reference(
        f"data:{media.type};base64,{b64encode(file.data).decode()}",
        is_video=media.kind == "video",
        size=(size.width, size.height) if size is not None else None,
    )


def _address(value: Any) -> str:
    if isinstance(value, Mapping):
        if "file_id" in value:
            raise wrong(REFERENCE, "by file_id is not kept here; send the picture, or its address as image_url")
        value = value.get("image_url", value.get("url"))
    if not isinstance(value, str) or not value:
        raise wrong(REFERENCE, "must be a file, or hold an address as image_url")
    return value
