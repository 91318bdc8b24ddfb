"""The form of an API key: how one is made, told by its look, and kept.

A key is `bye_`, 33 random characters and 6 of checksum. The checksum lets a mistyped or made-up key be refused without asking
the store, and lets scanners of source code recognise a leaked one. The store holds the HMAC of the key under a pepper that is
not in the store, so that a copy of the store can neither be searched for keys nor be made to accept one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from collections.abc import Callable

BRAND = "bye_"
PREFIX = 9  # characters of a key that people may see
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM = 33  # characters, worth 196 bits
_CHECK = 6  # characters; 62⁶ is above 2³²
_FORM = re.compile(r"bye_[0-9A-Za-z]{39}", re.ASCII)


def mint(random: Callable[[int], bytes]) -> str:
    """Make a new key; `random` gives so many random bytes."""
    # 256 bits are folded onto 196: no character is likelier than another by more than 2⁻⁵⁹.
    bare = BRAND + _base62(int.from_bytes(random(32), "big"), _RANDOM)
    return bare + _checksum(bare)


def is_key(text: str) -> bool:
    """Whether a text has the form of a key and the right checksum."""
    return _FORM.fullmatch(text) is not None and text[-_CHECK:] == _checksum(text[:-_CHECK])


def digest_of(pepper: bytes, key: str) -> str:
    """What the store keeps of a key."""
    return hmac.new(pepper, key.encode(), hashlib.sha256).hexdigest()


def _checksum(bare: str) -> str:
    return _base62(zlib.crc32(bare.encode()), _CHECK)


def _base62(number: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
