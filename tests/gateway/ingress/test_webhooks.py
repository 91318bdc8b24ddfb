"""/v1/webhooks, and the operator's acts on the same endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ingress.desk import AdminError
from gateway.ledger import deliveries
from gateway.ledger import endpoints as ledger
from gateway.ledger.deliveries import Room
from gateway.ledger.endpoints import Why, of_policy
from gateway.ledger.events import USUAL
from gateway.webhooks import sign
from tests.gateway.ingress.house import ACCOUNT, House

URL = "https://app.example.com/hooks"
NAMES = {
    "webhook_id", "account_id", "webhook_source", "webhook_url", "webhook_events", "webhook_status",
    "webhook_disabled_by", "webhook_failures_in_a_row", "webhook_created_at",
}  # fmt: skip


@pytest.fixture
async def hooked(house: House) -> House:
    """A house whose key may say who is told."""
    house.key = await house.new_key(scopes=["webhooks:write", "generation:write", "generation:delete"])
    return house


async def made(house: House, **fields: Any) -> Any:
    """Make an endpoint by the API."""
    body = {"webhook_url": URL, **{f"webhook_{name}": value for name, value in fields.items()}}
    return (await house.ask("POST", "/v1/webhooks", body)).data


async def test_an_endpoint_is_made_and_its_secret_told_once(hooked: House) -> None:
    """The answer to its making has the secret, no other has."""
    data = await made(hooked)
    assert set(data) == {*NAMES, "webhook_secret"}
    assert sign.check(data.pop("webhook_secret"))
    assert (data["webhook_events"], data["webhook_status"]) == ([event.value for event in USUAL], "active")
    path = f"/v1/webhooks/{data['webhook_id']}"
    assert (await hooked.ask("GET", path)).data == data
    assert (await hooked.ask("GET", "/v1/webhooks")).data == {"webhooks": [data], "webhooks_total": 1}


async def test_an_endpoint_is_changed_and_deleted(hooked: House) -> None:
    """Address, events and state are changed together or alone; deleted it is not there."""
    path = f"/v1/webhooks/{(await made(hooked))['webhook_id']}"
    events = ["credits.low_balance", "generation.failed"]
    body = {"webhook_events": events, "webhook_url": f"{URL}/2", "webhook_enabled": False}
    data = (await hooked.ask("PATCH", path, body)).data
    assert (data["webhook_url"], set(data["webhook_events"])) == (f"{URL}/2", set(events))
    assert (data["webhook_status"], data["webhook_disabled_by"]) == ("disabled", "owner")
    assert (await hooked.ask("PATCH", path, {"webhook_enabled": True})).data["webhook_status"] == "active"
    assert (await hooked.ask("PATCH", path, {})).data["webhook_url"] == f"{URL}/2"
    assert (await hooked.ask("DELETE", path)).data["webhook_deleted"] is True
    assert (await hooked.ask("GET", path)).error["code"] == "BSE3003"


WRONG = [
    ({}, "url is missing"),
    ({"webhook_url": 5}, "url must be a text"),
    ({"webhook_url": "http://app.example.com/"}, "must begin with https://"),
    ({"webhook_url": "https://app.example.com:8443/"}, "default port"),
    ({"webhook_url": "https://10.0.0.1/"}, "a private address (blocked_address)"),
    ({"webhook_url": "https://app.example.com:25/"}, "port 25 is refused"),
    ({"webhook_url": "https://app.example.com/\t"}, "an invisible character"),
    ({"webhook_url": "https://app.example.com/\r\nX: y"}, "an invisible character"),
    ({"webhook_url": "https:///x"}, "no host"),
    ({"webhook_url": "https://0x7f.1/"}, "not an IPv4 address"),
    ({"webhook_url": "https://169.254.169.254/latest"}, "link-local"),
    ({"webhook_url": "https://me:secret@app.example.com/"}, "user name or password"),
    ({"webhook_url": "https://h#@evil.example/"}, "fragment"),
    ({"webhook_url": "https://a.example/\\x"}, "backslash"),
    ({"webhook_url": URL, "webhook_events": []}, "events is a list out of"),
    ({"webhook_url": URL, "webhook_events": ["webhook.test"]}, "events is a list out of"),
    ({"webhook_url": URL, "webhook_events": [{}]}, "events is a list out of"),
    ({"webhook_url": URL, "account_id": "other"}, "not 'account_id'"),
    ({"url": URL}, "not 'url'"),
]


@pytest.mark.parametrize(("body", "said"), WRONG)
async def test_what_is_no_endpoint_is_refused(hooked: House, body: Any, said: str) -> None:
    """S32, S33, S34, S39: a bad address, bad events and fields that mean nothing are refused with a reason, and nothing is written."""
    error = (await hooked.ask("POST", "/v1/webhooks", body)).error
    assert error["code"] == "BSE2001"
    assert said in error["message"]
    assert (await hooked.ask("GET", "/v1/webhooks")).data["webhooks_total"] == 0


async def test_a_state_that_is_none_is_refused(hooked: House) -> None:
    """Enabled is true or false."""
    path = f"/v1/webhooks/{(await made(hooked))['webhook_id']}"
    assert (await hooked.ask("PATCH", path, {"webhook_enabled": 1})).error["details"] == {"field": "webhook_enabled"}


async def test_another_accounts_endpoint_is_not_there(hooked: House) -> None:
    """Whatever is asked about it, it is answered like one that never was."""
    await hooked.act("accounts.create", account="other")
    other = await hooked.act("webhooks.create", account="other", url=URL)
    calls = [
        ("GET", "", None), ("PATCH", "", {"webhook_enabled": False}), ("DELETE", "", None), ("POST", "/rotate", None),
        ("POST", "/test", None), ("POST", "/drain", None), ("GET", "/deliveries", None),
        ("POST", "/deliveries/6f1c2f9e-5a51-4d2c-9a4b-1d2f3c4b5a69/replay", None),
    ]  # fmt: skip
    for method, rest, body in calls:
        for name in (other["id"], "we_none", "%ED%A0%80", "x" * 70):
            answer = await hooked.ask(method, f"/v1/webhooks/{name}{rest}", body)
            assert (answer.status, answer.error["type"]) == (404, "not_found"), (method, rest, name)
    assert (await hooked.ask("GET", "/v1/webhooks")).data["webhooks_total"] == 0
    assert (await hooked.act("webhooks.list"))["webhooks"][0]["status"] == "active"


async def test_a_full_key_does_not_say_who_is_told(house: House) -> None:
    """No preset has the scope; a key that was made for it has."""
    answer = await house.ask("POST", "/v1/webhooks", {"webhook_url": URL})
    assert (answer.status, answer.error["code"]) == (403, "BSE1003")


async def test_a_secret_is_rotated(hooked: House) -> None:
    """A new secret comes with the time until which the old one signs too."""
    first = await made(hooked)
    data = (await hooked.ask("POST", f"/v1/webhooks/{first['webhook_id']}/rotate")).data
    assert sign.check(data["webhook_secret"]) != first["webhook_secret"]
    assert data["webhook_previous_secret_until"] == "2025-11-25T16:00:00.000Z"


async def test_deliveries_are_shown_and_replayed(hooked: House) -> None:
    """A test is owed at once, is listed, and can be told again; a disabled endpoint takes neither."""
    path = f"/v1/webhooks/{(await made(hooked))['webhook_id']}"
    sent = (await hooked.ask("POST", f"{path}/test")).data["webhook_delivery"]
    [row] = (await hooked.ask("GET", f"{path}/deliveries")).data["deliveries"]
    assert (row["delivery_id"], row["delivery_event"], row["delivery_status"]) == (sent, "webhook.test", "pending")
    assert row["generation_id"] is None
    again = (await hooked.ask("POST", f"{path}/deliveries/{sent}/replay")).data
    assert again["webhook_replay_of"] == sent
    limited = await hooked.ask("GET", f"{path}/deliveries?limit=1")
    assert [each["delivery_id"] for each in limited.data["deliveries"]] == [again["webhook_delivery"]]
    await hooked.ask("PATCH", path, {"webhook_enabled": False})
    for rest in ("test", "drain", f"deliveries/{sent}/replay"):
        assert "enable it first" in (await hooked.ask("POST", f"{path}/{rest}")).error["message"]


async def test_a_generation_is_owed_to_its_account(hooked: House) -> None:
    """What a caller does is owed to the endpoints of its account."""
    path = f"/v1/webhooks/{(await made(hooked))['webhook_id']}"
    generation = await hooked.create()
    await hooked.ask("POST", f"/v1/content/generation/cancel/{generation}")
    [row] = (await hooked.ask("GET", f"{path}/deliveries")).data["deliveries"]
    assert (row["delivery_event"], row["generation_id"]) == ("generation.canceled", generation)


async def test_a_queue_is_drained(hooked: House) -> None:
    """How much there is to drain is said."""
    data = await made(hooked)
    path = f"/v1/webhooks/{data['webhook_id']}"
    await hooked.ask("PATCH", path, {"webhook_enabled": False})
    await hooked.ask("POST", f"/v1/content/generation/cancel/{await hooked.create()}")
    await hooked.ask("PATCH", path, {"webhook_enabled": True})
    assert (await hooked.ask("POST", f"{path}/drain")).data["webhook_queued"] == 1


async def test_an_endpoint_of_the_policy_is_changed_there(house: House) -> None:
    """It is enabled and tried out like another, but not changed, rotated or deleted here."""
    policy = of_policy(ACCOUNT, URL, USUAL, 1)
    await house.store.write(ledger.sync([policy], 1, 1))
    for act in ("update", "rotate", "delete"):
        with pytest.raises(AdminError, match="comes from the policy file; change it there"):
            await house.act(f"webhooks.{act}", id=policy.id)
    await house.act("webhooks.test", id=policy.id)
    await house.store.write(ledger.disable(policy.id, Why.FAILURES, 2))
    assert (await house.act("webhooks.enable", id=policy.id))["status"] == "active"


async def test_an_account_has_so_many_endpoints(house: House) -> None:
    """Every event goes to each of them, so their number has an end."""
    for n in range(50):
        await house.act("webhooks.create", account=ACCOUNT, url=f"{URL}/{n}")
    with pytest.raises(AdminError, match="at most 50 endpoints"):
        await house.act("webhooks.create", account=ACCOUNT, url=URL)


@pytest.mark.parametrize(
    ("act", "arguments", "said"),
    [
        ("create", {"account": "nobody", "url": URL}, "there is no account 'nobody'"),
        ("show", {"id": "we_0"}, "there is no endpoint"),
        ("deliveries", {"id": "we_0", "limit": 0}, "there is no endpoint"),
        ("replay", {"delivery": "x"}, "there is no delivery"),
        ("create", {"account": ACCOUNT, "url": URL, "secret": "x"}, "not 'secret'"),
    ],
)
async def test_an_act_that_cannot_be_done(house: House, act: str, arguments: dict[str, Any], said: str) -> None:
    """What is not there or makes no sense is said."""
    with pytest.raises(AdminError, match=said):
        await house.act(f"webhooks.{act}", **arguments)


async def test_a_page_has_bounds(house: House) -> None:
    """A page is from 1 to 100 deliveries."""
    found = await house.act("webhooks.create", account=ACCOUNT, url=URL)
    for limit in (0, 101, True, "5"):
        with pytest.raises(AdminError, match="limit is a whole number from 1 to 100"):
            await house.act("webhooks.deliveries", id=found["id"], limit=limit)


async def test_thresholds_are_set_and_shown(house: House) -> None:
    """Amounts in credits, highest first; none at all is no alert."""
    assert (await house.act("alerts.show", account=ACCOUNT))["alerts"] == [{"threshold": 0.5, "fired_at": None}]
    told = await house.act("alerts.set", account=ACCOUNT, thresholds=["0.25", 20])
    assert [each["threshold"] for each in told["alerts"]] == [20, 0.25]
    await house.create()
    assert (await house.act("alerts.show", account=ACCOUNT))["alerts"][0]["fired_at"] is not None
    assert (await house.act("alerts.set", account=ACCOUNT, thresholds=[]))["alerts"] == []


@pytest.mark.parametrize(
    ("account", "thresholds", "said"),
    [
        (ACCOUNT, "5", "thresholds is a list of at most 10"),
        (ACCOUNT, ["much"], "thresholds: expected an amount"),
        (ACCOUNT, [0], "each above zero"),
        (ACCOUNT, list(range(1, 12)), "at most 10 thresholds"),
        ("nobody", [1], "there is no account 'nobody'"),
    ],
)
async def test_thresholds_that_are_none(house: House, account: str, thresholds: Any, said: str) -> None:
    """What is no threshold, too many of them, and an account that is not there are refused."""
    with pytest.raises(AdminError, match=said):
        await house.act("alerts.set", account=account, thresholds=thresholds)


async def test_nobody_has_no_thresholds(house: House) -> None:
    """An account that is not there cannot be shown."""
    with pytest.raises(AdminError, match="there is no account 'nobody'"):
        await house.act("alerts.show", account="nobody")


async def test_the_link_of_an_event_opens(house: House) -> None:
    """A generation is owed with its record, from which links are made when it is told."""
    await house.act("webhooks.create", account=ACCOUNT, url=URL, events=["generation.completed"])
    await house.succeed(await house.create())
    found = await house.store.read(deliveries.due(house.clock.now_ms(), Room(9, 9, {}, {})))
    [due] = found.due
    assert due.record is not None
    assert len(due.record.artifacts) == 1
