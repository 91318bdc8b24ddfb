"""Values that fit a schema, and values that programs trip over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQAB9fZFQAAAAABJRU5ErkJggg=="
_PROMPTS = ("a baby seal plays in the Arctic", "x", "🦭 on ice", "é" * 40, "مرحبا \u202e abc", "line\nline\ttab", "' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}} ${jndi:ldap://x}", "a" * 4_999)  # fmt: skip
# What readers of text disagree about, and what somebody once forgot.
TEXTS = (
    "", " ", "\u0000", "a\u0000b", "\r\nX-Evil: 1", "\ud800", "\udfff\ud800", "\ufeffx", "\u202e\u2066", "ＡＢＣ", "٣", "ı", "ß", "\u1e9e",
    "../../../../etc/passwd", "%00", "%2e%2e%2f", "null", "None", "true", "NaN", "-1", "1e309", "0x10", "1_000", "null\u0000", "🦭" * 50,
    "a" * 5_001, "b" * 10_001, "z" * 60_000, "é" * 3_000, "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "javascript:alert(1)",
    "http://[::1]/", "https://user:pass@example.com/", "http://example.com:99999/", "https://exa mple.com", "https://" + "a" * 3_000 + ".com",
    "data:image/png;base64,", "data:text/html,<b>", "__proto__", "constructor", "$ne", "fastest", "FASTEST", ",,,", "fal,fal", "fal, nobody", "1:1",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2, 1.5, -0.0, 5.0, 1e-320, 0.1 + 0.2, 2**31, -(2**31), 2**53 - 1, 2**53, 2**63, -(2**63), 2**64, 10**30, 1e308, 101, 10**9)  # fmt: skip
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], [1, "a"], {"a": 1}, [{}], [""], {"": None})
# Written as they stand: what a careful writer of JSON never writes.
RAW = (
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5_000, "0." + "1" * 5_000, "01", "1.", ".5", "+1", "0x1F", "'a'", '"\\ud800"', '"\\u0000"',
    '"\\x"', '"unended', "tru", "undefined", "[1,]", '{"a":1,}', "[" * 33 + "]" * 33, "[" * 2_000 + "]" * 2_000, '{"a":' * 40 + "1" + "}" * 40,
    '{"__proto__":1}', '{"a":1,"a":2}', '"\t"', "/*c*/1",
)  # fmt: skip


def nasty(dice: Random) -> Any:
    """Any value but a fitting one, most of the time."""
    return dice.choice((dice.choice(TEXTS), dice.choice(NUMBERS), dice.choice(OTHERS)))


def fitting(schema: Mapping[str, Any], dice: Random, name: str = "") -> Any:
    """A value that the schema takes; references are no part of the schemas this is for."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return dice.choice(schema["enum"])
    kind = schema.get("type", "string")
    kind = dice.choice(kind) if isinstance(kind, list) else kind
    return _OF_TYPE.get(kind, _text)(schema, dice, name)


def _array(schema: Mapping[str, Any], dice: Random, name: str) -> list[Any]:
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", least + 2), least + 2)
    return [fitting(schema.get("items", {}), dice, name) for _ in range(dice.randint(least, most))]


def _number(schema: Mapping[str, Any], dice: Random, _name: str) -> float:
    low, high = schema.get("minimum", 1), schema.get("maximum", 100)
    return dice.choice((low, high, dice.randint(int(low), int(high))))


def _object(schema: Mapping[str, Any], dice: Random, _name: str) -> dict[str, Any]:
    needed = schema.get("required", ())
    share = dice.choice((0.0, 0.2, 0.8))
    return {
        name: fitting(field, dice, name)
        for name, field in schema.get("properties", {}).items()
        if name in needed or dice.random() < share
    }


def _text(schema: Mapping[str, Any], dice: Random, name: str) -> str:
    if schema.get("format") == "uri":
        picture = dice.choice((PICTURE, "https://media.invalid/reference.jpg"))
        return "https://hooks.invalid/take" if "url" in name else picture
    if schema.get("format") == "date":
        return dice.choice(("2026-11-01", "2026-12-31"))
    if name == "generation_provider_order":
        return str(dice.choice(["fastest", *schema.get("examples", ["fastest"])]))
    prompt = dice.choice(_PROMPTS)
    return prompt[: schema.get("maxLength", 10_000)]


_OF_TYPE: Mapping[str, Callable[[Mapping[str, Any], Random, str], Any]] = {
    "object": _object,
    "array": _array,
    "integer": _number,
    "number": _number,
    "boolean": lambda _schema, dice, _name: dice.random() < 0.5,
    "null": lambda *_: None,
}


def bent(body: Any, dice: Random, schema: Mapping[str, Any]) -> tuple[str, str]:
    """A body with something wrong about it, as text, and what that is."""
    bends = (_replaced, _removed, _added, _nudged, _twice, _raw, _whole, _cut, _deep)
    bend = dice.choice(bends)
    return bend(body, dice, schema), bend.__name__.strip("_")


def _replaced(body: Any, dice: Random, _schema: Mapping[str, Any]) -> str:
    if isinstance(body, dict) and body:
        body = {**body, dice.choice(list(body)): nasty(dice)}
    return _dump(body)


def _removed(body: Any, dice: Random, _schema: Mapping[str, Any]) -> str:
    gone = dice.choice(list(body)) if isinstance(body, dict) and body else None
    return _dump({name: value for name, value in body.items() if name != gone})


def _added(body: Any, dice: Random, _schema: Mapping[str, Any]) -> str:
    names = (*TEXTS, "account_id", "price", "state", "is_admin", "generation_status", "generation_", "Generation_Prompt", "generation_prompt ", "prompt")  # fmt: skip
    many = {f"generation_{n}": n for n in range(dice.choice((1, 101, 3_000)))} if dice.random() < 0.1 else {}
    return _dump({**body, dice.choice(names): nasty(dice), **many})


def _nudged(body: Any, dice: Random, schema: Mapping[str, Any]) -> str:
    """A number or a length one beyond its bound."""
    edges: list[tuple[str, Any]] = []
    for name, field in schema.get("properties", {}).items():
        for bound, step in (("minimum", -1), ("maximum", 1)):
            edges += [(name, field[bound]), (name, field[bound] + step)] if bound in field else []
        if "maxLength" in field:
            edges += [(name, "a" * min(field["maxLength"] + by, 90_000)) for by in (0, 1)]
        if "maxItems" in field:
            edges += [(name, [PICTURE] * (field["maxItems"] + by)) for by in (0, 1)]
        edges += [(name, value + 1) for value in field.get("enum", ()) if isinstance(value, int)][:2]
    return _dump({**body, **dict([dice.choice(edges)])} if edges else body)


def _twice(body: Any, dice: Random, _schema: Mapping[str, Any]) -> str:
    inner = _dump(body)[1:-1]
    name = _dump(dice.choice(list(body) or ["a"]))
    return f"{{{inner}{',' if inner else ''}{name}:{_dump(nasty(dice))}}}"


def _raw(body: Any, dice: Random, _schema: Mapping[str, Any]) -> str:
    name = _dump(dice.choice(list(body) or ["generation_seed"]))
    rest = _dump({known: value for known, value in body.items() if _dump(known) != name})[1:-1]
    return f"{{{rest}{',' if rest else ''}{name}:{dice.choice(RAW)}}}"


def _whole(_body: Any, dice: Random, _schema: Mapping[str, Any]) -> str:
    return dice.choice((_dump(nasty(dice)), dice.choice(RAW), "", " ", "{", "}", '"', "a" * 100_001, "[]" * 50_001))


def _cut(body: Any, dice: Random, _schema: Mapping[str, Any]) -> str:
    text = _dump(body)
    return text[: dice.randrange(len(text))] + dice.choice(("", "\x00", "}", "]]", '"'))


def _deep(body: Any, dice: Random, _schema: Mapping[str, Any]) -> str:
    depth = dice.choice((31, 32, 33, 1_000, 20_000))
    return f'{_dump(body)[:-1]}{"," if body else ""}"generation_deep":{"[" * depth}{"]" * depth}}}'


def _dump(value: Any) -> str:
    return json.dumps(value)
