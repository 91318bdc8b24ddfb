"""Migrations of a store in PostgreSQL: the same numbers as in a file, in that engine's own text."""

from __future__ import annotations

from typing import Any

from gateway.ledger.migrations import Applied, due, known

# The number of the lock under which one process at a time migrates; any but that of the writers would do.
_LOCK = 7236837
_TABLE = """
CREATE TABLE IF NOT EXISTS applied (
  version BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  at BIGINT NOT NULL,
  least BIGINT
)
"""


async def upgrade(connection: Any, at: int) -> int:
    """Bring the database to this version, whoever else tries at the same moment; give how many migrations that took.

    All of it is one transaction: the server undoes tables as it undoes rows. The errors are those of `migrations.due`.
    """
    migrations = known("postgres")
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '60s'")
        await connection.fetchval("SELECT pg_advisory_xact_lock($1)", _LOCK)
        # Asked first: a user who may not make tables can work on a database that somebody else has migrated.
        if await connection.fetchval("SELECT to_regclass('applied')") is None:
            await connection.execute(_TABLE)
        rows = await connection.fetch("SELECT version, checksum, least FROM applied")
        todo = due([Applied(row["version"], row["checksum"], row["least"]) for row in rows], migrations)
        for each in todo:
            await connection.execute(each.text)
            await connection.execute(
                "INSERT INTO applied (version, name, checksum, at, least) VALUES ($1, $2, $3, $4, $5)",
                each.version,
                each.name,
                each.checksum,
                at,
                each.least,
            )
    return len(todo)
