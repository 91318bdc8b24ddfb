"""One `provider.yaml`: calls that use what is kept, words that mean one thing, headers that hold no credential."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from gateway.documents import Document, Path, nearest, shown
from gateway.providers.lint.outputs import outputs
from gateway.providers.lint.reads import reads
from gateway.providers.noting import Noting
from gateway.providers.vocabulary.client import CLIENT_NAMES

_NAME = re.compile(r"\$([a-z][a-z0-9_]*)")
_SECRET = re.compile(r"\$secret\.[A-Z][A-Z0-9_]*")
_VARIABLE = re.compile(r"^[A-Z][A-Z0-9_]*$")
_HTTP_NAME = re.compile(r"^[A-Za-z0-9-]+$")


def provider(document: Document, folder: str, note: Noting) -> None:
    """Check a `provider.yaml` that its schema has passed."""
    raw = document.value
    if raw["provider"] != folder:
        note.value(("provider",), f"the id is {raw['provider']!r} and the folder {folder!r}; they must be the same")
    for header, value in raw["auth"].items():
        if not _HTTP_NAME.match(str(header)):
            note.key(("auth", header), f"{header!r} is not the name of a header")
        if not _SECRET.search(value):
            note.value(("auth", header), "no `$secret.NAME` here: a credential never stands in a file")
    taken = frozenset(str(header).lower() for header in raw["auth"])
    _headers(raw.get("headers", {}), taken, ("headers",), note)
    for index, wait in enumerate(raw.get("retry_after", ())):
        if ("header" in wait) == ("at" in wait):
            note.value(("retry_after", index), "say where: either `header` or `at`, not both")
    reads(raw.get("reads", {}), (), ("reads",), note)
    for name, client in raw.get("clients", {}).items():
        _client(client, raw.get("doors", {}), ("clients", name), note)
    for name, lifecycle in raw["lifecycles"].items():
        _lifecycle(lifecycle, taken, ("lifecycles", name), note)


def _headers(raw: Mapping[str, str], taken: frozenset[str], path: Path, note: Noting) -> None:
    """Check headers that are sent as they stand; `taken` are those that carry the credential."""
    for header, value in raw.items():
        if not _HTTP_NAME.match(str(header)):
            note.key((*path, header), f"{header!r} is not the name of a header")
        elif str(header).lower() in taken:
            note.key((*path, header), f"{header} stands under `auth`: this one would take its place")
        elif str(header).lower() == "content-type":
            note.key((*path, header), "the type of a body comes with its `encoding`")
        if "$" in value:
            note.value((*path, header), "this is sent as it stands; a credential goes under `auth`")


def _client(raw: Mapping[str, Any], doors: Collection[str], path: Path, note: Noting) -> None:
    if raw["door"] not in doors:
        note.value((*path, "door"), f"this provider has no such door: add {raw['door']} under `doors`")
    if not {"set", "line"} & set(raw):
        note.key(path, "say what points it at the gateway: `set` variables, or a `line` of its own")
    places = {(*path, "set", variable): text for variable, text in raw.get("set", {}).items()}
    for variable in raw.get("set", {}):
        if not _VARIABLE.match(str(variable)):
            note.key((*path, "set", variable), f"{variable!r} is not the name of a variable")
    for place, text in {**places, **({(*path, "line"): raw["line"]} if "line" in raw else {})}.items():
        for used in _NAME.findall(text):
            if used not in CLIENT_NAMES:
                near = nearest(used, CLIENT_NAMES)
                hint = f"did you mean ${near}?" if near else f"there are ${', $'.join(CLIENT_NAMES)}"
                note.value(place, f"${used} stands for nothing: {hint}")


def _lifecycle(raw: Mapping[str, Any], taken: frozenset[str], path: Path, note: Noting) -> None:
    calls = raw["calls"]
    kept = set(raw.get("keep", {}))
    outputs(raw["outputs"], (*path, "outputs"), note)
    for name, call in calls.items():
        _target(name, call if isinstance(call, str) else call["call"], kept, (*path, "calls", name), note)
        if not isinstance(call, str):
            _headers(call.get("headers", {}), taken, (*path, "calls", name, "headers"), note)
    if "nudge" in raw:
        _nudge(raw, (*path, "nudge"), note)
    if isinstance(raw.get("doubt"), dict):
        _doubt(raw, taken, (*path, "doubt"), note)
    if "status" in calls:
        if "state" not in raw:
            note.key(
                (*path, "calls", "status"), "a job that is looked at needs `state`: where its word is and what it means"
            )
        elif not {"failed", "failed_if"} & set(raw["state"]):
            note.key((*path, "state"), "a job must be able to fail: give `failed` words or a `failed_if` path")
        if "id" not in kept:
            note.key((*path, "calls", "status"), "`keep` needs an `id`: it finds the job again after a restart")
        _doubles(raw.get("state", {}), (*path, "state"), note)
    elif {"result", "cancel"} & set(calls) or "state" in raw:
        note.key((*path, "calls"), "without a `status` call there is nothing to fetch, cancel or read a state from")


def _nudge(raw: Mapping[str, Any], path: Path, note: Noting) -> None:
    if ("field" in raw["nudge"]) == ("query" in raw["nudge"]):
        note.value(path, "say where the address goes: either `field` or `query`, not both")
    if "status" not in raw["calls"]:
        note.key(path, "a callback makes us look, and without a `status` call there is nothing to look at")


def _doubt(raw: Mapping[str, Any], taken: frozenset[str], path: Path, note: Noting) -> None:
    doubt = raw["doubt"]
    if "key" in doubt:
        header = doubt["key"].get("header")
        if (header is not None) == ("field" in doubt["key"]):
            note.value((*path, "key"), "say where the key goes: either `header` or `field`, not both")
        elif header is not None and not _HTTP_NAME.match(header):
            note.value((*path, "key", "header"), f"{header!r} is not the name of a header")
        elif header is not None and header.lower() in taken | {"content-type"}:
            note.value((*path, "key", "header"), f"{header} carries something else: the key would take its place")
        return
    _target("submit", doubt["find"]["call"], set(), (*path, "find", "call"), note)
    if "status" not in raw["calls"]:
        note.key((*path, "find"), "a job that is found is looked at, and without a `status` call it cannot be")
    elif "keep" in doubt["find"] and (lacking := sorted(set(raw.get("keep", {})) - set(doubt["find"]["keep"]))):
        note.key((*path, "find", "keep"), f"later calls need what a submit keeps: {', '.join(lacking)} is missing")
    if "tag" not in doubt and "nudge" not in raw:
        note.key(
            (*path, "find"), "nothing of ours goes out to be found: give `tag`, the field that takes it, or `nudge`"
        )


def _target(name: str, line: str, kept: set[str], path: Path, note: Noting) -> None:
    target = line.split(" ", 1)[1]
    if _SECRET.match(target):
        note.value(path, "a credential is a part of a path, which begins with a slash")
        return
    target = _SECRET.sub("", target)
    allowed = {"model"} if name == "submit" else kept | {"model"}
    for used in _NAME.findall(target):
        if used not in allowed:
            near = nearest(used, allowed)
            hint = f"did you mean ${near}?" if near else "keep it from the submit reply, under `keep`"
            note.value(path, f"${used} is never kept: {hint}")
    if "{" in target:
        note.value(path, "a name in a path is written $id, not {id}")
    elif "$" in _NAME.sub("", target):
        note.value(path, "a name is a dollar sign and small letters, such as $id")
    elif target.startswith("$") and name == "submit":
        note.value(path, "a submit call needs a path of its own")
    elif target.startswith("$") and not _NAME.fullmatch(target):
        note.value(path, "an address that was kept stands alone, such as `GET $poll`")


def _doubles(state: Mapping[str, Any], path: Path, note: Noting) -> None:
    seen: dict[str, str] = {}
    for name, words in state.items():
        if not isinstance(words, list):
            continue
        for index, word in enumerate(words):
            if seen.setdefault(str(word), name) != name:
                note.value((*path, name, index), f"{shown(word)} already means {seen[str(word)]}")
