"""The shapes of what is answered about models, providers and how they are doing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.generation import Kind
from gateway.ingress.openapi.shapes import (
    ADDRESS,
    COUNT,
    CREDITS,
    FLAG,
    MOMENT,
    NOTHING,
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
from gateway.routing.breaker import Standing
from gateway.routing.signal import Kind as Breaker

_VALUE: Schema = {"type": ["string", "number", "boolean"]}


def _counted(name: str, item: str) -> Schema:
    return shape({name: list_of(ref(item)), f"{name}_total": COUNT})


def _health(name: str, item: str) -> Schema:
    return shape({"service": always(name), "healthy": FLAG, name: list_of(ref(item)), f"{name}_total": COUNT})


SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "Models": _counted("models", "Model"),
        "Model": shape(
            {
                "model_type": one_of(Kind),
                "model_identifier": TEXT,
                "model_pricing": {
                    "anyOf": [CREDITS, map_of(CREDITS)],
                    "description": "The highest price of one unit, or one per tier such as `720p_audio`.",
                },
                "model_supported_provider": saying(list_of(TEXT), "In the order that holds when nobody asks for one."),
                "schema": shape(
                    {
                        "generation_prompt": FLAG,
                        "generation_ratio": list_of(_VALUE),
                        "generation_output_format": list_of(_VALUE),
                        "generation_output_number": WHOLE,
                        "generation_input_file": FLAG,
                        "generation_duration": saying(list_of(_VALUE), "Seconds; of videos alone."),
                        "generation_resolution": saying(list_of(_VALUE), "The first is what holds when none is sent."),
                        "generation_generate_audio": FLAG,
                    },
                    optional=("generation_duration", "generation_resolution", "generation_generate_audio"),
                ),
                "required_schema": list_of(TEXT),
                "specific_schema": saying(list_of(TEXT), "The model's own fields."),
            },
            optional=("model_pricing",),
        ),
        "Providers": _counted("providers", "Provider"),
        "Provider": shape(
            {
                "provider_id": TEXT,
                "provider_name": TEXT,
                "provider_description": TEXT,
                "provider_website": ADDRESS,
                "provider_docs": ADDRESS,
                "provider_status": one_of(("active", "inactive")),
                "babysea_implementation": shape(
                    {
                        "delivery_method": one_of(("synchronous", "polling")),
                        "cancel_method": maybe(one_of(("queue_cancel_api", "prediction_cancel_api"))),
                        "webhook_verification": NOTHING,
                        "error_mapping": always("bse_error_codes"),
                        "cost_tracking": always("per_generation_usd"),
                        "schema_conversion": always("unified_to_native"),
                        "failover_strategy": always("sequential_provider_chain"),
                        "health_monitoring": always("circuit_breaker"),
                        "supported_media_types": list_of(one_of(Kind)),
                        "supported_models_total": COUNT,
                    }
                ),
            }
        ),
        "ProvidersHealth": _health("providers", "ProviderHealth"),
        "ProviderHealth": shape(
            {
                "provider": TEXT,
                "status": one_of(("healthy", "recovering", "degraded", "unknown")),
                "breakers": list_of(ref("Breaker")),
                "failure_rate": NUMBER,
                "window": shape(
                    {"total_attempts": COUNT, "failures": COUNT, "successes": COUNT, "duration_seconds": COUNT}
                ),
            }
        ),
        "ModelsHealth": _health("models", "ModelHealth"),
        "ModelHealth": shape(
            {
                "model_identifier": TEXT,
                "model_type": one_of(Kind),
                "model_pricing": CREDITS,
                "providers": map_of(
                    shape({"available": FLAG, "raw_model_id": TEXT, "breakers": list_of(ref("Breaker"))})
                ),
                "ranking": shape(
                    {
                        "providers_ranked": list_of(TEXT),
                        "scores": map_of(NUMBER),
                        "attempts_total": COUNT,
                        "window_hours": WHOLE,
                        "computed_at": MOMENT,
                    }
                ),
            },
            optional=("model_pricing", "ranking"),
        ),
        "Breaker": shape(
            {"breaker": one_of(Breaker), "model": maybe(TEXT), "state": one_of(Standing), "for_seconds": COUNT},
            optional=("for_seconds",),
            says="A breaker that has ever opened; `for_seconds` is how long it stays so by itself.",
        ),
        "StorageHealth": shape(
            {"service": always("storage"), "bucket": TEXT, "healthy": FLAG, "latency_ms": NUMBER, "error": TEXT},
            optional=("error",),
        ),
        "CacheHealth": shape({"service": always("redis"), "healthy": FLAG, "latency_ms": NUMBER}),
    }
)
