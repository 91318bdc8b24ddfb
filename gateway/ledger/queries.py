"""The statements of `sql/*.sql`, by name: parsed once, with the parameters each one takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (\w+)$")
# A parameter is a colon and a word. Text in quotes and the double colon of a cast are stepped over.
_PARAMETER = re.compile(r"'[^']*'|::|:([a-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its name, the sentence that says what it does, its text and its parameters in order of first use."""

    name: str
    says: str
    sql: str
    parameters: tuple[str, ...]


@cache
def statements() -> Mapping[str, Statement]:
    """Every statement by its name."""
    found: dict[str, Statement] = {}
    folder = files("gateway.ledger") / "sql"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        for statement in parse(file.name, file.read_text(encoding="utf-8")):
            if statement.name in found:
                raise ValueError(f"{file.name}: the name {statement.name} is taken; every statement needs its own")
            found[statement.name] = statement
    return MappingProxyType(found)


def parse(file: str, text: str) -> Iterator[Statement]:
    """Read one file: `-- name: …`, then `-- ` and a sentence, then the statement. ValueError names what is missing."""
    name, says, body = "", "", list[str]()
    for line in [*text.splitlines(), "-- name: end"]:
        if match := _NAME.match(line):
            if name:
                yield _statement(file, name, says.strip(), "\n".join(body).strip())
            name, says, body = match[1], "", []
        elif line.startswith("-- ") and not body:
            says += line[2:]
        elif name and line.strip():
            body.append(line)


def numbered(statement: Statement) -> tuple[str, tuple[str, ...]]:
    """The text with numbers in place of names, as PostgreSQL wants it, and the names in the order of the numbers."""
    numbers = {name: f"${number}" for number, name in enumerate(statement.parameters, 1)}
    text = _PARAMETER.sub(lambda match: numbers[match[1]] if match[1] else match[0], statement.sql)
    return text, statement.parameters


def _statement(file: str, name: str, says: str, sql: str) -> Statement:
    if not says or not sql:
        raise ValueError(f"{file}: {name} needs a sentence and a statement")
    if "--" in sql or not sql.endswith(";") or sql.count(";") != 1:
        raise ValueError(f"{file}: {name} must be one statement, ended by a semicolon and free of comments")
    names = (match[1] for match in _PARAMETER.finditer(sql) if match[1])
    return Statement(name, says, sql.removesuffix(";"), tuple(dict.fromkeys(names)))
