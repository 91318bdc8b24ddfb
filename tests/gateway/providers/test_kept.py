"""Packs that were found right are not checked again, and nothing else is believed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

import pytest

from gateway.documents import Mistakes
from gateway.providers import catalog
from gateway.providers.catalog import Catalog
from gateway.providers.kept import Kept, digest_of
from tests.gateway.providers.acme import write

KEY = b"k" * 32


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """A folder with one small pack."""
    return write(tmp_path / "providers.d")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """Where they are kept."""
    return Kept(tmp_path / "packs", lambda: KEY)


def _told(found: Catalog) -> object:
    return [(key, pack.offer, pack.file) for key, pack in found.models.items()], found.aliases, list(found.providers)


def test_what_was_kept_says_the_same(packs: Path, kept: Kept, tmp_path: Path) -> None:
    """The second load finds what the first one found, and has nothing to keep anew."""
    plain, first = catalog.load([packs]), catalog.load([packs], kept)
    os.utime(tmp_path / "packs", (1, 1))
    assert _told(plain) == _told(first) == _told(catalog.load([packs], kept))
    assert (tmp_path / "packs").stat().st_mtime == 1


def test_every_shipped_pack_comes_back_as_it_was(tmp_path: Path) -> None:
    """Keys that are numbers or truth values stay what they are: a duration of 5 is not the text 5."""
    shipped, kept = Path("providers.d"), Kept(tmp_path / "packs", lambda: KEY)
    plain = catalog.load([shipped], kept)
    os.utime(tmp_path / "packs", (1, 1))
    assert _told(catalog.load([shipped], kept)) == _told(plain)
    assert (tmp_path / "packs").stat().st_mtime == 1


def test_a_changed_pack_is_checked(packs: Path, kept: Kept) -> None:
    """One changed byte, and all of it is checked; a mistake is told with its place, and what was right before counts no more."""
    catalog.load([packs], kept)
    [model, *_] = sorted(packs.glob("*/*/*.yaml"))
    before = model.read_text()
    model.write_text(before + "oops: 1\n")
    with pytest.raises(Mistakes, match="oops"):
        catalog.load([packs], kept)
    model.write_text(before)
    catalog.load([packs], kept)
    shutil.rmtree(packs / model.parent.parent.name)
    assert not catalog.load([packs], kept).models


def test_a_mistake_is_never_kept(packs: Path, kept: Kept, tmp_path: Path) -> None:
    """Packs with a mistake are refused as often as they are loaded."""
    [model, *_] = sorted(packs.glob("*/*/*.yaml"))
    model.write_text(model.read_text() + "oops: 1\n")
    for _ in range(2):
        with pytest.raises(Mistakes, match="oops"):
            catalog.load([packs], kept)
    assert not (tmp_path / "packs").exists()


def test_what_is_kept_fits_one_set_of_packs(kept: Kept) -> None:
    """Values come back under the digest they were kept with and no other, keys as they were."""
    one, other = digest_of({PurePosixPath("a"): b"1"}), digest_of({PurePosixPath("a"): b"2"})
    values = {PurePosixPath("a"): {"x": {5: 1, True: 2, 2.5: 3, "5": 4, "\0": 5}, "y": [None, "é"]}}
    kept.write(one, values)
    assert kept.read(one) == values
    assert kept.read(other) is None


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "forged", "folder"])
def test_what_somebody_else_wrote_is_not_believed(packs: Path, kept: Kept, tmp_path: Path, harm: str) -> None:
    """A file that is damaged, or signed with another key, is as good as none; it is never unpacked."""
    plain = _told(catalog.load([packs], kept))
    path = tmp_path / "packs"
    data = path.read_bytes()
    if harm == "folder":
        path.unlink()
        path.mkdir()
    else:
        harmed = {
            "cut": data[:-1],
            "flipped": data[:40] + bytes([data[40] ^ 1]) + data[41:],
            "empty": b"",
            "forged": b"\0" * 32 + b'{"acme/provider.yaml": {}}',
        }
        path.write_bytes(harmed[harm])
    assert _told(catalog.load([packs], kept)) == plain


def test_a_folder_that_takes_nothing_is_no_trouble(packs: Path, tmp_path: Path) -> None:
    """Where the state cannot be written the packs are checked at every start, and that is all."""
    kept = Kept(tmp_path / "absent" / "packs", lambda: KEY)
    assert _told(catalog.load([packs], kept)) == _told(catalog.load([packs]))


def test_a_process_reads_the_same_packs_once(packs: Path) -> None:
    """Until a byte of them changes they give the catalog that was made of them; a mistake is told as often as it is read."""
    first = catalog.load_once([packs])
    assert catalog.load_once([packs]) is first
    [model, *_] = sorted(packs.glob("*/*/*.yaml"))
    before = model.read_text()
    model.write_text(before + "oops: 1\n")
    for _ in range(2):
        with pytest.raises(Mistakes, match="oops"):
            catalog.load_once([packs])
    model.write_text(f"{before}\n")
    assert catalog.load_once([packs]) is not first
    shutil.rmtree(packs / model.parent.parent.name)
    assert not catalog.load_once([packs]).models
