"""Who the caller is, what was used, what is left."""

from __future__ import annotations

from gateway.ingress.account import Tallies
from gateway.ingress.envelope import Answered
from gateway.ledger import usage
from tests.gateway.ingress.house import ACCOUNT, House

SOME = Answered("acme", "GET /v1/status", 200, "", 0.1, 86_400_000 * 3 + 5)


async def test_the_status_is_the_keys(house: House) -> None:
    """What is known of the key, but not the key."""
    data = (await house.ask("GET", "/v1/status")).data
    assert data["account_id"] == ACCOUNT
    assert data["apikey_id"].startswith("key_")
    assert (data["apikey_name"], data["apikey_prefix"]) == ("test", house.key[:9])
    assert (data["apikey_last_used_at"], data["apikey_expires_at"]) == (None, None)
    assert data["apikey_created_at"] == "2025-11-24T16:00:00.000Z"


async def test_the_account(house: House) -> None:
    """The account has its native fields."""
    assert (await house.ask("GET", "/v1/user/account")).data == {
        "account_id": ACCOUNT,
        "account_name": "Acme",
        "account_email": None,
        "account_is_personal": False,
        "account_picture_url": None,
        "account_created_at": "2025-11-24T16:00:00.000Z",
    }


async def test_the_balance_is_what_can_still_be_spent(house: House) -> None:
    """What is held does not count as there; the rest of the native billing is null."""
    await house.create()
    data = (await house.ask("GET", "/v1/user/billing")).data
    assert data["billing_credit_balance"] == 9.96
    assert data["billing_plan"] is data["billing_subscription_status"] is data["billing_period_ends_at"] is None


async def test_usage_adds_up(house: House) -> None:
    """Requests by endpoint and code, generations, attempts by provider, and their cost."""
    generation = await house.create()
    await house.succeed(generation)
    failed = await house.create()
    await house.fail(failed)
    await house.ask("GET", "/v1/content/none")
    await house.store.write(usage.count(house.tallies.flush()))
    data = (await house.ask("GET", "/v1/usage?days=1")).data
    assert (data["usage_period_days"], data["usage_total_generations"]) == (1, 2)
    assert (data["usage_total_requests"], data["usage_total_success"]) == (3, 2)
    assert (data["usage_total_client_errors"], data["usage_total_server_errors"]) == (1, 0)
    assert data["usage_total_provider_submissions"] == 2
    assert data["usage_total_estimated_cost"] == 0.08
    [content, generate] = data["usage_endpoints"]
    assert (content["endpoint"], content["error_codes"]) == ("GET /v1/content", {"BSE3001": 1})
    assert (generate["total_requests"], generate["success_count"]) == (2, 2)
    [provider] = data["usage_providers"]
    assert (provider["used_count"], provider["failed_count"], provider["cancelled_count"]) == (1, 1, 0)
    assert provider["wasted_estimated_cost"] == 0.04


async def test_usage_of_nothing_is_zero(house: House) -> None:
    """A fresh account has numbers everywhere."""
    data = (await house.ask("GET", "/v1/usage")).data
    assert data["usage_period_days"] == 30
    assert all(isinstance(value, int | float) for name, value in data.items() if "total" in name)
    assert (data["usage_endpoints"], data["usage_providers"]) == ([], [])


def test_tallies_are_handed_over_once() -> None:
    """A flush gives what was counted since the last one; what could not be written can be given back."""
    tallies = Tallies()
    for _ in range(3):
        tallies.count(SOME)
    tallies.count(Answered(None, "GET /v1/status", 401, "BSE1001", 0.1, 5))
    taken = tallies.flush()
    assert taken == {usage.Answer("acme", 3, "GET /v1/status", 200): 3}
    tallies.restore(taken)
    tallies.count(SOME)
    assert tallies.flush() == {usage.Answer("acme", 3, "GET /v1/status", 200): 4}
    assert tallies.flush() == {}
