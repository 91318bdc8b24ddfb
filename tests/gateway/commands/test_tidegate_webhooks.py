"""`tidegate webhooks` and `tidegate alerts`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from gateway import settings as policy
from gateway.webhooks import sign
from tests.gateway.commands.conftest import Site
from tests.gateway.commands.shell import Shell, add, told

URL = "https://app.example.com/hooks"
SIGNS = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def config(tidegate: Shell, policy_file: Path) -> tuple[str, str]:
    """The policy of a store with one account."""
    options = ("-c", str(policy_file))
    tidegate("accounts", "create", "studio", *options)
    return options


def test_a_secret_is_printed_alone(tidegate: Shell, config: tuple[str, str]) -> None:
    """On stdout stands the secret and nothing else; lists never show it."""
    made = tidegate("webhooks", "create", URL, *config)
    assert made.code == 0
    assert sign.check(made.out.strip())
    listed = tidegate("webhooks", "list", *config)
    assert URL in listed.out
    assert "studio" in listed.out
    assert made.out.strip() not in listed.out + made.err


def test_an_endpoint_through_its_life(tidegate: Shell, config: tuple[str, str]) -> None:
    """Made, tried out, looked at, disabled, enabled, rotated, drained, replayed and deleted."""
    made = told(tidegate, "webhooks", "create", URL, "--events", "generation.failed, credits.low_balance", *config)
    assert made["events"] == ["generation.failed", "credits.low_balance"]
    sent = told(tidegate, "webhooks", "test", made["id"], *config)["delivery"]
    shown = tidegate("webhooks", "deliveries", made["id"], *config).out
    assert sent in shown
    assert "none yet" in shown
    assert "on its way" in tidegate("webhooks", "replay", sent, *config).err
    assert len(told(tidegate, "webhooks", "deliveries", made["id"], "--limit", "5", *config)["deliveries"]) == 2
    assert "is disabled" in tidegate("webhooks", "disable", made["id"], *config).err
    assert "disabled by owner" in tidegate("webhooks", "list", *config).out
    assert "enable it first" in tidegate("webhooks", "test", made["id"], *config).err
    assert "is active" in tidegate("webhooks", "enable", made["id"], *config).err
    assert "2 queued" in tidegate("webhooks", "drain", made["id"], *config).err
    assert tidegate("webhooks", "rotate", made["id"], *config).out.strip() != made["secret"]
    assert "is deleted" in tidegate("webhooks", "delete", made["id"], *config).err
    assert told(tidegate, "webhooks", "list", *config) == {"webhooks": []}


def test_a_bad_address_is_refused(tidegate: Shell, config: tuple[str, str]) -> None:
    """Plain HTTP and inner addresses are refused with a sentence."""
    for url, said in (("http://a.example/", "must begin with https://"), ("https://10.0.0.1/", "a private address")):
        refused = tidegate("webhooks", "create", url, *config)
        assert refused.code == 1
        assert said in refused.err


def test_thresholds_are_set_shown_and_taken_away(tidegate: Shell, config: tuple[str, str]) -> None:
    """What is set replaces what was."""
    assert "0.50" in tidegate("alerts", "show", *config).out
    assert [each["threshold"] for each in told(tidegate, "alerts", "set", "10", "2.5", *config)["alerts"]] == [10, 2.5]
    assert "armed" in tidegate("alerts", "show", *config).out
    assert "no thresholds" in tidegate("alerts", "off", *config).err
    for wrong in ("0", "-1"):
        assert "above zero" in tidegate("alerts", "set", wrong, *config).err


async def test_endpoints_of_the_policy_follow_it(tidegate: Shell, site: Site, policy_file: Path) -> None:
    """A running gateway takes over what the policy says of endpoints and delivery, and asks for no restart."""
    add(policy_file, f"webhooks: [{{url: '{URL}', secret: '${{S}}'}}]\ndelivery: {{schedule: [0s, 2s]}}\n")
    environ = {**site.simulators.secrets, "S": SIGNS}
    await site.running.reload(policy.load(policy_file, environ), environ)
    words = ("webhooks", "list", "-c", str(site.policy), "--json")
    listed = await asyncio.to_thread(tidegate, *words, env={"S": SIGNS})
    [found] = json.loads(listed.out)["webhooks"]
    assert (found["url"], found["account"], found["source"]) == (URL, None, "config")
