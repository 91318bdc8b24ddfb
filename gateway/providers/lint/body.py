"""What a form sends, against what it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.documents import Path, nearest, shown
from gateway.generation import FIELDS, Type
from gateway.offer import Handing
from gateway.providers.noting import Noting
from gateway.providers.pack import Encoding
from gateway.providers.tree import EACH, uses

_NAME = re.compile(r"\$([a-z][a-z0-9_]*)")
_FILES = frozenset({Type.URL, Type.URLS})


def body(sections: Mapping[str, Any], made: Mapping[str, Path], where: Callable[[str], Path], note: Noting) -> None:
    """Check the body of a form; `made` are the names it may use and where each is made, `where` finds a section."""
    if "body" not in sections:
        return
    _names(sections["body"], made, where("body"), note)
    _lists(sections, where("body"), note)
    _items(sections, where("takes"), note)
    _files(sections, where("takes"), note)
    if sections.get("encoding") == Encoding.MULTIPART:
        _parts(sections["body"], where("body"), note)


def _names(tree: Any, made: Mapping[str, Path], path: Path, note: Noting) -> None:
    used = {name for name, _ in uses(tree)}
    for name in sorted(used - set(made) - {"model"}):
        near = nearest(name, made)
        hint = f"did you mean ${near}?" if near else "add it to `takes`, or to the rows of a table under `picks`"
        note.value(path, f"{name if name.startswith('$') else '$' + name} is made by nothing: {hint}")
    for text, within in _embedded(tree, made):
        note.value(path, f"a name stands for a whole value: {shown(text)} is sent as it stands, with ${within} in it")
    for name, at in made.items():
        if name not in used:
            note.key(at, f"{name} is taken and never sent: use ${name} in the body, or move the field to `drops`")


def _embedded(tree: Any, made: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Give each text that holds a name somewhere else than as the whole of it."""
    match tree:
        case dict():
            for value in tree.values():
                yield from _embedded(value, made)
        case list():
            for value in tree:
                yield from _embedded(value, made)
        case str() if not tree.startswith("$"):
            yield from ((tree, name) for name in _NAME.findall(tree) if name in made)
        case _:
            return


def _lists(sections: Mapping[str, Any], path: Path, note: Noting) -> None:
    """A mapping for each item stands in a list, and goes through one."""
    for at, name, is_in_list in _repeated(sections["body"], path):
        if not is_in_list:
            note.key(at, f"`{EACH}` makes several mappings: it stands in a list, such as `[{{{EACH}: images, …}}]`")
        elif name.startswith("$"):
            note.value(at, f"`{EACH}` goes through a list by its name, without the dollar sign: {name[1:]}")
        elif name in sections.get("takes", {}) and _type(sections, name) is not Type.URLS:
            note.value(at, f"{name} is one value: `{EACH}` goes through a list, such as images")


def _repeated(tree: Any, path: Path, *, is_in_list: bool = False) -> Iterator[tuple[Path, str, bool]]:
    match tree:
        case dict():
            if EACH in tree:
                yield (*path, EACH), str(tree[EACH]), is_in_list
            for key, value in tree.items():
                yield from _repeated(value, (*path, key))
        case list():
            for index, value in enumerate(tree):
                yield from _repeated(value, (*path, index), is_in_list=True)
        case _:
            return


def _items(sections: Mapping[str, Any], path: Path, note: Noting) -> None:
    """Of a list that is sent item by item, no more may be taken than are sent."""
    asked: dict[str, set[int | None]] = {}
    for name, item in uses(sections["body"]):
        asked.setdefault(name, set()).add(item)
    for name, limits in sections.get("takes", {}).items():
        items = asked.get(name, set()) - {None}
        if items and _type(sections, name) is not Type.URLS:
            note.key((*path, name), f"{name} is one value: write ${name}, without a number")
        elif items and None not in asked[name]:
            sent = next(count for count in range(len(items) + 1) if count + 1 not in items)
            if limits.get("max", sent + 1) > sent:
                note.key(
                    (*path, name), f"more {name} are taken than sent: the body sends {sent}, so give `max: {sent}`"
                )


def _files(sections: Mapping[str, Any], path: Path, note: Noting) -> None:
    """Only files are handed over in one way or another, and only a multipart body has parts."""
    for name, limits in sections.get("takes", {}).items():
        if "as" not in limits:
            continue
        if _type(sections, name) not in _FILES:
            note.key((*path, name, "as"), f"{name} is no file: there is one way to hand it over")
        elif Handing.FILE in limits["as"] and sections.get("encoding") != Encoding.MULTIPART:
            note.value((*path, name, "as"), "a `file` is a part of a body with `encoding: multipart`")


def _parts(tree: Mapping[str, Any], path: Path, note: Noting) -> None:
    for name, value in tree.items():
        if isinstance(value, dict | list):
            note.value(
                (*path, name), "a multipart body has no branches: a part is a text, a name, or a list by its name"
            )


def _type(sections: Mapping[str, Any], name: str) -> Type | None:
    declared = sections["takes"][name].get("type")
    return FIELDS[name].type if name in FIELDS else Type(declared) if declared else None
