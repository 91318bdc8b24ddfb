"""Values + mapping → the call to send. Pure: the credential is filled in at the door, so what is here may be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import SplitResult, quote, urlsplit

from gateway.generation import Value
from gateway.providers.pack import CallLine, CallName, Discoverable, Doubt, Encoding, Idempotent, Model

_NAME = re.compile(r"\$secret\.[A-Z][A-Z0-9_]*|\$([a-z][a-z0-9_]*)")
# Parsers disagree on everything else: some strip a line break in the middle of a host.
_ADDRESS = re.compile(r"[!-~]+")


class Misdirected(Exception):  # noqa: N818 - named for what happened
    """A reply pointed to an address that may not receive the credential."""


@dataclass(frozen=True, slots=True)
class File:
    """An input handed over as a part of a multipart body."""

    data: bytes
    type: str
    name: str


# A file as it is handed over: an address, a `data:` URI or base64 as text, or a part.
Handed = str | File | tuple[str | File, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a provider is reached: the base in force, the pack's own, and further hosts that may get the credential."""

    base: str
    packed: str
    hosts: tuple[str, ...]

    def address(self, target: str) -> str:
        """Make a whole address of a target, and refuse one outside the provider's hosts.

        A link a reply gave that begins with the pack's own base is moved onto the base in force: who put another address in
        front of a provider means every call.
        """
        if target.startswith("/"):
            return self.base + target
        if self.base != self.packed and target.startswith(self.packed + "/"):
            return self.base + target[len(self.packed) :]
        there = _parts(target)
        if there is None or not self._admits(there):
            host = there.hostname if there is not None else None
            raise Misdirected(f"the reply points to {host or repr(target)}, which is not a host of this provider")
        return target

    def _admits(self, there: SplitResult) -> bool:
        home = urlsplit(self.base)
        if there.scheme not in {"https", home.scheme} or there.username is not None or not there.hostname:
            return False
        if there.netloc == home.netloc:
            return True
        return any(_matches(there.hostname, pattern) for pattern in self.hosts)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call to a provider; its address and header values may hold `$secret.NAME`.

    `hands_over` says that outputs may come inside the answer.
    """

    name: CallName
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any = None
    encoding: Encoding = Encoding.JSON
    hands_over: bool = False

    @property
    def has_body(self) -> bool:
        """Whether a body goes with it."""
        return self.name is CallName.SUBMIT


def submit(
    model: Model,
    form: int,
    values: Mapping[str, Value | Handed],
    site: Site,
    nudge: str | None = None,
    tag: str | None = None,
) -> Call:
    """Render the call that begins the job.

    `nudge` is the address to call back, for a provider that can; `tag` what the attempt is known by, for one that takes a key or
    shows it in a list.
    """
    shape = model.shapes[form]
    line = shape.lifecycle.calls[CallName.SUBMIT]
    target = site.address(_fill(line.target, {"model": shape.native}))
    body = shape.build(names_of(model, form, values))
    asking = shape.lifecycle.nudge
    if nudge is not None and asking is not None:
        body = {**body, **asking.also, **({asking.field: nudge} if asking.field else {})}
        if asking.query:
            target += f"{'&' if '?' in target else '?'}{quote(asking.query)}={quote(nudge, safe='')}"
    headers, fields = _tagged(shape.lifecycle.doubt, tag)
    body = {**body, **fields} if fields else body
    whole = shape.lifecycle.hands_over(CallName.SUBMIT)
    return Call(CallName.SUBMIT, line.method, target, {**_headers(model, line), **headers}, body, shape.encoding, whole)


def find(model: Model, form: int, site: Site) -> Call | None:
    """Render the call that lists the provider's jobs; None where none can be found again."""
    shape = model.shapes[form]
    match shape.lifecycle.doubt:
        case Discoverable(call=line):
            target = site.address(_fill(line.target, {"model": shape.native}))
            whole = shape.lifecycle.hands_over(CallName.FIND)
            return Call(CallName.FIND, line.method, target, _headers(model, line), hands_over=whole)
        case Idempotent() | None:
            return None


def follow(model: Model, form: int, name: CallName, kept: Mapping[str, Any], site: Site) -> Call:
    """Render a later call on the job from what was kept; Misdirected when it would leave the provider's hosts."""
    shape = model.shapes[form]
    line = shape.lifecycle.calls[name]
    target = _fill(line.target, {**kept, "model": shape.native})
    whole = shape.lifecycle.hands_over(name)
    return Call(name, line.method, site.address(target), _headers(model, line), hands_over=whole)


def names_of(model: Model, form: int, values: Mapping[str, Value | Handed]) -> dict[str, Any]:
    """Every name a body may use, with its value: the fields taken, and the rows picked."""
    offered = model.offer.forms[form]
    names: dict[str, Any] = {"model": model.shapes[form].native}
    names.update((name, values[name]) for name in offered.takes if name in values)
    for pick in offered.picks:
        # Only plain values are ever chosen from a table; a file is none.
        chosen = tuple(cast("Value", values[name]) for name in pick.fields if name in values)
        names.update(pick.rows.get(chosen, {}))
    return names


def _tagged(doubt: Doubt, tag: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """The header and the field of the body that carry our tag."""
    match doubt:
        case Idempotent(header=str() as header) if tag is not None:
            return {header: tag}, {}
        case Idempotent(field=str() as field) | Discoverable(field=str() as field) if tag is not None:
            return {}, {field: tag}
        case Idempotent() | Discoverable() | None:
            return {}, {}


def _headers(model: Model, line: CallLine) -> dict[str, str]:
    return {**model.provider.auth, **model.provider.headers, **line.headers}


def _fill(target: str, names: Mapping[str, Any]) -> str:
    if target.startswith("$"):
        return _given(str(names[target[1:]]))

    # A model's name is a path of its own; anything else is one segment.
    def put(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        return quote(str(names[found[1]]), safe="/@:" if found[1] == "model" else "")

    return _NAME.sub(put, target)


def _given(address: str) -> str:
    """An address from a reply; a name of a secret in it would be filled in at the door, whosever secret it is."""
    if "$secret." in address:
        raise Misdirected("the reply points to an address that asks for a credential by name")
    return address


def _parts(target: str) -> SplitResult | None:
    if not _ADDRESS.fullmatch(target):
        return None
    try:
        there = urlsplit(target)
        _ = there.port  # a port that is no number is found only when it is asked for
    except ValueError:
        return None
    return there


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern
