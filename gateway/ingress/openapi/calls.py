"""Every route: what it is for, what it takes, what it answers. Which there are, and with which scope, the router says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway.generation import Kind
from gateway.ingress.openapi import bodies
from gateway.ingress.openapi import parameters as at
from gateway.ingress.openapi.parameters import Parameter
from gateway.ingress.openapi.records import success
from gateway.ingress.openapi.refusals import WITH_BODY, Case, named
from gateway.ingress.openapi.shapes import COUNT, FLAG, TEXT, Schema, always, map_of, ref, shape


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered with one status: a body of one type, or none, and the headers that matter by their names here."""

    says: str
    media: str | None = "application/json"
    schema: Schema = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()  # other types of body, for whom the request asks for them


@dataclass(frozen=True, slots=True)
class Call:
    """One route. `cases` are the refusals beyond those of every route; `body` is a schema, and may be left out if `optional`.

    `known` are answers that stand among the components, by their names there. `forms` are bodies of other types than JSON. A call
    of a door has no cases of the table of errors, but `refused`, the statuses it may be refused with.
    """

    tag: str
    says: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    cases: tuple[Case, ...] = ()
    body: Schema | None = None
    optional: bool = False
    known: Mapping[int, str] = field(default_factory=dict)
    forms: Mapping[str, Schema] = field(default_factory=dict)
    refused: tuple[int, ...] = ()


_OK = "Done."
_CREATED = {"anyOf": [ref("Created"), ref("CanceledEarly")]}
# How a generation can have ended for whoever waits for its end, and why none was begun.
_ENDINGS = named(
    "provider_content_rejected",
    "provider_error",
    "provider_timeout",
    "provider_unavailable",
    "all_providers_failed",
    "submit_in_doubt",
    "provider_not_configured",
)
_CREATES = (
    *WITH_BODY,
    *_ENDINGS,
    Case("storage_error"),
    *named(
        "parameter_out_of_range",
        "invalid_provider_order",
        "invalid_idempotency_key",
        "idempotency_key_mismatch",
        "model_not_found",
        "insufficient_credits",
        "concurrency_limit_exceeded",
    ),
)
_CREATE_HEADERS = {"Idempotency-Replayed": "Replayed", "Preference-Applied": "Applied"}
_PLAIN = "text/plain"
_MADE: Mapping[Kind, str] = {Kind.IMAGE: "images", Kind.VIDEO: "a video"}


def _told(
    tag: str,
    says: str,
    data: Schema,
    *parameters: Parameter,
    cases: tuple[Case, ...] = (),
    beside: Mapping[str, Schema] | None = None,
    body: Schema | None = None,
) -> Call:
    """A route that answers in the envelope."""
    return Call(tag, says, {200: Answer(_OK, schema=success(data, beside))}, parameters, cases, body)


def _create(says: str, body: str, tag: str = "Generations") -> Call:
    # Shared by reference: there is one such route for each model.
    shared = tuple(ref(name, "parameters") for name in at.SHARED)
    return Call(tag, says, {}, shared, cases=_CREATES, body=ref(body), known={200: "Begun"})


def _hook(says: str, data: str, *parameters: Parameter, body: Schema | None = None) -> Call:
    cases = (*(WITH_BODY if body is not None else named("invalid_input")), *named("not_found"))
    return _told("Webhooks", says, ref(data), *parameters, cases=cases, body=body)


_PROBE: Mapping[int, Answer] = {
    200: Answer("Ready.", _PLAIN, TEXT),
    503: Answer("Not ready; the body names the checks that failed.", _PLAIN, TEXT),
}
_READY = Call(
    "Operations",
    "Whether requests can be taken",
    {
        status: Answer(f"{each.says} With `verbose`, as JSON.", "*/*", {"anyOf": [TEXT, ref("Readiness")]})
        for status, each in _PROBE.items()
    },
    (at.VERBOSE,),
)
_RATES = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_MISSING = named("generation_not_found")

CALLS: Mapping[str, Call] = MappingProxyType(
    {
        "POST /v1/generate/image/{lab}/{model}": _create("Begin a generation of images", "ImageRequest"),
        "POST /v1/generate/video/{lab}/{model}": _create("Begin a generation of a video", "VideoRequest"),
        "GET /v1/estimate/{lab}/{model}": _told(
            "Generations",
            "What it would cost at most; nothing is held",
            ref("Estimate"),
            *(at.COUNT_OF, at.DURATION, at.RESOLUTION, at.AUDIO, at.TAGS),
            cases=named(
                "invalid_input",
                "parameter_out_of_range",
                "model_not_found",
                "all_providers_failed",
                "provider_not_configured",
            ),
        ),
        "GET /v1/content/list": _told(
            "Generations",
            "The account's generations, newest first",
            ref("Page"),
            *(at.LIMIT, at.OFFSET),
            cases=named("invalid_input"),
            beside={"total": COUNT, "limit": COUNT, "offset": COUNT},
        ),
        "GET /v1/content/{id}": Call(
            "Generations",
            "One generation, with its attempts",
            {
                200: Answer(_OK, schema=success(ref("GenerationInFull")), headers={"ETag": "Step"}),
                304: Answer("It has come no further.", None, headers={"ETag": "Step"}),
            },
            (at.IF_NONE_MATCH,),
            cases=_MISSING,
        ),
        "POST /v1/content/generation/cancel/{id}": _told(
            "Generations",
            "Cancel a generation under way",
            ref("Cancellation"),
            cases=named("generation_not_found", "generation_state_conflict"),
        ),
        "DELETE /v1/content/{id}": _told(
            "Generations",
            "Delete a generation that has ended, with its files",
            ref("Deletion"),
            cases=named("generation_not_found", "generation_state_conflict"),
        ),
        "GET /v1/outputs/{generation}/{file}": Call(
            "Generations",
            "One output, by the link that the generation holds",
            {
                200: Answer("The file.", "*/*", headers={"Repr-Digest": "Digest"}),
                206: Answer("The part that was asked for.", "*/*", headers={"Repr-Digest": "Digest"}),
                304: Answer("The file has not changed.", None),
                412: Answer("The file is another than was asked for.", None),
                416: Answer("There is no such part.", "*/*"),
            },
            (at.EXPIRES, at.SIGNATURE, at.RANGE),
            cases=(*named("output_not_found"), Case("storage_error")),
        ),
        "GET /v1/status": _told("Account", "The API key", ref("Status")),
        "GET /v1/usage": _told(
            "Account",
            "What was asked for in the last days, and what became of it",
            ref("Usage"),
            at.DAYS,
            cases=named("account_not_found", "invalid_input"),
        ),
        "GET /v1/user/account": _told("Account", "The account", ref("Account"), cases=named("account_not_found")),
        "GET /v1/user/billing": _told("Account", "The balance", ref("Billing"), cases=named("account_not_found")),
        "GET /v1/library/models": _told("Library", "Every model, with what it takes and costs", ref("Models")),
        "GET /v1/library/providers": _told("Library", "Every provider", ref("Providers")),
        "GET /v1/health/inference/providers": _told("Health", "How each provider is doing", ref("ProvidersHealth")),
        "GET /v1/health/inference/models": _told(
            "Health", "Which providers of each model can be asked", ref("ModelsHealth")
        ),
        "GET /v1/health/storage": _told("Health", "Whether outputs can be stored", ref("StorageHealth")),
        "GET /v1/health/cache": _told("Health", "Whether the cache answers", ref("CacheHealth")),
        "GET /v1/webhooks": _told(
            "Webhooks", "Every endpoint of the account", ref("Webhooks"), cases=named("invalid_input")
        ),
        "POST /v1/webhooks": _hook("Make an endpoint", "WebhookMade", body=bodies.WEBHOOK),
        "GET /v1/webhooks/{id}": _hook("One endpoint", "Webhook"),
        "PATCH /v1/webhooks/{id}": _hook(
            "Change, enable or disable an endpoint", "Webhook", body=bodies.WEBHOOK_CHANGE
        ),
        "DELETE /v1/webhooks/{id}": _hook("Delete an endpoint", "WebhookDeleted"),
        "POST /v1/webhooks/{id}/rotate": _hook("Give an endpoint a new secret", "WebhookRotated"),
        "POST /v1/webhooks/{id}/test": _hook("Send an endpoint an event that only tries it out", "WebhookTested"),
        "POST /v1/webhooks/{id}/drain": _hook("Send what an endpoint has queued", "WebhookDrained"),
        "GET /v1/webhooks/{id}/deliveries": _hook(
            "What an endpoint was told", "Deliveries", at.LIMIT, at.DELIVERY_OFFSET
        ),
        "POST /v1/webhooks/{id}/deliveries/{delivery}/replay": _hook("Tell an endpoint once more", "WebhookReplayed"),
        "POST /v1/nudges/{generation}/{attempt}/{proof}": Call(
            "Operations",
            "A provider calls back; what it sends is not read",
            {200: Answer("That job is looked at now.", schema=shape({"status": always("success")}))},
            cases=named("not_found"),
        ),
        "GET /admin/v1": _told("Operator", "Every act, with its arguments", ref("Acts")),
        "GET /livez": Call("Operations", "Whether the process runs", {200: Answer("It does.", _PLAIN, TEXT)}),
        "GET /readyz": _READY,
        "GET /healthz": _READY,
        "GET /metrics": Call("Operations", "Every series", {200: Answer("As Prometheus reads it.", _PLAIN, TEXT)}),
        "GET /openapi.json": Call(
            "Operations",
            "This document",
            {
                200: Answer("OpenAPI 3.1.", schema={"type": "object"}, headers={"ETag": "ETag"}),
                304: Answer("What is there already is up to date.", None, headers={"ETag": "ETag"}),
            },
            (at.IF_NONE_MATCH,),
        ),
        "GET /docs": Call(
            "Operations",
            "This document as a page",
            {
                200: Answer("A page without scripts.", "text/html", TEXT, {"ETag": "ETag"}),
                304: Answer("What is there already is up to date.", None, headers={"ETag": "ETag"}),
            },
            (at.IF_NONE_MATCH,),
        ),
    }
)

BEGUN = Answer("Begun, or begun before under the same key.", schema=success(_CREATED), headers=_CREATE_HEADERS)
READINESS: Schema = shape({"ready": FLAG, "checks": map_of(TEXT)})


def of_model(kind: Kind, model: str, schema: str) -> Call:
    """Begin a generation by one model."""
    return _create(f"Begin a generation of {_MADE[kind]} by {model}", schema, "Models")


def of_act(says: str, arguments: Schema) -> Call:
    """Do one of the operator's acts."""
    cases = (*WITH_BODY, *named("not_found"))
    return Call(
        "Operator", says, {200: Answer(_OK, schema=success(ref("Done")))}, cases=cases, body=arguments, optional=True
    )


def plain(answers: Mapping[int, Answer], *, limited: bool) -> Mapping[str, Any]:
    """The answers as the document has them, with the headers every answer has, or may have where callers are held to rates."""
    found: dict[str, Any] = {}
    for status, answer in answers.items():
        headers = {"X-Request-Id": ref("RequestId", "headers")}
        if limited:
            headers |= {name: ref(name.replace("-", ""), "headers") for name in _RATES}
        headers |= {name: ref(known, "headers") for name, known in answer.headers.items()}
        made: dict[str, Any] = {"description": answer.says, "headers": headers}
        if answer.media is not None:
            made["content"] = {answer.media: {"schema": answer.schema} if answer.schema else {}}
            made["content"] |= {media: {} for media in answer.also}
        found[str(status)] = made
    return found
