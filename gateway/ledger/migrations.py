"""Numbered migrations: each applied once, in order, in a transaction of its own, and remembered with its checksum."""

from __future__ import annotations

import hashlib
import re
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
  at INTEGER NOT NULL,
  least INTEGER
) STRICT
"""
# A migration that only adds says which version of the store a program has to know to go on working with it.
_LEAST = re.compile(r"^-- works with: (\d+)$", re.MULTILINE)


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

    @property
    def least(self) -> int:
        """The oldest version a program has to know to work with a store that has this one."""
        said = _LEAST.search(self.text)
        return int(said[1]) if said else self.version


@dataclass(frozen=True, slots=True)
class Applied:
    """What a store says of a migration it has; `least` is missing in those from before it was written down."""

    version: int
    checksum: str
    least: int | None


def known(engine: str = "") -> tuple[Migration, ...]:
    """Every migration this version brings, in order; `engine` is the folder of another engine's. They are numbered from 1 without a gap."""
    folder = files("gateway.ledger") / "migrations" / engine
    found = []
    for file in sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name):
        number, _, name = file.name.removesuffix(".sql").partition("_")
        found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    if [each.version for each in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations must be numbered 001, 002 … without a gap; found {[m.version for m in found]}")
    return tuple(found)


def due(applied: Sequence[Applied], migrations: Sequence[Migration]) -> list[Migration]:
    """What a store has yet to be given.

    StoreUnknown when it is newer than the migrations and does not work with them, or was brought there by other ones of the
    same number.
    """
    done = {each.version: each for each in applied}
    newer = [each for each in applied if each.version > len(migrations)]
    if any(each.least is None or each.least > len(migrations) for each in newer):
        raise StoreUnknown(
            f"the store is at version {max(done)}, this program knows {len(migrations)} at most; "
            "use the newer program, or a backup from before it"
        )
    for each in migrations:
        if each.version in done and done[each.version].checksum != each.checksum:
            raise StoreUnknown(
                f"migration {each.version} was applied with another text than this program's; "
                "a migration is never edited, a new one is added"
            )
    return [each for each in migrations if each.version not in done]


def apply(connection: sqlite3.Connection, migrations: Sequence[Migration], at: int) -> int:
    """Bring a store in a file to the newest version and give how many migrations that took; the errors are those of `due`."""
    connection.execute(_TABLE)
    if "least" not in {row["name"] for row in connection.execute("PRAGMA table_info(applied)")}:
        connection.execute("ALTER TABLE applied ADD COLUMN least INTEGER")
    rows = connection.execute("SELECT version, checksum, least FROM applied")
    todo = due([Applied(row["version"], row["checksum"], row["least"]) for row in rows], migrations)
    for each in todo:
        _apply_one(connection, each, at)
    return len(todo)


def _apply_one(connection: sqlite3.Connection, migration: Migration, at: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in split(migration.text):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO applied (version, name, checksum, at, least) VALUES (?, ?, ?, ?, ?)",
            (migration.version, migration.name, migration.checksum, at, migration.least),
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
