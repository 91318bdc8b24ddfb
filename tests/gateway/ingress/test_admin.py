"""The operator's acts."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.ingress.admin import ACTS, Office, application
from gateway.ingress.callers import PRESETS
from gateway.ingress.desk import AdminError
from gateway.ingress.keyform import is_key
from tests.gateway.ingress.house import ACCOUNT, PEPPER, RECEIVERS, House


async def test_a_new_key_is_shown_once(house: House) -> None:
    """A key is in the answer to its making and in no other; the store has only its hash."""
    made = await house.act("keys.create", account=ACCOUNT, name="web", preset="read_only")
    assert is_key(made["key"])
    assert made["prefix"] == made["key"][:9]
    assert made["scopes"] == [scope.value for scope in PRESETS["read_only"]]
    listed = (await house.act("keys.list", account=ACCOUNT))["keys"]
    assert {key["id"] for key in listed} >= {made["id"]}
    assert all("key" not in key and "hash" not in key for key in listed)
    for file in house.store.path.parent.glob("store.db*"):
        assert made["key"].encode() not in file.read_bytes()


async def test_a_rotated_key_overlaps_with_its_successor(house: House) -> None:
    """Both work during the grace, then only the new one, which has the old one's name and rights."""
    made = await house.act("keys.create", account=ACCOUNT, name="web", scopes=["health:read"], networks=["127.0.0.1"])
    new = await house.act("keys.rotate", id=made["id"], grace=1)
    assert (new["name"], new["scopes"], new["networks"]) == ("web", ["health:read"], ["127.0.0.1/32"])
    for key in (made["key"], new["key"]):
        headers = {"Authorization": f"Bearer {key}"}
        assert (await house.ask("GET", "/v1/health/cache", headers=headers)).status == 200
    await house.clock.advance(3600)
    for key, later in ((made["key"], 401), (new["key"], 200)):
        headers = {"Authorization": f"Bearer {key}"}
        assert (await house.ask("GET", "/v1/health/cache", headers=headers)).status == later


async def test_the_state_of_a_key_is_told(house: House) -> None:
    """Active, rotated, expired and revoked keys are told apart in the list."""
    ids = {}
    for state in ("active", "rotated", "expired", "revoked"):
        ids[state] = (await house.act("keys.create", account=ACCOUNT, name=state, expires_in="9d"))["id"]
    await house.act("keys.rotate", id=ids["rotated"])
    await house.act("keys.revoke", id=ids["revoked"])
    short = await house.act("keys.create", account=ACCOUNT, name="short", expires_in="1s")
    await house.clock.advance(1)
    listed = {key["id"]: key["status"] for key in (await house.act("keys.list"))["keys"]}
    assert [listed[ids[state]] for state in ("active", "rotated", "revoked")] == ["active", "rotated", "revoked"]
    assert listed[short["id"]] == "expired"


async def test_credits_are_added_once_for_a_reference(house: House) -> None:
    """The same reference again changes nothing; another amount under it is refused."""
    first = await house.act("credits.add", account=ACCOUNT, amount="2.5", reference="invoice-1", note="June")
    again = await house.act("credits.add", account=ACCOUNT, amount="2.5", reference="invoice-1")
    assert (first["added"], first["available"]) == (2.5, 12.5)
    assert (again["added"], again["available"]) == (0, 12.5)
    with pytest.raises(AdminError, match=r"added 2\.5 before"):
        await house.act("credits.add", account=ACCOUNT, amount="3", reference="invoice-1")
    shown = await house.act("credits.show", account=ACCOUNT)
    assert shown["available"] == 12.5
    assert [(entry["kind"], entry["amount"]) for entry in shown["entries"]] == [("add", 2.5), ("add", 10)]
    assert shown["entries"][0]["note"] == "June"


async def test_without_a_reference_each_adding_counts(house: House) -> None:
    """Two additions without a reference are two."""
    one = await house.act("credits.add", account=ACCOUNT, amount=1)
    two = await house.act("credits.add", account=ACCOUNT, amount=1)
    assert (one["available"], two["available"]) == (11, 12)
    assert one["reference"] != two["reference"]


async def test_accounts(house: House) -> None:
    """An account is opened once and listed with what it has."""
    assert await house.act("accounts.create", account="other") == {"account": "other", "name": "other"}
    listed = (await house.act("accounts.list"))["accounts"]
    assert {row["account"]: row["available"] for row in listed} == {ACCOUNT: 10, "other": 0}


async def test_the_doctor_finds_nothing_in_a_sound_store(house: House) -> None:
    """A store with work done and under way passes every check."""
    await house.succeed(await house.create())
    await house.create()
    report = await house.act("doctor")
    assert report["findings"] == []
    assert report["checks"] > 10


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("keys.make", {}, "there is no act"),
    ("keys.create", {}, "account is missing"),
    ("keys.create", {"account": "nobody"}, "no account 'nobody'"),
    ("keys.create", {"account": ACCOUNT, "colour": "red"}, "not 'colour'"),
    ("keys.create", {"account": ACCOUNT, "preset": "root"}, "preset is one of full_access"),
    ("keys.create", {"account": ACCOUNT, "preset": "read_only", "scopes": []}, "not both"),
    ("keys.create", {"account": ACCOUNT, "scopes": ["all"]}, "scopes is a list out of"),
    ("keys.create", {"account": ACCOUNT, "scopes": []}, "scopes is a list out of"),
    ("keys.create", {"account": ACCOUNT, "networks": ["home"]}, "expected an address"),
    ("keys.create", {"account": ACCOUNT, "networks": ["10.0.0.0/8"] * 51}, "at most 50"),
    ("keys.create", {"account": ACCOUNT, "expires_in": "soon"}, "span such as 12h or 90d"),
    ("keys.create", {"account": ACCOUNT, "name": "x" * 101}, "at most 100"),
    ("keys.rotate", {"id": "none"}, "no key in use with the id or the name"),
    ("keys.rotate", {}, "id is missing"),
    ("keys.revoke", {"id": "none"}, "no key in use with the id or the name"),
    ("accounts.create", {"account": "a/b"}, "id of an account"),
    ("accounts.create", {"account": ACCOUNT}, "there already"),
    ("credits.add", {"account": ACCOUNT}, "amount"),
    ("credits.add", {"account": ACCOUNT, "amount": "-1"}, "above 0"),
    ("credits.add", {"account": ACCOUNT, "amount": "much"}, "expected an amount"),
    ("credits.add", {"account": "nobody", "amount": "1"}, "no account 'nobody'"),
    ("credits.show", {"account": "nobody"}, "no account 'nobody'"),
    ("doctor", {"deep": True}, "takes nothing"),
]


@pytest.mark.parametrize(("name", "arguments", "said"), WRONG)
async def test_what_cannot_be_done_is_said(house: House, name: str, arguments: dict[str, Any], said: str) -> None:
    """Each act says what is wrong with what it was given, and what would be right."""
    with pytest.raises(AdminError, match=said.replace("(", r"\(")):
        await house.act(name, **arguments)


async def test_a_key_is_rotated_and_revoked_once(house: House) -> None:
    """A key that is no longer active is refused with its state."""
    made = await house.act("keys.create", account=ACCOUNT)
    await house.act("keys.rotate", id=made["id"])
    with pytest.raises(AdminError, match="is rotated"):
        await house.act("keys.rotate", id=made["id"])
    await house.act("keys.revoke", id=made["id"])
    with pytest.raises(AdminError, match="revoked before"):
        await house.act("keys.revoke", id=made["id"])
    with pytest.raises(AdminError, match="grace is a number of hours"):
        await house.act("keys.rotate", id=made["id"], grace=5)


async def test_the_acts_over_the_socket(house: House) -> None:
    """Every act has a path; answers and errors are JSON."""
    async with TestClient(TestServer(application(Office(house.store, PEPPER, house.clock, RECEIVERS)))) as client:

        async def post(act: str, arguments: Any) -> tuple[int, Any]:
            async with client.post(f"/admin/{act}", json=arguments) as response:
                return response.status, await response.json()

        status, made = await post("keys/create", {"account": ACCOUNT, "name": "web"})
        assert status == 200
        assert is_key(made["key"])
        assert (await post("keys/create", {"account": "nobody"}))[0] == 400
        assert "no act" in (await post("keys/none", {}))[1]["error"]
        assert (await post("doctor", []))[1]["error"].startswith("the body must be a JSON object")
        async with client.post("/admin/doctor") as response:
            assert (await response.json())["findings"] == []
        assert (await client.get("/admin/doctor")).status == 405
        await house.store.close()
        assert (await post("accounts/list", {}))[0] == 503


def test_every_act_has_a_path() -> None:
    """A name with its dots as slashes is its path."""
    assert set(ACTS) == {
        "accounts.create", "accounts.list", "accounts.show", "accounts.change", "audit.list", "config.show", "generations.show",
        *(f"keys.{act}" for act in ("create", "list", "show", "change", "rotate", "revoke")),
        "credits.add", "credits.show", "credits.statement", "alerts.set", "alerts.show", "doctor",
        *(f"breakers.{act}" for act in ("list", "open", "close", "auto")),
        *(f"webhooks.{act}" for act in ("create", "list", "show", "update", "enable", "disable", "rotate", "delete")),
        *(f"webhooks.{act}" for act in ("test", "drain", "deliveries", "replay")),
    }  # fmt: skip
