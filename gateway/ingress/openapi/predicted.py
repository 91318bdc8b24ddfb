"""The calls of the door of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.ingress.openapi.calls import Answer, Call
from gateway.ingress.openapi.fronts import CREATES, READS, front
from gateway.ingress.openapi.parameters import header, query
from gateway.ingress.openapi.shapes import (
    ADDRESS,
    FLAG,
    MOMENT,
    TEXT,
    WHOLE,
    Schema,
    list_of,
    maybe,
    one_of,
    ref,
    saying,
    shape,
)

_ANY: Schema = {"type": "object", "additionalProperties": True}
_ADDRESSES = list_of(TEXT)
_INPUT: Schema = {
    **_ANY,
    "properties": {
        "prompt": saying(TEXT, "What to make, in words."),
        "provider_order": saying({}, "Ids of providers, in a list or joined by commas, or `fastest`."),
    },
    "description": "The model's parameters, in the spelling of the API that is spoken or in the gateway's own.",
    "examples": [{"prompt": "a baby seal plays in the Arctic"}],
}
_HOOK: Mapping[str, Schema] = {
    "webhook": saying(maybe(TEXT), "Who is told."),
    "webhook_events_filter": maybe(list_of(one_of(("start", "output", "logs", "completed")))),
    "stream": maybe(FLAG),
}
_OF_MODEL = shape({"input": _INPUT, **_HOOK}, optional=tuple(_HOOK))
_OF_VERSION = shape(
    {
        "version": saying(TEXT, "A model as owner/name, a version of one as owner/name:version, or a version alone."),
        "input": _INPUT,
        **_HOOK,
    },
    optional=tuple(_HOOK),
)
_PREDICTION = shape(
    {
        "id": TEXT,
        "model": TEXT,
        "version": TEXT,
        "input": _ANY,
        "output": saying({"anyOf": [TEXT, _ADDRESSES, {"type": "null"}]}, "Addresses, or `data:` that holds the file."),
        "logs": TEXT,
        "error": maybe(TEXT),
        "status": one_of(("starting", "processing", "succeeded", "failed", "canceled")),
        "source": TEXT,
        "data_removed": FLAG,
        "created_at": MOMENT,
        "started_at": maybe(MOMENT),
        "completed_at": maybe(MOMENT),
        "deadline": MOMENT,
        "deployment": TEXT,
        "metrics": _ANY,
        "urls": shape({"get": ADDRESS, "cancel": ADDRESS}),
        "tidegate": ref("Told"),
    },
    optional=("deadline", "deployment", "tidegate"),
)
_VERSION = shape({"id": TEXT, "created_at": TEXT, "cog_version": TEXT, "openapi_schema": _ANY})
_MODEL = shape(
    {
        "url": ADDRESS,
        "owner": TEXT,
        "name": TEXT,
        "description": maybe(TEXT),
        "visibility": TEXT,
        "run_count": WHOLE,
        "latest_version": {"anyOf": [_VERSION, {"type": "null"}]},
    }
)
_FILE = shape(
    {
        "id": TEXT,
        "content_type": TEXT,
        "size": WHOLE,
        "created_at": MOMENT,
        "expires_at": MOMENT,
        "urls": shape({"get": saying(TEXT, "What stands for the file in an input: it holds it.")}),
    }
)
_WAIT = header(
    "Prefer",
    {"type": "string", "examples": ["wait=30"]},
    "`wait` or `wait=n`: answer when it has ended, or after n seconds, at most 60.",
)
_CANCEL_AFTER = header("Cancel-After", {"type": "string", "examples": ["90s", "1h30m"]}, "How long it may take in all.")
_CURSOR = query("cursor", {"type": "string"}, "Where a list said that it goes on.")
_AFTER = query("created_after", TEXT, "No older ones.")
_BEFORE = query("created_before", TEXT, "No newer ones.")
_BEGINS = (ref("IdempotencyKey", "parameters"), ref("Tags", "parameters"), _WAIT, _CANCEL_AFTER)
_BEGUN = {
    201: Answer(
        "It has begun; or it has ended, where that was waited for.",
        schema=_PREDICTION,
        headers={"X-Tidegate-Generation-Id": "Generation", "Preference-Applied": "Applied"},
    )
}
_ONE = {200: Answer("The prediction.", schema=_PREDICTION)}


def _page(items: Schema) -> Schema:
    return shape({"previous": maybe(TEXT), "next": maybe(TEXT), "results": list_of(items)})


PREDICTED: Mapping[str, Call] = MappingProxyType(
    {
        "POST /v1/predictions": front(
            "Begin a prediction of a model or version", _BEGUN, *_BEGINS, refused=CREATES, body=_OF_VERSION
        ),
        "POST /v1/models/{owner}/{name}/predictions": front(
            "Begin a prediction of a model", _BEGUN, *_BEGINS, refused=CREATES, body=_OF_MODEL
        ),
        "POST /v1/deployments/{owner}/{name}/predictions": front(
            "Begin a prediction of a deployment, which is the model of that name",
            _BEGUN,
            *_BEGINS,
            refused=CREATES,
            body=_OF_MODEL,
        ),
        "GET /v1/predictions": front(
            "Predictions, newest first",
            {200: Answer("A page of them.", schema=_page(_PREDICTION))},
            *(_CURSOR, _AFTER, _BEFORE),
            refused=(*READS, 422),
        ),
        "GET /v1/predictions/{id}": front("One prediction", _ONE),
        "POST /v1/predictions/{id}/cancel": front("End a prediction", _ONE, refused=CREATES),
        "GET /v1/models/{owner}/{name}": front(
            "One model with its parameters", {200: Answer("It is there.", schema=_MODEL)}
        ),
        "GET /v1/models/{owner}/{name}/versions": front(
            "The one version of a model", {200: Answer("A page of one.", schema=_page(_VERSION))}
        ),
        "GET /v1/models/{owner}/{name}/versions/{version}": front(
            "A version of a model", {200: Answer("It is there.", schema=_VERSION)}
        ),
        "GET /models": front(
            "Every model, as the clients of predictions list them", {200: Answer("All of them.", schema=_page(_MODEL))}
        ),
        "GET /v1/deployments/{owner}/{name}": front(
            "A deployment", {200: Answer("The model of that name.", schema=_ANY)}
        ),
        "GET /v1/account": front("Whose key it is", {200: Answer("The account.", schema=_ANY)}),
        "GET /v1/webhooks/default/secret": front(
            "The secret that signs what is told of predictions",
            {200: Answer("The secret.", schema=shape({"key": TEXT}))},
        ),
        "POST /v1/files": front(
            "Hand a file over, to be named in an input",
            {201: Answer("What stands for it.", schema=_FILE)},
            refused=CREATES,
            form=shape({"content": {"type": "string", "format": "binary"}}),
        ),
        "GET /v1/files": front("Files that are kept: none", {200: Answer("A page of none.", schema=_page(_FILE))}),
        "GET /v1/files/{id}": front("A file that is kept: none is", {}),
        "DELETE /v1/files/{id}": front("Delete a file", {204: Answer("It is not there.", None)}),
    }
)
