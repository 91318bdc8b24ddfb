"""What a model of the played Runway is: its fields, its frames, what it costs; and the parts its tables are built of."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.simulators import sizes
from gateway.simulators.checking import Field, Kind, either, many, text, tree, url, whole
from gateway.simulators.jobs import Output
from gateway.simulators.runway_sizes import Frames

# How long a film is where nothing says so: it follows an input that nobody looked at.
SECONDS = 5
# The simulators' own bound where the vendor's is not known, so that no file grows without end.
_SIDE = 4096
_PROFILES = ("422", "4444", "422 Proxy", "422 LT", "422 HQ", "4444 XQ")
_ZIPPED = re.compile(r".*(png|exr).*sequence.*")
_NAMED = {"1k": "1080p", "2k": "1440p", "4k": "2160p"}


@dataclass(frozen=True, slots=True)
class Price:
    """Credits for one picture or second; `by` names the field, or `tier`, that `rates` go by.

    `reference` is added for each reference picture, `least` is the least a job costs.
    """

    rate: float
    by: str = ""
    rates: Mapping[Any, float] = field(default_factory=dict)
    reference: float = 0
    least: float = 0


@dataclass(frozen=True, slots=True)
class Model:
    """One model on one call; `prompt` is the most UTF-16 units, `positions` what a prompt picture can be."""

    kind: str
    fields: Mapping[str, Field]
    price: Price
    frames: Frames | None = None
    prompt: int | None = None
    positions: tuple[str, ...] = ()
    is_referring: bool = False
    ignores_unknown: bool = False
    form: str = "png"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a row's own fields do not say; `prompt` is the most UTF-16 units of the text."""

    price: Price
    frames: Frames | None = None
    needs_ratio: bool = False
    prompt: int | None = None
    needs_prompt: bool = False
    ignores_unknown: bool = False
    form: str = "png"


def needed(spec: Field) -> Field:
    """Return the same field as one that must be there."""
    return Field(
        spec.kind,
        required=True,
        values=spec.values,
        least=spec.least,
        most=spec.most,
        item=spec.item,
        fields=spec.fields,
        options=spec.options,
        schemes=spec.schemes,
    )


URI = url("https", "data", "runway")
THE_URI = needed(URI)
SEED = whole(least=0, most=4_294_967_295)
MODERATION = {"contentModeration": tree({"publicFigureThreshold": text("auto", "low")})}
PRORES = {"proresProfile": text(*_PROFILES)}
AUDIOS = many(tree({"type": text("audio", required=True), "uri": THE_URI}))
VIDEOS = many(tree({"type": text("video", required=True), "uri": THE_URI}))
AUTO = text("auto")


def pictures(most: int | None = None, *keys: str, least: int = 0) -> Field:
    """Describe a list of reference pictures; `keys` are what each may carry besides its address."""
    return many(tree({"uri": THE_URI, **{key: text() for key in keys}}), least=least, most=most, required=least > 0)


def ratio(frames: Frames, *, required: bool = False) -> Field:
    """Describe the frame that is asked for; where sizes outside the table are taken a rule looks at them."""
    return text(*(() if frames.areas else frames.values), required=required)


def span(least: int, most: int, default: int | None = None) -> Field:
    """Describe a duration in whole seconds, or `auto`."""
    return either(whole(least=least, most=most, default=default), AUTO)


def prompt_image(*positions: str) -> Field:
    """Describe the pictures a film begins or ends with: one address, or a list with positions."""
    item = tree({"uri": THE_URI, "position": text(*positions)})
    return needed(either(URI, many(item, least=1)))


def row(kind: str, terms: Terms, /, **fields: Field) -> Model:
    """Return a model with a prompt, a ratio if it has frames, and its own fields."""
    frame = {} if terms.frames is None else {"ratio": ratio(terms.frames, required=terms.needs_ratio)}
    prompt = {"promptText": text(required=terms.needs_prompt)}
    return Model(
        kind,
        {"model": text(required=True), **prompt, **frame, **fields},
        terms.price,
        terms.frames,
        terms.prompt,
        ignores_unknown=terms.ignores_unknown,
        form=terms.form,
    )


def outputs(model: Model, body: Mapping[str, Any]) -> tuple[Output, ...]:
    """Return the files a task with this body makes."""
    width, height = _pixels(model, body)
    form = str(body.get("outputFormat") or _default(model, "outputFormat") or model.form)
    if model.kind == "image":
        return (Output(form, width, height),) * int(body.get("outputCount", 1))
    if _ZIPPED.fullmatch(form):
        return (Output("zip", width, height),)
    return (Output("mp4", width, height, float(seconds(model, body))),)


def _default(model: Model, name: str) -> Any:
    spec = model.fields.get(name)
    return None if spec is None else spec.default


def _pixels(model: Model, body: Mapping[str, Any]) -> tuple[int, int]:
    """Return the frame asked for; a shape without pixels gets them from the resolution, 1:1 or 16:9 if none."""
    asked = str(body.get("ratio") or body.get("targetAspectRatio") or "")
    found = re.fullmatch(r"(\d+):(\d+)", asked)
    if found is not None and int(found[1]) > 99:
        return int(found[1]), int(found[2])
    if model.kind == "image":
        side = 2048 if asked.endswith("2k") else 1024
        side = min(side * int(body.get("scaleFactor", 1)), _SIDE)
        return side, side
    tier = asked.removeprefix("auto_") if asked.startswith("auto_") else str(body.get("resolution", "720p"))
    return sizes.film(asked, _NAMED.get(tier, tier))


def seconds(model: Model, body: Mapping[str, Any], *, most: bool = False) -> float:
    """Return how long the film gets, or with `most` how long an `auto` one might at most have been."""
    asked = body.get("duration", _default(model, "duration"))
    if asked == "auto":
        bounds = [option.most for option in model.fields["duration"].options if option.kind is Kind.INTEGER]
        return (bounds[0] if most and bounds[0] is not None else None) or SECONDS
    return asked if isinstance(asked, int) else SECONDS


def credits_for(model: Model, body: Mapping[str, Any], *, most: bool = False) -> float:
    """Return what the task costs in credits, or with `most` the estimate before it has ended."""
    price, frames = model.price, model.frames
    key = body.get(price.by, _default(model, price.by))
    if price.by == "tier" and frames is not None:
        asked = str(body.get("ratio", ""))
        key = frames.tiers.get(asked) or asked.rpartition("_")[2]
    rate = price.rates.get(key, price.rate) + _surcharge(body)
    rate += price.reference * len(body.get("referenceImages", ()))
    if model.kind == "image":
        return max(price.least, rate * int(body.get("outputCount", 1)))
    total = rate * seconds(model, body, most=most)
    if body.get("model") == "seedance2_5" and "promptVideo" in body:
        total += rate / 2 * SECONDS
    return max(price.least, total)


def _surcharge(body: Mapping[str, Any]) -> float:
    """Return what else counts on two models: the file's format, and a quality that is cheaper."""
    if body.get("model") == "grok_imagine_image_2":
        return -2 if body.get("quality") == "low" else 0
    form = body.get("outputFormat", "mp4")
    if body.get("model") != "gen4.5" or form == "mp4":
        return 0
    return 5 if form in ("prores", "png_sequence") else 20


def settled(model: Model, body: Mapping[str, Any]) -> int:
    """Return what a finished task costs, in whole credits."""
    return math.ceil(credits_for(model, body))
