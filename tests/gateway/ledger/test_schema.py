"""What the schema refuses by itself, whatever code runs."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.generation import EDGES
from tests.gateway.ledger.conftest import REFUSES

A = "(SELECT seq FROM generation WHERE id = 'a')"
REFUSED = {
    "an entry changes": "UPDATE entry SET delta = delta + 1",
    "an entry goes": "DELETE FROM entry",
    "an entry moves nothing": "INSERT INTO entry (txn, account_id, delta, balance) VALUES (1, 'acme', 0, 0)",
    "a transaction changes": "UPDATE txn SET note = 'x'",
    "a transaction goes": "DELETE FROM txn",
    "a reference is used twice": "INSERT INTO txn (kind, ref, note, at) VALUES ('add', 'acme/first', '', 1)",
    "more is held than there is": "UPDATE account SET held = 10000001 WHERE id = 'acme'",
    "less than nothing is held": "UPDATE account SET held = -1 WHERE id = 'acme'",
    "more is spent than is free": "UPDATE account SET posted = 500000 WHERE id = 'acme'",
    "a second hold": f"INSERT INTO hold (generation, account_id, amount, state, captured, created)"
    f" VALUES ({A}, 'acme', 1, 'open', 0, 1)",
    "a hold without a generation": "INSERT INTO hold (generation, account_id, amount, state, captured, created)"
    " VALUES (99, 'acme', 1, 'open', 0, 1)",
    "a hold grows": f"UPDATE hold SET amount = amount + 1 WHERE generation = {A}",
    "a hold is captured above itself": f"UPDATE hold SET state = 'settled', captured = 1000001, closed = 1"
    f" WHERE generation = {A}",
    "a hold is settled for nothing": f"UPDATE hold SET state = 'settled', closed = 1 WHERE generation = {A}",
    "a hold is released with a capture": f"UPDATE hold SET state = 'released', captured = 1, closed = 1"
    f" WHERE generation = {A}",
    "a hold reopens": "UPDATE hold SET state = 'open', captured = 0, closed = NULL WHERE state = 'settled'",
    "a hold goes": "DELETE FROM hold",
    "an amount is a fraction": "UPDATE account SET posted = 0.5 WHERE id = 'acme'",
    "an amount is a word": "UPDATE account SET posted = 'much' WHERE id = 'acme'",
    "an illegal step": "UPDATE generation SET state = 'running' WHERE id = 'a'",
    "a generation is born running": "INSERT INTO generation (id, account_id, kind, model, request, plan, adjustments,"
    " provider_order, state, price, created, changed, deadline)"
    " VALUES ('z', 'acme', 'image', 'm', '{}', '{}', '[]', '[]', 'running', 1, 1, 1, 1)",
    "an end without a time": "UPDATE generation SET state = 'canceled' WHERE id = 'a'",
    "a failure without an error": "UPDATE generation SET state = 'failed', ended = 1 WHERE id = 'a'",
    "an ended generation goes on": "UPDATE generation SET state = 'accepted', ended = NULL, settled = NULL,"
    " provider_used = NULL WHERE id = 'done'",
    "a price changes": "UPDATE generation SET price = 1 WHERE id = 'a'",
    "an owner changes": "UPDATE generation SET account_id = '@source' WHERE id = 'a'",
    "more is settled than was held": "UPDATE generation SET settled = price + 1 WHERE id = 'done'",
    "a generation goes": "DELETE FROM generation",
    "a step is rewritten": "UPDATE transition SET at = 0",
    "a step is forgotten": "DELETE FROM transition",
    "a winner is unpaid": "UPDATE attempt SET billing = 'possible' WHERE won = 1",
    "a winner is lost": "UPDATE attempt SET won = 0 WHERE won = 1",
    "a second winner": "INSERT INTO attempt (generation, n, provider, native, form, state, price, billing, won, started, ended)"
    " SELECT generation, 2, provider, native, form, state, price, billing, won, started, ended FROM attempt WHERE won = 1",
    "an artifact without bytes": "UPDATE artifact SET bytes = 0",
    "a hash without a size": "UPDATE artifact SET bytes = NULL",
    "an account with a slash": "INSERT INTO account (id, name, kind, enforced, created) VALUES ('a/b', '', 'customer', 1, 1)",
}


@pytest.mark.parametrize("what", REFUSED)
async def test_the_schema_refuses(desk: Any, what: str) -> None:
    """No statement can break a rule of the ledger, even one that comes past the programs."""
    await desk.accept("a")
    await desk.done("done")
    with desk.raw() as connection, pytest.raises(REFUSES):
        connection.execute(REFUSED[what])


async def test_legal_steps_are_those_of_the_code(desk: Any) -> None:
    """The table of legal steps holds what the code holds, and the birth."""
    with desk.raw() as connection:
        found = {tuple(row) for row in connection.execute("SELECT a, b FROM edge")}
    born = {("new", "accepted"), ("new", "submitting")}
    assert found == born | {(a.value, b.value) for a, b in EDGES}
