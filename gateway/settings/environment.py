"""Variables of the environment in the texts of a document.

`${NAME}` is the variable's value, `${NAME:-default}` the default when it is not set or empty, `${NAME:?message}` refuses
that with the message, `$$` is a dollar sign. Only texts already read are looked at: what a variable holds can be no key and
no list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gateway.documents import Document, Mistake, Path

_REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([^{}]*))?\}|)")


def filled(
    document: Document, environ: Mapping[str, str], typed: Callable[[Path, str], Any]
) -> tuple[Document, list[Mistake]]:
    """Replace the variables in every text of a document, and tell what could not be.

    A text that held one is handed to `typed` with its path; what that gives back takes its place.
    """
    mistakes: list[Mistake] = []

    def fill(value: Any, path: Path) -> Any:
        match value:
            case dict():
                return {key: fill(part, (*path, key)) for key, part in value.items()}
            case list():
                return [fill(part, (*path, index)) for index, part in enumerate(value)]
            case str() if "$" in value:
                try:
                    return typed(path, _filled(value, environ))
                except ValueError as error:
                    mistakes.append(Mistake(document.place(path), str(error)))
                    return value
            case _:
                return value

    return replace(document, value=fill(document.value, ())), mistakes


def _filled(text: str, environ: Mapping[str, str]) -> str:
    """Replace the variables in one text; ValueError when one is missing or not written as it should be."""

    def value(found: re.Match[str]) -> str:
        dollar, name, operator, rest = found.groups()
        if dollar:
            return "$"
        if not name:
            raise ValueError(
                "expected ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign itself is written $$"
            )
        held = environ.get(name)
        if operator == ":-":
            return held or rest
        if operator == ":?" and not held:
            raise ValueError(f"the environment variable {name} is missing: {rest or 'it has to be set'}")
        if held is None:
            raise ValueError(f"the environment variable {name} is not set; set it, or write ${{{name}:-default}}")
        return held

    return _REFERENCE.sub(value, text)
