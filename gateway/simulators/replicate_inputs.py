"""What the models of the played Replicate have in common: the shape of a row, and inputs that many of them take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.simulators.checking import Field, flag, text, whole


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its inputs; whether its output is a list or one address; community models have no short path."""

    kind: str
    inputs: Mapping[str, Field]
    is_list: bool
    is_official: bool = True
    version: str = ""


def shaped(ratios: str, default: str | None, **inputs: Field) -> dict[str, Field]:
    """Return the inputs of a model that takes words and one of the ratios named in a text, with the rest."""
    return {"prompt": text(required=True), "aspect_ratio": text(*ratios.split(), default=default), **inputs}


def plain(**inputs: Field) -> dict[str, Field]:
    """Return the inputs of a model that takes words, and has no ratio."""
    return {"prompt": text(required=True), **inputs}


# A file format: with webp or without; its default is the vendor's.
WEB = text("webp", "jpg", "png", default="webp")
JPG = text("jpg", "png", default="jpg")
PNG = text("jpg", "png", default="png")

# How well a picture is kept, in per cent.
QUALITY = whole(least=0, most=100)

OPEN = {"disable_safety_checker": flag()}
SEEDED = {"seed": whole()}
