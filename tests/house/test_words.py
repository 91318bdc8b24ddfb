"""The README names what there is: every command, every setting, every metric series."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest

from gateway.commands.index import COMMANDS
from gateway.metrics import REGISTRY
from gateway.settings.schema import ANY, EACH, settings
from tests.house.tree import ROOT

_README = ROOT / "README.md"
_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n(.*?)^\1", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)


def code(text: str) -> str:
    """Give what is set as code, in blocks and in lines: a setting called `only` is named there, not in prose."""
    blocks = [found[2] for found in _FENCED.finditer(text)]
    spans = [found[2] for found in _SPAN.finditer(_FENCED.sub("", text))]
    return "\n".join([*blocks, *spans])


def unnamed(words: Iterable[str], text: str) -> Iterator[str]:
    """Give the words that do not occur, each as a whole: `store` is not named by `stored` or by `store_commit`."""
    for word in words:
        if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text):
            yield word


@pytest.fixture(scope="module")
def readme() -> str:
    """The README's code."""
    if not _README.is_file():
        pytest.fail("README.md is not there", pytrace=False)
    return code(_README.read_text(encoding="utf-8"))


def _named(what: str, words: Iterable[str], readme: str) -> None:
    if missing := list(unnamed(words, readme)):
        pytest.fail(f"README.md does not name, as code, {what}: {', '.join(missing)}", pytrace=False)


def test_every_command_is_named(readme: str) -> None:
    """Every command stands in the README, written as it is typed."""
    _named("these commands", (f"tidegate {command.name}" for command in COMMANDS), readme)


def test_every_setting_is_named(readme: str) -> None:
    """Every key of config.example.yaml stands in the README, sections included."""
    steps = (step for one in settings() for step in one.steps if step not in {ANY, EACH})
    _named("these settings", dict.fromkeys(steps), readme)


def test_every_series_is_named(readme: str) -> None:
    """Every metric series stands in the README under the name that a scrape shows."""
    endings = {"counter": "_total", "info": "_info"}
    _named("these series", (one.name + endings.get(one.type, "") for one in REGISTRY.collect()), readme)


def test_prose_names_nothing() -> None:
    """A word counts where it is set as code and whole, not in prose or as a part of another."""
    text = "Only the store. `max_price` and\n\n```yaml\nroutes: []  # never\n```\n"
    assert list(unnamed(["only", "store", "price", "max_price", "routes", "never"], code(text))) == [
        "only",
        "store",
        "price",
    ]
