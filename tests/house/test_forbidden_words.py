"""The project speaks of itself: not of the machine it was written on, nor of how or by whom."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, none, sources

_PATHS = r"(?<![\w.-])/(?:work|root)/|/tmp/(?!\W|$)(?:plan|v|house)\b|/opt/(?:pypi|wheels)"
_REGISTRIES = r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|proxy\.golang\.org)\b"
_HABITS = (
    r"\bhelper-\w+|\bsub-?agents?\b|\b(?:this|previous|earlier|last|another|next) session\b"
    r"|\bthe lead\b|\b(?:the|my) (?:brief|task) (?:says|asks|wants)\b|\bas an ai\b|\blanguage model\b"
    r"|\bissue #\d+|\(#\d+\)|\bclaude\b|\banthropic\b"
)
FORBIDDEN = re.compile(f"{_PATHS}|{_REGISTRIES}|{_HABITS}", re.IGNORECASE)
# What is left to do is an issue; written into the code it is forgotten.
_LATER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
# The patterns themselves, and a text that is not ours.
_EXEMPT = {Path(__file__).resolve(), ROOT / "LICENSE"}


def _files() -> Iterator[Path]:
    """Everything that is or would be committed; in an unpacked archive, everything that is not hidden."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        yield from (ROOT / name for name in told.stdout.split("\0") if name)
    else:
        yield from (
            path for path in ROOT.rglob("*") if not any(part[0] in "._" for part in path.relative_to(ROOT).parts)
        )


def _findings() -> Iterator[str]:
    for path in sorted(set(_files())):
        if path.is_file() and path.resolve() not in _EXEMPT:
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if found := FORBIDDEN.search(line):
                    yield f"{path.relative_to(ROOT)}:{number}: {found[0]!r}"


def test_the_project_speaks_of_itself() -> None:
    """No file mentions paths of a machine, a registry's host, an issue by number, or how the work was done."""
    none(_findings())


def test_no_notes_to_be_done_later() -> None:
    """No comment leaves work for later."""
    none(
        source.at(line, comment)
        for source in (*sources("gateway"), *sources("tests"))
        for line, comment in source.comments()
        if _LATER.search(comment)
    )


@pytest.mark.parametrize(
    "text", ["see /root/x", "in /tmp/plan/x.md", "the previous session", "as the brief says", "(#12)"]
)
def test_a_forbidden_word_is_seen(text: str) -> None:
    """Each kind of them is found."""
    assert FORBIDDEN.search(text)


@pytest.mark.parametrize(
    "text", ["network/", "https://a.example/work/", "aiohttp.ClientSession", "session: open", "#12ab"]
)
def test_a_usual_word_passes(text: str) -> None:
    """Words that only look alike are left alone."""
    assert not FORBIDDEN.search(text)
