"""A path in a pack file → a search that never raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from gateway.documents import Path
from gateway.providers.noting import Noting
from gateway.providers.pack import Find

# A path and where it stands → the search it means.
Finder = Callable[[Path, str], Find]

# What most mistakes in a path are about.
_HINT = "; a name with a dash stands in double quotes, a text in single ones, a number in backquotes"


def finder(note: Noting) -> Finder:
    """Make what compiles the paths of one document; one that cannot be read is noted, and finds nothing."""

    def find(path: Path, text: str) -> Find:
        try:
            compiled = jmespath.compile(text)
        except JMESPathError as error:
            reason = str(error).splitlines()[0].removesuffix(", for expression:").rstrip(":")
            note.value(path, f"not a path that can be read (JMESPath): {reason}{_HINT}")
            return lambda _: None
        return _safe(compiled)

    return find


def _safe(compiled: Any) -> Find:
    visit, tree = TreeInterpreter().visit, compiled.parsed  # kept: the library's `search` makes an interpreter for each

    def search(body: Any) -> Any:
        try:
            return visit(tree, body)
        except JMESPathError:
            # A function met a type it does not take: for us that is the same as nothing there.
            return None

    return search
