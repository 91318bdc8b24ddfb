"""`tidegate breakers`: through a gateway that runs, and where none does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from gateway import settings as policy
from gateway.clock import SystemClock
from gateway.fault import Fault, FaultKind, Reach
from gateway.routing.signal import Trial
from tests.gateway.commands.conftest import Site
from tests.gateway.commands.shell import MODEL, Said, Shell


async def say(tidegate: Shell, site: Site, *words: str) -> Said:
    """Run a command beside the running gateway."""
    return await asyncio.to_thread(tidegate, "breakers", *words, "-c", str(site.policy))


async def test_a_provider_is_held_and_let_go(tidegate: Shell, site: Site) -> None:
    """It is said for how long, listed, kept through a reload, and gone with `auto`."""
    assert "nothing has opened" in (await say(tidegate, site)).out
    held = await say(tidegate, site, "open", "fal", MODEL, "--for", "2h")
    assert (held.code, held.err.strip()) == (0, f"fal {MODEL}: held open for 7200 s")
    await site.running.reload(policy.load(site.policy, {}), site.simulators.secrets)
    listed = await say(tidegate, site, "list", "--json")
    [told] = json.loads(listed.out)["breakers"]
    assert (told["provider"], told["model"], told["breaker"], told["state"]) == ("fal", MODEL, "held", "open")
    assert 7_100 < told["for_seconds"] <= 7_200
    assert "fal" in (await say(tidegate, site)).out
    assert "left to its breakers again" in (await say(tidegate, site, "auto", "fal")).err
    assert "nothing changed" in (await say(tidegate, site, "auto", "fal")).err
    assert json.loads((await say(tidegate, site, "--json")).out)["breakers"] == []


async def test_what_opened_survives_a_reload_and_shows_its_rest(tidegate: Shell, site: Site) -> None:
    """A breaker is not closed by another policy file."""
    served, now = site.running.served, int(SystemClock().monotonic() * 1000)
    assert served is not None
    served.health.failed(Trial("fal", MODEL, now), Fault(FaultKind.NOT_SERVED, Reach.REFUSED, "no"), now, 0)
    await site.running.reload(policy.load(site.policy, {}), site.simulators.secrets)
    page = (await say(tidegate, site)).out
    assert "submit" in page
    assert "open" in page


async def test_what_is_wrong_is_said(tidegate: Shell, site: Site) -> None:
    """An unknown provider, model or time."""
    for words, told in (
        (("open", "nobody"), "no provider 'nobody'"),
        (("close", "fal", "lab/none"), "does not serve"),
        (("close", "fal", "--for", "ever"), "such as 90s or 30m"),
    ):
        said = await say(tidegate, site, *words)
        assert said.code == 1
        assert told in said.err
    assert (await say(tidegate, site, "hold", "fal")).code == 2


def test_only_a_running_gateway_has_breakers(tidegate: Shell, policy_file: Path) -> None:
    """A store nobody serves has none, and a store that is not there is not made."""
    assert "there is no store" in tidegate("breakers", "-c", str(policy_file)).err
    tidegate("keys", "create", "app", "-c", str(policy_file))
    said = tidegate("breakers", "open", "fal", "-c", str(policy_file))
    assert said.code == 1
    assert "no gateway runs" in said.err
