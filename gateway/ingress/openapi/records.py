"""The shapes of what is answered about a generation, and of the two envelopes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.ingress.openapi.shapes import (
    ADDRESS,
    COUNT,
    CREDITS,
    FLAG,
    MOMENT,
    NUMBER,
    TEXT,
    WHOLE,
    Schema,
    always,
    list_of,
    map_of,
    maybe,
    one_of,
    ref,
    saying,
    shape,
)
from gateway.ingress.record import STATUS
from gateway.ingress.refusal import CODES
from gateway.outcome import AttemptState, Billing
from gateway.routing.plan import Why
from gateway.routing.policy import Strategy

_CODE: Schema = one_of(dict.fromkeys(code.code for code in CODES.values()))
_TYPE: Schema = one_of(dict.fromkeys(code.type for code in CODES.values()))
_FAULT: Mapping[str, Schema] = MappingProxyType(
    {
        "code": saying(_CODE, "Stable; what people search for."),
        "type": saying(_TYPE, "Stable; what programs branch on."),
        "message": TEXT,
        "retryable": saying(FLAG, "Whether the same request may succeed later."),
    }
)
ID: Schema = {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$"}
REQUEST: Schema = {"type": "string", "pattern": "^req_[0-9A-Za-z_-]{26}$", "description": "The id of this request."}

_HEAD: Mapping[str, Schema] = {
    "account_id": TEXT,
    "generation_id": ID,
    "model_identifier": TEXT,
    "generation_provider_order": saying(list_of(TEXT), "Who is asked, in this order."),
    "generation_provider_used": saying(maybe(TEXT), "Who served it; null until then."),
    "generation_prediction_id": saying(maybe(TEXT), "The provider's id of the job."),
    "generation_status": one_of(dict.fromkeys(STATUS.values())),
    "generation_prompt": maybe(TEXT),
    "generation_ratio": maybe(TEXT),
    "generation_output_format": maybe(TEXT),
    "generation_output_number": WHOLE,
    "generation_input_file": maybe(list_of(TEXT)),
    "generation_duration": maybe(NUMBER),
    "generation_resolution": TEXT,
    "generation_generate_audio": FLAG,
    "generation_audio_mode": one_of(("audio", "noaudio")),
    "generation_output_file": saying(maybe(list_of(ADDRESS)), "Links to the outputs, once it has succeeded."),
    "generation_created_at": MOMENT,
    "generation_started_at": maybe(MOMENT),
    "generation_completed_at": maybe(MOMENT),
    "generation_metrics_total_time": saying(maybe(NUMBER), "Seconds from acceptance to the end."),
    "generation_metrics_predict_time": saying(maybe(NUMBER), "Seconds of the attempt that served it."),
    "generation_error": TEXT,
    "generation_error_code": _CODE,
    "error": ref("Failure"),
    "generation_removed": saying(always(value=True), "Its files were removed."),
    "generation_cost": saying(maybe(CREDITS), "What was taken for it; null until its end."),
    "generation_adjustments": list_of(
        shape({"field": TEXT, "provider": maybe(TEXT), "action": always("dropped")}),
        description="Fields that the serving provider has no word for and its pack declares as left out.",
    ),
}
# Those of a video, of a failure and of files that are gone.
_AT_TIMES = (
    "generation_duration",
    "generation_resolution",
    "generation_generate_audio",
    "generation_audio_mode",
    "generation_error",
    "generation_error_code",
    "error",
    "generation_removed",
)
_WHOLE: Mapping[str, Schema] = {
    "generation_attempts": list_of(ref("Attempt")),
    "generation_candidates": list_of(shape({"provider": TEXT, "price": CREDITS})),
    "generation_excluded": list_of(shape({"provider": TEXT, "why": one_of(Why), "reason": TEXT})),
    "generation_routing": maybe(
        shape(
            {
                "strategy": one_of(Strategy),
                "asked": maybe(TEXT),
                "tags": list_of(TEXT),
                "ranking": maybe(
                    shape({"source": TEXT, "order": list_of(TEXT), "trial": FLAG, "scores": map_of(NUMBER)})
                ),
            }
        )
    ),
}


_ID = "3f0c7a52-9a0e-4c67-8d0b-5f4f6f1f2a10"
_MODEL = "bytedance/seedream-4.5"
_REFUSED = {
    "status": "error",
    "request_id": "req_Jq2yJ0m3c8l1rQx6c1WnT4Zp9a",
    "error": {
        "code": CODES["invalid_input"].code,
        "type": CODES["invalid_input"].type,
        "message": "unknown field generation_promt; did you mean generation_prompt?",
        "retryable": False,
        "details": {"field": "generation_promt"},
    },
}
_BEGUN = {
    "model_identifier": _MODEL,
    "generation_provider_order": ["acme", "other"],
    "generation_prediction_id": _ID,
    "generation_id": _ID,
    "generation_initialized": True,
}
_LISTED = {
    "account_id": "acme",
    "generation_id": _ID,
    "model_identifier": _MODEL,
    "generation_provider_order": ["acme", "other"],
    "generation_provider_used": "other",
    "generation_prediction_id": "job-17",
    "generation_status": "succeeded",
    "generation_prompt": "a baby seal plays in the Arctic",
    "generation_ratio": "16:9",
    "generation_output_format": "png",
    "generation_output_number": 1,
    "generation_input_file": None,
    "generation_output_file": [f"https://gateway.example.com/v1/outputs/{_ID}/0.png?expires=1795694400&signature=5d2c"],
    "generation_created_at": "2026-11-25T12:00:00.000Z",
    "generation_started_at": "2026-11-25T12:00:00.120Z",
    "generation_completed_at": "2026-11-25T12:00:09.480Z",
    "generation_metrics_total_time": 9.48,
    "generation_metrics_predict_time": None,
    "generation_cost": 0.04,
    "generation_adjustments": [],
}


def _generation(fields: Mapping[str, Schema], says: str) -> Schema:
    """A record; beside what every model has it holds the model's own fields as they were sent."""
    return {**shape(fields, optional=_AT_TIMES, says=says), "patternProperties": {"^generation_": {}}}


SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "Error": {
            **shape({"status": always("error"), "request_id": REQUEST, "error": ref("Failure")}),
            "examples": [_REFUSED],
        },
        "Failure": shape(
            {
                **_FAULT,
                "details": {
                    "type": "object",
                    "description": "What the case has to say beyond the message.",
                    "properties": {
                        "field": saying(TEXT, "The field that is wrong."),
                        "problems": list_of(shape({"field": TEXT, "message": TEXT})),
                        "retry_after_seconds": WHOLE,
                        "limit": WHOLE,
                        "generation_id": TEXT,
                    },
                    "additionalProperties": True,
                },
                "provider_errors": list_of(ref("ProviderError"), description="What each provider said, in order."),
            },
            optional=("details", "provider_errors"),
        ),
        "ProviderError": shape({"provider": TEXT, **_FAULT}),
        "Created": {
            **shape(
                {
                    "model_identifier": TEXT,
                    "generation_provider_order": list_of(TEXT),
                    "generation_prediction_id": TEXT,
                    "generation_id": ID,
                    "generation_initialized": always(value=True),
                },
                says="A generation that was begun.",
            ),
            "examples": [_BEGUN],
        },
        "CanceledEarly": shape(
            {"generation_id": ID, "generation_status": always("canceled")},
            says="A generation that was canceled before this answer; told apart by `generation_status`.",
        ),
        "Generation": {
            **_generation(_HEAD, "A generation as lists give it, the model's own fields among its fields."),
            "examples": [_LISTED],
        },
        "GenerationInFull": _generation(
            {**_HEAD, **_WHOLE}, "A generation with its attempts, and why these providers in this order."
        ),
        "Attempt": shape(
            {
                "provider": TEXT,
                "state": one_of(AttemptState),
                "started_at": MOMENT,
                "ended_at": maybe(MOMENT),
                "error": shape(_FAULT),
                "billing": saying(one_of(Billing), "What is known of the provider having charged for it."),
                "price": CREDITS,
                "pause_seconds": saying(maybe(NUMBER), "How long the provider asked not to be asked again."),
                "cost": maybe(CREDITS),
            },
            optional=("error",),
        ),
        "Page": shape(
            {"generations": list_of(ref("Generation")), "total": COUNT, "limit": COUNT, "offset": COUNT},
        ),
        "Cancellation": shape(
            {
                "generation_id": ID,
                "generation_status": always("canceled"),
                "provider_cancel_sent": FLAG,
                "credits_refunded": CREDITS,
            }
        ),
        "Deletion": shape({"generation_id": ID, "files_deleted": COUNT}),
    }
)


def success(data: Schema, beside: Mapping[str, Schema] | None = None) -> Schema:
    """The envelope around `data`; what stands beside it is there for lists."""
    return shape(
        {
            "status": always("success"),
            "request_id": REQUEST,
            "message": TEXT,
            "timestamp": MOMENT,
            "data": data,
            **(beside or {}),
        }
    )
