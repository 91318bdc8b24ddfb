"""The shapes of what is answered about a key and its account."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.generation import Kind
from gateway.ingress.account import MOST_DAYS
from gateway.ingress.estimate import MOST as MOST_ESTIMATED
from gateway.ingress.openapi.shapes import (
    COUNT,
    CREDITS,
    FLAG,
    MOMENT,
    NOTHING,
    NUMBER,
    TEXT,
    Schema,
    list_of,
    map_of,
    maybe,
    one_of,
    saying,
    shape,
)

_UNKNOWN = saying(NOTHING, "A gateway of one's own does not know it.")

SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "Status": shape(
            {
                "account_id": TEXT,
                "apikey_id": TEXT,
                "apikey_name": maybe(TEXT),
                "apikey_prefix": maybe(TEXT),
                "apikey_created_at": MOMENT,
                "apikey_last_used_at": maybe(MOMENT),
                "apikey_expires_at": maybe(MOMENT),
            }
        ),
        "Usage": shape(
            {
                "account_id": TEXT,
                "usage_period_days": {"type": "integer", "minimum": 1, "maximum": MOST_DAYS},
                "usage_credit_balance": CREDITS,
                "usage_total_requests": COUNT,
                "usage_total_success": COUNT,
                "usage_total_client_errors": COUNT,
                "usage_total_server_errors": COUNT,
                "usage_total_generations": COUNT,
                "usage_total_provider_submissions": COUNT,
                "usage_total_estimated_cost": CREDITS,
                "usage_endpoints": list_of(
                    shape(
                        {
                            "endpoint": TEXT,
                            "total_requests": COUNT,
                            "success_count": COUNT,
                            "client_error_count": COUNT,
                            "server_error_count": COUNT,
                            "error_codes": map_of(COUNT),
                        }
                    )
                ),
                "usage_providers": list_of(
                    shape(
                        {
                            "provider": TEXT,
                            "total_submissions": COUNT,
                            "used_count": COUNT,
                            "cancelled_count": COUNT,
                            "discarded_count": COUNT,
                            "failed_count": COUNT,
                            "total_estimated_cost": CREDITS,
                            "wasted_estimated_cost": CREDITS,
                        }
                    )
                ),
            }
        ),
        "Account": shape(
            {
                "account_id": TEXT,
                "account_name": TEXT,
                "account_email": _UNKNOWN,
                "account_is_personal": FLAG,
                "account_picture_url": _UNKNOWN,
                "account_created_at": MOMENT,
            }
        ),
        "Billing": shape(
            {
                "account_id": TEXT,
                "billing_plan": _UNKNOWN,
                "billing_credit_balance": CREDITS,
                "billing_subscription_status": _UNKNOWN,
                "billing_cancel_at_period_end": _UNKNOWN,
                "billing_currency": _UNKNOWN,
                "billing_period_starts_at": _UNKNOWN,
                "billing_period_ends_at": _UNKNOWN,
                "billing_created_at": MOMENT,
                "billing_updated_at": maybe(MOMENT),
            }
        ),
        "Estimate": shape(
            {
                "model_identifier": TEXT,
                "model_type": one_of(Kind),
                "assets_count": {"type": "integer", "minimum": 1, "maximum": MOST_ESTIMATED},
                "cost_per_second": CREDITS,
                "duration_seconds": NUMBER,
                "resolution": maybe(TEXT),
                "cost_per_generation": CREDITS,
                "cost_total_consumed": CREDITS,
                "credit_balance": maybe(CREDITS),
                "credit_balance_can_afford": maybe(FLAG),
                "credit_balance_max_affordable": saying(maybe(COUNT), "Null where no balance is needed."),
            },
            optional=("cost_per_second", "duration_seconds", "resolution"),
        ),
    }
)
