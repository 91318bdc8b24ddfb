"""The native spelling of our fields, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.ingress.refusal import Refusal

ORDER = "generation_provider_order"
_PREFIX = "generation_"
MOST = 100  # fields of one request; each unknown one costs a search for the word that was meant
LONGEST = 100  # characters of a field's name
# Marks a name that has no meaning here, so that it is told as unknown together with all else that is wrong.
_UNKNOWN = "?"

# Where the native word is not just the prefix and ours.
NATIVE: Mapping[str, str] = MappingProxyType(
    {
        "images": "generation_input_file",
        "last_image": "generation_input_file_last_content",
        "format": "generation_output_format",
        "count": "generation_output_number",
        "audio": "generation_generate_audio",
    }
)
_OURS: Mapping[str, str] = MappingProxyType({native: ours for ours, native in NATIVE.items()})


def spell(name: str) -> str:
    """The native word for one of our fields."""
    if name.startswith(_UNKNOWN):
        return name.removeprefix(_UNKNOWN)
    return NATIVE.get(name, f"{_PREFIX}{name}")


def read(body: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The fields of a native body under our names, and the order of providers it asks for.

    A name that means nothing is handed on under a name no model knows, which `spell` leads back to what was written.
    Refusal for too many or too long names, and for an order that is no text.
    """
    if len(body) > MOST or any(len(name) > LONGEST for name in body):
        raise Refusal("invalid_input", f"a request has at most {MOST} fields, their names at most {LONGEST} characters")
    order = body.get(ORDER)
    if ORDER in body and not isinstance(order, str):
        said = f"{ORDER} must be a text such as 'fastest', or ids of providers joined by commas"
        raise Refusal("invalid_input", said, field=ORDER)
    return {_ours(name): _value(name, value) for name, value in body.items() if name != ORDER}, order


def _ours(native: str) -> str:
    if native in _OURS:
        return _OURS[native]
    bare = native.removeprefix(_PREFIX)
    # A word of ours that is spelled otherwise here would be a second spelling of the same field.
    known = native.startswith(_PREFIX) and bare and bare not in NATIVE and not bare.startswith(_UNKNOWN)
    return bare if known else f"{_UNKNOWN}{native}"


def _value(native: str, value: Any) -> Any:
    # Both spellings of the format are in use; the answer says jpg.
    return "jpg" if native == NATIVE["format"] and value == "jpeg" else value
