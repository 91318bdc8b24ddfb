"""The parsers of what operators write: YAML, the policy file, packs with their samples, and the words in them."""

from __future__ import annotations

import dataclasses
import math
import tempfile
import types
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from gateway import clock, documents, money
from gateway.documents import Document, Mistake, Mistakes
from gateway.generation import Kind
from gateway.ingress import address, callers, keyterms
from gateway.ingress.callers import Caller
from gateway.ingress.desk import AdminError
from gateway.ingress.refusal import Refusal
from gateway.ledger.keys import Caps
from gateway.providers import catalog, samples
from gateway.routing.policy import Request, Route
from gateway.settings import reader, values
from tests.gateway.providers import acme
from tests.harness import bent
from tests.harness.parsed_replies import PACKS
from tests.harness.parsers import Parser

_FOLDER = Path(tempfile.mkdtemp(prefix="tidegate-parsers-"))
_NOW = 1_795_305_600_000
_EXAMPLE = (PACKS.parent / "config.example.yaml").read_bytes()
_POLICIES: tuple[bytes, ...] = (
    _EXAMPLE,
    b"listen: 127.0.0.1:0\nstore: sqlite:name.db\nauth: none\ncredits: track\nproviders:\n  fal: {base: http://127.0.0.1:9, labels: [eu], rate: 5}\n",
    b"routes:\n  - match: {model: 'lab/*', kind: image, tag: eu}\n    order: {fal: 3, byteplus: 1}\n    attempts: 3\n    deadline: 90s\n    max_price: 0.5\n",
    b"routes: [{match: {account: acc}, order: fastest, only: [fal], never: [bfl]}]\nlimits: {live: 10, requests: 5}\nmetrics: 127.0.0.1:9090\n",
    b"webhooks:\n  - {url: https://app.example.com/hooks, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, events: [generation.completed]}\n",
    b"egress: {allow: [127.0.0.0/8, fd00::/8]}\ndelivery: {schedule: [0s, 1s, 5m], timeout: 15s}\nlog: {level: '${LEVEL:-info}'}\nregion: ${REGION}\n",
    b"proxies: {trusted: [10.0.0.0/8], header: Forwarded}\nattempts: {per_generation: 3, image_deadline: 5m, in_doubt_max_cost: 0.10}\n",
)  # fmt: skip
_YAMLS = (
    *_POLICIES,
    *(path.read_bytes() for path in sorted(PACKS.glob("*/provider.yaml"))[:3]),
    acme.SAMPLES.encode(),
    b"a: 16:9\nb: [1, 2]\n",
)
_ENVIRON: Mapping[str, str] = {"HOME": str(_FOLDER), "REGION": "eu-1", "LEVEL": "debug", "BAD": "\ud800"}
_AMOUNTS = ("12.5", "0.000001", "0", "-3", "1e3", "9223372036854", "1E-6", "12.50")
_SPANS = ("500ms", "30s", "5m", "24h", "2d", "999999999d", "0s", "64MiB", "2GiB", "100KB")
_TIMES = (
    "2026-12-31",
    "12h",
    "90d",
    "2026-11-25T15:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "999999999d",
)
_PLACES = ("127.0.0.1:8080", "[::1]:8080", "0.0.0.0:0", "localhost:80", "https://host/path", "http://[::1]:8080/a", "sqlite:///var/a.db",
           "sqlite:name.db", "file:///var/out", "none", "*.example.com", "10.0.0.0/8", "203.0.113.7", "::ffff:10.0.0.0/104")  # fmt: skip
_GLOBS = ("lab/*", "*", "bytedance/seedream-4.5", "[a-m]*/x?", "[!a]*", "*a*a*a*a*a*a*a*b", "lab/[a-", "[z-a]*", "[[]*")
_NAMES = ("bytedance/seedream-4.5", "lab/model", "a" * 200, "lab/" + "a" * 190)


def _settings(given: bytes) -> Any:
    path = _FOLDER / "config.yaml"
    path.write_bytes(given)
    return reader.load(path, _ENVIRON)


def _of_type(value: Any, wanted: Any, path: str) -> str | None:
    """Where a value is of another type than its record says."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in {Union, types.UnionType}:
        is_right = any(_of_type(value, each, path) is None for each in inner)
    elif origin is Literal:
        is_right = value in inner
    elif dataclasses.is_dataclass(wanted) and type(value) is wanted:
        hints = get_type_hints(wanted)
        names = (each.name for each in dataclasses.fields(value))
        return _first(_of_type(getattr(value, name), hints[name], f"{path}.{name}") for name in names)
    elif origin is tuple and type(value) is tuple:
        each = [inner[0]] * len(value) if inner[1:] == (...,) else inner
        return _first(_of_type(part, one, f"{path}[]") for part, one in zip(value, each, strict=True))
    elif isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        return _first(_of_type(part, inner[1], f"{path}.*") for part in value.values())
    else:
        is_right = _is_plain(value, origin or wanted)
    return None if is_right else f"{path} is {value!r}, not {getattr(wanted, '__name__', wanted)}"


def _is_plain(value: Any, wanted: Any) -> bool:
    """Whether a value is of a type, and not of one that only passes for it: no truth for a number, no word of a list for a text."""
    if wanted is Any:
        return True
    is_right = isinstance(value, int | float) if wanted is float else isinstance(value, wanted)
    passes = (isinstance(value, bool) and wanted is not bool) or (isinstance(value, Enum) and wanted is str)
    return is_right and not passes


def _first(said: Iterable[str | None]) -> str | None:
    return next((each for each in said if each), None)


def _unlike_settings(_given: bytes, found: Any) -> str | None:
    found.describe()
    if not all(part is None or 0 <= part < 2**63 for part in dataclasses.asdict(found.limits).values()):
        return "a limit that no column holds"
    return _of_type(found, type(found), "settings")


class _Plain(Exception):  # noqa: N818 - named for what it is
    """What every refusal becomes that tells its mistakes one by one, once they are found to be in order."""


def _telling(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Hold the mistakes themselves to their form: a place in the file, and words on one line."""

    def told(given: Any) -> Any:
        try:
            return read(given)
        except Mistakes as found:
            for mistake in found.mistakes:
                _check_mistake(mistake)
            raise _Plain(f"{len(found.mistakes)} mistakes, the first: {found.mistakes[0]}"[:2000]) from found

    return told


def _check_mistake(mistake: Mistake) -> None:
    assert mistake.place.line > 0, "a line above the first"
    assert mistake.place.column > 0, "a column before the first"
    assert mistake.message.strip(), "nothing is said"
    assert "\n" not in mistake.message, "a message of several lines"
    str(mistake).encode()


def _unlike_a_document(_given: bytes, found: Document) -> str | None:
    waiting: list[tuple[Any, tuple[Any, ...]]] = [(found.value, ())]
    while waiting:
        each, path = waiting.pop()
        if path and path not in found.places:
            return f"nobody knows where {path!r} is"
        if len(path) > 20:
            return "it is too deep"
        match each:
            case dict():
                waiting += [(part, (*path, key)) for key, part in each.items()]
            case list():
                waiting += [(part, (*path, index)) for index, part in enumerate(each)]
            case bool() | int() | str() | None:
                continue
            case float() if math.isfinite(each):
                continue
            case _:
                return f"{each!r} is no value of a document"
    return None


def _pack(dice: Random) -> tuple[str, bytes]:
    name = dice.choice(list(acme.FILES))
    return name, bent.data(dice, (acme.FILES[name].encode(),))


def _packed(given: tuple[str, bytes]) -> list[Mistake]:
    name, data = given
    folder = _FOLDER / "packs"
    for each, text in acme.FILES.items():
        path = folder / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if each == name else text.encode())
    found = samples.check_catalog(catalog.load([folder]), coverage=True)
    for mistake in found:
        _check_mistake(mistake)
    return found


def _amount(given: str) -> int:
    return money.parse(given)


def _unlike_an_amount(_given: str, found: int) -> str | None:
    if type(found) is not int or abs(found) > money.LARGEST:
        return f"an amount of {found!r}"
    return None if money.parse(money.text(found)) == found else f"{found} is written {money.text(found)}"


def _moment(given: str) -> int | None:
    return keyterms.moment({"at": given}, "at", _NOW)


def _unlike_a_moment(_given: str, found: int | None) -> str | None:
    if found is None:
        return None
    clock.iso(found)
    return None if -(2**63) <= found < 2**63 else "no column holds it"


_WORDS: Mapping[str, Callable[[Any], Any]] = {
    "duration": values.duration, "size": values.size, "listen": values.listen, "url": values.url, "store": values.store,
    "outputs": values.outputs, "metrics": values.metrics, "hosts": lambda text: values.hosts([text]),
    "waits": lambda text: values.waits(["0s", text]), "order": lambda text: values.order({text: 1}),
    "networks": lambda text: address.networks([text]), "scalar": documents.resolve,
}  # fmt: skip


def _word(dice: Random) -> tuple[str, str]:
    return dice.choice(list(_WORDS)), bent.text(dice, (*_SPANS, *_PLACES, *_AMOUNTS))


def _unlike_a_word(given: tuple[str, str], found: Any) -> str | None:
    if given[0] in {"duration", "size"}:
        return None if type(found) is int and 0 < found < 2**63 else f"it is {found!r}"
    return None if found is not None or given[0] in {"outputs", "scalar"} else "it is nothing"


def _glob(dice: Random) -> tuple[str, str]:
    return bent.text(dice, _GLOBS)[:200], bent.text(dice, _NAMES)[:200]


def _matched(given: tuple[str, str]) -> bool:
    pattern, name = given
    caller = Caller("acme", "key", "", "", frozenset(), 0, caps=Caps(models=(pattern,)))
    try:
        callers.check_model(caller, name)
    except Refusal:
        allowed = False
    else:
        allowed = True
    keyterms._is_pattern(pattern)
    assert Route(model=pattern).matches(Request(name, Kind.IMAGE, "acme")) == allowed, "a key and a route disagree"
    return allowed


def _fine(_given: Any, _found: Any) -> None:
    """Whatever comes is as good as anything."""


PARSERS = (
    Parser("yaml", 24, lambda dice: bent.data(dice, _YAMLS), _telling(lambda data: documents.parse(data, "file")), (_Plain,), _unlike_a_document, longest=0.3),
    Parser("config", 8, lambda dice: bent.data(dice, _POLICIES), _telling(_settings), (_Plain,), _unlike_settings, longest=0.4),
    Parser("packs", 4, _pack, _telling(_packed), (_Plain,), _fine, longest=0.4),
    Parser("amounts", 100, lambda dice: bent.text(dice, _AMOUNTS), _amount, (ValueError,), _unlike_an_amount),
    Parser("moments", 100, lambda dice: bent.text(dice, _TIMES), _moment, (AdminError,), _unlike_a_moment),
    Parser("words", 120, _word, lambda given: _WORDS[given[0]](given[1]), (ValueError,), _unlike_a_word),
    Parser("globs", 60, _glob, _matched, (), _fine),
)  # fmt: skip
