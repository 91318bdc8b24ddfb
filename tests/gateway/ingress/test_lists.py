"""Every list there is: what is asked of it is within bounds or refused, and what is another's is not there."""

from __future__ import annotations

import pytest

from gateway.ingress.callers import Scope
from tests.gateway.ingress.house import ACCOUNT, House

_NUMBERS = ("1000000000", "-1", "1e1", "0x10", " 1", "1 ", "1.0", "٣", "1_0", "", "true", "null", "99999999999999999999999", "+1", "%00", "1;2")  # fmt: skip
_BOUNDS = [
    ("/v1/content/list", "limit", 1, 100),
    ("/v1/content/list", "offset", 0, 10_000_000),
    ("/v1/usage", "days", 1, 90),
    ("/v1/webhooks/{hook}/deliveries", "limit", 1, 100),
    ("/v1/webhooks/{hook}/deliveries", "offset", 0, 1_000_000),
]
_ACTS = [
    ("webhooks/deliveries", "limit", 1, 100),
    ("webhooks/deliveries", "offset", 0, 1_000_000),
    ("audit/list", "limit", 1, 500),
]


async def hook(house: House) -> str:
    """An endpoint of the account."""
    return str((await house.act("webhooks.create", account=ACCOUNT, url="https://app.example.com/"))["id"])


@pytest.mark.parametrize(("path", "name", "least", "most"), _BOUNDS)
async def test_a_number_of_a_query_is_within_its_bounds(
    house: House, path: str, name: str, least: int, most: int
) -> None:
    """S51: both bounds answer, the next number beyond each and whatever is no plain number is refused by the field's name."""
    house.key = await house.new_key(scopes=[scope.value for scope in Scope])
    path = path.format(hook=await hook(house))
    for number in (least, most):
        assert (await house.ask("GET", f"{path}?{name}={number}")).status == 200
    for sent in (*_NUMBERS, str(most + 1), *([str(least - 1)] if least else []), f"{least}&{name}={least}"):
        refused = await house.ask("GET", f"{path}?{name}={sent}")
        assert (refused.status, refused.error["details"]["field"]) == (400, name), sent
        assert str(most) in refused.error["message"]


@pytest.mark.parametrize(("act", "name", "least", "most"), _ACTS)
async def test_a_number_of_an_act_is_within_its_bounds(
    house: House, act: str, name: str, least: int, most: int
) -> None:
    """S51: the operator's lists take whole numbers within their bounds, and nothing that only looks like one."""
    house.key = await house.new_key(scopes=[scope.value for scope in Scope])
    given = {"id": await hook(house)} if act.startswith("webhooks") else {}
    for number in (least, most):
        assert (await house.ask("POST", f"/admin/v1/{act}", {**given, name: number})).status == 200
    for sent in (most + 1, least - 1, 10**9, -1, 1.5, "1", True, [], {}, 2**53 - 1):
        refused = await house.ask("POST", f"/admin/v1/{act}", {**given, name: sent})
        assert (refused.status, name in refused.error["message"]) == (400, True), sent


@pytest.mark.parametrize("before", [10**9, -1, 0, 1, 2**53 - 1])
async def test_a_place_in_the_audit_need_not_be_there(house: House, before: int) -> None:
    """S51: whatever entry the audit is read from, there are those before it, or none."""
    house.key = await house.new_key(scopes=[scope.value for scope in Scope])
    answer = await house.ask("POST", "/admin/v1/audit/list", {"before": before})
    assert answer.status == 200
    assert all(entry["seq"] < before for entry in answer.data["entries"])
    for wrong in ("1", 1.5, True, [1]):
        assert (await house.ask("POST", "/admin/v1/audit/list", {"before": wrong})).status == 400


async def test_the_last_page_is_empty(house: House) -> None:
    """S51: beyond what there is a list is empty and says how much there is."""
    await house.create()
    told = (await house.ask("GET", "/v1/content/list?offset=10000000")).json
    assert (told["data"]["generations"], told["total"], told["offset"]) == ([], 1, 10_000_000)


async def test_a_list_holds_what_is_ones_own(house: House) -> None:
    """S51, S09: no number brings up what is another account's, and a list by another's id is not there."""
    await house.create()
    mine = await hook(house)
    await house.act("accounts.create", account="other")
    plain = [scope.value for scope in Scope if scope is not Scope.ADMIN]
    house.key = (await house.act("keys.create", account="other", scopes=plain))["key"]
    for page in ("", "?offset=0&limit=100", "?offset=1"):
        told = (await house.ask("GET", f"/v1/content/list{page}")).json
        assert (told["data"]["generations"], told["total"]) == ([], 0)
    theirs = await house.ask("GET", f"/v1/webhooks/{mine}/deliveries")
    nobody = await house.ask("GET", "/v1/webhooks/we_0000000000000000/deliveries")
    assert (theirs.status, theirs.error) == (404, nobody.error)
    assert (await house.ask("GET", "/v1/webhooks")).data == {"webhooks": [], "webhooks_total": 0}


async def test_a_body_that_says_too_much_changes_nothing(house: House) -> None:
    """S10: a field that is not asked for is refused whole on every route that takes a body, and nothing of the rest is done."""
    house.key = await house.new_key(scopes=[scope.value for scope in Scope])
    one = await hook(house)
    before = (await house.ask("GET", f"/v1/webhooks/{one}")).data
    for field in (
        "account_id",
        "webhook_account",
        "webhook_secret",
        "webhook_status",
        "webhook_id",
        "is_admin",
        "price",
    ):
        for method, path in (("POST", "/v1/webhooks"), ("PATCH", f"/v1/webhooks/{one}")):
            refused = await house.ask(method, path, {"webhook_url": "https://evil.example/", field: "x"})
            assert (refused.status, refused.error["details"]["field"]) == (400, field)
    assert (await house.ask("GET", f"/v1/webhooks/{one}")).data == before
    assert (await house.ask("GET", "/v1/webhooks")).data["webhooks_total"] == 1
    for field in ("hash", "prefix", "family", "created", "revoked", "balance"):
        for act in ("keys/create", "accounts/create", "credits/add"):
            refused = await house.ask("POST", f"/admin/v1/{act}", {"account": ACCOUNT, "amount": 1, field: "x"})
            assert refused.status == 400, (act, field)
    assert (await house.act("credits.show", account=ACCOUNT))["available"] == 10
