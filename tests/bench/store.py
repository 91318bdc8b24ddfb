"""A store grown from one that a gateway wrote: the same generations over and over, spread evenly over the days that records are kept.

Every row is a copy of a row that was written in earnest, with numbers, ids and times of its own; balances and counts are added up
anew. So nothing is made up that the gateway would not have written, and the ledger's own checks hold of what comes out.
`python -m tests.bench.store FROM TO COUNT` grows one and asks them.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gateway.ledger.checks import Finding, run_checks
from gateway.ledger.database import Database
from tests.harness.process import now_ms

DAYS = 29  # records are kept for 30 unless somebody says otherwise: what is older is being deleted while it is read
KEPT = 1  # days that files are
DAY = 24 * 60 * 60 * 1000  # ms
# Unique ids fall anywhere in their indexes: these stay in memory while they grow. Nothing is written that has to survive a crash.
_PRAGMAS = (
    "journal_mode = OFF",
    "synchronous = OFF",
    "foreign_keys = OFF",
    "cache_size = -1000000",
    "temp_store = MEMORY",
)
_UUID = "lower(printf('%s-%s-4%s-a%s-%s', " + ", ".join(
    f"substr(hex(randomblob({(size + 1) // 2})), 1, {size})" for size in (8, 4, 3, 3, 12)
) + "))"  # fmt: skip
# What has a number of its own and hangs on a generation: a copy's number is moved by as many as there were.
_NUMBERED = {"transition": "seq", "attempt": "id", "event": "seq"}
# Columns that say when.
_TIMES = frozenset(
    {"created", "changed", "started", "ended", "deadline", "removed", "deleted", "at", "closed", "submitted", "due"}
    | {"attempted", "next_at"}
)


def grow(template: Path, path: Path, count: int) -> None:
    """Make a store of `count` generations out of one of fewer, all of them ended. ValueError when it is no multiple."""
    for suffix in ("", ".secret", ".packs"):
        if Path(f"{template}{suffix}").exists():
            shutil.copyfile(f"{template}{suffix}", f"{path}{suffix}")
            Path(f"{path}{suffix}").chmod(0o600)
    store = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in _PRAGMAS:
            store.execute(f"PRAGMA {pragma}")
        store.execute("ATTACH ? AS old", (str(template),))
        had = _one(store, "SELECT COUNT(*) FROM old.generation")
        if count % had or _one(store, "SELECT COUNT(*) FROM old.generation WHERE ended IS NULL"):
            raise ValueError(f"{had} generations, which must have ended, grow to a multiple of that and not to {count}")
        store.execute("BEGIN EXCLUSIVE")
        again = list(_set_aside(store))
        _place(store, had, count)
        _copy(store)
        _add_up(store, count // had)
        store.execute("DELETE FROM main.meta WHERE key = 'beats'")  # or it would be taken for one that was put back
        for text in again:
            store.execute(text)
        store.execute("COMMIT")
        store.execute("PRAGMA journal_mode = WAL")
    finally:
        store.close()


def _set_aside(store: sqlite3.Connection) -> Iterator[str]:
    """Drop triggers and indexes, and give what makes them again: the ones have had their say, the others are sorted faster at once."""
    found = "SELECT type, name, sql FROM main.sqlite_schema WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
    for kind, name, text in store.execute(found).fetchall():
        store.execute(f"DROP {kind} main.{name}")
        yield text


def _place(store: sqlite3.Connection, had: int, count: int) -> None:
    """Say of every generation to be there: its number, what it is a copy of and which copy, its id, and how much later it is."""
    since, apart = now_ms() - DAYS * DAY, DAYS * DAY / count
    store.execute("CREATE TEMP TABLE place (n INTEGER PRIMARY KEY, old INTEGER, k INTEGER, id TEXT, later INTEGER)")
    store.execute(
        "WITH RECURSIVE counted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < :count), "
        "ranked (rank, seq, id, created) AS "
        "(SELECT ROW_NUMBER() OVER (ORDER BY seq) - 1, seq, id, created FROM old.generation) "
        "INSERT INTO place SELECT c.n + 1, r.seq, c.n / :had, "
        f"CASE WHEN c.n < :had THEN r.id ELSE {_UUID} END, CAST(:since + c.n * :apart AS INTEGER) - r.created "
        "FROM counted c JOIN ranked r ON r.rank = c.n % :had ORDER BY c.n",
        {"count": count, "had": had, "since": since, "apart": apart},
    )


def _copy(store: sqlite3.Connection) -> None:
    """Write the rows of every generation. A delivery hangs on an event, an entry on a transaction, all others on a generation."""
    # A provider has never given the same reference twice.
    ref = "CASE WHEN p.k = 0 THEN o.{0} ELSE o.{0} || '-' || p.k END"
    of_attempt = {"ref": ref.format("ref"), "kept": "replace(o.kept, o.ref, " + ref.format("ref") + ")", "due": "NULL"}
    # Files are removed after a day.
    is_gone = f"p.later + o.ended < {now_ms() - KEPT * DAY}"
    removed = f"CASE WHEN o.state = 'succeeded' AND {is_gone} THEN o.ended + p.later + {KEPT * DAY} END"
    own: Mapping[str, Mapping[str, str]] = {
        "generation": {"seq": "p.n", "id": "p.id", "prediction": ref.format("prediction"), "removed": removed},
        "transition": {"generation": "p.n"},
        "attempt": {"generation": "p.n", **of_attempt},
        "event": {"generation": "p.n", "id": _UUID},
        "hold": {"generation": "p.n"},
        "artifact": {"generation": "p.n"},
        "idempotency": {"generation": "p.n", "key": "CASE WHEN p.k = 0 THEN o.key ELSE o.key || '-' || p.k END"},
    }
    for table, columns in own.items():
        _again(store, table, columns, "o.seq = p.old" if table == "generation" else "o.generation = p.old")
    store.execute(
        "UPDATE main.artifact SET uri = '' WHERE generation IN (SELECT seq FROM main.generation WHERE removed IS NOT NULL)"
    )
    # So are keys.
    store.execute("DELETE FROM main.idempotency WHERE created < ?", (now_ms() - DAY,))
    events = _one(store, "SELECT MAX(seq) FROM old.event") or 0
    _again(
        store,
        "delivery",
        {"id": _UUID, "event": f"o.event + p.k * {events}"},
        "o.event = v.seq",
        "JOIN old.event v ON v.generation = p.old",
    )
    settled = "JOIN old.generation g ON g.seq = p.old JOIN old.txn t ON t.kind = 'settle' AND t.ref = g.id"
    txns = _one(store, "SELECT MAX(id) FROM old.txn") or 0
    _again(store, "txn", {"ref": "p.id"}, "o.id = t.id", settled)
    _again(store, "entry", {"txn": f"o.txn + p.k * {txns}"}, "o.txn = t.id", settled)


def _again(store: sqlite3.Connection, table: str, own: Mapping[str, str], on: str, by: str = "") -> None:
    """Write the rows of one table for every place, instead of those that hang on a generation now."""
    columns = [(row[1], row[5]) for row in store.execute(f"PRAGMA main.table_info({table})").fetchall()]
    number = next((name for name, rank in columns if rank and name in {"seq", "id"} and name not in own), None)
    most = _one(store, f"SELECT MAX({number}) FROM old.{table}") if number else 0
    values = []
    for name, _ in columns:
        if name in own:
            values.append(own[name])
        elif name == number:
            values.append(f"o.{name} + p.k * {most or 0}")
        else:
            values.append(f"o.{name} + p.later" if name in _TIMES else f"o.{name}")
    names = ", ".join(name for name, _ in columns)
    kept = {"txn": " WHERE kind = 'settle'", "entry": " WHERE txn IN (SELECT id FROM old.txn WHERE kind = 'settle')"}
    store.execute(f"DELETE FROM main.{table}{kept.get(table, '')}")
    store.execute(
        f"INSERT INTO main.{table} ({names}) SELECT {', '.join(values)} FROM place p {by} JOIN old.{table} o ON {on} ORDER BY p.n"
    )


def _add_up(store: sqlite3.Connection, copies: int) -> None:
    """Whatever is a sum or a count of rows."""
    store.execute("CREATE TEMP TABLE total (seq INTEGER PRIMARY KEY, balance INTEGER)")
    store.execute(
        "INSERT INTO total SELECT seq, SUM(delta) OVER (PARTITION BY account_id ORDER BY seq) FROM main.entry"
    )
    store.execute("UPDATE main.entry SET balance = (SELECT t.balance FROM total t WHERE t.seq = entry.seq)")
    store.execute(
        "UPDATE main.account SET "
        "posted = COALESCE((SELECT SUM(e.delta) FROM main.entry e WHERE e.account_id = account.id), 0), "
        "generations = (SELECT COUNT(*) FROM main.generation g WHERE g.account_id = account.id AND g.deleted IS NULL)"
    )
    store.execute("DELETE FROM main.account_spend")
    store.execute(
        "INSERT INTO main.account_spend (account_id, day, amount, accepted, deleted) "
        f"SELECT g.account_id, g.created / {DAY}, SUM(h.captured), COUNT(*), COUNT(g.deleted) "
        "FROM main.hold h JOIN main.generation g ON g.seq = h.generation GROUP BY 1, 2"
    )
    store.execute("DELETE FROM main.provider_use")
    store.execute(
        "INSERT INTO main.provider_use (account_id, day, provider, outcome, n, amount) "
        "SELECT account_id, day, provider, outcome, COUNT(*), SUM(amount) FROM main.attempt_use GROUP BY 1, 2, 3, 4"
    )
    store.execute("DELETE FROM main.key_spend")
    store.execute(
        f"INSERT INTO main.key_spend SELECT COALESCE(k.family, k.id), h.created / {DAY}, SUM(h.captured) FROM main.hold h "
        "JOIN main.generation g ON g.seq = h.generation JOIN main.api_key k ON k.id = g.key_id GROUP BY 1, 2"
    )
    # As many answers on each day.
    store.execute("DELETE FROM main.request_count")
    store.execute(
        "WITH RECURSIVE day (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM day WHERE n + 1 < :days) "
        "INSERT INTO main.request_count SELECT o.account_id, :today - day.n, o.endpoint, o.status, o.code, "
        "1 + o.n * :copies / :days FROM old.request_count o, day",
        {"days": DAYS, "today": now_ms() // DAY, "copies": copies},
    )


def _one(store: sqlite3.Connection, text: str) -> int:
    found: int = store.execute(text).fetchone()[0]
    return found


async def checked(path: Path) -> Sequence[Finding]:
    """What the ledger's own checks find in a store nobody has open."""
    store = await Database.open(path, now=now_ms)
    try:
        return await store.report(run_checks(now_ms(), 0))
    finally:
        await store.close()


def main() -> int:
    """Grow one from the command line, and check it."""
    template, path, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    begun = time.monotonic()
    grow(template, path, count)
    grown = time.monotonic()
    findings = asyncio.run(checked(path))
    for finding in findings:
        print(f"{finding.check.name}: {finding.check.sentence} {finding.rows[:3]}")
    print(
        f"store generations={count} bytes={path.stat().st_size} grown={grown - begun:.1f}s checked={time.monotonic() - grown:.1f}s"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
