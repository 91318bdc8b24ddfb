"""What a key is made with, read out of the arguments of an act: scopes, networks, when it is valid, what it may be used for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.clock import LATEST, parse_iso
from gateway.ingress import address, callers
from gateway.ingress.desk import AdminError, text
from gateway.ledger.keys import Caps, Per
from gateway.money import parse

HOUR = 3_600_000  # ms
_SPAN = re.compile(r"([1-9][0-9]{0,8})(s|m|h|d)", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_UNITS = MappingProxyType({"s": 1_000, "m": 60_000, "h": HOUR, "d": 24 * HOUR})
_MODEL = re.compile(r"[A-Za-z0-9._*?\[\]!-]+(/[A-Za-z0-9._*?\[\]!-]+)*", re.ASCII)
_LONGEST_MODEL = 200  # characters
_LONGEST_NAME = 100  # characters, the native API's limit for the name of a key
_MOST_NETWORKS = 50  # the native API's limit
_MOST_MODELS = 50
MOST_RATE = 1_000_000  # requests a minute
MOST_UNDER_WAY = 1_000_000

CAPS = ("models", "budget", "budget_per", "rate", "in_flight", "images", "videos")  # the arguments that `caps` reads


def scopes(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes of a preset, or those named one by one; full access when neither is given."""
    if "preset" in given and "scopes" in given:
        raise AdminError("give a preset or scopes, not both")
    if "scopes" not in given:
        preset = given.get("preset", "full_access")
        if not isinstance(preset, str) or preset not in callers.PRESETS:
            raise AdminError(f"preset is one of {', '.join(callers.PRESETS)}")
        return tuple(scope.value for scope in callers.PRESETS[preset])
    found, known = given["scopes"], [scope.value for scope in callers.Scope]
    if not isinstance(found, list) or not found or any(scope not in known for scope in found):
        raise AdminError(f"scopes is a list out of {', '.join(known)}")
    return tuple(dict.fromkeys(found))


def name(given: Mapping[str, Any], usual: str) -> str:
    """The name of a key, for people."""
    found = text(given, "name", usual)
    if len(found) > _LONGEST_NAME:
        raise AdminError(f"the name of a key has at most {_LONGEST_NAME} characters")
    return found


def networks(given: Mapping[str, Any], usual: tuple[str, ...]) -> tuple[str, ...]:
    """Where a key may be used from; an empty list is everywhere."""
    written = given.get("networks")
    if written is None:
        return usual
    if not isinstance(written, list) or len(written) > _MOST_NETWORKS:
        raise AdminError(f"networks is a list of at most {_MOST_NETWORKS} addresses and networks")
    try:
        return address.networks(written)
    except ValueError as exc:
        raise AdminError(f"networks: {exc}") from exc


def moment(given: Mapping[str, Any], argument: str, now: int) -> int | None:
    """A time in ms since the epoch: a span from now on, a day in UTC, or a moment with its offset; None when not given."""
    written = given.get(argument)
    if written is None:
        return None
    if isinstance(written, str) and (parts := _SPAN.fullmatch(written)):
        found = now + int(parts[1]) * _UNITS[parts[2]]
        if found > LATEST:
            raise AdminError(f"{argument} is after the year 9999; leave it out for a key without an end")
        return found
    try:
        return parse_iso(f"{written}T00:00:00Z" if _DAY.fullmatch(str(written)) else str(written))
    except ValueError as exc:
        said = f"{argument} is a span such as 12h or 90d, a day such as 2026-12-31 in UTC, or a time with its offset"
        raise AdminError(said) from exc


def expiry(given: Mapping[str, Any], now: int, usual: int | None) -> int | None:
    """When a key ends, in ms since the epoch; a time that is over is refused."""
    found = moment(given, "expires_in", now)
    if found is None:
        return usual
    if found <= now:
        raise AdminError("expires_in is over already")
    return found


def caps(given: Mapping[str, Any], usual: Caps) -> Caps:
    """What a key may be used for. What is not given stays as usual; an empty list or 0 takes a cap away."""
    models = given.get("models", list(usual.models))
    if not isinstance(models, list) or len(models) > _MOST_MODELS or not all(_is_pattern(each) for each in models):
        raise AdminError(f"models is a list of at most {_MOST_MODELS} models or patterns such as lab/*")
    return Caps(
        models=tuple(dict.fromkeys(models)),
        budget=amount(given, "budget", usual.budget),
        per=_per(given, usual.per),
        rate=whole(given, "rate", usual.rate, MOST_RATE),
        in_flight=whole(given, "in_flight", usual.in_flight, MOST_UNDER_WAY),
        images=whole(given, "images", usual.images, MOST_UNDER_WAY),
        videos=whole(given, "videos", usual.videos, MOST_UNDER_WAY),
    )


def _is_pattern(written: Any) -> bool:
    return isinstance(written, str) and len(written) <= _LONGEST_MODEL and _MODEL.fullmatch(written) is not None


def amount(given: Mapping[str, Any], argument: str, usual: int | None) -> int | None:
    """An amount of credits, in millionths; 0 takes the cap away."""
    if given.get(argument) is None:
        return usual
    try:
        found = parse(str(given[argument]))
    except ValueError as exc:
        raise AdminError(f"{argument}: {exc}") from exc
    if found < 0:
        raise AdminError(f"{argument} is an amount of credits above zero, or 0 for none")
    return found or None


def _per(given: Mapping[str, Any], usual: Per) -> Per:
    written = given.get("budget_per")
    if written is None:
        return usual
    if written not in list(Per):
        raise AdminError(f"budget_per is one of {', '.join(Per)}")
    return Per(written)


def whole(given: Mapping[str, Any], argument: str, usual: int | None, most: int) -> int | None:
    """A whole number; 0 takes the cap away."""
    value = given.get(argument)
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise AdminError(f"{argument} is a whole number up to {most}, or 0 for no cap")
    return value or None
