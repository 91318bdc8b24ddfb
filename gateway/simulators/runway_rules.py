"""What Runway's schemas alone do not say: rules for addresses, for lengths in UTF-16, and between fields."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from gateway.simulators.runway_shapes import Model
from gateway.simulators.runway_words import Issue

_LONGEST_URL = 2048
_LARGEST_DATA = 5 * 1024 * 1024
_UPLOAD_MS = 86_400_000
_UPLOAD = re.compile(r"runway://(\d{13})-[0-9a-f]{32}")
# What each field points at; `character` says so itself.
_KINDS = {
    **dict.fromkeys(("promptImage", "referenceImages", "references", "imageUri", "maskUri", "keyframes"), "image"),
    **dict.fromkeys(("videoUri", "promptVideo", "referenceVideos", "reference"), "video"),
    "referenceAudio": "audio",
}
_TYPES = {
    "image": re.compile(r"data:image/(jpe?g|png|webp);"),
    "video": re.compile(r"data:video/[a-z0-9.+-]+;"),
    "audio": re.compile(r"data:audio/[a-z0-9.+-]+;"),
}
_COLOUR = re.compile(r"#?[0-9A-Fa-f]{6}")
# Of one model: its wide small frames without reference pictures, and those that take their place with them.
_IDEOGRAM_ALONE = ("1280:720", "720:1280", "1440:720", "720:1440")
_IDEOGRAM_SHOWN = ("1024:576", "576:1024", "1408:704", "704:1408")


def upload_uri(now: int, name: str) -> str:
    """Return the address of an upload: it holds the moment of its birth, since it lives for a day."""
    return f"runway://{now}-{name}"


def broken_rules(model: Model, body: Mapping[str, Any], now: int) -> list[Issue]:
    """Return what is wrong with a body whose fields are all right by themselves."""
    return [
        *_addresses(body, now),
        *_prompt(model, body),
        *_prompt_image(model, body),
        *_ratio(model, body),
        *_details(body),
    ]


def _addresses(body: Mapping[str, Any], now: int) -> Iterator[Issue]:
    for name, held in body.items():
        kind = _KINDS.get(name) or (held["type"] if name == "character" else None)
        if kind is None:
            continue
        for path, uri in _uris((name,), held):
            said = _address(kind, uri, now)
            if said is not None:
                yield Issue("custom", said, path)


def _uris(path: tuple[str | int, ...], held: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(held, str):
        yield path, held
    elif isinstance(held, list):
        for index, item in enumerate(held):
            yield from _uris((*path, index), item)
    elif isinstance(held, dict):
        yield (*path, "uri"), held["uri"]


def _address(kind: str, uri: str, now: int) -> str | None:
    """Return what is wrong with an input's address."""
    if uri.startswith("data:"):
        if len(uri) > _LARGEST_DATA:
            return "Data URIs must not be larger than 5 MB"
        return None if _TYPES[kind].match(uri) else f"The data URI does not hold a supported {kind} type"
    if uri.startswith("runway:"):
        found = _UPLOAD.fullmatch(uri)
        if found is None or now - int(found[1]) > _UPLOAD_MS:
            return "The Runway URI is not valid or has expired"
        return None
    if len(uri) > _LONGEST_URL:
        return f"URLs must not be longer than {_LONGEST_URL} characters"
    return "URLs must use a domain name" if _is_number(urlsplit(uri).hostname or "") else None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _prompt(model: Model, body: Mapping[str, Any]) -> Iterator[Issue]:
    units = len(str(body.get("promptText", "")).encode("utf-16-le", "surrogatepass")) // 2
    if model.prompt is not None and units > model.prompt:
        yield Issue("too_big", f"Too big: expected at most {model.prompt} UTF-16 code units", ("promptText",))


def _prompt_image(model: Model, body: Mapping[str, Any]) -> Iterator[Issue]:
    """Yield what is wrong with the pictures a film begins or ends with, one by one and together."""
    held = body.get("promptImage")
    items = held if isinstance(held, list) else []
    places = [item.get("position") for item in items]
    keyed = [place for place in places if place is not None]
    if len(keyed) != len(set(keyed)):
        yield Issue("custom", "Each position may be used once", ("promptImage",))
    if keyed and "first" not in keyed:
        yield Issue("custom", "A first frame is required", ("promptImage",))
    if len(keyed) != len(items):
        if not model.is_referring:
            yield Issue("invalid_type", "Required", ("promptImage", places.index(None), "position"), model.positions)
        elif keyed:
            yield Issue("custom", "Keyframes and references cannot be mixed", ("promptImage",))
    is_keyframed = isinstance(held, str) or bool(keyed)
    ratio = str(body.get("ratio", "auto_720p"))
    if str(body["model"]).startswith("wan3") and is_keyframed and not ratio.startswith("auto_"):
        words = () if model.frames is None else model.frames.words
        yield Issue("invalid_value", "The output follows the keyframe", ("ratio",), words)


def _ratio(model: Model, body: Mapping[str, Any]) -> Iterator[Issue]:
    ratio, references = body.get("ratio"), body.get("referenceImages", [])
    areas = None if model.frames is None else model.frames.areas
    if ratio is None:
        return
    if areas is not None:
        found = re.fullmatch(r"([1-9]\d{1,4}):([1-9]\d{1,4})", ratio)
        if found is None or not areas[0] <= int(found[1]) * int(found[2]) <= areas[1]:
            yield Issue("custom", f"Expected WIDTH:HEIGHT with {areas[0]} to {areas[1]} pixels", ("ratio",))
    if body["model"] == "bria_fibo_edit_1_5" and ratio != "auto" and len(references) < 2:
        yield Issue("custom", "An explicit size needs at least two reference images", ("ratio",))
    if body["model"] == "ideogram_4_5":
        if "maskUri" in body or body.get("preciseEdit"):
            yield Issue("custom", "ratio is not allowed with maskUri or preciseEdit", ("ratio",))
        elif ratio in (_IDEOGRAM_ALONE if references else _IDEOGRAM_SHOWN):
            right = _IDEOGRAM_SHOWN if references else _IDEOGRAM_ALONE
            yield Issue("invalid_value", "Invalid option", ("ratio",), right)


def _details(body: Mapping[str, Any]) -> Iterator[Issue]:
    for index, colour in enumerate(body.get("colors", ())):
        if not _COLOUR.fullmatch(colour):
            yield Issue("custom", "Expected six hexadecimal digits", ("colors", index))
    for index, frame in enumerate(body.get("keyframes", ())):
        if ("seconds" in frame) == ("at" in frame):
            yield Issue("custom", "Expected either seconds or at", ("keyframes", index))
    shots = body.get("providerSettings", {}).get("multiPrompt")
    if shots is not None and not 3 <= sum(shot["duration"] for shot in shots) <= 15:
        where = ("providerSettings", "multiPrompt")
        yield Issue("custom", "The shots must last from 3 to 15 seconds together", where)
