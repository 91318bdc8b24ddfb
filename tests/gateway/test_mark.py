"""The mark beside a store, and what it tells of one that was put back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway import mark
from gateway.mark import Mark, Why


@pytest.mark.parametrize(
    ("left", "file", "beats", "why"),
    [
        (None, "7", None, None),  # new, or written before there were marks
        (None, "7", 4, Why.UNMARKED),
        (Mark("7", 4, 0), "7", 4, None),
        (Mark("7", 4, 0), "7", 5, None),  # killed between the store and its mark
        (Mark("7", 5, 0), "7", 4, Why.BEHIND),
        (Mark("7", 5, 0), "7", None, Why.BEHIND),
        (Mark("7", 4, 0), "8", 4, Why.MOVED),
    ],
)
def test_what_is_made_of_a_store_and_its_mark(left: Mark | None, file: str, beats: int | None, why: Why | None) -> None:
    """F69: a store is what the last process left when it is that file and recalls no less than the mark."""
    assert mark.judge(left, file, beats, asked=False) is why
    assert mark.judge(left, file, beats, asked=True) is Why.ASKED


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """A mark is read as it was written; one that a power cut left empty is none."""
    store = tmp_path / "tidegate.db"
    assert mark.read(store) is None
    mark.write(store, Mark("7", 4, 99))
    assert mark.read(store) == Mark("7", 4, 99)
    assert [path.name for path in tmp_path.iterdir()] == ["tidegate.db.mark"]
    (tmp_path / "tidegate.db.mark").write_text("")
    assert mark.read(store) is None


def test_a_copy_is_another_file(tmp_path: Path) -> None:
    """A file that was put where another was is told from it, though a disk may give it the same number."""
    store, kept = tmp_path / "tidegate.db", tmp_path / "copy.db"
    store.write_text("ledger")
    before = mark.file_of(store)
    store.write_text("more of it")
    assert mark.file_of(store) == before
    shutil.copy(store, kept)
    kept.replace(store)
    assert mark.file_of(store) != before
