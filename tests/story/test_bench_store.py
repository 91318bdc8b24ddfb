"""The benchmark's workloads about what is stored and what is under way, at the smallest scale."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.bench import live, reads, restart
from tests.bench.figure import Bench
from tests.bench.made import COUNT, Made, made
from tests.bench.store import DAY, DAYS, checked, grow
from tests.harness.process import now_ms


def _bench(scratch: Path) -> Bench:
    return Bench(1, 0.05, quick=True, scratch=scratch, say=lambda _: None)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Generations that a gateway made."""
    with made(_bench(tmp_path_factory.mktemp("made"))) as found:
        yield found


def test_reads_of_every_kind_are_measured(template: Made, tmp_path: Path) -> None:
    """Each kind of read is answered, and rightly, over both stores."""
    figures = list(reads.over(_bench(tmp_path), template))
    assert len(figures) > 20
    assert [figure for figure in figures if not figure.ours or not figure.theirs] == []


def test_a_grown_store_holds_what_the_ledger_promises(template: Made, tmp_path: Path) -> None:
    """Its generations are as many as wanted, spread over the days that records are kept, and no check finds anything."""
    grow(template.store, tmp_path / "grown.db", 4 * COUNT)
    assert asyncio.run(checked(tmp_path / "grown.db")) == []
    with closing(sqlite3.connect(tmp_path / "grown.db")) as store:
        count, first, last = store.execute("SELECT COUNT(*), MIN(created), MAX(created) FROM generation").fetchone()
    assert count == 4 * COUNT
    assert DAYS * DAY * 0.99 < now_ms() - first < DAYS * DAY * 1.01
    assert now_ms() - last < DAY


def test_what_is_under_way_is_measured(tmp_path: Path) -> None:
    """Memory, reads and calls, each beside few and beside many."""
    memory, read, call = live.measure(_bench(tmp_path))
    assert memory.ours is not None
    assert read.ours
    assert read.theirs
    assert call.ours
    assert call.theirs


def test_a_restart_loses_nothing_and_sends_nothing_twice(tmp_path: Path) -> None:
    """Killed and started again, it goes on with all that was under way."""
    figures = {figure.what: figure for figure in restart.measure(_bench(tmp_path))}
    assert [figures[what].ours for what in ("not resumed", "submitted twice", "not done in the end")] == [0, 0, 0]
