"""/v1/status, /v1/usage and /v1/user: who the caller is, what was used, what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.clock import Clock, iso
from gateway.ingress.callers import Caller, Guard, Scope
from gateway.ingress.content import whole
from gateway.ingress.envelope import Answered, success
from gateway.ingress.refusal import Refusal
from gateway.ledger import accounts, usage
from gateway.ledger.accounts import Account as Row
from gateway.ledger.database import Database
from gateway.money import as_number

USUAL_DAYS = 30
MOST_DAYS = 90
_MOST_KINDS = 10_000  # kinds of answers counted between two flushes; the kinds are few unless the store takes none


class Tallies:
    """How often each answer was given since the last flush; memory only, so that counting costs a request nothing."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._counts: Counter[usage.Answer] = Counter()

    def count(self, answered: Answered) -> None:
        """Count an answer to an account that is known."""
        if answered.account is None or len(self._counts) >= _MOST_KINDS:
            return
        day = answered.at // usage.DAY
        self._counts[usage.Answer(answered.account, day, answered.endpoint, answered.status, answered.code)] += 1

    def flush(self) -> Mapping[usage.Answer, int]:
        """Hand the counts over, for `usage.count`, and begin anew."""
        counts, self._counts = self._counts, Counter()
        return counts

    def restore(self, counts: Mapping[usage.Answer, int]) -> None:
        """Take counts back that could not be written."""
        self._counts.update(counts)


class Account:
    """Answers for the account behind the key."""

    def __init__(self, store: Database, clock: Clock) -> None:
        """Answer from this store."""
        self._store = store
        self._clock = clock

    def routes(self, guard: Guard) -> list[web.RouteDef]:
        """The routes, each behind its scope."""
        return [
            web.get("/v1/status", guard(Scope.ACCOUNT_READ, self.status)),
            web.get("/v1/usage", guard(Scope.ACCOUNT_READ, self.usage)),
            web.get("/v1/user/account", guard(Scope.ACCOUNT_READ, self.account)),
            web.get("/v1/user/billing", guard(Scope.ACCOUNT_READ, self.billing)),
        ]

    async def status(self, request: web.Request, caller: Caller) -> web.Response:
        """What is known of the key."""
        data = {
            "account_id": caller.account,
            "apikey_id": caller.key_id,
            "apikey_name": caller.name or None,
            "apikey_prefix": caller.prefix or None,
            "apikey_created_at": iso(caller.created),
            "apikey_last_used_at": _moment(caller.last_used),
            "apikey_expires_at": _moment(caller.expires),
        }
        return success(request, "API connected successfully", data)

    async def usage(self, request: web.Request, caller: Caller) -> web.Response:
        """What was asked for in the last days, and what became of it."""
        days = whole(request, "days", USUAL_DAYS, 1, MOST_DAYS)
        since = self._clock.now_ms() - days * usage.DAY
        row = await self._find(caller)
        used = await self._store.read(usage.report(caller.account, since))
        data = {
            "account_id": caller.account,
            "usage_period_days": days,
            "usage_credit_balance": as_number(row.balance.available),
            "usage_total_requests": sum(each.total for each in used.endpoints),
            "usage_total_success": sum(each.success for each in used.endpoints),
            "usage_total_client_errors": sum(each.client_errors for each in used.endpoints),
            "usage_total_server_errors": sum(each.server_errors for each in used.endpoints),
            "usage_total_generations": used.generations,
            "usage_total_provider_submissions": sum(each.submissions for each in used.providers),
            "usage_total_estimated_cost": as_number(sum(each.estimated for each in used.providers)),
            "usage_endpoints": [_endpoint(each) for each in used.endpoints],
            "usage_providers": [_provider(each) for each in used.providers],
        }
        return success(request, "Usage data retrieved successfully", data)

    async def account(self, request: web.Request, caller: Caller) -> web.Response:
        """The account itself."""
        row = await self._find(caller)
        data = {
            "account_id": row.id,
            "account_name": row.name,
            "account_email": None,
            "account_is_personal": False,
            "account_picture_url": None,
            "account_created_at": iso(row.created),
        }
        return success(request, "Account data retrieved successfully", data)

    async def billing(self, request: web.Request, caller: Caller) -> web.Response:
        """The balance; a gateway of one's own knows no plans and no subscriptions."""
        row = await self._find(caller)
        unknown = (
            "billing_subscription_status",
            "billing_cancel_at_period_end",
            "billing_currency",
            "billing_period_starts_at",
            "billing_period_ends_at",
        )
        data = {
            "account_id": row.id,
            "billing_plan": None,
            "billing_credit_balance": as_number(row.balance.available),
            **dict.fromkeys(unknown),
            "billing_created_at": iso(row.created),
            "billing_updated_at": None,
        }
        return success(request, "User billing data retrieved successfully", data)

    async def _find(self, caller: Caller) -> Row:
        row = await self._store.read(accounts.find(caller.account))
        if row is None:
            raise Refusal("account_not_found", "the account of this API key is gone")
        return row


def _endpoint(used: usage.EndpointUse) -> dict[str, Any]:
    return {
        "endpoint": used.endpoint,
        "total_requests": used.total,
        "success_count": used.success,
        "client_error_count": used.client_errors,
        "server_error_count": used.server_errors,
        "error_codes": dict(used.codes),
    }


def _provider(used: usage.ProviderUse) -> dict[str, Any]:
    return {
        "provider": used.provider,
        "total_submissions": used.submissions,
        "used_count": used.used,
        "cancelled_count": used.cancelled,
        "discarded_count": used.discarded,
        "failed_count": used.failed,
        "total_estimated_cost": as_number(used.estimated),
        "wasted_estimated_cost": as_number(used.wasted),
    }


def _moment(at: int | None) -> str | None:
    return iso(at) if at is not None else None
