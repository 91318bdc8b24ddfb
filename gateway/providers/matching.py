"""A body held against the tree a pack would build it from → what its names stand for. The way back of `tree`; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.providers.sizes import pixels
from gateway.providers.tree import EACH, ITEM, uses

Way = tuple[str | int, ...]


@dataclass(slots=True)
class Match:
    """What a body says by the names of a tree, each with where it stands; and what of it the tree has no place for."""

    names: dict[str, tuple[Any, Way]] = field(default_factory=dict)
    items: dict[str, dict[int, tuple[Any, Way]]] = field(default_factory=dict)
    strange: list[tuple[Way, Any]] = field(default_factory=list)
    fixed: list[tuple[Way, Any, Any]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether the tree has a place for all of the body."""
        return not self.strange and not self.fixed

    def take(self, other: Match) -> None:
        """Add what another part of the body says."""
        for name, (value, way) in other.names.items():
            self._bind(name, value, way)
        for name, items in other.items.items():
            for index, (value, way) in items.items():
                self._item(name, index, value, way)
        self.strange += other.strange
        self.fixed += other.fixed

    def _bind(self, name: str, value: Any, way: Way) -> None:
        known = self.names.setdefault(name, (value, way))
        if not alike(known[0], value):
            self.fixed.append((way, known[0], value))

    def _item(self, name: str, index: int, value: Any, way: Way) -> None:
        self.items.setdefault(name, {})[index] = (value, way)

    def add_item(self, name: str, value: Any, way: Way) -> None:
        """Add the next item of a list that is gone through."""
        items = self.items.setdefault(name, {})
        items[len(items)] = (value, way)


def match(tree: Any, body: Any, way: Way = ()) -> Match:
    """Hold a body against a tree; nothing is judged but its shape."""
    found = Match()
    match tree, body:
        case dict(), Mapping():
            for key, value in body.items():
                if is_nothing(value):
                    continue
                if key in tree:
                    found.take(match(tree[key], value, (*way, key)))
                else:
                    found.strange.append(((*way, key), value))
        case list(), _:
            _list(tree, body if isinstance(body, list | tuple) else [body], way, found)
        case str(), _ if tree.startswith("$") and not tree.startswith("$$"):
            for name, item in uses(tree):
                if item is None:
                    found.names[name] = (body, way)
                else:
                    _single(found, name, item - 1, body, way)
        case _:
            fixed = tree[1:] if isinstance(tree, str) and tree.startswith("$$") else tree
            if not alike(fixed, body):
                found.fixed.append((way, fixed, body))
    return found


def _single(found: Match, name: str, index: int, body: Any, way: Way) -> None:
    """One item of a list; a client that sends a list for it means its first."""
    if isinstance(body, list | tuple):
        found.items[name] = {index + at: (value, (*way, at)) for at, value in enumerate(body)}
    else:
        found.items[name] = {index: (body, way)}


def _list(tree: list[Any], body: list[Any] | tuple[Any, ...], way: Way, found: Match) -> None:
    """Give each item of the body the first place of the tree that takes all of it."""
    free = list(tree)
    for at, value in enumerate(body):
        for place in free:
            tried = _placed(place, value, (*way, at))
            if tried.is_whole:
                _enter(found, place, tried)
                if not _is_each(place):
                    free.remove(place)
                break
        else:
            found.strange.append(((*way, at), value))


def _placed(place: Any, value: Any, way: Way) -> Match:
    if _is_each(place):
        return match({key: part for key, part in place.items() if key != EACH}, value, way)
    return match(place, value, way)


def _enter(found: Match, place: Any, tried: Match) -> None:
    if _is_each(place) and ITEM in tried.names:
        value, way = tried.names.pop(ITEM)
        found.add_item(str(place[EACH]), value, way)
    found.take(tried)


def _is_each(place: Any) -> bool:
    return isinstance(place, dict) and EACH in place


def is_nothing(value: Any) -> bool:
    """Whether a value says as much as leaving it out: clients send null and empty texts and lists for what was left open."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def alike(one: Any, other: Any) -> bool:
    """Whether two native values mean the same: 5 and "5" do, and so do two ways to write a size; 1 and true do not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if one == other:
        return True
    if isinstance(one, int | float | str) and isinstance(other, int | float | str) and _text(one) == _text(other):
        return True
    size = pixels(one)
    return size is not None and size == pixels(other)


def _text(value: float | str) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def leaves(tree: Any, way: Way = ()) -> Iterator[tuple[Way, str, int | None]]:
    """Every name in a tree with where it stands; what stands in a list is given as the list's own place."""
    match tree:
        case dict():
            for key, value in tree.items():
                yield from leaves(value, (*way, key))
        case list():
            for value in tree:
                if _is_each(value):
                    yield way, str(value[EACH]), None
                else:
                    yield from leaves(value, way)
        case _:
            yield from ((way, name, item) for name, item in uses(tree))
