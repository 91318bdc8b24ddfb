"""Kinds of values: what each looks like to a schema, and what it becomes.

A reader takes a value of the JSON type its schema allows and gives the value the records hold, or raises ValueError with a
sentence that says what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway import egress, money
from gateway.artifacts import access
from gateway.ledger.events import OFFERED, EventType
from gateway.routing.policy import Strategy
from gateway.settings.records import Address, Metrics
from gateway.webhooks import sign

# With underscores, which names of services on a container network may have.
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?"
_ID = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
# Nine digits keep every duration and size within 64 bits.
_DURATION = r"^[0-9]{1,9}(?:ms|s|m|h|d)$"
_SIZE = r"^[0-9]{1,9}(?:B|[KMG]i?B)$"


class Kind(StrEnum):
    """The kinds of values a setting may have."""

    TEXT = auto()
    REGION = auto()
    FLAG = auto()
    WHOLE = auto()
    NUMBER = auto()
    CREDITS = auto()
    DURATION = auto()
    PAUSE = auto()
    SIZE = auto()
    CHOICE = auto()
    LISTEN = auto()
    METRICS = auto()
    URL = auto()
    STORE = auto()
    OUTPUTS = auto()
    FOLDERS = auto()
    NAMES = auto()
    HOSTS = auto()
    NETWORKS = auto()
    IDS = auto()
    LABEL = auto()
    LABELS = auto()
    ORDER = auto()
    ENDPOINT = auto()
    SECRET = auto()
    PEPPERS = auto()
    LONG = auto()
    EVENTS = auto()
    WAITS = auto()


_IDS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "pattern": _ID, "x-expected": "a provider id"},
    "uniqueItems": True,
    "x-expected": "a list of provider ids",
}
_LABEL: dict[str, Any] = {
    "type": "string",
    "pattern": "^[a-z0-9_.-]{1,64}$",
    "x-expected": "up to 64 small letters, digits, dots, - or _",
}
# A share of a million is finer than any traffic shows.
_WEIGHT: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 1_000_000, "x-expected": "a weight such as 3"}
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}}

SCHEMAS: Mapping[Kind, Mapping[str, Any]] = MappingProxyType(
    {
        Kind.TEXT: {"type": "string", "minLength": 1},
        Kind.REGION: {
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9-]{0,31}$",
            "x-expected": "a name of small letters, digits and hyphens",
        },
        Kind.FLAG: {"type": "boolean"},
        Kind.WHOLE: {"type": "integer"},
        Kind.NUMBER: {"type": "number"},
        Kind.CREDITS: {"type": "number", "minimum": 0, "x-expected": "an amount of credits such as 0.10"},
        Kind.DURATION: {
            "type": "string",
            "pattern": _DURATION,
            "x-expected": "a duration such as 500ms, 30s, 5m, 24h or 2d",
        },
        Kind.PAUSE: {
            "type": "string",
            "pattern": _DURATION,
            "x-expected": "a duration such as 0s, 500ms or 5s",
        },
        Kind.SIZE: {"type": "string", "pattern": _SIZE, "x-expected": "a size such as 100KB, 64MiB or 2GiB"},
        Kind.CHOICE: {"type": "string"},
        Kind.LISTEN: {"type": "string", "x-expected": "an address and a port such as 127.0.0.1:8080"},
        Kind.METRICS: {"type": "string", "x-expected": "keys, none, or an address and a port such as 127.0.0.1:9090"},
        Kind.URL: {"type": "string", "x-expected": "an address such as https://host/path"},
        Kind.STORE: {
            "type": "string",
            "x-expected": "a store such as sqlite:///var/lib/tidegate/tidegate.db or postgresql://user:password@host/name",
        },
        Kind.OUTPUTS: {"type": "string", "x-expected": "file:///path/to/outputs, s3://bucket/prefix or none"},
        Kind.FOLDERS: {**_TEXTS, "minItems": 1, "x-expected": "a list of folders"},
        Kind.NAMES: {
            "type": "object",
            "additionalProperties": {"type": "string", "minLength": 1},
            "x-expected": "a mapping of names to models such as {my-model: lab/model-1.0}",
        },
        Kind.HOSTS: {**_TEXTS, "x-expected": "a list of hosts"},
        Kind.NETWORKS: {**_TEXTS, "x-expected": "a list of networks such as 127.0.0.0/8"},
        Kind.IDS: _IDS,
        Kind.LABEL: _LABEL,
        Kind.LABELS: {"type": "array", "items": _LABEL, "uniqueItems": True, "x-expected": "a list of labels"},
        Kind.ORDER: {
            "anyOf": [
                {"type": "string", "enum": [Strategy.FASTEST.value, Strategy.CHEAPEST.value]},
                {**_IDS, "minItems": 1},
                {"type": "object", "minProperties": 1, "additionalProperties": _WEIGHT},
            ],
            "x-expected": "a list of provider ids, a mapping of them to weights, fastest or cheapest",
        },
        Kind.ENDPOINT: {"type": "string", "x-expected": "an address such as https://app.example.com/hooks"},
        Kind.PEPPERS: {
            "type": "array",
            "items": {"type": "string", "minLength": 32, "x-expected": "32 characters or more, from a variable"},
            "uniqueItems": True,
            "x-expected": "a list of texts from variables such as ${KEY_PEPPER}",
        },
        Kind.LONG: {"type": "string", "minLength": 32, "x-expected": "32 characters or more, from a variable"},
        Kind.SECRET: {"type": "string", "x-expected": "a secret, from a variable such as ${WEBHOOK_SECRET}"},
        Kind.EVENTS: {
            "type": "array",
            "items": {"type": "string", "enum": [event.value for event in OFFERED], "x-expected": "an event"},
            "minItems": 1,
            "uniqueItems": True,
            "x-expected": f"a list out of {', '.join(OFFERED)}",
        },
        Kind.WAITS: {
            "type": "array",
            "items": {"type": "string", "pattern": _DURATION, "x-expected": "a duration such as 500ms, 30s, 5m or 2h"},
            "minItems": 1,
            "maxItems": 20,
            "x-expected": "a list of durations such as [0s, 1s, 30s]",
        },
    }
)


def duration(written: str) -> int:
    """Read a duration as milliseconds; it is longer than none."""
    found = re.fullmatch(r"([0-9]+)([a-z]+)", written)
    if found is None or found[2] not in _UNITS or not re.fullmatch(_DURATION, written):
        raise ValueError(f"expected {SCHEMAS[Kind.DURATION]['x-expected']}, found '{written}'")
    return _positive(int(found[1]) * _UNITS[found[2]], written)


def pause(written: str) -> int:
    """Read a duration as ms that may be none at all."""
    return 0 if re.fullmatch(r"0{1,9}(?:ms|s|m|h|d)", written) else duration(written)


def size(written: str) -> int:
    """Read a size as bytes; it is larger than none."""
    found = re.fullmatch(r"([0-9]+)([A-Za-z]+)", written)
    if found is None or found[2] not in _SIZES or not re.fullmatch(_SIZE, written):
        raise ValueError(f"expected {SCHEMAS[Kind.SIZE]['x-expected']}, found '{written}'")
    return _positive(int(found[1]) * _SIZES[found[2]], written)


def _positive(value: int, written: str) -> int:
    """Refuse nothing at all."""
    if value == 0:
        raise ValueError(f"expected more than {written}")
    return value


def listen(written: str) -> Address:
    """Read a host and a port; an IPv6 address stands in brackets."""
    found = re.fullmatch(rf"(?:\[([0-9A-Fa-f:.]+)\]|({_HOST})):([0-9]{{1,5}})", written)
    if found is None:
        raise ValueError(f"expected an address and a port such as 127.0.0.1:8080 or [::1]:8080, found '{written}'")
    host, port = found[1] or found[2], int(found[3])
    if found[1] or re.fullmatch(r"[0-9.]+", host):
        try:
            host = str(ip_address(host))
        except ValueError as error:
            raise ValueError(f"'{host}' is not an IP address") from error
    if port > 65535:
        raise ValueError(f"expected a port from 0 to 65535, found {port}")
    return Address(host, port)


def metrics(written: str) -> Metrics:
    """Read who may see the metrics, or where they have an address of their own."""
    if written in {"keys", "none"}:
        return Metrics(with_key=written == "keys", listen=None)
    try:
        return Metrics(with_key=False, listen=listen(written))
    except ValueError as error:
        raise ValueError(f"expected keys, none, or an address and a port of its own: {error}") from error


def url(written: str) -> str:
    """Read an http or https address with an optional path; it is given back without a slash at its end."""
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"'{written}' is not an address such as https://host/path: {error}") from error
    if parts.scheme not in {"http", "https"} or not re.fullmatch(
        rf"{_HOST}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", parts.hostname or ""
    ):
        raise ValueError(f"expected an address such as https://host/path, found '{written}'")
    if "@" in parts.netloc:
        raise ValueError(
            "an address holds no user or password; secrets come by the names the provider's file gives them"
        )
    if "?" in written or "#" in written or port == 0 or not re.fullmatch(r"[!-~]+", written):
        raise ValueError(f"expected scheme, host, port and path alone, found '{written}'")
    return written.rstrip("/")


def store(written: str) -> str:
    """Read a store's address: the path of a SQLite file, relative ones to be resolved by the caller, or a whole postgresql:// address."""
    if not re.match(r"postgres(?:ql)?:", written):
        return _local(written, "sqlite", "sqlite:///path/to/tidegate.db or postgresql://user:password@host/name")
    try:
        parts = urlsplit(written)
        named = bool(parts.hostname and re.fullmatch(r"/[^/]+", parts.path) and parts.port != 0 and not parts.fragment)
    except ValueError:
        named = False
    if not named:
        # What was written holds a password, so it is not said again.
        raise ValueError(
            "expected postgresql://user:password@host:port/name, with characters such as @ and / as %40 and %2F"
        )
    return written


def outputs(written: str) -> str | access.Place | None:
    """Read where outputs go: the path of a folder, relative ones to be resolved by the caller, or a bucket; None for `none`."""
    if written == "none":
        return None
    if written.startswith("s3:"):
        return access.place(written)
    return _local(written, "file", "file:///path/to/outputs, s3://bucket/prefix or none")


def _local(written: str, scheme: str, right: str) -> str:
    """Take the path out of `scheme:///absolute` or `scheme:relative`."""
    found = re.fullmatch(rf"{scheme}:(?://(?=/))?([^?#]+)", written)
    path = unquote(found[1]) if found else ""
    if not path or path.startswith("//") or path.endswith("/") or ":" in path or not path.isprintable():
        raise ValueError(f"expected {right}, or {scheme}:name for a place beside this file, found '{written}'")
    return path


def hosts(written: list[str]) -> tuple[str, ...]:
    """Read names of hosts; `*.` in front stands for every name below."""
    for host in written:
        if not re.fullmatch(rf"(?:\*\.)?{_HOST}", host):
            raise ValueError(f"expected a host such as api.example.com or *.example.com, found '{host}'")
    return tuple(host.lower() for host in written)


def events(written: list[str]) -> tuple[EventType, ...]:
    """Read names of events."""
    return tuple(EventType(each) for each in written)


@dataclass(frozen=True, slots=True)
class Order:
    """An order of providers as it is written: by a strategy's name, as a list, or as weights; nothing where it is left out."""

    strategy: Strategy | None
    names: tuple[str, ...] = ()
    weights: tuple[tuple[str, int], ...] = ()


def order(written: str | list[str] | dict[str, int]) -> Order:
    """Read an order of providers; of the weights one at least is above 0."""
    match written:
        case str():
            return Order(Strategy(written))
        case list():
            return Order(Strategy.LISTED if written else None, tuple(written))
        case _:
            weights = tuple((str(name), int(weight)) for name, weight in written.items())
            if not any(weight for _, weight in weights):
                raise ValueError("expected a weight above 0: nobody would be first")
            for name, _ in weights:
                if not re.fullmatch(_ID, name):
                    raise ValueError(f"expected provider ids before the weights, found {name!r}")
            return Order(Strategy.WEIGHTED, weights=weights)


def waits(written: list[str]) -> tuple[int, ...]:
    """Read the waits before attempts as milliseconds; before the first there is none."""
    first, *others = written
    if first != "0s":
        raise ValueError(f"expected 0s first, found '{first}': the first attempt is made at once")
    return (0, *(duration(each) for each in others))


READERS: Mapping[Kind, Callable[[Any], Any]] = MappingProxyType(
    {
        Kind.WHOLE: int,  # to the schema 3.0 is a whole number too
        Kind.CREDITS: money.from_number,
        Kind.DURATION: duration,
        Kind.PAUSE: pause,
        Kind.SIZE: size,
        Kind.LISTEN: listen,
        Kind.METRICS: metrics,
        Kind.URL: url,
        Kind.STORE: store,
        Kind.OUTPUTS: outputs,
        Kind.HOSTS: hosts,
        Kind.NETWORKS: egress.Policy.parse,
        Kind.FOLDERS: tuple,
        Kind.IDS: tuple,
        Kind.LABELS: tuple,
        Kind.ORDER: order,
        Kind.SECRET: sign.check,
        Kind.PEPPERS: tuple,
        Kind.EVENTS: events,
        Kind.WAITS: waits,
    }
)
