"""The fault script: which calls to the simulators go wrong, how, and how often.

A script is a list of rules; the first rule that matches a call decides what happens to it. A rule
names what to do (`do`), may narrow the calls it means (`provider`, `call`, `model`, `prompt`, each
`*` when left out) and how often it strikes (`after`, `times`, `chance`):

    - {provider: fal, call: submit, model: "fal-ai/flux/*", do: status, status: 503, times: 2}

Reading a script is strict: an unknown key, a value of the wrong kind, a fault that makes no sense
on the call it names, all are refused by rule number and key before anything runs.
"""

from __future__ import annotations

import fnmatch
import math
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml


class Call(StrEnum):
    """What a call is to the one who makes it, whatever the vendor names it."""

    SUBMIT = "submit"
    STATUS = "status"
    RESULT = "result"
    CANCEL = "cancel"
    OUTPUT = "output"
    OTHER = "other"


class Do(StrEnum):
    """What a rule can make happen."""

    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    DELAY = "delay"
    STATUS = "status"
    HTML = "html"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    WRONG_SHAPE = "wrong_shape"
    TRICKLE = "trickle"
    NEVER_END = "never_end"
    FAIL = "fail"
    REFUSE_CONTENT = "refuse_content"
    LATE = "late"
    UNKNOWN_STATUS = "unknown_status"
    NO_OUTPUT = "no_output"
    OUTPUT_404 = "output_404"
    OUTPUT_HTML = "output_html"
    OUTPUT_TRUNCATED = "output_truncated"
    OUTPUT_SLOW = "output_slow"
    CANCEL_IGNORED = "cancel_ignored"


_ANSWERED = frozenset({Call.SUBMIT, Call.STATUS, Call.RESULT, Call.CANCEL, Call.OTHER})
_EVERY = _ANSWERED | {Call.OUTPUT}
_BEGUN = frozenset({Call.SUBMIT})

MAKES_SENSE: Mapping[Do, frozenset[Call]] = {
    Do.DROP_BEFORE: _EVERY,
    Do.DROP_AFTER: _EVERY,
    Do.DELAY: _EVERY,
    Do.STATUS: _EVERY,
    Do.HTML: _ANSWERED,
    Do.EMPTY: _ANSWERED,
    Do.TRUNCATED: _ANSWERED,
    Do.WRONG_SHAPE: _ANSWERED,
    Do.TRICKLE: _ANSWERED,
    Do.NEVER_END: _BEGUN,
    Do.FAIL: _BEGUN,
    Do.REFUSE_CONTENT: _BEGUN,
    Do.LATE: _BEGUN,
    Do.UNKNOWN_STATUS: frozenset({Call.SUBMIT, Call.STATUS}),
    Do.NO_OUTPUT: _BEGUN,
    Do.OUTPUT_404: frozenset({Call.SUBMIT, Call.OUTPUT}),
    Do.OUTPUT_HTML: frozenset({Call.SUBMIT, Call.OUTPUT}),
    Do.OUTPUT_TRUNCATED: frozenset({Call.SUBMIT, Call.OUTPUT}),
    Do.OUTPUT_SLOW: frozenset({Call.SUBMIT, Call.OUTPUT}),
    Do.CANCEL_IGNORED: frozenset({Call.SUBMIT, Call.CANCEL}),
}
"""The calls each fault can befall; `call: "*"` means all of these and no others."""

_DETAILS: Mapping[Do, frozenset[str]] = {
    Do.DELAY: frozenset({"seconds"}),
    Do.LATE: frozenset({"seconds"}),
    Do.UNKNOWN_STATUS: frozenset({"seconds"}),
    Do.STATUS: frozenset({"status", "body", "retry_after", "code"}),
    Do.FAIL: frozenset({"code"}),
    Do.REFUSE_CONTENT: frozenset({"code"}),
}
_NEEDED: Mapping[Do, str] = {Do.DELAY: "seconds", Do.LATE: "seconds", Do.STATUS: "status"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a fault script; `seconds` and `retry_after` are seconds, `code` a vendor's own word."""

    do: Do
    provider: str = "*"
    call: str = "*"
    model: str = "*"
    prompt: str = "*"
    after: int = 0
    times: int | None = None
    chance: float = 1.0
    seconds: float | None = None
    status: int | None = None
    body: Any = None
    retry_after: float | None = None
    code: str | None = None

    def means(self, provider: str, call: Call, model: str, prompt: str) -> bool:
        """Whether the selectors fit this call; how often the rule strikes is not looked at."""
        return (
            call in MAKES_SENSE[self.do]
            and self.call in ("*", call)
            and fnmatch.fnmatchcase(provider, self.provider)
            and fnmatch.fnmatchcase(model, self.model)
            and fnmatch.fnmatchcase(prompt, self.prompt)
        )


class Chaos:
    """A script at work: it counts how often each rule met and struck, and throws the dice."""

    def __init__(self, rules: Sequence[Rule], providers: Collection[str], dice: random.Random) -> None:
        """Refuse a rule whose provider is nobody here, with `ValueError`."""
        for number, rule in enumerate(rules, 1):
            if not any(fnmatch.fnmatchcase(name, rule.provider) for name in providers):
                raise ValueError(
                    f"rule {number}: provider: {rule.provider!r} is not played here; "
                    f"write one of {', '.join(sorted(providers))}, or a pattern such as '*'"
                )
        self._rules = tuple(rules)
        self._met = [0] * len(rules)
        self._struck = [0] * len(rules)
        self._dice = dice

    def pick(self, provider: str, call: Call, model: str, prompt: str) -> Rule | None:
        """Return the first rule that strikes this call, and count it."""
        for index, rule in enumerate(self._rules):
            if not rule.means(provider, call, model, prompt):
                continue
            if rule.times is not None and self._struck[index] >= rule.times:
                continue
            self._met[index] += 1
            if self._met[index] <= rule.after:
                continue
            if rule.chance < 1 and self._dice.random() >= rule.chance:
                continue
            self._struck[index] += 1
            return rule
        return None


def load(path: str | Path) -> tuple[Rule, ...]:
    """Read a script from a YAML or JSON file; `ValueError` says what is wrong with it, and where."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as exc:
        raise ValueError(f"{path}: cannot be read: {exc.strerror}") from exc
    try:
        script = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise ValueError(f"{path}: is neither YAML nor JSON: {exc}") from exc
    try:
        return read([] if script is None else script)
    except ValueError as exc:
        raise ValueError(f"{path}: {exc}") from exc


def read(script: Iterable[Mapping[str, Any] | Rule]) -> tuple[Rule, ...]:
    """Read a script from plain values, as JSON gives them, or from rules made before."""
    if isinstance(script, str | Mapping) or not isinstance(script, Iterable):
        raise ValueError(f"a fault script is a list of rules, not {script!r}")  # noqa: TRY004 (a person's mistake)
    return tuple(
        entry if isinstance(entry, Rule) else _rule(f"rule {number}", entry) for number, entry in enumerate(script, 1)
    )


def _rule(where: str, entry: object) -> Rule:
    if not isinstance(entry, Mapping):
        said = "must be a mapping such as {call: submit, do: drop_after}"
        raise ValueError(f"{where}: {said}, not {entry!r}")  # noqa: TRY004 (a person's mistake)
    known = {field.name for field in fields(Rule)}
    for key in entry:
        if key not in known:
            raise ValueError(f"{where}: {key}: is no key of a rule; the keys are {', '.join(sorted(known))}")
    if "do" not in entry:
        raise ValueError(f"{where}: do: is missing; write one of {', '.join(Do)}")
    do = _word(where, "do", entry["do"], Do)
    values = {key: _value(where, key, value) for key, value in entry.items() if key != "do"}
    if values.get("call", "*") != "*":
        call = Call(values["call"])
        if call not in MAKES_SENSE[Do(do)]:
            sense = ", ".join(sorted(MAKES_SENSE[Do(do)]))
            raise ValueError(f"{where}: call: {do} makes no sense on {call}; it does on {sense}")
    _details(where, Do(do), values)
    return Rule(do=Do(do), **values)


def _details(where: str, do: Do, values: Mapping[str, Any]) -> None:
    for key in ("seconds", "status", "body", "retry_after", "code"):
        if key in values and key not in _DETAILS.get(do, frozenset()):
            raise ValueError(f"{where}: {key}: says nothing to {do}; take it out")
    needed = _NEEDED.get(do)
    if needed is not None and needed not in values:
        raise ValueError(f"{where}: {needed}: is missing; {do} needs it")


_BOUNDS: Mapping[str, tuple[float, float, bool]] = {
    "after": (0, math.inf, True),
    "times": (1, math.inf, True),
    "chance": (0, 1, False),
    "seconds": (0, math.inf, False),
    "retry_after": (0, math.inf, False),
    "status": (200, 599, True),
}
"""The least and most each number may be, and whether it must be whole."""


def _value(where: str, key: str, value: object) -> Any:
    if key == "call" and value != "*":
        return _word(where, key, value, Call)
    if key in _BOUNDS:
        return _number(where, key, value)
    if key in ("provider", "model", "prompt", "code") and (not isinstance(value, str) or not value):
        raise ValueError(f"{where}: {key}: must be a word or a pattern, not {value!r}")
    return value


def _word(where: str, key: str, value: object, words: type[StrEnum]) -> str:
    if not isinstance(value, str) or value not in set(words):
        raise ValueError(f"{where}: {key}: {value!r} is not known; write one of {', '.join(words)}")
    return value


def _number(where: str, key: str, value: object) -> float:
    least, most, is_whole = _BOUNDS[key]
    if isinstance(value, bool) or not isinstance(value, int if is_whole else int | float) or not least <= value <= most:
        kind = "a whole number" if is_whole else "a number"
        span = f"of at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        raise ValueError(f"{where}: {key}: must be {kind} {span}, not {value!r}")
    return value
