"""A file being written, and the sweep of those that were left."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gateway
from gateway.artifacts.part import Part, sweep


def test_a_kept_part_has_its_name_and_hash(tmp_path: Path) -> None:
    """What was added is under the name it was kept as, in folders made for it, and nowhere else."""
    part, home = Part(tmp_path), tmp_path / "a" / "b" / "file"
    part.add(b"one")
    part.add(b"two")
    part.keep(home)
    assert home.read_bytes() == b"onetwo"
    assert (part.size, part.sha256) == (6, hashlib.sha256(b"onetwo").hexdigest())
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_bytes_are_durable_before_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is synced before it gets its name, then every folder in which a name is new, from the file upwards."""
    synced: list[str] = []
    sync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda file: synced.append(str(Path(f"/proc/self/fd/{file}").readlink())) or sync(file)
    )
    part = Part(tmp_path)
    part.add(b"one")
    part.keep(tmp_path / "a" / "b" / "file")
    assert synced[0].startswith(str(tmp_path / "part-"))
    assert synced[1:] == [str(tmp_path / "a" / "b"), str(tmp_path / "a"), str(tmp_path)]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such advice")
def test_a_large_file_is_written_out_while_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stretch is told to the system once, what is small never, and what the file holds is the same."""
    told: list[tuple[int, int]] = []
    advise = os.posix_fadvise
    monkeypatch.setattr(os, "posix_fadvise", lambda *said: told.append(said[1:3]) or advise(*said))
    part, piece = Part(tmp_path), bytes(range(256)) * 4096 * 3
    for _ in range(7):
        part.add(piece)
        part.sync_soon()
    part.keep(tmp_path / "file")
    assert told == [(0, 3 * len(piece)), (3 * len(piece), 3 * len(piece))]
    assert (tmp_path / "file").read_bytes() == piece * 7


def test_nothing_is_opened_before_the_first_byte(tmp_path: Path) -> None:
    """A part without bytes has no file, and may be discarded all the same."""
    part = Part(tmp_path)
    part.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_discarded_part_is_gone_for_good(tmp_path: Path) -> None:
    """A discarded part leaves nothing, takes nothing more and cannot be kept."""
    part = Part(tmp_path)
    part.add(b"one")
    part.discard()
    part.discard()
    with pytest.raises(FileNotFoundError):
        part.add(b"two")
    with pytest.raises(FileNotFoundError):
        part.keep(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_discarding_a_kept_part_keeps_it(tmp_path: Path) -> None:
    """A late discard does not take what is already under its name."""
    part = Part(tmp_path)
    part.add(b"one")
    part.keep(tmp_path / "file")
    part.discard()
    assert (tmp_path / "file").read_bytes() == b"one"


def test_a_part_that_cannot_be_kept_leaves_nothing(tmp_path: Path) -> None:
    """When the name cannot be given, the part is still there to be discarded."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "in the way").write_bytes(b"")
    part = Part(tmp_path / "parts")
    part.add(b"one")
    with pytest.raises(OSError, match="in the way"):
        part.keep(tmp_path / "in the way" / "file")
    part.discard()
    assert list((tmp_path / "parts").iterdir()) == []


def test_the_sweep_spares_what_is_being_written(tmp_path: Path) -> None:
    """Leftovers go, a part in use stays and can be kept afterwards."""
    (tmp_path / "part-left").write_bytes(b"half a picture")
    part = Part(tmp_path)
    part.add(b"one")
    assert sweep(tmp_path) == 1
    part.keep(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_killed_writer_is_swept_up(tmp_path: Path) -> None:
    """What a process left that was killed in the middle of writing is removed at once."""
    script = """
import os, pathlib, sys
from gateway.artifacts.part import Part
Part(pathlib.Path(sys.argv[1])).add(b"half a picture")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, cwd=Path(gateway.__file__).parents[1])
    assert len(list(tmp_path.iterdir())) == 1
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []
