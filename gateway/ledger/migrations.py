"""Numbered migrations: each applied once, in order, in a transaction of its own, and remembered with its checksum."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from gateway.ledger.program import StoreUnknown

_TABLE = """
CREATE TABLE IF NOT EXISTS applied (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file: `NNN_name.sql`."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """The hash of the text, which tells an edited migration from the one that was applied."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def known() -> tuple[Migration, ...]:
    """Every migration this version brings, in order. They are numbered from 1 without a gap."""
    folder = files("gateway.ledger") / "migrations"
    found = []
    for file in sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name):
        number, _, name = file.name.removesuffix(".sql").partition("_")
        found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    if [each.version for each in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations must be numbered 001, 002 … without a gap; found {[m.version for m in found]}")
    return tuple(found)


def apply(connection: sqlite3.Connection, migrations: Sequence[Migration], at: int) -> int:
    """Bring the store to the newest version and give how many migrations that took.

    StoreUnknown when the store is newer than the migrations, or was brought there by other ones of the same number.
    """
    connection.execute(_TABLE)
    done = {row["version"]: row["checksum"] for row in connection.execute("SELECT version, checksum FROM applied")}
    if unknown := done.keys() - {each.version for each in migrations}:
        raise StoreUnknown(
            f"the store is at version {max(unknown)}, this program knows {len(migrations)} at most; "
            "use the newer program, or a backup from before it"
        )
    for each in migrations:
        if done.get(each.version, each.checksum) != each.checksum:
            raise StoreUnknown(
                f"migration {each.version} was applied with another text than this program's; "
                "a migration is never edited, a new one is added"
            )
    todo = [each for each in migrations if each.version not in done]
    for each in todo:
        _apply_one(connection, each, at)
    return len(todo)


def _apply_one(connection: sqlite3.Connection, migration: Migration, at: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in split(migration.text):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO applied (version, name, checksum, at) VALUES (?, ?, ?, ?)",
            (migration.version, migration.name, migration.checksum, at),
        )
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def split(text: str) -> Iterator[str]:
    """Cut a script into its statements; the semicolons inside a trigger do not end it."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError(f"the script ends in the middle of a statement: {statement.strip()[:60]}")
