"""The command `tidegate` itself: help, versions, typos, exit codes."""

from __future__ import annotations

import pytest

from gateway import __version__
from gateway.commands.index import COMMANDS
from tests.gateway.commands.shell import Shell


def test_bare_command_shows_three_examples(tidegate: Shell) -> None:
    """Without words it prints a short help with three examples, on stdout, and ends well."""
    said = tidegate()
    assert said.code == 0
    assert sum(line.startswith("  tidegate ") for line in said.out.splitlines()) == 3
    assert said.err == ""


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",)])
def test_help_lists_every_command(tidegate: Shell, words: tuple[str, ...]) -> None:
    """The long help has a line for each command."""
    said = tidegate(*words)
    assert said.code == 0
    assert all(f"  {command.name}" in said.out for command in COMMANDS)


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_each_command_teaches_by_example(tidegate: Shell, name: str) -> None:
    """Every command's help holds an example of itself, and `help COMMAND` is the same text."""
    said = tidegate(name, "--help")
    assert said.code == 0
    assert "examples\n" in said.out
    assert f"  tidegate {name}" in said.out.partition("examples\n")[2]
    assert tidegate("help", name) == said


def test_version(tidegate: Shell) -> None:
    """The version is one line."""
    assert tidegate("--version").out == f"tidegate {__version__}\n"


def test_typo_gets_the_nearest_command(tidegate: Shell) -> None:
    """A command that is almost one is a usage error that names the one meant."""
    said = tidegate("explian")
    assert said.code == 2
    assert "tidegate explain" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing-like-it",), 2),
        (("keys",), 2),
        (("keys", "create"), 2),
        (("explain",), 2),
        (("explain", "bytedance/seedream-4.5", "seal"), 2),
        (("explain", "bytedance/seedream-4.5", "prompt=a", "-c", "missing.yaml"), 3),
        (("serve", "-c", "missing.yaml"), 3),
        (("doctor", "-c", "missing.yaml"), 3),
        (("check", "-c", "missing.yaml"), 1),
        (("demo", "--port", "70000"), 2),
        (("simulate", "--pace", "music=1"), 2),
        (("simulate", "--chaos", "missing.yaml"), 2),
        (("generate", "a/b", "prompt=x", "--url", "127.0.0.1"), 2),
        (("generate", "a/b", "prompt=x", "--timeout", "soon"), 2),
        (("generate", "a/b", "prompt=x", "--json", "-o", "-"), 2),
        (("generate", "a/b", "prompt=x", "--api-key-file", "missing"), 2),
        (("generate", "a/b", "prompt=x", "--url", "http://127.0.0.1:9"), 1),
    ],
)
def test_exit_codes_of_what_cannot_work(tidegate: Shell, words: tuple[str, ...], code: int) -> None:
    """What is wrong ends with its code and a sentence, never with a trace."""
    said = tidegate(*words)
    assert said.code == code
    assert said.err.strip()
    assert "Traceback" not in said.err
