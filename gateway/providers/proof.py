"""One sample held against its pack: what it shows, and where pack and sample disagree. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.documents import Path
from gateway.fault import Fault
from gateway.generation import FIELDS, Value, mistake, settle
from gateway.offer import Fit, Misfit, fit
from gateway.providers import classify, read, render
from gateway.providers.classify import UNREADABLE, Reply
from gateway.providers.compile.unit import micros, span
from gateway.providers.noting import Noting
from gateway.providers.pack import CallName, Model, Shape, Words
from gateway.providers.read import Reading
from gateway.providers.render import Site

_READERS: Mapping[CallName, Callable[[Model, int, Reply, int], Reading]] = {
    CallName.SUBMIT: read.submitted,
    CallName.STATUS: read.looked,
    CallName.RESULT: read.fetched,
}
FAILED_IF = "failed_if"


@dataclass(frozen=True, slots=True)
class Shown:
    """What one sample shows of its provider: positions of a rule and of waits, a state word by lifecycle, a form by model.

    `progress` names the lifecycle of a job that told its share.
    """

    rule: int | None = None
    waits: frozenset[int] = frozenset()
    word: tuple[str, str] | None = None
    form: tuple[str, int] | None = None
    progress: str | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """The comparing of one sample: each disagreement is noted at the word of the sample that is not true."""

    sample: Mapping[str, Any]
    path: Path
    note: Noting

    def compare(self, name: str, found: Any, *, always: bool = False) -> None:
        """Hold what was found against what the sample says under `name`; silence counts only where `always`."""
        wanted = self.sample.get(name)
        if (name in self.sample or always) and wanted != found:
            self.wrong(name, f"{name} is {_json(found)}, not {_json(wanted)}")

    def compare_names(self, name: str, found: set[str]) -> None:
        """Hold a set of fields against the list in the sample, whatever its order; no list is an empty one."""
        wanted = set(self.sample.get(name, ()))
        if wanted != found:
            self.wrong(name, f"{name} is {_json(sorted(found))}, not {_json(sorted(wanted))}")

    def parts(self, name: str, wanted: Any, found: Any, *within: str) -> None:
        """Hold a whole tree against another, and note every place where they differ."""
        for path, message in differences(wanted, found, (*within, name)):
            self.note.value((*self.path, *path), f"{'.'.join(map(str, path))} {message}")

    def wrong(self, name: str, message: str) -> None:
        """Note that the sample is not true at `name`."""
        self.note.value((*self.path, name), message)


def reply(sample: Mapping[str, Any], model: Model, path: Path, note: Noting, now: int) -> Shown:
    """Read the reply of a sample and compare; `now` in milliseconds, for pauses given as a moment."""
    said = _Said(sample, path, note)
    form = _form(sample, model)
    call = CallName(sample["call"])
    if form is None:
        said.wrong("given", "no form of this model is for requests that hold only these")
        return Shown()
    if call not in model.shapes[form].lifecycle.calls:
        said.wrong("call", f"this model has no {call.value} call")
        return Shown()
    if ("body" in sample) == ("text" in sample):
        said.wrong("call", "say what came: `body` for JSON, or else `text`, and not both")
        return Shown()
    answer = _answer(sample)
    reading = _READERS[call](model, form, answer, now)
    _compare(said, reading)
    return _shown(model, model.shapes[form], call, answer, reading, now)


def request(sample: Mapping[str, Any], model: Model, path: Path, note: Noting) -> Shown:
    """Render the request of a sample and compare."""
    said = _Said(sample, path, note)
    if ("sends" in sample) == ("excluded" in sample):
        said.wrong("asks", "say what becomes of it: either `sends`, or the fields it is `excluded` for")
        return Shown()
    fields = _fields(sample["asks"], model, said)
    found = fit(model.offer, fields)
    if isinstance(found, Misfit):
        if "excluded" in sample:
            said.compare_names("excluded", {name for name, _ in found.reasons})
        else:
            said.wrong("asks", f"not served: {'; '.join(reason for _, reason in found.reasons)}")
        return Shown()
    if "excluded" in sample:
        said.wrong("excluded", "this request is served")
        return Shown()
    _compare_call(said, model, found)
    return Shown(form=(model.offer.model, found.form))


def differences(wanted: Any, found: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """List where two JSON values differ, each with its path; 5, 5.0, "5" and true are four different values."""
    match wanted, found:
        case dict(), dict():
            for key, value in wanted.items():
                if key in found:
                    yield from differences(value, found[key], (*path, key))
                else:
                    yield (*path, key), "is not there"
            for key in found.keys() - wanted.keys():
                yield path, f"also holds {key}: {_json(found[key])}"
        case list(), list() if len(wanted) == len(found):
            for index, value in enumerate(wanted):
                yield from differences(value, found[index], (*path, index))
        case _:
            if type(wanted) is not type(found) or wanted != found:
                yield path, f"is {_json(found)}, not {_json(wanted)}"


def _form(sample: Mapping[str, Any], model: Model) -> int | None:
    forms = model.offer.forms
    if "given" not in sample:
        return len(forms) - 1
    given = frozenset(sample["given"])
    return next((index for index, form in enumerate(forms) if form.given <= given), None)


def _answer(sample: Mapping[str, Any]) -> Reply:
    """What the line would have made of it: a text is a picture where its headers say so."""
    headers = {name.lower(): value for name, value in sample.get("headers", {}).items()}
    body = sample.get("body")
    if "text" in sample:
        declared = headers.get("content-type", "").partition(";")[0].strip().lower()
        body = classify.media(sample["text"].encode(), declared) or UNREADABLE
    return Reply(sample["status"], headers, body)


def _compare(said: _Said, reading: Reading) -> None:
    state = reading.state.value if reading.state else "nothing"
    fault = reading.fault
    if state != said.sample["reads"]:
        why = f" ({fault.kind.value}: {fault.message})" if fault else ""
        said.wrong("reads", f"this reads as {state}{why}, not as {said.sample['reads']}")
        return
    _compare_fault(said, fault)
    said.compare("unknown", reading.unknown, always=True)
    if "cost" in said.sample and micros(said.sample["cost"]) != reading.cost:
        said.wrong("cost", f"cost is {reading.cost} millionths, not {micros(said.sample['cost'])}")
    said.compare("share", reading.share)
    if "kept" in said.sample:
        said.parts("kept", said.sample["kept"], dict(reading.kept))
    if "outputs" in said.sample:
        wanted = said.sample["outputs"]
        found = [
            {name: getattr(output, name) for name in part}
            for output, part in zip(reading.outputs, wanted, strict=False)
        ]
        if len(reading.outputs) != len(wanted):
            said.wrong("outputs", f"outputs are {len(reading.outputs)}, not {len(wanted)}")
        else:
            said.parts("outputs", wanted, found)


def _compare_fault(said: _Said, fault: Fault | None) -> None:
    said.compare("fault", fault.kind.value if fault else None, always=True)
    if fault is None:
        return
    said.compare("reach", fault.reach.value)
    said.compare("code", fault.code)
    wanted = span(said.sample["pause"]) if "pause" in said.sample else None
    if wanted != fault.pause:
        said.wrong("pause", f"pause is {_json(fault.pause)}, not {_json(wanted)} (milliseconds)")


def _shown(model: Model, shape: Shape, call: CallName, answer: Reply, reading: Reading, now: int) -> Shown:
    provider = model.provider
    rule, waits = None, frozenset[int]()
    if reading.fault is not None:
        rule = classify.hit(provider, answer)
        waits = frozenset(
            index for index, wait in enumerate(provider.waits) if classify.pause((wait,), answer, now) is not None
        )
    word, progress = None, None
    words = shape.lifecycle.state
    if call is CallName.STATUS and words is not None and answer.is_json and (answer.is_ok or read.tells(words, answer)):
        name = next(name for name, own in provider.lifecycles.items() if own.state is words)
        word = name, _word(words, answer.body)
        progress = name if reading.share is not None else None
    return Shown(rule, waits, word, progress=progress)


def _word(words: Words, body: Any) -> str:
    return FAILED_IF if words.failed_if is not None and words.failed_if(body) else str(words.at(body))


def _fields(asks: Mapping[str, Any], model: Model, said: _Said) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for name, value in asks.items():
        if name == "model":
            continue
        type_ = model.offer.types.get(name) or (FIELDS[name].type if name in FIELDS else None)
        if type_ is None:
            said.note.key((*said.path, "asks", name), f"there is no field {name!r}")
        elif wrong := mistake(type_, value):
            said.note.value((*said.path, "asks", name), f"{name} {wrong}")
        else:
            fields[name] = settle(type_, value)
    return fields


def _compare_call(said: _Said, model: Model, found: Fit) -> None:
    provider, sends = model.provider, said.sample["sends"]
    call = render.submit(model, found.form, found.values, Site(provider.base, provider.base, provider.hosts))
    said.parts("call", sends["call"], f"{call.method} {call.url}", "sends")
    said.parts("body", sends["body"], call.body, "sends")
    for name, value in sends.get("headers", {}).items():
        if call.headers.get(name) != value:
            said.note.value(
                (*said.path, "sends", "headers", name), f"{name} is {_json(call.headers.get(name))}, not {_json(value)}"
            )
    if micros(said.sample["price"]) != found.price:
        said.wrong("price", f"price is {found.price} millionths, not {micros(said.sample['price'])}")
    said.compare_names("drops", set(found.dropped))


def _json(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
