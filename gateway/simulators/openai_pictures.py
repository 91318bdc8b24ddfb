"""What an OpenAI edit starts from: pictures as parts of a form, or as addresses in JSON.

A form's values are all text, so numbers and truths are read back from it; its nested values have
names in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.simulators import sniff
from gateway.simulators.forms import Part
from gateway.simulators.openai_models import MOST_PICTURES, ImageModel
from gateway.simulators.openai_words import refuse
from gateway.simulators.vendor import Reply

_MOST_BYTES = 50 * 1024 * 1024
_MOST_MASK_BYTES = 4 * 1024 * 1024
_MOST_ADDRESS = 20_971_520
_FORMS = ("png", "webp", "jpeg")
_NUMBERS = ("n", "output_compression", "partial_images", "frame_count", "frame_duration_ms")
_TRUTHS = {"true": True, "false": False}
_FILES = ("image", "image[]", "mask", "markup")


def values(parts: Iterable[Part]) -> dict[str, Any]:
    """Return the values of a form as JSON would have had them; what cannot be read stays text."""
    found: dict[str, Any] = {}
    for part in parts:
        if part.name in _FILES:
            continue
        path = re.findall(r"[^\[\]]+", part.name) or [part.name]
        inner = found
        for name in path[:-1]:
            held = inner.setdefault(name, {})
            inner = held if isinstance(held, dict) else {}
        inner[path[-1]] = _read(path[-1], part.text)
    return found


def _read(name: str, said: str) -> Any:
    if name in _NUMBERS and re.fullmatch(r"-?\d{1,9}", said):
        return int(said)
    return _TRUTHS.get(said, said) if name == "stream" else said


def refuse_files(model: ImageModel, parts: tuple[Part, ...]) -> Reply | None:
    """Return what is wrong with the files of a form, or nothing."""
    held: dict[str, list[Part]] = {name: [part for part in parts if part.name == name] for name in _FILES}
    pictures = held["image"] + held["image[]"]
    if not pictures:
        return refuse("Missing required parameter: 'image'.", "image", "missing_required_parameter")
    if len(held["image"]) > 1:
        return refuse("Duplicate parameter: 'image'. To send several images, name each part 'image[]'.", "image")
    if len(pictures) > MOST_PICTURES:
        return refuse(f"Invalid 'image': at most {MOST_PICTURES} images are supported.", "image")
    for said in filter(None, map(_picture, pictures)):
        return refuse(f"Invalid image file: {said}", "image", "invalid_image_file")
    return _refuse_overlays(model, held["mask"], held["markup"], pictures[0].data)


def _picture(part: Part) -> str | None:
    """Return what is wrong with a picture, or nothing; its bytes count, not what its part says of them."""
    if not part.is_file or sniff.form(part.data) not in _FORMS or sniff.pixels(part.data) is None:
        return "expected a PNG, WebP or JPEG image."
    return None if len(part.data) < _MOST_BYTES else "each image must be smaller than 50 MB."


def _refuse_overlays(model: ImageModel, masks: list[Part], drawings: list[Part], picture: bytes) -> Reply | None:
    if drawings and not model.takes_markup:
        return refuse("Unknown parameter: 'markup'.", "markup", "unknown_parameter")
    if drawings and masks:
        return refuse("'markup' cannot be used together with 'mask'.", "markup")
    for part in masks + drawings:
        said = _overlay(part.data, picture)
        if said is not None:
            return refuse(f"Invalid '{part.name}': {said}", part.name, "invalid_image_file")
    return None


def _overlay(data: bytes, picture: bytes) -> str | None:
    """Return what is wrong with a mask or a drawing over a picture, or nothing."""
    if sniff.form(data) != "png" or sniff.pixels(data) is None:
        return "expected a PNG image."
    if len(data) >= _MOST_MASK_BYTES:
        return "the image must be smaller than 4 MB."
    if sniff.pixels(data) != sniff.pixels(picture):
        return "the image must have the same size as the first image."
    return None if sniff.has_alpha(data) else "the image must have an alpha channel."


def refuse_addresses(body: Mapping[str, Any]) -> Reply | None:
    """Return what is wrong with the pictures a JSON body names, or nothing."""
    if "images" not in body:
        return refuse("Missing required parameter: 'images'.", "images", "missing_required_parameter")
    if "mask" in body and "markup" in body:
        return refuse("'markup' cannot be used together with 'mask'.", "markup")
    named = [(f"images[{index}]", held) for index, held in enumerate(body["images"])]
    named += [(name, body[name]) for name in ("mask", "markup") if name in body]
    for name, held in named:
        if len(held) != 1:
            return refuse(f"Invalid '{name}': exactly one of 'image_url' and 'file_id' must be given.", name)
        if "file_id" in held:
            # Nobody can upload here, so no id is one that was given out.
            return refuse(f"No such File object: {held['file_id']}", f"{name}.file_id")
        said = _address(held["image_url"])
        if said is not None:
            return refuse(f"Invalid '{name}.image_url': {said}", f"{name}.image_url")
    return None


def _address(address: str) -> str | None:
    if len(address) > _MOST_ADDRESS:
        return f"expected at most {_MOST_ADDRESS} characters."
    if address.startswith("data:"):
        data = sniff.inline(address)
        is_picture = data is not None and sniff.form(data) in _FORMS and sniff.pixels(data) is not None
        return None if is_picture else "expected a base64-encoded data URL of a PNG, WebP or JPEG image."
    return None if re.fullmatch(r"https://[^\s/]\S*", address) else "expected an https URL or a data URL."
