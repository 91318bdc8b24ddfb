"""Where looks do not reach a provider, jobs are looked at less often."""

from __future__ import annotations

import pytest

from gateway.routing.paths import Paths


def look(paths: Paths, word: str, start: int = 0, gap: int = 1_000) -> list[bool]:
    """Look again and again: `+` it arrived, `-` it did not; gives whether each changed anything."""
    return [paths.looked("a", start + n * gap, arrived=sign == "+") for n, sign in enumerate(word)]


@pytest.mark.parametrize(
    ("word", "slower"),
    [
        ("-" * 19, 1),
        ("-" * 20, 3),
        ("+" * 4 + "-" * 16, 3),
        ("+" * 5 + "-" * 16, 1),
        ("+" * 5 + "-" * 20, 3),
        ("+" * 30, 1),
    ],
)
def test_four_in_five_of_at_least_twenty_looks(word: str, slower: int) -> None:
    """Fewer looks, or fewer failures among them, say nothing."""
    paths = Paths()
    look(paths, word)
    assert paths.slower("a") == slower
    assert paths.slower("b") == 1
    assert paths.broken == (frozenset({"a"}) if slower > 1 else frozenset())


def test_a_change_is_told_once() -> None:
    """When the path breaks, and when it is whole again."""
    paths = Paths()
    assert look(paths, "-" * 25) == [False] * 19 + [True] + [False] * 5
    assert sum(look(paths, "+" * 20, start=25_000)) == 1
    assert paths.slower("a") == 1


def test_a_bad_minute_is_forgotten() -> None:
    """With the first look after it, whatever that says."""
    paths = Paths()
    look(paths, "-" * 20)
    look(paths, "-", start=90_000)
    assert paths.slower("a") == 1
