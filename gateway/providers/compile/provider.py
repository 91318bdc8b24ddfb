"""A `provider.yaml` → the provider it means, with its lifecycles and its rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.documents import Document, Path
from gateway.fault import FaultKind
from gateway.providers.compile.finder import Finder, finder
from gateway.providers.compile.unit import span
from gateway.providers.noting import Noting
from gateway.providers.pack import (
    CallLine,
    CallName,
    Client,
    Discoverable,
    DoorName,
    Doubt,
    Find,
    Idempotent,
    JobState,
    Lifecycle,
    Mount,
    Nudge,
    Pace,
    Progress,
    Provider,
    Rule,
    Wait,
    Words,
)

_SECRET = re.compile(r"\$secret\.([A-Z][A-Z0-9_]*)")
_DEFAULT_PACE = "1s"


def provider(document: Document, note: Noting) -> Provider:
    """Compile a `provider.yaml`."""
    raw = document.value
    find = finder(note)
    return Provider(
        id=raw["provider"],
        name=raw["name"],
        about=raw["about"],
        website=raw["website"],
        docs=raw["docs"],
        checked=raw["checked"],
        rank=raw["rank"],
        base=raw["base"],
        hosts=tuple(raw.get("hosts", ())),
        auth=raw["auth"],
        headers=raw.get("headers", {}),
        secrets=tuple(dict.fromkeys(_secrets(raw))),
        code=find(("failure", "code"), raw["failure"]["code"]),
        message=find(("failure", "message"), raw["failure"]["message"]),
        rules=tuple(_rule(rule) for rule in raw["faults"]),
        waits=tuple(_waits(raw.get("retry_after", ()), find)),
        lifecycles={name: _lifecycle(part, ("lifecycles", name), find) for name, part in raw["lifecycles"].items()},
        reads=raw.get("reads", {}),
        doors={
            DoorName(name): Mount(door["mount"], door.get("names", {})) for name, door in raw.get("doors", {}).items()
        },
        clients=tuple(_client(name, client) for name, client in raw.get("clients", {}).items()),
    )


def _secrets(raw: Mapping[str, Any]) -> Iterator[str]:
    """Every secret a provider needs: in its headers of proof, and in the paths of its calls."""
    for value in raw["auth"].values():
        yield from _SECRET.findall(value)
    for lifecycle in raw["lifecycles"].values():
        for call in lifecycle["calls"].values():
            yield from _SECRET.findall(call if isinstance(call, str) else call["call"])


def _client(name: str, raw: Mapping[str, Any]) -> Client:
    return Client(
        name,
        raw["name"],
        DoorName(raw["door"]),
        raw.get("set", {}),
        raw.get("line"),
        raw.get("tls", False),
        raw.get("note"),
    )


def _rule(raw: Mapping[str, Any]) -> Rule:
    return Rule(
        kind=FaultKind(raw["is"]),
        status=frozenset(raw.get("status", ())),
        codes=tuple(raw.get("code", ())),
        says=tuple(text.lower() for text in raw.get("says", ())),
    )


def _waits(raw: Any, find: Finder) -> Iterator[Wait]:
    for index, wait in enumerate(raw):
        at = find(("retry_after", index, "at"), wait["at"]) if "at" in wait else None
        yield Wait(header=wait.get("header"), at=at, unit=wait["as"])


def _lifecycle(raw: Mapping[str, Any], path: Path, find: Finder) -> Lifecycle:
    state = raw.get("state")
    flagged = raw.get("flagged")
    pace = raw["pace"]
    keep = {name: find((*path, "keep", name), text) for name, text in raw.get("keep", {}).items()}
    return Lifecycle(
        calls={CallName(name): _call(call) for name, call in raw["calls"].items()},
        keep=keep,
        state=_words(state, (*path, "state"), find) if state else None,
        outputs=find((*path, "outputs"), raw["outputs"]),
        flagged=find((*path, "flagged"), flagged) if flagged else None,
        expires=span(raw["expires"]) if "expires" in raw else None,
        pace=Pace(
            first=span(pace.get("first", _DEFAULT_PACE)),
            every=span(pace.get("every", _DEFAULT_PACE)),
            deadline=span(pace["deadline"]),
        ),
        nudge=_nudge(raw["nudge"]) if "nudge" in raw else None,
        doubt=_doubt(raw.get("doubt"), keep, (*path, "doubt"), find),
    )


def _nudge(raw: Mapping[str, Any]) -> Nudge:
    return Nudge(field=raw.get("field"), query=raw.get("query"), also=raw.get("with", {}))


def _doubt(raw: Any, keep: Mapping[str, Find], path: Path, find: Finder) -> Doubt:
    match raw:
        case {"key": key}:
            return Idempotent(key.get("header"), key.get("field"))
        case {"find": search}:
            at = (*path, "find")
            own = {name: find((*at, "keep", name), text) for name, text in search.get("keep", {}).items()}
            return Discoverable(
                field=raw.get("tag"),
                call=_call(search["call"]),
                at=find((*at, "at"), search["at"]),
                tag=find((*at, "tag"), search["tag"]),
                keep=own or keep,
            )
        case _:
            return None


def _call(raw: Any) -> CallLine:
    if isinstance(raw, str):
        raw = {"call": raw}
    method, target = raw["call"].split(" ", 1)
    return CallLine(method, target, raw.get("headers", {}), frozenset(JobState(word) for word in raw.get("when", ())))


def _words(raw: Mapping[str, Any], path: Path, find: Finder) -> Words:
    return Words(
        at=find((*path, "at"), raw["at"]),
        words={str(word): state for state in JobState for word in raw.get(state.value, ())},
        failed_if=find((*path, "failed_if"), raw["failed_if"]) if "failed_if" in raw else None,
        progress=_progress(raw["progress"], (*path, "progress"), find) if "progress" in raw else None,
    )


def _progress(raw: Any, path: Path, find: Finder) -> Progress:
    if isinstance(raw, str):
        return Progress(find(path, raw), 1)
    return Progress(find((*path, "at"), raw["at"]), raw.get("of", 1))
