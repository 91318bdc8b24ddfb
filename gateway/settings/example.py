"""config.example.yaml, made from the table of settings."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from gateway.documents import resolve
from gateway.settings.schema import sections, top
from gateway.settings.setting import ANY, EACH, Section, Setting

_WIDTH = 100
_HEAD = """\
Tidegate's policy file. Every key is here with its default; each may be left out, and a key that is not here is a mistake.

${NAME}, ${NAME:-default} and ${NAME:?message} in a value stand for an environment variable, $$ for a dollar sign. \
Durations are written 500ms, 30s, 5m, 24h, 2d; sizes 100KB, 64MiB, 2GiB; amounts are credits, one being one US dollar. \
Providers' secrets are no settings: they come from the variables their files name, or from a file named by the same variable \
with _FILE behind it."""


def example() -> str:
    """Give the text of the example file; read as it stands it changes nothing."""
    lines = [*(line for part in _HEAD.split("\n\n") for line in [*_comment(part, 0), "#"])]
    lines.pop()
    for one in top():
        lines += ["", *_comment(one.says, 0), _pair(one, 0)]
    for section in sections():
        lines += ["", *_comment(section.says, 0), *_section(section)]
    return "\n".join(lines) + "\n"


def _section(section: Section) -> Iterator[str]:
    """Give a section's lines; what is kept by name or in a list is empty, an entry of it shown behind comment signs."""
    name, _, each = section.key.partition(".")
    if not each:
        yield f"{name}:"
        for one in section.settings:
            yield from _comment(one.says, 2)
            yield _pair(one, 2)
        return
    yield f"{name}: {'{}' if each == ANY else '[]'}"
    lines = list(_entry(section.settings))
    if each == EACH:
        yield from (f"#  {'- ' if index == 0 else '  '}{line}" for index, line in enumerate(lines))
    else:
        yield f"#  {section.item}:"
        yield from (f"#    {line}" for line in lines)


def _entry(settings: tuple[Setting, ...]) -> Iterator[str]:
    """Give the lines of one entry, each with its sentence behind it."""
    inside = ""
    for one in settings:
        outer, _, name = one.key.rpartition(".")
        if outer and outer != inside:
            yield f"{outer}:"
        inside = outer
        shown = f"{'  ' if outer else ''}{name}: {_yaml(one.default if one.sample is None else one.sample)}"
        yield f"{shown:<44}  # {one.says}"


def _pair(one: Setting, indent: int) -> str:
    """Give a key with its default."""
    return f"{' ' * indent}{one.key}: {_yaml(one.default)}"


def _comment(text: str, indent: int) -> list[str]:
    """Give a sentence as comment lines."""
    return textwrap.wrap(
        text, _WIDTH, initial_indent=" " * indent + "# ", subsequent_indent=" " * indent + "# ", break_on_hyphens=False
    )


def _yaml(value: Any) -> str:
    """Write a value as people would."""
    match value:
        case list():
            return f"[{', '.join(_yaml(item) for item in value)}]"
        case str() if re.fullmatch(r"[\w./][\w./:+-]*", value) and resolve(value) == value:
            return value
        case _:
            return json.dumps(value)
