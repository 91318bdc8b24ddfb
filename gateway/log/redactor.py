"""Strikes secrets out of texts and nested values.

Two kinds of knowledge: values registered as secret, found in the spellings they take on the way (percent-encoded, JSON
escaped, base64 at any alignment), and the names and shapes that secrets usually have. The second kind errs towards
striking out too much.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import math
import re
import threading
from collections.abc import Mapping
from typing import Any

STRUCK = "***"

# Shorter values occur in ordinary words; striking those out would ruin the log and show the value by its absence.
SHORTEST = 6
_WIDEST = 12  # characters of the widest spelling of one: two escapes as in JSON, for what is no character of 16 bits
_LOOKED_AT = 16  # times as much of a text is looked at as is kept of it

# Names that mean a secret wherever they stand, with any prefix: `Authorization`, `x-api-key`, `SOME_SERVICE_TOKEN`.
_STRONG = (
    r"(?:authorization|(?:api|access|auth|secret|private|signing|encryption)[-_ ]?key|x[-_]key"
    r"|(?:api|access|auth|refresh|id|session|security|bearer)[-_]?token|secret|passw(?:or)?d|passphrase"
    r"|(?:set[-_])?cookie|credentials?)"
)
# Names that are words too: they count before `=`, and in quotes.
_WEAK = r"(?:key|token|sig|signature|auth|jwt|pwd)"
_PREFIX = r"(?<![A-Za-z0-9])(?:[A-Za-z0-9]{1,24}[-_]){0,5}"

_QUOTED = r"""(?:b?"(?:\\.|[^"\\])*"?|b?'(?:\\.|[^'\\])*'?|\\+["'](?:(?!\\+["']).)*(?:\\+["'])?)"""
_OPENING = re.compile(r"b?\\*[\"']")
_BARE = r"""[^\s,;&"'<>)}\]\\]+"""
_LINE = r"""[^\r\n"'<>]+"""
_NAME = re.compile(rf"{_PREFIX}(?:{_STRONG}|{_WEAK})", re.IGNORECASE)
_FIELDS = (
    # A header's value runs to the end of its line: schemes and cookies hold spaces.
    re.compile(rf"({_PREFIX}(?:authorization|(?:set[-_])?cookie)\s*[:=]\s*)(?!\s|\\*[\"'])({_LINE})", re.IGNORECASE),
    re.compile(rf"({_PREFIX}{_STRONG}\s*[:=]\s*)({_QUOTED}|{_BARE})", re.IGNORECASE),
    re.compile(rf"({_PREFIX}{_STRONG}\\*[\"']\s*[:=,]\s*)({_QUOTED}|{_BARE})", re.IGNORECASE),
    re.compile(rf"({_PREFIX}{_WEAK}=)({_QUOTED}|{_BARE})", re.IGNORECASE),
    re.compile(rf"({_PREFIX}{_WEAK}\\*[\"']\s*[:=]\s*)({_QUOTED}|{_BARE})", re.IGNORECASE),
)
# Keys known by how they begin, ours first.
_KEY_PREFIXES = ("bye_", "whsec_", "sk-")
# Most texts are names and ids: nothing in these can be a secret but a key by its prefix.
_PLAIN = re.compile(rf"(?!.*(?:{'|'.join(_KEY_PREFIXES)}))[\w./-]{{0,200}}")
_SHAPES = (
    (re.compile(rf"\b({'|'.join(_KEY_PREFIXES)})[A-Za-z0-9_+/=-]{{6,}}"), rf"\1{STRUCK}"),
    # Pictures and films are nobody's business here, and fill the log.
    (re.compile(r"(\bdata:[\w.+/-]{0,100})[;,][^\s\"'<>]*", re.IGNORECASE), rf"\1,{STRUCK}"),
    (re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{512,}=*"), STRUCK),
    # Addresses: signatures and passwords hide in the query and before the `@`.
    (re.compile(r"([a-z][a-z0-9+.-]{1,15}://)[^\s/?#\"'<>]{1,512}@", re.IGNORECASE), rf"\1{STRUCK}@"),
    (
        re.compile(r"(\bhttps?:[^\s?\"'<>]{1,2048}\?)(?:[^\s\"'<>\\]|\\u[0-9a-f]{4})+", re.IGNORECASE),
        rf"\1{STRUCK}",
    ),
    (re.compile(r"\b(bearer|basic)\s+(?=[^\s\"']*[0-9=])[A-Za-z0-9._~+/=:-]{6,}", re.IGNORECASE), rf"\1 {STRUCK}"),
)


class Redactor:
    """Knows secrets, and gives texts and values without them.

    Registered values may be added from any thread; they are never forgotten, since old ones linger in messages.
    """

    def __init__(self) -> None:
        """Know no secret but those that names and shapes betray."""
        self._forms: dict[str, str] = {}
        self._known: re.Pattern[str] | None = None
        self._longest = 0  # characters that a registered value takes at the most, whatever its spelling
        self._lock = threading.Lock()

    def register(self, value: str) -> None:
        """Make `value` secret from now on; values shorter than six characters cannot be told from words and are not."""
        if len(value) < SHORTEST:
            return
        mark = mark_of(value)
        with self._lock:
            for form in (_spellings(value), *_base64_forms(value)):
                self._forms.setdefault(form, mark)
            # The longest first: one secret may be part of another.
            self._longest = max(self._longest, _WIDEST * len(value))
            forms = sorted(self._forms, key=len, reverse=True)
            self._known = re.compile("|".join(forms))

    def redact(self, text: str) -> str:
        """Give `text` with `***` in the place of every secret; registered ones leave four characters to tell them by."""
        if self._known is not None:
            text = self._known.sub(self._mark, text)
        if _PLAIN.fullmatch(text):
            return text
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
        for field in _FIELDS:
            text = field.sub(_strike, text)
        return text

    def excerpt(self, text: str, most: int) -> str:
        """Give the beginning of a text, at most so many characters: struck out first and cut then, or half a secret would stay."""
        head = text[: _LOOKED_AT * most]
        clean = self.redact(head)
        if len(head) < len(text):
            clean = clean[: max(0, len(clean) - self._longest)]  # what the first cut may have left of a secret
        return clean[:most]

    def _mark(self, found: re.Match[str]) -> str:
        """Give the mark of the registered value that was found."""
        # Copied first: another thread may be registering.
        return next((mark for form, mark in tuple(self._forms.items()) if re.fullmatch(form, found[0])), STRUCK)

    def value(self, value: Any, name: str = "") -> Any:
        """Give a nested value of plain JSON types without secrets; what a secret's name holds goes whole.

        Bytes become their number, other objects their text.
        """
        if name and _is_secret(name):
            return STRUCK
        # Nearly all are texts, and telling a mapping from one is slow.
        return self.redact(value) if isinstance(value, str) else self._nested(value)

    def _nested(self, value: Any) -> Any:
        """Give what is no text without secrets."""
        match value:
            case None | int() | float() if value is None or isinstance(value, int) or math.isfinite(value):
                return value
            case Mapping():
                return {self.redact(str(key)): self.value(part, str(key)) for key, part in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(part) for part in value]
            case bytes() | bytearray() | memoryview():
                return f"{len(value)} bytes"
            case _:
                return self.redact(str(value))


@functools.lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    """Tell whether a field of this name holds a secret."""
    return _NAME.fullmatch(name) is not None


def _strike(found: re.Match[str]) -> str:
    """Give a field with its value struck out, the quotes around it kept."""
    quote = _OPENING.match(found[2])
    opening = quote[0] if quote else ""
    return f"{found[1]}{opening}{STRUCK}{opening.removeprefix('b')}"


def mark_of(secret: str) -> str:
    """Give what stands in a secret's place: three stars and four characters of its hash, the same each time."""
    return STRUCK + hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:4]


def _spellings(value: str) -> str:
    """Give a pattern for the value as it is, percent-encoded in part or whole, and escaped as in JSON."""
    parts = []
    for char in value:
        if char.isalnum() and char.isascii():
            parts.append(char)
            continue
        percent = "".join(f"%(?i:{byte:02x})" for byte in char.encode("utf-8", "surrogatepass"))
        escape = rf"\\u(?i:{ord(char):04x})"
        blank = r"|\+" if char == " " else ""
        parts.append(rf"(?:\\?{re.escape(char)}|{percent}|{escape}{blank})")
    return "".join(parts)


def _base64_forms(value: str) -> list[str]:
    """Give patterns for the value inside a base64 text, where it may begin at any of three alignments.

    Only the characters the value alone decides are taken; both alphabets, padding left out.
    """
    data = value.encode("utf-8", "surrogatepass")
    forms = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode("ascii")
        # Bits are 6 to a character: those shared with a neighbour byte are not the value's alone.
        own = encoded[math.ceil(before * 8 / 6) : (before + len(data)) * 8 // 6]
        forms.append("".join({"+": "[+-]", "/": "[/_]"}.get(char, char) for char in own))
    return forms
