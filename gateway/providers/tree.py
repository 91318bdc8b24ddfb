"""A body in a pack file → a function that builds it.

A text that begins with `$` is a name and stands for a whole value with its type; `$images.1` is the first of a list. `$$`
begins a text with a dollar sign. What has no value leaves its key out, and a branch all of whose names have no value is left
out with it, so that `{type: image_url, url: $images.1}` vanishes when there is no picture. In a list, `{$each: images, …}`
stands for one such mapping per item, which is `$item` within it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.providers.pack import Build

_NAME = re.compile(r"^\$([a-z][a-z0-9_]*)(?:\.([1-9][0-9]?))?$")
EACH = "$each"
ITEM = "item"


class _Absent:
    """No value: the key is left out. None is a value, and is sent as null."""


ABSENT = _Absent()


def names(tree: Any) -> Iterator[str]:
    """List every name in a body, `$images.1` as `images`; a malformed one is given as it stands, dollar sign and all."""
    return (name for name, _ in uses(tree))


def uses(tree: Any) -> Iterator[tuple[str, int | None]]:
    """List every name in a body with the item it asks for, counted from one; None for the whole value."""
    match tree:
        case str() if tree.startswith("$") and not tree.startswith("$$"):
            found = _NAME.match(tree)
            yield (found[1], int(found[2]) if found[2] else None) if found else (tree, None)
        case dict() if EACH in tree:
            yield str(tree[EACH]).removeprefix("$"), None  # the dollar sign is a mistake that lint words better
            rest = {key: value for key, value in tree.items() if key != EACH}
            yield from (use for use in uses(rest) if use != (ITEM, None))
        case dict():
            for value in tree.values():
                yield from uses(value)
        case list():
            for value in tree:
                yield from uses(value)
        case _:
            return


def compile_tree(tree: Mapping[str, Any]) -> Build:
    """Turn a body into a function of the names; the outermost mapping is never left out."""
    branches = {key: _compile(value) for key, value in tree.items()}
    return lambda values: {key: built for key, branch in branches.items() if (built := branch(values)) is not ABSENT}


def _compile(tree: Any) -> Build:
    match tree:
        case str() if tree.startswith("$$"):
            text = tree[1:]
            return lambda _: text
        case str() if (found := _NAME.match(tree)) is not None:
            return _lookup(found[1], int(found[2]) - 1 if found[2] else None)
        case dict():
            return _branch(tree)
        case list():
            return _list(tree)
        case _:
            return lambda _: tree


def _lookup(name: str, index: int | None) -> Build:
    if index is None:
        return lambda values: _plain(values.get(name, ABSENT))

    def item(values: Mapping[str, Any]) -> Any:
        value = values.get(name, ABSENT)
        return value[index] if isinstance(value, tuple | list) and len(value) > index else ABSENT

    return item


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value) if value else ABSENT
    return value


def _branch(tree: dict[str, Any]) -> Build:
    branches = {key: (_compile(value), any(True for _ in names(value))) for key, value in tree.items()}
    has_names = any(named for _, named in branches.values())

    def build(values: Mapping[str, Any]) -> Any:
        built = {
            key: (made, named) for key, (branch, named) in branches.items() if (made := branch(values)) is not ABSENT
        }
        if has_names and not any(named for _, named in built.values()):
            return ABSENT
        return {key: made for key, (made, _) in built.items()}

    return build


def _list(tree: list[Any]) -> Build:
    items = [_each(value) if isinstance(value, dict) and EACH in value else _single(value) for value in tree]
    has_names = any(True for _ in names(tree))

    def build(values: Mapping[str, Any]) -> Any:
        built = [made for item in items for made in item(values)]
        return ABSENT if has_names and not built else built

    return build


def _single(tree: Any) -> Callable[[Mapping[str, Any]], list[Any]]:
    item = _compile(tree)
    return lambda values: [made] if (made := item(values)) is not ABSENT else []


def _each(tree: dict[str, Any]) -> Callable[[Mapping[str, Any]], list[Any]]:
    name = str(tree[EACH])
    item = _branch({key: value for key, value in tree.items() if key != EACH})

    def build(values: Mapping[str, Any]) -> list[Any]:
        through = values.get(name)
        if not isinstance(through, tuple | list):
            return []
        made = (item({**values, ITEM: value}) for value in through)
        return [each for each in made if each is not ABSENT]

    return build
