"""A document held against a JSON Schema, every violation worded for the person who wrote the file.

A subschema may carry `x-expected`, words for what it wants (`a duration such as 300s`); they take the place of what a
type, a pattern, a list of choices or a failed choice of forms would say.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from gateway.documents.place import Document, Key, Mistake, Path

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
# Enough of a value to recognise it by; a line stays a line.
_SHOWN = 60


def against(document: Document, validator: Validator) -> list[Mistake]:
    """Give every violation of the validator's schema, in the order of the file; none means the document fits.

    JSON knows text keys alone, so the schema sees the number key `1` as the text it is written as.
    """
    viewed = _as_json(document.value)
    found = [
        mistake
        for error in _Strict(validator.schema).iter_errors(viewed)
        for leaf in _leaves(error)
        for mistake in _mistakes(leaf, document)
    ]
    return sorted(set(found))


def _pattern(_validator: Any, pattern: str, found: Any, _schema: Any) -> Iterator[ValidationError]:
    """Hold a text against a pattern whose `$` means the end of the text, as in other languages, not the line break before it."""
    if isinstance(found, str):
        strict = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
        if not re.search(strict, found):
            yield ValidationError(f"{found!r} does not match {pattern!r}")


_Strict: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call] # its stub has no types


def nearest(word: object, candidates: Iterable[object]) -> str | None:
    """Give the candidate that was probably meant by a misspelt word, or None."""
    spelled = {str(candidate).lower(): str(candidate) for candidate in candidates}
    found = difflib.get_close_matches(str(word).lower(), spelled, n=1)
    return spelled[found[0]] if found else None


def shown(value: Any) -> str:
    """Say what a value is, in words: `the text 'heavy'`, `the number 3`, `a list`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text '{_short(value)}'" if value else "an empty text"
        case int() | float():
            return f"the number {value}"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case _:
            return "a mapping" if value else "an empty mapping"


def _as_json(value: Any) -> Any:
    """Give the value with every key as text; the same object where nothing changes."""
    match value:
        case dict():
            return {_key_text(key): _as_json(part) for key, part in value.items()}
        case list():
            return [_as_json(part) for part in value]
        case _:
            return value


def _key_text(key: Key) -> str:
    """Give a key the way JSON would spell it."""
    return str(key).lower() if isinstance(key, bool) else str(key)


def _path(document: Document, steps: Iterable[Any]) -> Path:
    """Turn the steps of the JSON view into the document's own path."""
    value = document.value
    path: list[Key] = []
    for step in steps:
        key = step
        if isinstance(value, dict):
            key = step if step in value else next((own for own in value if _key_text(own) == step), step)
            value = value.get(key)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        path.append(key)
    return tuple(path)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Give the violations that matter: of several forms allowed, those of the form that was probably meant."""
    if error.validator not in {"anyOf", "oneOf"} or not error.context:
        yield error
        return
    forms: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        forms.setdefault(inner.relative_schema_path[0], []).append(inner)
    # A form that refuses the value as a whole was not meant; one that finds fault inside it was.
    meant = [form for form in forms.values() if not any(_refuses_outright(inner) for inner in form)]
    if not meant:
        yield error
        return
    for inner in min(meant, key=len):
        yield from _leaves(inner)


def _refuses_outright(error: ValidationError) -> bool:
    """Tell whether the value is of another kind altogether, or names itself as another form."""
    if error.validator in {"type", "enum", "pattern"} and not error.relative_path:
        return True
    return error.validator == "const" and len(error.relative_path) <= 1


def _mistakes(error: ValidationError, document: Document) -> Iterator[Mistake]:
    """Word one violation, as one mistake or, for keys, one each."""
    path = _path(document, error.absolute_path)
    schema = error.schema if isinstance(error.schema, dict) else {}
    instance: Any = error.instance
    wanted: Any = error.validator_value
    if error.validator == "additionalProperties" and isinstance(instance, dict):
        for key in _unknown(instance, schema):
            own = _path(document, [*error.absolute_path, key])
            yield Mistake(document.key_place(own), _said(path, _unknown_key(key, schema)))
    elif error.validator == "required":
        for key in wanted:
            if key not in instance:
                yield Mistake(document.key_place(path), _said(path, f"the key '{key}' is missing"))
    elif error.validator == "uniqueItems":
        double = _first_double(instance)
        at = document.place((*path, double))
        yield Mistake(at, _said(path, f"{shown(instance[double])} is in the list twice"))
    elif len(error.absolute_schema_path) > 1 and error.absolute_schema_path[-2] == "propertyNames":
        at = document.key_place(_path(document, [*error.absolute_path, instance]))
        yield Mistake(at, _said(path, f"the key '{_short(instance)}' is not allowed here: {_wanted(error, schema)}"))
    else:
        yield Mistake(document.place(path), _said(path, _wanted(error, schema)))


def _unknown(instance: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Give the keys the schema does not know."""
    patterns = schema.get("patternProperties", {})
    return [
        key
        for key in instance
        if key not in schema.get("properties", {}) and not any(re.search(pattern, key) for pattern in patterns)
    ]


def _unknown_key(key: str, schema: dict[str, Any]) -> str:
    """Say that a key is unknown, and which was meant or which there are."""
    known = list(schema.get("properties", {}))
    meant = nearest(key, known)
    if meant is not None:
        return f"unknown key '{_short(key)}'; did you mean '{meant}'?"
    if not known:
        return f"unknown key '{_short(key)}'; nothing may stand here"
    return f"unknown key '{_short(key)}'; known are {', '.join(known)}"


def _first_double(items: list[Any]) -> int:
    """Give the position of the first item that was there before."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        spelled = json.dumps(item, sort_keys=True)
        if spelled in seen:
            return index
        seen.add(spelled)
    return 0


def _said(path: Path, message: str) -> str:
    """Put the path in front, as people write it."""
    return f"{'.'.join(_key_text(key) for key in path)}: {message}" if path else message


def _short(text: str) -> str:
    """Give a text on one line, cut where it is long."""
    line = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def _plain(value: Any) -> str:
    """Give a value as it is written in a list of choices."""
    return value if isinstance(value, str) else json.dumps(value)


def _count(noun: str) -> Callable[[Any, Any], str]:
    """Give a wording for a limit on how many there are."""
    return lambda limit, found: f"{noun.format(limit)}, found {len(found)}"


_LIMITS: dict[str, Callable[[Any, Any], str]] = {
    "minimum": lambda limit, found: f"expected at least {limit}, found {found}",
    "maximum": lambda limit, found: f"expected at most {limit}, found {found}",
    "exclusiveMinimum": lambda limit, found: f"expected more than {limit}, found {found}",
    "exclusiveMaximum": lambda limit, found: f"expected less than {limit}, found {found}",
    "multipleOf": lambda limit, found: f"expected a multiple of {limit}, found {found}",
    "minLength": _count("expected at least {} characters"),
    "maxLength": _count("expected at most {} characters"),
    "minItems": _count("expected at least {} in the list"),
    "maxItems": _count("expected at most {} in the list"),
    "minProperties": _count("expected at least {} keys"),
    "maxProperties": _count("expected at most {} keys"),
}


def _wanted(error: ValidationError, schema: dict[str, Any]) -> str:
    """Say what was expected and what was found, in one sentence without the schema's jargon."""
    keyword = str(error.validator)
    found: Any = error.instance
    limit: Any = error.validator_value
    if keyword in _LIMITS:
        return _LIMITS[keyword](limit, found)
    if keyword in {"anyOf", "oneOf"} and not error.context:
        return "this fits more than one of the forms allowed here; leave one out"
    if keyword == "dependentRequired":
        pairs = [(key, need) for key, needs in limit.items() for need in needs if key in found and need not in found]
        return "; ".join(f"the key '{key}' needs '{need}' beside it" for key, need in pairs)
    if keyword == "not" or not schema:
        return f"{shown(found)} is not allowed here"
    meant = nearest(found, map(_plain, limit)) if keyword == "enum" and isinstance(found, str) else None
    return f"expected {_described(schema)}, found {shown(found)}" + (f"; did you mean '{meant}'?" if meant else "")


def _described(schema: dict[str, Any]) -> str:
    """Say what a subschema wants."""
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "enum" in schema:
        return _either([_plain(choice) for choice in schema["enum"]])
    if "const" in schema:
        return f"'{_plain(schema['const'])}'"
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        form = f" that matches {schema['pattern']}" if "pattern" in schema else ""
        return _either([_TYPES[name] for name in types]) + form
    if "pattern" in schema:
        return f"text that matches {schema['pattern']}"
    forms = [form for key in ("anyOf", "oneOf") for form in schema.get(key, []) if isinstance(form, dict)]
    return _either(list(dict.fromkeys(_described(form) for form in forms))) if forms else "another value"


def _either(words: list[str]) -> str:
    """Join alternatives."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
