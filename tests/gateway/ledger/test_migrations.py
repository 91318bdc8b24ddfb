"""Migrations: applied once, in order, and never edited."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.ledger.migrations import Migration, apply, known, split
from gateway.ledger.program import StoreUnknown

FIRST = Migration(1, "first", "CREATE TABLE a (x INTEGER) STRICT;\n")
SECOND = Migration(2, "second", "CREATE TABLE b (x INTEGER) STRICT;\nINSERT INTO b VALUES (1);\n")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A new SQLite file."""
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as opened:
        opened.row_factory = sqlite3.Row
        yield opened


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_each_is_applied_once(connection: sqlite3.Connection) -> None:
    """A store takes what it has not had, and only that."""
    assert [
        apply(connection, [FIRST], 5),
        apply(connection, [FIRST, SECOND], 6),
        apply(connection, [FIRST, SECOND], 7),
    ] == [
        1,
        1,
        0,
    ]
    assert tables(connection) == {"applied", "a", "b"}
    assert [tuple(row) for row in connection.execute("SELECT version, at FROM applied")] == [(1, 5), (2, 6)]


def test_a_newer_store_is_refused(connection: sqlite3.Connection) -> None:
    """A program does not touch a store that a newer one has migrated."""
    apply(connection, [FIRST, SECOND], 5)
    with pytest.raises(StoreUnknown, match="version 2, this program knows 1"):
        apply(connection, [FIRST], 6)


def test_an_edited_migration_is_refused(connection: sqlite3.Connection) -> None:
    """A migration whose text is not the one that was applied is refused, before anything else is."""
    apply(connection, [FIRST], 5)
    with pytest.raises(StoreUnknown, match="migration 1 was applied with another text"):
        apply(connection, [Migration(1, "first", FIRST.text + "-- more\n"), SECOND], 6)
    assert "b" not in tables(connection)


def test_a_migration_that_fails_leaves_nothing(connection: sqlite3.Connection) -> None:
    """The half of a migration that worked is undone with the half that did not."""
    broken = Migration(2, "broken", "CREATE TABLE b (x INTEGER) STRICT;\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        apply(connection, [FIRST, broken], 5)
    assert tables(connection) == {"applied", "a"}


def test_a_trigger_is_one_statement() -> None:
    """Semicolons inside a trigger do not cut it; a script that stops half-way is refused."""
    trigger = "CREATE TRIGGER t BEFORE DELETE ON a\nBEGIN\n  SELECT 1;\n  SELECT 2;\nEND;\n"
    assert list(split(f"SELECT 0;\n{trigger}")) == ["SELECT 0;\n", trigger]
    with pytest.raises(ValueError, match="middle of a statement: SELECT 1"):
        list(split("SELECT 0;\nSELECT 1"))


def test_what_is_shipped_is_numbered_and_strict() -> None:
    """The shipped migrations count from 1, and every table they make is strict."""
    assert [each.version for each in known()] == list(range(1, len(known()) + 1))
    made = [statement for each in known() for statement in split(each.text) if "CREATE TABLE" in statement]
    assert made
    assert all(statement.rstrip().endswith("STRICT;") for statement in made)
