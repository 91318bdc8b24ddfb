"""What BFL is shown: pictures and films, each an https address or bare base64."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.simulators import bfl_videos, sniff
from gateway.simulators.bfl_models import Model
from gateway.simulators.bfl_sizes import megapixels
from gateway.simulators.vendor import Ask

_MOST_BYTES = 20 * 1024 * 1024
_MOST_FILM_BYTES = 50 * 1024 * 1024
_LEAST_SIDE, _MOST_AREA = 256, 16_000_000


def shown(model: Model, body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the pictures and films a body shows, each with its field."""
    found: list[tuple[str, str]] = [("keyframes", frame) for frame in bfl_videos.frames_of(body)]
    for field in (*model.pictures, *model.films):
        held = body.get(field, [])
        found += [(field, value) for value in ([held] if isinstance(held, str) else held)]
    return found


def unreadable(ask: Ask, name: str, model: Model, field: str, value: str) -> str | None:
    """Return what is wrong with an input, or nothing; what lies behind an address is not looked at."""
    # A picture that was made here may be shown again, though this port speaks no TLS.
    if value.startswith((ask.origin + "/", "https://")) and not re.search(r"\s", value):
        return None
    data = sniff.decoded(value)
    if data is None:
        return "Could not read the input. Send an https URL or base64 without a data prefix."
    return _film(data) if field in model.films else _picture(data, is_third=name == "flux-3-image")


def _film(data: bytes) -> str | None:
    if sniff.form(data) != "mp4":
        return "Could not read the video. Send an mp4."
    return None if len(data) <= _MOST_FILM_BYTES else "The video is larger than 50 MB."


def _picture(data: bytes, *, is_third: bool) -> str | None:
    pixels = sniff.pixels(data)
    if pixels is None:
        return "Could not read the image."
    if len(data) > _MOST_BYTES:
        return "The image is larger than 20 MB."
    if is_third and (min(pixels) < _LEAST_SIDE or pixels[0] * pixels[1] > _MOST_AREA):
        return "The image must have a shortest side of at least 256 pixels and at most 16 megapixels."
    return None


def areas(model: Model, body: Mapping[str, Any]) -> tuple[float, float]:
    """Return the megapixels shown and made; a picture that lies elsewhere counts as one."""
    found = 0.0
    for field, value in shown(model, body):
        if field not in model.films:
            pixels = sniff.pixels(sniff.decoded(value) or b"")
            found += 1.0 if pixels is None else megapixels(*pixels)
    return found, megapixels(*model.size(body))
