"""Inputs that nobody sends by accident: bent texts, bytes and JSON trees, made from good ones by a die, and smaller ones of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

_DEEP = (3, 33, 200, 900)  # levels; the interpreter gives up at 1000
_LONG = (2, 17, 300, 4096, 8190)  # repeats; the last is as long as a header may be
_LONGEST_HEADER = 8190  # bytes; the server and the client refuse longer ones
_VERY_LONG = 100_000  # repeats, one time in so many: as long as a body may be
_RARELY = 300

NASTY_TEXTS: Sequence[str] = (
    "", " ", "\0", "\n", "\r\n", "\t", "\x7f", "\x85", "\u2028", "\ufeff", "\ud800", "\udfff\ud800", "é", "ß", "İ", "ﬁ", "①", "٣", "１",
    "𝟜", "。", "\u202e", "👩\u200d👩\u200d👧", "a\u0301" * 9, "null", "true", "NaN", "-Infinity", "1e999", "-0", "0x10", "1_000", "٣.٥", "1e-400",
    "9" * 19, "9" * 40, "9" * 401, "9" * 4301, "-" + "9" * 19, "9223372036854775808", "1" + "0" * 400 + ".5", "1E+1000001", "0E-9999999",
    "..", "../../etc/passwd", "%", "%00", "%2e%2e%2f", "%u0041", "$", "$secret.KEY", "${HOME}", "$$", "{", "}", "[", "]", "[[[[", "((((",
    "*", "?", "[!", "[z-a]", "[a-", "**" * 20, "\\", "\\u0000", '"', "'", "`", ",", ",,,,", ";", ":", "::", "=", "==", "#", "@", "&", "|",
    "//", "http://", "https://[", "https://[::1]#", "https://a@b", "data:,", "data:;base64,", "data:image/png;base64,%", "file:///x",
    "javascript:0", "127.0.0.1", "0177.1", "[::ffff:127.0.0.1]", "fe80::1%eth0", "::", "1.2.3.4:99999", "unknown", "_hidden",
    "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 99999999999999999999 07:28:00 GMT", "Mon, 31 Feb 2026 99:99:99 +9999", "1 Jan 0001 0:0",
    "Thu, 01 Jan 1970 00:00:00 -2359", "Thu, 01 Jan 1970 00:00:00 +99999999999999999999", "1h2m3s4ms", "2026-11-25T15:00:00+23:59:59.9",
    "bytes=0-", "bytes=-1", "bytes=5-1", "bytes=" + "0-0," * 99, "bearer", "Bearer ", "bye_", "bye_" + "a" * 39, "whsec_", "v1,",
    "&a", "*a", "!!python/object:os.system", "<<: *a", "- - - - -", "? :", "%YAML 99999999999.1", "---", "...", "|+9", "~",
)  # fmt: skip
NASTY_BYTES: Sequence[bytes] = (
    b"\x00", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff\x00{",
    b"\x00\x00\x00{", b"\x1f\x8b\x08\x00", b"\xff" * 8, b"\x80" * 99, b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00" * 64,
)  # fmt: skip
NASTY_VALUES: Sequence[Any] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 10**308, 10**400, 0.0, -0.0, 0.1, 1e-320, 1e308,
    float("inf"), float("-inf"), float("nan"), [], {}, [[]], [None], [{}], {"": ""}, {"a": None}, ["a", 1, None, {}], [0] * 300,
)  # fmt: skip


def text(dice: Random, good: Sequence[str]) -> str:
    """Bend one of some good texts in one to three places, or not at all."""
    found = dice.choice(good)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
        found = dice.choice(_TEXT_WAYS)(dice, found, good)
    return found


def header(dice: Random, good: Sequence[str]) -> str:
    """Bend a text as a header brings it: without line breaks and NUL, with bytes that are no UTF-8 as halves of characters."""
    raw = text(dice, good).encode("utf-8", "surrogatepass").translate(None, b"\r\n\0")
    return raw[:_LONGEST_HEADER].decode("utf-8", "surrogateescape")


def data(dice: Random, good: Sequence[bytes]) -> bytes:
    """Bend some good bytes in one to three places, or not at all."""
    found = dice.choice(good)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3, 8))):
        found = dice.choice(_BYTE_WAYS)(dice, found, good)
    return found


def tree(dice: Random, good: Sequence[Any]) -> Any:
    """Bend a JSON value in one to three places, or not at all; what is given stays as it is."""
    found = dice.choice(good)
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
        try:
            found, _ = _bent_at(dice, found, dice.randrange(_count(found)), good)
        except RecursionError:
            break
    return found


def value(dice: Random) -> Any:
    """Make up a JSON value that somebody did not count on."""
    match dice.randrange(8):
        case 0 | 1:
            return dice.choice(NASTY_VALUES)
        case 2 | 3 | 4:
            return text(dice, NASTY_TEXTS)
        case 5:
            return _nested(dice)
        case 6:
            return {text(dice, NASTY_TEXTS): value(dice) for _ in range(dice.randrange(4))}
        case _:
            return [value(dice) for _ in range(dice.randrange(4))]


def written(found: Any) -> bytes:
    """Write a JSON value as a careless peer does: with NaN, halves of characters and all."""
    try:
        return json.dumps(found).encode()
    except RecursionError:
        return b"[" * 5000 + b"]" * 5000


def smaller(found: Any) -> Iterator[Any]:
    """Inputs like this one with something left out, the smallest first."""
    match found:
        case str() | bytes():
            yield from _shorter(found)
        case dict():
            for key in found:
                yield {name: part for name, part in found.items() if name != key}
            yield from ({**found, key: less} for key, part in found.items() for less in smaller(part))
        case list():
            yield from (found[:at] + found[at + 1 :] for at in range(len(found)))
            yield from (
                [*found[:at], less, *found[at + 1 :]] for at, part in enumerate(found) for less in smaller(part)
            )
        case tuple():
            yield from (
                (*found[:at], less, *found[at + 1 :]) for at, part in enumerate(found) for less in smaller(part)
            )
        case _:
            return


def _shorter(found: Any) -> Iterator[Any]:
    """A text with a piece left out: all of it, a half, a quarter and so on."""
    length = len(found)
    for part in sorted({length // part for part in (1, 2, 4, 8, 32)} | {1}, reverse=True):
        for at in range(0, length, part or 1):
            yield found[:at] + found[at + part :]


def _span(dice: Random, length: int) -> tuple[int, int]:
    """Two places in something so long, near to each other most of the time."""
    begin = dice.randrange(length + 1)
    return begin, min(length, begin + dice.choice((0, 1, 1, 2, 4, 16, length)))


def _repeated(dice: Random) -> int:
    return _VERY_LONG if dice.randrange(_RARELY) == 0 else dice.choice(_LONG)


def _put_in(dice: Random, found: str, _good: Sequence[str]) -> str:
    begin, end = _span(dice, len(found))
    return found[:begin] + dice.choice(NASTY_TEXTS) + found[end:]


def _cut(dice: Random, found: Any, _good: Any) -> Any:
    begin, end = _span(dice, len(found))
    return found[:begin] + found[end:]


def _twice(dice: Random, found: Any, _good: Any) -> Any:
    """Repeat a piece, now and then so often that whoever counts it in squares is seen."""
    begin, end = _span(dice, len(found))
    piece = found[begin:end] or found[:1]
    times = _repeated(dice) // max(1, len(piece)) + 1
    return found[:begin] + piece * times + found[end:]


def _joined(dice: Random, found: Any, good: Any) -> Any:
    other = dice.choice(good)
    return found[: dice.randrange(len(found) + 1)] + other[dice.randrange(len(other) + 1) :]


def _other_character(dice: Random, found: str, _good: Sequence[str]) -> str:
    if not found:
        return chr(dice.randrange(0x250))
    at = dice.randrange(len(found))
    other = chr(dice.choice((ord(found[at]) ^ 1 << dice.randrange(7), dice.randrange(128), dice.randrange(0x11000))))
    return found[:at] + other + found[at + 1 :]


def _other_case(dice: Random, found: str, _good: Sequence[str]) -> str:
    return dice.choice((found.upper(), found.swapcase(), found.title(), f" {found} ", found[::-1]))


def _foreign_digits(dice: Random, found: str, _good: Sequence[str]) -> str:
    zero = dice.choice((0x660, 0x966, 0xFF10, 0x1D7CE))
    return "".join(chr(zero + int(char)) if char.isascii() and char.isdigit() else char for char in found)


def _flip(dice: Random, found: bytes, _good: Sequence[bytes]) -> bytes:
    if not found:
        return bytes((dice.randrange(256),))
    at = dice.randrange(len(found))
    return found[:at] + bytes((found[at] ^ 1 << dice.randrange(8),)) + found[at + 1 :]


def _put_bytes_in(dice: Random, found: bytes, _good: Sequence[bytes]) -> bytes:
    begin, end = _span(dice, len(found))
    piece = dice.choice((dice.choice(NASTY_BYTES), dice.choice(NASTY_TEXTS).encode("utf-8", "surrogatepass"), dice.randbytes(dice.randrange(9))))  # fmt: skip
    return found[:begin] + piece + found[end:]


_TEXT_WAYS: Sequence[Callable[[Random, str, Sequence[str]], str]] = (
    _put_in, _put_in, _cut, _twice, _joined, _other_character, _other_character, _other_case, _foreign_digits,
)  # fmt: skip
_BYTE_WAYS: Sequence[Callable[[Random, bytes, Sequence[bytes]], bytes]] = (
    _flip, _flip, _put_bytes_in, _put_bytes_in, _cut, _twice, _joined,
)  # fmt: skip


def _count(found: Any) -> int:
    match found:
        case dict():
            return 1 + sum(map(_count, found.values()))
        case list():
            return 1 + sum(map(_count, found))
        case _:
            return 1


def _bent_at(dice: Random, found: Any, at: int, good: Sequence[Any]) -> tuple[Any, int]:
    """Bend the value at a place in the order of reading; gives what is left to count beside it, below zero when it is done."""
    if at == 0:
        return _bent(dice, found, good), -1
    at -= 1
    if isinstance(found, dict | list):
        for key, part in found.items() if isinstance(found, dict) else enumerate(found):
            other, at = _bent_at(dice, part, at, good)
            if at < 0:
                return (
                    {**found, key: other} if isinstance(found, dict) else [*found[:key], other, *found[key + 1 :]]
                ), at
    return found, at


def _bent(dice: Random, found: Any, good: Sequence[Any]) -> Any:
    way = dice.randrange(10)
    match found:
        case str() if way < 5:
            return text(dice, (found,))
        case dict() if found and way < 6:
            key = dice.choice(list(found))
            rest = {name: part for name, part in found.items() if name != key}
            named = {text(dice, (str(key),)): found[key]}
            return dice.choice(
                (rest, {**rest, **named}, {**found, dice.choice(NASTY_TEXTS): value(dice)}, {**rest, key: value(dice)})
            )
        case list() if found and way < 6:
            key = dice.randrange(len(found))
            return dice.choice((found[:key], found * 3, found[::-1], [*found, value(dice)], found[key:]))
    match dice.randrange(4):
        case 0:
            return [found]
        case 1:
            return dice.choice(good)
        case _:
            return value(dice)


def _nested(dice: Random) -> Any:
    found: Any = dice.choice(NASTY_VALUES)
    name = dice.choice(("a", "error", "status", "url"))
    for _ in range(dice.choice(_DEEP)):
        found = [found] if dice.random() < 0.7 else {name: found}
    return found
