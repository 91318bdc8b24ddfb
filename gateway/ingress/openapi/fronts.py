"""The calls of the doors for clients of other APIs: what they take, and how they answer errors.

Which door stands where the packs say; a call of a door that stands under a prefix alone is kept here without it. A door adds its own
calls by `front`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.ingress.openapi.calls import Answer, Call
from gateway.ingress.openapi.parameters import Parameter
from gateway.ingress.openapi.shapes import (
    ADDRESS,
    COUNT,
    CREDITS,
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

TAG = "Other clients"

# What any call of a door may be refused with, and what one that begins something may.
READS = (400, 401, 403, 404, 413, 415, 429, 500, 503)
CREATES = (*READS, 408, 422, 502, 504)

_FORM = "multipart/form-data"
_EITHER: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_IMAGE: Mapping[str, Schema] = {
    "model": saying(TEXT, "A model by its id, an alias, or its name alone where one lab has it."),
    "prompt": saying(TEXT, "What to make, in words."),
    "n": maybe({"type": "integer", "minimum": 1, "maximum": 10}),
    "size": saying(
        maybe(TEXT), "`auto`, or pixels such as 1536x1024: read as the nearest shape and class the model makes."
    ),
    "quality": maybe(TEXT),
    "output_format": maybe(TEXT),
    "output_compression": maybe(WHOLE),
    "background": maybe(TEXT),
    "moderation": maybe(TEXT),
    "style": maybe(TEXT),
    "response_format": saying(maybe(one_of(("url", "b64_json"))), "When absent, both where both can be had."),
    "stream": saying(maybe(FLAG), "Answer with server-sent events."),
    "partial_images": maybe({"type": "integer", "minimum": 0, "maximum": 3}),
    "user": maybe(TEXT),
    "provider_order": saying({}, "Ids of providers, in a list or joined by commas, or `fastest`."),
}
_PICTURES = shape(
    {
        "created": WHOLE,
        "data": list_of(shape({"url": ADDRESS, "b64_json": TEXT}, optional=("url", "b64_json"))),
        "background": TEXT,
        "output_format": TEXT,
        "quality": TEXT,
        "size": TEXT,
        "tidegate": ref("Told"),
    },
    optional=("background", "output_format", "quality", "size"),
)
_MODEL = shape(
    {
        "id": TEXT,
        "object": always("model"),
        "created": WHOLE,
        "owned_by": TEXT,
        "kind": one_of(("image", "video")),
        "providers": list_of(TEXT),
        "pricing": {},
    },
    optional=("pricing",),
)
_MODELS = shape(
    {
        "object": always("list"),
        "data": list_of(ref("ListedModel")),
        "first_id": maybe(TEXT),
        "last_id": maybe(TEXT),
        "has_more": FLAG,
    }
)


def front(
    says: str,
    answers: Mapping[int, Answer],
    *parameters: Parameter,
    refused: tuple[int, ...] = READS,
    body: Schema | None = None,
    form: Schema | None = None,
) -> Call:
    """A call of a door; `refused` are the statuses of its errors, `form` what it takes as multipart."""
    return Call(
        TAG, says, answers, parameters, body=body, forms={_FORM: form} if form is not None else {}, refused=refused
    )


def _asked(needed: tuple[str, ...], more: Mapping[str, Schema]) -> Schema:
    fields = {**_IMAGE, **more}
    known = shape(fields, optional=[name for name in fields if name not in needed])
    return {**known, "examples": [{"model": "bytedance/seedream-4.5", "prompt": "a baby seal plays in the Arctic"}]}


_MADE = {
    200: Answer(
        "The pictures; with `stream` as events, and as the picture itself for who accepts `image/*`.",
        schema=_PICTURES,
        headers={"X-Tidegate-Generation-Id": "Generation"},
        also=("text/event-stream", "image/*"),
    )
}
_GENERATION = front(
    "Make pictures, and wait for them",
    _MADE,
    *(ref("IdempotencyKey", "parameters"), ref("Tags", "parameters")),
    refused=CREATES,
    body=_asked(("model", "prompt"), {}),
)
_EDIT_FIELDS = {"image": _EITHER, "images": {}, "mask": {}}
_EDIT = front(
    "Make pictures out of pictures, and wait for them",
    _MADE,
    *(ref("IdempotencyKey", "parameters"), ref("Tags", "parameters")),
    refused=CREATES,
    body=_asked(("model", "prompt"), {**_EDIT_FIELDS, "images": saying({}, "Addresses, or objects with `image_url`.")}),
    form=_asked(
        ("model", "prompt", "image"),
        {"image": {"type": "string", "format": "binary"}, "mask": {"type": "string", "format": "binary"}},
    ),
)

FRONTS: Mapping[str, Call] = MappingProxyType(
    {
        "POST /v1/images/generations": _GENERATION,
        "POST /v1/images/edits": _EDIT,
        "POST /deployments/{deployment}/images/generations": _GENERATION,
        "POST /deployments/{deployment}/images/edits": _EDIT,
        "POST /v1/images/variations": front("Nobody offers variations; the answer says what to do instead", {}),
        "GET /v1/models": front(
            "Every model, as other clients list them", {200: Answer("All of them.", schema=_MODELS)}
        ),
        "GET /v1/models/{named}": front("One model", {200: Answer("It is there.", schema=ref("ListedModel"))}),
    }
)

SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "Problem": {
            **shape(
                {
                    "type": ADDRESS,
                    "title": TEXT,
                    "status": WHOLE,
                    "detail": saying({}, "A sentence; at the doors of queued requests a list of what is wrong where."),
                    "instance": TEXT,
                    "error": shape({"message": TEXT, "type": TEXT, "param": maybe(TEXT), "code": maybe(TEXT)}),
                    "error_type": TEXT,
                    "code": saying(TEXT, "Stable; the same as of the native API."),
                    "retryable": FLAG,
                    "request_id": TEXT,
                    "generation_id": TEXT,
                    "details": {"type": "object", "additionalProperties": True},
                    "attempts": list_of(ref("ProviderError")),
                },
                optional=("generation_id", "details", "attempts"),
                says="An error of the doors for other clients: each finds the members it reads.",
            ),
            "additionalProperties": True,  # a dialect may have members of its own
        },
        "Told": shape(
            {
                "generation_id": TEXT,
                "model": TEXT,
                "provider": maybe(TEXT),
                "cost": maybe(CREDITS),
                "attempts": COUNT,
                "adjustments": list_of({"type": "object", "additionalProperties": True}),
                "coalesced": FLAG,
            },
            optional=("attempts", "coalesced"),
            says="What this gateway has to say beyond the words of the API that is spoken.",
        ),
        "ListedModel": _MODEL,
    }
)


def problem(status: int) -> Mapping[str, Any]:
    """The response for a status of error."""
    headers: dict[str, Any] = {"X-Request-Id": ref("RequestId", "headers")}
    if status == 401:
        headers["WWW-Authenticate"] = ref("Challenge", "headers")
    return {
        "description": "An error, in the words that clients of this call read.",
        "headers": headers,
        "content": {media: {"schema": ref("Problem")} for media in ("application/problem+json", "application/json")},
    }


HEADERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"Generation": {"description": "The generation, as the native API knows it.", "schema": TEXT}}
)
