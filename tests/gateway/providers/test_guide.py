"""The page on how a pack is written: true to the code, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.__main__ import main
from gateway.documents import parse
from gateway.fault import FaultKind
from gateway.providers import catalog, guide, samples
from gateway.providers.classify import BY_STATUS

PAGE = guide.page()
FILE = Path(__file__).parents[3] / "providers.d" / "README.md"
# A file of an example: its path, then its text as a block.
_FILES = re.compile(r"^`mine/(\S+\.yaml)`:\n\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCKS = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_file_is_the_page() -> None:
    """The page in the folder of packs is what the gateway prints: write it anew with `tidegate check --reference`."""
    assert FILE.read_text(encoding="utf-8") == PAGE


def test_the_packs_of_the_page_load_and_are_proven(tmp_path: Path) -> None:
    """Whoever copies the examples has packs without a mistake, each rule, word and form of them shown by a sample."""
    for name, text in _FILES.findall(PAGE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = catalog.load([tmp_path])
    assert found.ids() == ["acme/sketch", "orbit/swift"]
    assert [str(mistake) for mistake in samples.check_catalog(found, coverage=True)] == []


@pytest.mark.parametrize("block", _BLOCKS.findall(PAGE), ids=lambda block: block.splitlines()[0][:40])
def test_every_block_is_yaml(block: str) -> None:
    """Each example can be pasted."""
    assert parse(block, "example").value


def test_every_kind_and_status_has_a_row() -> None:
    """The tables of faults leave none out, and no place of the page waits to be filled."""
    for kind in FaultKind:
        assert f"| `{kind}` | " in PAGE
    shown = {int(status) for row in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for status in row.split(", ")}
    assert shown == set(BY_STATUS)
    assert "{{" not in PAGE


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """`tidegate check --reference > providers.d/README.md` writes the file, whatever the policy file says."""
    assert main(("check", "--reference", "-c", "nowhere.yaml"), {}) == 0
    assert capsys.readouterr().out == PAGE
