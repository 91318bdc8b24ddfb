"""The calls of the doors of queued and of waiting requests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.ingress.openapi.calls import Answer, Call
from gateway.ingress.openapi.fronts import CREATES, READS, front
from gateway.ingress.openapi.parameters import query
from gateway.ingress.openapi.shapes import ADDRESS, TEXT, WHOLE, Schema, list_of, maybe, one_of, ref, saying, shape

_CANCELED = 499
_INPUT: Schema = {
    "type": "object",
    "additionalProperties": True,
    "properties": {
        "prompt": saying(TEXT, "What to make, in words."),
        "provider_order": saying({}, "Ids of providers, in a list or joined by commas, or `fastest`."),
    },
    "examples": [{"prompt": "a baby seal plays in the Arctic"}],
}
_WHERE: Mapping[str, Schema] = {
    "request_id": TEXT,
    "response_url": ADDRESS,
    "status_url": ADDRESS,
    "cancel_url": ADDRESS,
}
_QUEUED = shape({"status": TEXT, **_WHERE, "gateway_request_id": TEXT, "queue_position": WHOLE})
_LINE = shape({"timestamp": TEXT, "level": TEXT, "source": TEXT, "message": TEXT})
_STATUS = shape(
    {
        "status": one_of(("IN_QUEUE", "IN_PROGRESS", "COMPLETED")),
        **_WHERE,
        "logs": maybe(list_of(_LINE)),
        "queue_position": WHOLE,
        "metrics": {"type": "object", "additionalProperties": True},
        "error": TEXT,
        "error_type": TEXT,
    },
    optional=("queue_position", "metrics", "error", "error_type"),
)
_FILE = shape(
    {
        "url": ADDRESS,
        "content_type": maybe(TEXT),
        "file_name": maybe(TEXT),
        "file_size": maybe(WHOLE),
        "width": maybe(WHOLE),
        "height": maybe(WHOLE),
    }
)
_OUTPUT: Schema = {
    **shape(
        {
            "images": list_of(_FILE),
            "video": maybe(_FILE),
            "seed": WHOLE,
            "prompt": TEXT,
            "tidegate": ref("Told"),
        },
        optional=("images", "video", "seed", "prompt"),
    ),
    "additionalProperties": True,
}
_LOGS = query("logs", one_of(("0", "1", "true", "false")), "Whether to tell what happened so far, line by line.")
_RUN = Answer(
    "What was made; as one event for a model with `/stream` behind its name.",
    schema=_OUTPUT,
    also=("text/event-stream",),
)
_FOLLOWED = Answer("What the call that was meant answers.", schema={}, also=("text/event-stream",))
_STATUSES = Answer("How far it is.", schema=_STATUS)
_ENDS = shape(
    {"status": one_of(("CANCELLATION_REQUESTED", "ALREADY_COMPLETED", "NOT_FOUND")), "detail": TEXT},
    optional=("detail",),
)
# Its own word for it, or an error as elsewhere.
_NO_END: Schema = {"anyOf": [_ENDS, ref("Problem")]}

QUEUED: Mapping[str, Call] = MappingProxyType(
    {
        "POST /{app}": front(
            "Put a request for a model into the queue",
            {200: Answer("It is in the queue.", schema=_QUEUED)},
            *(ref("IdempotencyKey", "parameters"), ref("Tags", "parameters")),
            refused=CREATES,
            body=_INPUT,
        ),
        "POST /{endpoint}": front(
            "Ask a model, and wait for what it makes",
            {200: _RUN},
            *(ref("IdempotencyKey", "parameters"), ref("Tags", "parameters")),
            refused=(*CREATES, _CANCELED),
            body=_INPUT,
        ),
        "GET /{app}/requests/{id}": front(
            "What came of a queued request",
            {200: Answer("What was made.", schema=_OUTPUT)},
            refused=(*READS, 422, _CANCELED),
        ),
        "GET /{app}/requests/{id}/status": front(
            "How far a queued request is", {200: _STATUSES, 202: _STATUSES}, _LOGS
        ),
        "GET /{app}/requests/{id}/status/stream": front(
            "The same as events, until its end", {200: Answer("An event for each change.", "text/event-stream")}, _LOGS
        ),
        "PUT /{app}/requests/{id}/cancel": front(
            "End a queued request",
            {
                202: Answer("It is canceled.", schema=_ENDS),
                400: Answer("It has ended already, or cannot be read.", schema=_NO_END),
                404: Answer("There is none.", schema=_NO_END),
            },
            refused=tuple(status for status in READS if status not in {400, 404}),
        ),
        "GET /.well-known/jwks.json": front(
            "The keys that sign what is told of queued requests",
            {
                200: Answer(
                    "The keys.", schema=shape({"keys": list_of({"type": "object", "additionalProperties": True})})
                )
            },
            refused=(500, 503),
        ),
        "PUT /files/{token}": front(
            "Send a file whose address the proxy gave",
            {200: Answer("It is there.", schema={})},
            refused=(400, 404, 408, 413, 422, 503),
        ),
        "GET /files/{token}": front("Read it again", {200: Answer("The file.", "*/*")}, refused=(404, 500)),
        "POST /proxy": front(
            "What was meant for another address, named in a header: a request",
            {200: _FOLLOWED},
            refused=(*CREATES, _CANCELED),
            body=_INPUT,
        ),
        "GET /proxy": front(
            "The same: a status or a result", {200: _FOLLOWED, 202: _FOLLOWED}, refused=(*READS, 422, _CANCELED)
        ),
        "PUT /proxy": front(
            "The same: the end of a request", {202: Answer("It is canceled.", schema=_ENDS)}, refused=(*READS, 422)
        ),
    }
)
