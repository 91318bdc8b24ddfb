"""The ledger's checks: silent on a sound store, and each finds the damage it is there for."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ledger import attempts, checks, endpoints, generations, keys, spending
from gateway.ledger.endpoints import Endpoint, Source
from gateway.ledger.events import USUAL
from gateway.ledger.keys import KeyRow
from gateway.outcome import AttemptState, Billing

LIVE, DONE, FAILED = (f"(SELECT seq FROM generation WHERE id = '{name}')" for name in ("live", "done", "failed"))
SETTLE = "(SELECT id FROM txn WHERE kind = 'settle')"

# Damage, and the check that must name it.
DAMAGE = [
    ("L1", f"DELETE FROM entry WHERE txn = {SETTLE} AND account_id = '@revenue'"),
    ("L1", "INSERT INTO txn (kind, ref, note, at) VALUES ('add', 'acme/empty', '', 1)"),
    ("L2", "UPDATE account SET posted = posted + 1 WHERE id = 'acme'"),
    ("L3", "UPDATE account SET held = held + 1 WHERE id = 'acme'"),
    ("L4", "UPDATE account SET posted = -1 WHERE id = 'acme'"),
    ("L5", f"UPDATE hold SET state = 'released', closed = 1 WHERE generation = {LIVE}"),
    ("L5", f"DELETE FROM hold WHERE generation = {LIVE}"),
    ("L5", f"UPDATE hold SET state = 'open', closed = NULL WHERE generation = {FAILED}"),
    ("L5", f"UPDATE hold SET amount = amount + 1 WHERE generation = {LIVE}"),
    ("L6", "UPDATE generation SET settled = settled - 1 WHERE id = 'done'"),
    ("L6", f"UPDATE hold SET state = 'settled', captured = 1 WHERE generation = {FAILED}"),
    ("L6", f"UPDATE hold SET state = 'released', captured = 0 WHERE generation = {DONE}"),
    ("L7", f"DELETE FROM entry WHERE txn = {SETTLE}"),
    ("L7", f"UPDATE hold SET captured = captured - 1 WHERE generation = {DONE}"),
    (
        "L7",
        """
        INSERT INTO txn (kind, ref, note, at) VALUES ('settle', 'failed', '', 1);
        INSERT INTO entry (txn, account_id, delta, balance) SELECT MAX(id), 'acme', -1, 0 FROM txn
        """,
    ),
    ("L8", "DELETE FROM artifact"),
    ("L9", f"UPDATE attempt SET won = 0 WHERE generation = {DONE}"),
    ("L9", f"UPDATE attempt SET won = 1 WHERE generation = {FAILED}"),
    ("L10", f"UPDATE attempt SET billing = 'certain' WHERE generation = {FAILED}"),
    ("L11", "DELETE FROM event WHERE type = 'generation.completed'"),
    ("L11", "DELETE FROM event WHERE type = 'generation.failed'"),
    ("L12", f"INSERT INTO transition (generation, a, b, at) VALUES ({LIVE}, 'accepted', 'succeeded', 1)"),
    ("L12", "UPDATE generation SET state = 'running' WHERE id = 'live'"),
    ("L12", f"DELETE FROM transition WHERE generation = {DONE} AND b = 'running'"),
    ("L12", f"DELETE FROM transition WHERE generation = {LIVE}"),
    ("L13", "UPDATE generation SET deadline = 349 WHERE id = 'live'"),
    ("L14", f"UPDATE entry SET delta = delta - 1 WHERE txn = {SETTLE} AND account_id = 'acme'"),
    ("L15", f"UPDATE hold SET account_id = '@source' WHERE generation = {LIVE}"),
    ("L15", "DELETE FROM generation WHERE id = 'live'"),
    ("L19", "UPDATE entry SET balance = balance + 1 WHERE seq = 2"),
    ("L21", "UPDATE account SET generations = generations + 1 WHERE id = 'acme'"),
    ("L22", "DELETE FROM delivery"),
    ("L22", "UPDATE event SET account_id = 'another'"),
    ("L22", "UPDATE endpoint SET state = 'disabled', why = 'owner'"),
    ("L22", "UPDATE endpoint SET deleted = 1"),
    ("L23", "UPDATE key_spend SET amount = amount - 1"),
    ("L23", "DELETE FROM key_spend"),
    ("L23", "UPDATE generation SET key_id = NULL WHERE id = 'bought'"),
    ("L24", "UPDATE account_spend SET amount = amount + 1"),
    ("L24", "DELETE FROM account_spend"),
    ("L25", "UPDATE provider_use SET n = n + 1"),
    ("L25", "UPDATE provider_use SET amount = amount + 1"),
    ("L25", "DELETE FROM provider_use"),
    ("L25", "UPDATE provider_use SET outcome = 'cancelled' WHERE outcome = 'failed'"),
    ("L26", "UPDATE account_spend SET accepted = accepted + 1"),
    ("L26", "UPDATE account_spend SET deleted = 1"),
]


async def furnish(desk: Any) -> None:
    """A live generation, one of a key, a success and a failure with two attempts, and somebody who wants to hear of them."""
    listener = Endpoint("we_1", "acme", Source.API, "https://hooks.test/", USUAL, 90)
    await desk.store.write(endpoints.create(listener))
    await desk.accept("live")
    await desk.done("done")
    await desk.accept("failed")
    for n in (1, 2):
        attempt = await desk.open("failed", n)
        await desk.store.write(attempts.close_attempt(attempt, AttemptState.ERROR, {}, Billing.POSSIBLE, 230))
    await desk.store.write(generations.fail("failed", {}, 300))
    await desk.store.write(keys.create(KeyRow("k1", "acme", "", "bye_abcde", "hash", (), 90)))
    await desk.store.write(spending.accept(desk.new("bought"), "k1"))


@pytest.mark.parametrize(("name", "damage"), DAMAGE)
async def test_damage_is_named(careless_desk: Any, name: str, damage: str) -> None:
    """Whatever wrote past the schema, the check whose matter it is finds it, and says which row."""
    await furnish(careless_desk)
    assert await careless_desk.findings() == []
    with careless_desk.raw(careless=True) as connection:
        connection.executescript(damage)
    found = await careless_desk.store.report(checks.run_checks(now=400, grace=50))
    assert name in {finding.check.name for finding in found}
    assert all(finding.rows for finding in found)


async def test_the_deadline_has_a_grace(careless_desk: Any) -> None:
    """A generation may live as long past its deadline as it is granted, and no longer."""
    await careless_desk.accept("a", deadline=350)
    for grace, names in ((50, []), (49, ["L13"])):
        found = await careless_desk.store.report(checks.run_checks(now=400, grace=grace))
        assert [finding.check.name for finding in found] == names


def test_every_check_has_damage_to_find() -> None:
    """No check is there that was never seen to find something."""
    assert {name for name, _ in DAMAGE} == {check.name for check in checks.CHECKS}
