"""A path in a pack file → a search that never raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from gateway.documents import Path
from gateway.providers.noting import Noting
from gateway.providers.pack import Find

# A path and where it stands → the search it means.
Finder = Callable[[Path, str], Find]


def finder(note: Noting) -> Finder:
    """Make what compiles the paths of one document; one that cannot be read is noted, and finds nothing."""

    def find(path: Path, text: str) -> Find:
        try:
            compiled = jmespath.compile(text)
        except JMESPathError as error:
            reason = str(error).splitlines()[0]
            note.value(path, f"not a path that can be read (JMESPath): {reason}")
            return lambda _: None
        return _safe(compiled)

    return find


def _safe(compiled: Any) -> Find:
    def search(body: Any) -> Any:
        try:
            return compiled.search(body)
        except JMESPathError:
            # A function met a type it does not take: for us that is the same as nothing there.
            return None

    return search
