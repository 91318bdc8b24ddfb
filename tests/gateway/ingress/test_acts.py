"""The operator's acts over HTTP, and what the audit keeps of all acts."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ingress import auditing
from gateway.ingress.admin import ACTS
from gateway.ingress.callers import Scope
from gateway.ingress.desk import AdminError
from gateway.ingress.keyform import is_key
from tests.gateway.ingress.house import ACCOUNT, House

URL = "https://hooks.example.com/T0/B0/a-token?key=another"


@pytest.fixture
async def admin(house: House) -> House:
    """A house whose usual key is the operator's."""
    house.key = await house.new_key(scopes=["admin"])
    return house


async def entries(house: House, **given: Any) -> list[dict[str, Any]]:
    """What the audit holds."""
    found: list[dict[str, Any]] = (await house.act("audit.list", **given))["entries"]
    return found


async def test_every_act_is_done_over_http(admin: House) -> None:
    """With the scope every act is a call, in the envelope of the API; GET says which there are."""
    listed = (await admin.ask("GET", "/admin/v1")).data["acts"]
    assert [each["act"] for each in listed] == list(ACTS)
    made = await admin.ask("POST", "/admin/v1/accounts/create", {"account": "studio"})
    assert made.data == {"account": "studio", "name": "studio"}
    added = await admin.ask("POST", "/admin/v1/credits/add", {"account": "studio", "amount": "2.5"})
    assert added.data["available"] == 2.5
    key = (await admin.ask("POST", "/admin/v1/keys/create", {"account": "studio", "preset": "read_only"})).data
    assert is_key(key["key"])
    assert (await admin.ask("POST", "/admin/v1/keys/revoke", {"id": key["id"]})).data["status"] == "revoked"
    assert (await admin.ask("POST", "/admin/v1/doctor")).data["findings"] == []


REFUSED = [
    ("keys/make", {}, 404, "BSE3003"),
    ("keys/revoke", {"id": "none"}, 404, "BSE3003"),
    ("keys/create", {"account": "nobody"}, 400, "BSE2001"),
    ("keys/create", {"account": ACCOUNT, "is_admin": True}, 400, "BSE2001"),
    ("keys/create", [], 400, "BSE2001"),
    ("config/show", {}, 400, "BSE2001"),
]


@pytest.mark.parametrize(("act", "body", "status", "code"), REFUSED)
async def test_what_cannot_be_done_is_an_error(admin: House, act: str, body: Any, status: int, code: str) -> None:
    """S10: an act that is not there, does not fit or says too much is refused in the envelope, and leaves no entry."""
    before = await entries(admin)
    answer = await admin.ask("POST", f"/admin/v1/{act}", body)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert await entries(admin) == before


async def test_no_page_of_another_origin_is_invited(admin: House) -> None:
    """S53: the acts carry no header that lets a browser's page read them, and answer no preflight."""
    answer = await admin.ask("GET", "/admin/v1", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert (await admin.ask("OPTIONS", "/admin/v1/keys/create", headers=preflight)).status == 405
    assert (await admin.ask("POST", "/v1/admin/v1/keys/create", {})).status == 404


async def test_without_keys_nobody_is_the_operator(open_house: House) -> None:
    """S11: a gateway that asks for no key does no act for whoever reaches its address."""
    answer = await open_house.ask("POST", "/admin/v1/keys/create", {"account": ACCOUNT})
    assert (answer.status, answer.error["code"]) == (403, "BSE1003")


async def test_the_audit_names_the_key_or_the_operator(admin: House) -> None:
    """Each change leaves one entry with who did it, what, to what, and what was said."""
    [own] = [key["id"] for key in (await admin.act("keys.list"))["keys"] if key["scopes"] == ["admin"]]
    made = (await admin.ask("POST", "/admin/v1/keys/create", {"account": ACCOUNT, "name": "web"})).data
    await admin.act("keys.rotate", id=made["id"], grace=1)
    await admin.act("credits.add", account=ACCOUNT, amount=1, reference="r", note="June")
    found = await entries(admin, limit=3)
    assert [(each["actor"], each["act"], each["subject"]) for each in found] == [
        ("operator", "credits.add", ACCOUNT),
        ("operator", "keys.rotate", made["id"]),
        (own, "keys.create", made["id"]),
    ]
    assert found[0]["said"] == f"account={ACCOUNT} amount=1 reference=r note=June"
    assert [each["subject"] for each in await entries(admin, who=own)] == [made["id"], own]


async def test_only_changes_are_in_the_audit(house: House) -> None:
    """Looking leaves nothing, and neither does what changed nothing or could not be done."""
    made = await house.act("keys.create", account=ACCOUNT)
    await house.act("keys.revoke", id=made["id"])
    await house.act("credits.add", account=ACCOUNT, amount=1, reference="r")
    before = await entries(house)
    for name in ("keys.list", "accounts.list", "audit.list", "doctor", "webhooks.list"):
        await house.act(name)
    await house.act("keys.show", id=made["id"])
    await house.act("credits.add", account=ACCOUNT, amount=1, reference="r")
    for name, given in (
        ("keys.revoke", {"id": made["id"]}),
        ("keys.rotate", {"id": made["id"]}),
        ("keys.change", {"id": made["id"], "name": "x"}),
        ("accounts.create", {"account": ACCOUNT}),
        ("credits.add", {"account": ACCOUNT, "amount": 2, "reference": "r"}),
        ("keys.create", {"account": "nobody"}),
    ):
        with pytest.raises(AdminError):
            await house.act(name, **given)
    assert await entries(house) == before


async def test_what_callers_do_with_webhooks_is_audited_too(house: House) -> None:
    """Calls under /v1/webhooks leave entries with the key that made them, and of an address only its host."""
    made = await house.act("keys.create", account=ACCOUNT, scopes=[Scope.WEBHOOKS_WRITE.value])
    house.key = made["key"]
    hook = (await house.ask("POST", "/v1/webhooks", {"webhook_url": URL})).data["webhook_id"]
    await house.ask("PATCH", f"/v1/webhooks/{hook}", {"webhook_enabled": False})
    await house.ask("POST", f"/v1/webhooks/{hook}/rotate")
    await house.ask("DELETE", f"/v1/webhooks/{hook}")
    await house.ask("GET", "/v1/webhooks")
    found = await entries(house, who=made["id"])
    assert [each["act"] for each in reversed(found)] == [
        "keys.create", "webhooks.create", "webhooks.disable", "webhooks.rotate", "webhooks.delete",
    ]  # fmt: skip
    assert {each["subject"] for each in found[:-1]} == {hook}
    assert found[-2]["said"] == "url=https://hooks.example.com"


async def test_no_secret_is_in_the_audit(house: House) -> None:
    """Neither a key nor a secret of an endpoint nor the token in its address stands in any entry."""
    made = await house.act("keys.create", account=ACCOUNT)
    hook = await house.act("webhooks.create", account=ACCOUNT, url=URL)
    new = await house.act("webhooks.rotate", id=hook["id"])
    again = await house.act("keys.rotate", id=made["id"])
    told = str(await entries(house))
    for secret in (made["key"], again["key"], hook["secret"], new["secret"], "a-token", "another"):
        assert secret not in told


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ""),
        ({"a": "x", "b": None, "c": ["y", 1]}, 'a=x c=["y", 1]'),
        ({"note": "two\nlines\x1b[31m"}, "note=two lines [31m"),
        ({"note": "x" * 500}, f"note={'x' * 200}…"),
        ({"url": "http://[broken"}, "url=…"),
        ({"url": "https://user:pw@h.example:8443/x#y"}, "url=https://h.example"),
    ],
)
def test_a_line_says_what_was_given(given: dict[str, Any], said: str) -> None:
    """What was given stands on one line, cut, without anything that moves a cursor."""
    assert auditing.said(given) == said


@pytest.mark.parametrize("given", [{"limit": 0}, {"limit": 501}, {"limit": True}, {"before": "x"}, {"who": ""}])
async def test_a_page_has_its_bounds(house: House, given: dict[str, Any]) -> None:
    """What is no page is refused."""
    with pytest.raises(AdminError):
        await house.act("audit.list", **given)
