"""The calls of the door of videos."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.ingress.openapi.calls import Answer, Call
from gateway.ingress.openapi.fronts import CREATES, front
from gateway.ingress.openapi.parameters import RANGE, query
from gateway.ingress.openapi.shapes import (
    FLAG,
    TEXT,
    WHOLE,
    Schema,
    always,
    list_of,
    maybe,
    one_of,
    ref,
    saying,
    shape,
)

_SECONDS: Schema = {
    "anyOf": [{"type": "string", "pattern": r"^[0-9]{1,4}(\.[0-9]{1,3})?$"}, {"type": "number"}, {"type": "null"}]
}
_SAID: Mapping[str, Schema] = {
    "model": saying(TEXT, "A model by its id, an alias, or its name alone where one lab has it."),
    "prompt": saying(TEXT, "What to make, in words."),
    "seconds": saying(_SECONDS, "How long; when absent 4, or the model's nearest to it."),
    "size": saying(
        maybe(TEXT), "`auto`, or pixels such as 1280x720: read as the nearest shape and class the model makes."
    ),
    "user": maybe(TEXT),
    "provider_order": saying({}, "Ids of providers, in a list or joined by commas, or `fastest`."),
}
_EXAMPLE = {"model": "bytedance/seedance-1-pro", "prompt": "a baby seal plays in the Arctic", "seconds": "5"}
_FILM = shape(
    {
        "id": TEXT,
        "object": always("video"),
        "model": TEXT,
        "status": one_of(("queued", "in_progress", "completed", "failed")),
        "progress": saying({"type": "integer", "minimum": 0, "maximum": 100}, "0 until a provider has told."),
        "created_at": WHOLE,
        "completed_at": maybe(WHOLE),
        "expires_at": maybe(WHOLE),
        "prompt": maybe(TEXT),
        "size": TEXT,
        "seconds": TEXT,
        "remixed_from_video_id": maybe(TEXT),
        "error": maybe(shape({"code": TEXT, "message": TEXT})),
        "tidegate": ref("Told"),
    },
    says="A video, made or being made.",
)
_PAGE = shape(
    {
        "object": always("list"),
        "data": list_of(ref("Film")),
        "first_id": maybe(TEXT),
        "last_id": maybe(TEXT),
        "has_more": FLAG,
    }
)
_ONE = {200: Answer("The video.", schema=ref("Film"))}
_BEGUN = {200: Answer("Begun.", schema=ref("Film"), headers={"X-Tidegate-Generation-Id": "Generation"})}
_KEYS = (ref("IdempotencyKey", "parameters"), ref("Tags", "parameters"))
_OTHER = front("Not offered; the answer says what to do instead", {})


def _asked(more: Mapping[str, Schema]) -> Schema:
    fields = {**_SAID, **more}
    known = shape(fields, optional=[name for name in fields if name not in {"model", "prompt"}])
    return {**known, "examples": [_EXAMPLE]}


FILMED: Mapping[str, Call] = MappingProxyType(
    {
        "POST /v1/videos": front(
            "Begin a video",
            _BEGUN,
            *_KEYS,
            refused=CREATES,
            body=_asked({"input_reference": saying({}, "An address, or an object with `image_url`.")}),
            form=_asked({"input_reference": {"type": "string", "format": "binary"}}),
        ),
        "GET /v1/videos": front(
            "Videos, page by page",
            {200: Answer("Some of them.", schema=_PAGE)},
            query("after", TEXT, "The last one that is known."),
            query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "How many at most."),
            query("order", one_of(("asc", "desc")), "By creation; the newest first unless said otherwise."),
        ),
        "GET /v1/videos/{id}": front("One video", _ONE),
        "DELETE /v1/videos/{id}": front(
            "Delete a video with its file; one under way is canceled first",
            {200: Answer("Gone.", schema=shape({"id": TEXT, "object": always("video.deleted"), "deleted": FLAG}))},
        ),
        "GET /v1/videos/{id}/content": front(
            "The file of a video",
            {
                200: Answer("The file.", "*/*"),
                206: Answer("The part that was asked for.", "*/*"),
                304: Answer("The file has not changed.", None),
                412: Answer("The file is another than was asked for.", None),
                416: Answer("There is no such part.", "*/*"),
            },
            query("variant", one_of(("video",)), "What of it; there is only the video."),
            RANGE,
        ),
        "POST /v1/videos/{id}/remix": front(
            "Begin a video that starts from this one, by a model that takes videos",
            _BEGUN,
            *_KEYS,
            refused=CREATES,
            body={
                **shape(
                    {name: _SAID[name] for name in ("prompt", "model", "seconds", "size")},
                    optional=("model", "seconds", "size"),
                ),
                "examples": [{"prompt": "the same at night", "model": "bytedance/seedance-2.5"}],
            },
        ),
        "POST /v1/videos/edits": _OTHER,
        "POST /v1/videos/extensions": _OTHER,
        "POST /v1/videos/characters": _OTHER,
        "GET /v1/videos/characters/{character}": _OTHER,
    }
)

SCHEMAS: Mapping[str, Schema] = MappingProxyType({"Film": _FILM})
