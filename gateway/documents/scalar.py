"""Plain YAML scalars to values, by the core rules of YAML 1.2.

One departure: a number written with a leading zero (`012`) stays text, since half of those who write one mean eight's
powers and the other half ten's.
"""

from __future__ import annotations

import re

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

# What a column of the store can hold; JSON readers elsewhere lose digits sooner.
_LARGEST = 2**63 - 1


def resolve(text: str) -> str | float | bool | None:
    """Give the value of a plain (unquoted) scalar: text, whole number, fraction, truth value or nothing.

    ValueError when it is a number that cannot be kept: infinite, not a number, or beyond 64 bits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _WHOLE.fullmatch(text):
        return _bounded(text, 10)
    if _BASED.fullmatch(text):
        return _bounded(text, 0)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise ValueError("this number is too large; quote it if text is meant")
        return value
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that can be used here; quote it if text is meant")
    return text


def _bounded(text: str, base: int) -> int:
    """Read a whole number that fits 64 bits."""
    # 64 bits need at most 22 characters in any base; longer texts are not even converted.
    if len(text.lstrip("+-0xo")) > 22 or abs(value := int(text, base)) > _LARGEST:
        raise ValueError("this whole number does not fit 64 bits; quote it if text is meant")
    return value
