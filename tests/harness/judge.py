"""Nothing lost, after processes died: the store, those who asked and the far ends are held against each other."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.ledger.checks import run_checks
from gateway.ledger.database import Database
from tests import postgres
from tests.harness.process import OPENING, now_ms


@dataclass
class Figures:
    """What is counted. Everything but the first block has to be zero."""

    kills: int = 0
    generations: int = 0
    succeeded: int = 0
    failed: int = 0
    replayed: int = 0
    provider_jobs: int = 0
    in_doubt: int = 0
    seconds: float = 0.0
    lost: int = 0
    stuck: int = 0
    mischarged: int = 0
    orphan_holds: int = 0
    without_bytes: int = 0
    unknown_jobs: int = 0
    ledger_findings: int = 0
    damaged: int = 0
    server_errors: int = 0
    notes: list[str] = field(default_factory=list)

    def bad(self) -> int:
        """How many of the figures that have to be zero are not."""
        names = ("lost", "stuck", "mischarged", "orphan_holds", "without_bytes", "unknown_jobs", "ledger_findings", "damaged", "server_errors")  # fmt: skip
        return sum(1 for name in names if getattr(self, name))

    def line(self) -> str:
        """One line, as it goes into the results."""
        return " ".join(f"{name}={value:.0f}" if isinstance(value, float) else f"{name}={value}" for name, value in vars(self).items() if name != "notes")  # fmt: skip


async def judge(
    folder: Path,
    known: Mapping[str, str],
    jobs: Sequence[Mapping[str, Any]],
    figures: Figures,
    place: str | None = None,
) -> None:
    """Hold the store, the list of those who asked and the far ends' list against each other.

    The store is the file in the folder, or the database at `place`.
    """
    store = await Database.open(place or folder / "gateway.db", now=now_ms)
    findings = await store.read(run_checks(now_ms(), 60_000))
    await store.close()
    figures.ledger_findings = len(findings)
    figures.notes += [f"{finding.check.name}: {finding.rows[:5]}" for finding in findings]
    with opened(folder, place) as base:
        if place is None:
            figures.damaged = int(base.execute("PRAGMA integrity_check").fetchone()[0] != "ok")
        _compare(base, folder, known, jobs, figures)


@contextmanager
def opened(folder: Path, place: str | None) -> Iterator[Any]:
    """The store past the gateway, whose rows are read by name: the file in the folder, or the database at `place`."""
    if place is not None:
        with postgres.connected(place) as connection:
            yield connection
        return
    with closing(sqlite3.connect(folder / "gateway.db")) as base:
        base.row_factory = sqlite3.Row
        yield base


def _compare(
    base: Any, folder: Path, known: Mapping[str, str], jobs: Sequence[Mapping[str, Any]], figures: Figures
) -> None:
    rows = {row["id"]: row for row in base.execute("SELECT * FROM generation")}
    figures.generations = len(rows)
    figures.lost += sum(generation not in rows for generation in known.values())
    figures.succeeded = sum(row["state"] == "succeeded" for row in rows.values())
    figures.failed = sum(row["state"] == "failed" for row in rows.values())
    ended = {"succeeded", "failed", "canceled"}
    figures.stuck = sum(row["state"] not in ended for row in rows.values())
    posted, held = base.execute("SELECT posted, held FROM account WHERE id = 'local'").fetchone()
    owed = sum(row["settled"] for row in rows.values() if row["state"] == "succeeded")
    figures.mischarged = int(OPENING - posted != owed) + sum(
        row["settled"] > row["price"] for row in rows.values() if row["settled"] is not None
    )
    figures.orphan_holds = int(held != 0) + base.execute("SELECT count(*) FROM hold WHERE state = 'open'").fetchone()[0]
    for row in base.execute("SELECT * FROM artifact"):
        path = folder / "outputs" / row["uri"].removeprefix("file:")
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
            figures.without_bytes += 1
    attempts = base.execute("SELECT count(*) FROM attempt").fetchone()[0]
    figures.in_doubt = base.execute("SELECT count(*) FROM attempt WHERE state = 'in_doubt'").fetchone()[0]
    refs = {row["ref"] for row in base.execute("SELECT ref FROM attempt WHERE ref IS NOT NULL")}
    figures.provider_jobs = len(jobs)
    # A job that no attempt has the reference of belongs to one whose answer was lost, or held the outputs and named no job.
    nameless = Counter(
        row["provider"]
        for row in base.execute("SELECT provider, fault FROM attempt WHERE ref IS NULL")
        if row["fault"] is None or json.loads(row["fault"])["reach"] in {"unsure", "accepted"}
    )
    unknown = Counter(job["provider"] for job in jobs if job["id"] not in refs) - nameless
    figures.unknown_jobs = unknown.total() + max(0, len(jobs) - attempts)
    figures.notes += [f"{count} jobs at {provider} belong to no attempt" for provider, count in unknown.items()]
