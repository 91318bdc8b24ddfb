"""The statements and the programs that ask for them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import gateway.ledger
from gateway.ledger.checks import CHECKS
from gateway.ledger.queries import parse, statements


@pytest.fixture
def engine() -> str:
    """What is asked here is about a file."""
    return "file"


def asked() -> list[tuple[str, str, set[str]]]:
    """Every call of ask or one in the package: file, statement, the parameters it is given."""
    found = []
    for file in Path(gateway.ledger.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"ask", "one"}:
                names = [each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)]
                given = {keyword.arg for keyword in node.keywords if keyword.arg}
                found += [(file.name, name, given) for name in names if name in statements() or len(names) == 1]
    return found


def test_every_program_gives_a_statement_exactly_its_parameters() -> None:
    """A program names a statement that exists and gives it the parameters it takes, no more and no fewer."""
    wrong = [(file, name, given) for file, name, given in asked() if given != set(statements()[name].parameters)]
    assert wrong == []
    assert len(asked()) > 50


def test_every_statement_is_asked_for() -> None:
    """No statement lies about that no program uses."""
    used = {name for _, name, _ in asked()} | {check.query for check in CHECKS}
    assert set(statements()) - used == set()


# Left out: what goes through everything by its nature, plain inserts, whose plans name look-ups that never run, and what only
# a store that is shared is asked.
_COLD = (
    "check_|accounts_|keys_all|usage_|.*_add$|replicas?_|paces?_|generations_(orphaned|claim)|notify|generations_begin"
)
HOT = [name for name in statements() if not re.match(_COLD, name)]


async def test_no_request_scans_a_table(desk: Any) -> None:
    """Every statement that a request may wait for finds its rows through an index, and sorts nothing."""
    slow = {}
    with desk.raw() as connection:
        for statement in (statements()[name] for name in HOT):
            values = dict.fromkeys(statement.parameters, 1)
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", values)
            steps = [row["detail"] for row in plan]
            handed = any(
                step.startswith("SCAN e VIRTUAL TABLE") for step in steps
            )  # rows of JSON, which it puts in order
            slows = r"SCAN (?!CONSTANT|e VIRTUAL|\w+ USING)" if handed else r"SCAN (?!CONSTANT|\w+ USING)|USE TEMP"
            if any(re.match(slows, step) for step in steps):
                slow[statement.name] = steps
    assert slow == {}


def test_parameters_are_found_outside_quotes_and_casts() -> None:
    """A colon within quotes or in a cast is not a parameter; a repeated parameter counts once."""
    text = "-- name: a\n-- Does a thing.\nSELECT ':no', :yes::text, :yes, :also;\n"
    [statement] = parse("x.sql", text)
    assert statement.parameters == ("yes", "also")
    assert statement.says == "Does a thing."


@pytest.mark.parametrize(
    "text",
    [
        "-- name: a\nSELECT 1;\n",
        "-- name: a\n-- Says.\n",
        "-- name: a\n-- Says.\nSELECT 1\n",
        "-- name: a\n-- Says.\nSELECT 1; SELECT 2;\n",
        "-- name: a\n-- Says.\nSELECT 1 -- why\n;\n",
    ],
)
def test_a_statement_without_its_parts_is_refused(text: str) -> None:
    """A missing sentence, a missing statement, a second one and a comment inside are each refused by name."""
    with pytest.raises(ValueError, match=r"x\.sql: a "):
        list(parse("x.sql", text))
