"""The parsers of what providers answer: their replies by every pack's rules, and the waits they ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from aiohttp.helpers import HeadersMixin
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from gateway import documents
from gateway.attempts.job import fault_row
from gateway.fault import Fault, FaultKind, Reach
from gateway.ledger.records import dump
from gateway.providers import catalog, classify, read, render, wire
from gateway.providers.classify import Reply
from gateway.providers.pack import CallName, Discoverable, JobState, Model, Wait
from gateway.providers.read import Reading
from gateway.providers.render import Misdirected, Site
from gateway.providers.wire import Broken
from tests.harness import bent
from tests.harness.parsers import Parser

PACKS = Path(__file__).parents[2] / "providers.d"
CATALOG = catalog.load_once([PACKS])
_NOW = 1_795_305_600_000
_LONGEST_PAUSE = 300_000  # ms, as documented
_LARGEST = 2**63 - 1  # what a column of the store holds
_READERS: Mapping[CallName, Callable[[Model, int, Reply, int], Reading]] = {
    CallName.SUBMIT: read.submitted,
    CallName.STATUS: read.looked,
    CallName.RESULT: read.fetched,
}
_STATUSES = (
    200,
    200,
    201,
    202,
    204,
    299,
    301,
    400,
    401,
    402,
    403,
    404,
    408,
    409,
    410,
    413,
    418,
    422,
    429,
    431,
    500,
    501,
    502,
    503,
    504,
    520,
    599,
    100,
    999,
)
_TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "text/html",
    "image/png",
    "video/mp4",
    "IMAGE/PNG",
    "image/",
    "",
    "a/b/c",
    ";",
    "é",
)
_HEADERS = ("retry-after", "retry-after-ms", "x-ratelimit-reset", "content-type", "x-other")
_UNITS = ("seconds", "milliseconds", "epoch", "epoch_ms", "http_date", "duration")
_WAITS = ("5", "0.5", "120", "1795305605", "1795305605000", "Sun, 22 Nov 2026 00:00:05 GMT", "Sun, 22 Nov 2026 00:00:05 +0100", "1h2m3.5s", "500ms")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """A reply that a pack can read, as its samples show it."""

    model: tuple[str, str]
    call: CallName
    form: int
    status: int
    headers: tuple[tuple[str, str], ...]
    body: Any


def samples() -> list[Sample]:
    """The replies of every pack's samples; one more per list in which a job is looked for."""
    found: list[Sample] = []
    for provider, path in CATALOG.samples.items():
        for one in documents.read(path).value:
            if "call" in one:
                model = CATALOG.models[provider, one["model"]]
                headers = tuple(one.get("headers", {}).items())
                found.append(Sample((provider, one["model"]), CallName(one["call"]), len(model.shapes) - 1, one["status"], headers, one.get("body", one.get("text"))))  # fmt: skip
    for key, model in CATALOG.models.items():
        search = model.shapes[0].lifecycle.doubt
        if isinstance(search, Discoverable):
            listed = {
                "data": [{"id": "a", "tag": "ours", "metadata": {"tag": "ours"}, "webhook": "ours"}],
                "results": [],
                "items": [],
            }
            found.append(Sample(key, CallName.FIND, 0, 200, (), listed))
    return found


SAMPLES = samples()
_BODIES: Mapping[str, tuple[Any, ...]] = {
    provider: tuple(each.body for each in SAMPLES if each.model[0] == provider) for provider in CATALOG.providers
}


def _headers(dice: Random, sample: Sample) -> tuple[tuple[str, str], ...]:
    if dice.random() < 0.5:
        return sample.headers
    return (*sample.headers, (dice.choice(_HEADERS), bent.header(dice, (*_WAITS, *_TYPES))))


def _reply(dice: Random) -> tuple[Any, ...]:
    sample = dice.choice(SAMPLES)
    status = sample.status if dice.random() < 0.6 else dice.choice(_STATUSES)
    body = bent.tree(dice, _BODIES[sample.model[0]] if dice.random() < 0.1 else (sample.body,))
    return sample.model, sample.call.value, sample.form, status, _headers(dice, sample), body


def _raw_reply(dice: Random) -> tuple[Any, ...]:
    model, call, form, status, headers, body = _reply(dice)
    declared = (("content-type", dice.choice(_TYPES)),) if dice.random() < 0.3 else ()
    return model, call, form, status, (*headers, *declared), bent.data(dice, (bent.written(body),))


def _understood(given: tuple[Any, ...]) -> Reading:
    *head, body = given
    return _read((*head, classify.parsed(bent.written(body))))


def _read(given: tuple[Any, ...]) -> Reading:
    model, call, form, status, headers, body = given
    lowered = {name.lower(): text for name, text in headers}
    reply = Reply(status, lowered, body)
    if call == CallName.FIND:
        return read.found(CATALOG.models[model], form, reply, frozenset({"ours"}), _NOW)
    return _READERS[CallName(call)](CATALOG.models[model], form, reply, _NOW)


class _Answer(HeadersMixin):
    """An answer as far as the wire looks at one, all of it there at once."""

    def __init__(self, headers: tuple[tuple[str, str], ...], data: bytes) -> None:
        self._headers = CIMultiDictProxy(CIMultiDict(headers))
        self.content = self
        self._data = data

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self._data

    def close(self) -> None:
        """Nothing is open."""


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits to its end, without a loop."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits for something")


def _received(given: tuple[Any, ...]) -> Reading:
    *head, headers, data = given
    body = finished(wire._read(_Answer(headers, data), 200_000))  # type: ignore[arg-type] # as far as it is looked at
    return _read((*head, headers, body))


def _unlike_a_reading(given: tuple[Any, ...], reading: Reading) -> str | None:
    """What of a reading is out of its documented shape, or cannot be stored."""
    model, call, form = CATALOG.models[given[0]], CallName(given[1]), given[2]
    if reading.state is not None and not isinstance(reading.state, JobState):
        return f"the state is {reading.state!r}"
    if reading.state in {JobState.FAILED, JobState.CANCELED} and reading.fault is None:
        return "it failed without a fault"
    if reading.cost is not None and not (type(reading.cost) is int and 0 <= reading.cost <= _LARGEST):
        return f"a cost of {str(reading.cost)[:40]}"
    if reading.unknown is not None and not (0 < len(reading.unknown) <= 40 and _is_text(reading.unknown)):
        return "an unknown state that cannot be told"
    wanted = set(model.shapes[form].lifecycle.keep)
    if call is CallName.SUBMIT and reading.state is JobState.QUEUED and set(reading.kept) != wanted:
        return f"kept are {sorted(reading.kept)}, not {sorted(wanted)}"
    parts = _unlike_a_fault(reading.fault), _unlike_outputs(reading), _unlike_a_find(reading.kept)
    return next(filter(None, parts), None) or (_astray(model, form, reading) if reading.kept else None)


def _unlike_a_find(kept: Mapping[str, Any]) -> str | None:
    dump(dict(kept))
    finds = (type(each) in {str, int} and 0 < len(str(each)) <= 4096 and _is_text(str(each)) for each in kept.values())
    return None if all(finds) else "something is kept that finds no job"


def _unlike_a_fault(fault: Fault | None) -> str | None:
    if fault is None:
        return None
    dump(fault_row(fault))
    if not (isinstance(fault.kind, FaultKind) and isinstance(fault.reach, Reach)):
        return f"a fault of no kind: {fault!r}"
    if not 0 < len(fault.message) <= 8_100 or not _is_text(fault.message):
        return "a fault without words, with too many, or with halves of characters"
    if fault.code is not None and not (0 < len(fault.code) <= 1_600 and _is_text(fault.code)):
        return f"a code of {len(fault.code)} characters, or with halves of some"
    return None if fault.pause is None or 0 < fault.pause <= _LONGEST_PAUSE else f"a pause of {fault.pause} ms"


def _unlike_outputs(reading: Reading) -> str | None:
    for output in reading.outputs:
        dump(asdict(output))
        texts = [text for text in (output.url, output.b64, output.mime) if text is not None]
        if not (output.url or output.b64) or not all(map(_is_text, texts)):
            return "an output that is nowhere, or whose address has halves of characters"
        if output.mime is not None and len(output.mime) > 200:
            return "an output with a type as long as a letter"
        if not all(side is None or 0 < side < 2**31 for side in (output.width, output.height)):
            return f"a picture of {str(output.width)[:20]} by {str(output.height)[:20]}"
    return None


def _astray(model: Model, form: int, reading: Reading) -> str | None:
    """Follow the job as the gateway would; whoever else is asked must not get the credential."""
    provider = model.provider
    site = Site(provider.base, provider.base, provider.hosts)
    for name in (CallName.STATUS, CallName.RESULT, CallName.CANCEL):
        if name in model.shapes[form].lifecycle.calls:
            try:
                there = wire._whole(render.follow(model, form, name, reading.kept, site).url)
            except (Misdirected, Broken):
                continue
            if not _is_home(there, site):
                return f"the credential would go to {there}"
    return None


def _is_home(there: URL, site: Site) -> bool:
    home, host = URL(site.base), (there.raw_host or "").lower()
    known = any(host.endswith(each[1:]) if each.startswith("*.") else host == each for each in site.hosts)
    return (
        there.user is None and there.scheme == "https" and (known or (host, there.port) == (home.raw_host, home.port))
    )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _wait(dice: Random) -> tuple[str, bool, str]:
    return dice.choice(_UNITS), dice.random() < 0.5, bent.text(dice, _WAITS)


def _waited(given: tuple[str, bool, str]) -> int | None:
    unit, in_body, written = given
    if in_body:
        return classify.pause((Wait(None, lambda body: body, unit),), Reply(429, {}, written), _NOW)
    return classify.pause((Wait("Retry-After", None, unit),), Reply(429, {"retry-after": written}, None), _NOW)


def _unlike_a_pause(_given: Any, asked: int | None) -> str | None:
    return None if asked is None or (type(asked) is int and 0 < asked <= _LONGEST_PAUSE) else f"a pause of {asked!r} ms"


PARSERS = (
    Parser("replies", 180, _reply, _understood, (), _unlike_a_reading),
    Parser("wire", 160, _raw_reply, _received, (), _unlike_a_reading),
    Parser("pauses", 120, _wait, _waited, (), _unlike_a_pause),
)
