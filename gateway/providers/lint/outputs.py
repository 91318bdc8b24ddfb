"""A path to outputs, by its shape: it finds a list, of objects with parts that are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from gateway.documents import Path, nearest
from gateway.providers.noting import Noting

_PARTS = ("url", "b64", "mime", "width", "height")
_BYTES = frozenset({"url", "b64"})
_PROJECTIONS = frozenset({"projection", "filter_projection", "value_projection"})


def outputs(text: str, at: Path, note: Noting) -> None:
    """Check what can be seen of a path without an answer; one that cannot be read is noted elsewhere."""
    try:
        tree = jmespath.compile(text).parsed
    except JMESPathError:
        return
    for made, is_listed in _ends(tree, is_listed=False):
        names = [pair["value"] for pair in made["children"]]
        if not is_listed:
            note.value(at, "this finds one object, and outputs are a list: `[picture][].{url: url}`")
        for name in names:
            if name not in _PARTS:
                near = nearest(name, _PARTS)
                hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(_PARTS)}"
                note.value(at, f"an output has no part {name!r}; {hint}")
        if not _BYTES & set(names):
            note.value(at, "an output needs a `url` or a `b64`")


def _ends(node: Mapping[str, Any], *, is_listed: bool) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Give each object a path may end in, and whether it is one of a list."""
    match node:
        case {"type": "multi_select_dict"}:
            yield node, is_listed
        case {"type": "subexpression" | "pipe" as joined, "children": children}:
            yield from _ends(children[-1], is_listed=is_listed and joined == "subexpression")
        case {"type": "or_expression", "children": children}:
            for child in children:
                yield from _ends(child, is_listed=is_listed)
        case {"type": kind, "children": children} if kind in _PROJECTIONS:
            yield from _ends(children[1], is_listed=True)
        case _:
            return
