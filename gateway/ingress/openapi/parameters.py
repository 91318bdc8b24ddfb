"""What stands in paths, queries and headers, and the headers of answers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.ingress import tags
from gateway.ingress.account import MOST_DAYS, USUAL_DAYS
from gateway.ingress.content import DEEPEST_OFFSET, LARGEST_PAGE, USUAL_PAGE
from gateway.ingress.estimate import MOST as MOST_ESTIMATED
from gateway.ingress.generate import LONGEST_WAIT
from gateway.ingress.intake import KEY
from gateway.ingress.openapi.records import REQUEST
from gateway.ingress.openapi.shapes import COUNT, TEXT, WHOLE, Schema, one_of
from gateway.ingress.webhooks import DEEPEST_OFFSET as DEEPEST_DELIVERY

Parameter = Mapping[str, Any]


def query(name: str, schema: Schema, says: str) -> Parameter:
    """A parameter of the query that may be left out."""
    return {"name": name, "in": "query", "description": says, "schema": schema}


def header(name: str, schema: Schema, says: str) -> Parameter:
    """A header that may be left out."""
    return {"name": name, "in": "header", "description": says, "schema": schema}


def _path(name: str, schema: Schema, says: str) -> Parameter:
    return {"name": name, "in": "path", "required": True, "description": says, "schema": schema}


def _whole(least: int, most: int, usual: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most, "default": usual}


_WORD: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*$"}
_ID: Schema = {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$"}

# What a name between braces in a path stands for.
IN_PATH: Mapping[str, Parameter] = MappingProxyType(
    {
        each["name"]: each
        for each in (
            _path("lab", _WORD, "Who made the model, such as bytedance."),
            _path("model", _WORD, "The model's name, such as seedream-4.5."),
            _path("id", _ID, "The id, as an earlier answer gave it."),
            _path("named", TEXT, "A model by its id, its slash written as %2F, or by an alias."),
            _path("app", TEXT, "A model by any name it has anywhere; of a request the first two words of it will do."),
            _path("token", {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "What an upload was given as its address."),
            _path("endpoint", TEXT, "A model by any name it has anywhere."),
            _path("character", TEXT, "The id of what is not offered here."),
            _path("deployment", TEXT, "A model by its id or an alias."),
            _path("owner", _WORD, "The first word of a model's name, such as bytedance."),
            _path("name", _WORD, "The second word of a model's name, such as seedream-4.5."),
            _path("version", TEXT, "A version of the model."),
            _path("delivery", _ID, "The id of a delivery."),
            _path("generation", _ID, "The id of the generation."),
            _path("file", {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,5})\.[a-z0-9]{1,5}$"}, "The output's file."),
            _path("attempt", {"type": "string", "pattern": "^[0-9]{1,3}$"}, "The number of the attempt."),
            _path("proof", TEXT, "What proves that the gateway gave this address out."),
        )
    }
)

LIMIT = query("limit", _whole(1, LARGEST_PAGE, USUAL_PAGE), "How many at most.")
OFFSET = query("offset", _whole(0, DEEPEST_OFFSET, 0), "How many of the newest to leave out.")
DELIVERY_OFFSET = query("offset", _whole(0, DEEPEST_DELIVERY, 0), "How many of the newest to leave out.")
DAYS = query("days", _whole(1, MOST_DAYS, USUAL_DAYS), "How many days back.")
COUNT_OF = query(
    "count",
    {"type": "integer", "default": 1},
    f"How many generations; what is below 1 or above {MOST_ESTIMATED} is taken as that.",
)
DURATION = query("duration", {"type": "number", "minimum": 0}, "Seconds of a video, which is priced by them.")
RESOLUTION = query("resolution", TEXT, "The size class, such as 1080p.")
AUDIO = query("audio", one_of(("true", "false")), "Whether a video has sound.")
VERBOSE = query("verbose", {"type": "string", "maxLength": 0}, "Say it check by check.")
EXPIRES = query("expires", WHOLE, "The last second of the link, in seconds since the epoch.")
SIGNATURE = query("signature", TEXT, "The proof that the gateway gave this link out.")

IDEMPOTENCY = header(
    "Idempotency-Key",
    {"type": "string", "pattern": f"^{KEY.pattern}$"},
    "A key of your own: the same request under the same key begins nothing a second time.",
)
PREFER = header(
    "Prefer",
    {"type": "string", "examples": ["wait=30"]},
    f"`wait=n`: answer when it has ended, or after n seconds, at most {LONGEST_WAIT}.",
)
TAGS = header(
    tags.HEADER,
    {"type": "string"},
    f"Up to {tags.MOST} words between commas ({tags.TAG.pattern}), which routes of the policy may ask for.",
)
# Of the routes that begin something, by their names among the components.
SHARED: Mapping[str, Parameter] = MappingProxyType({"IdempotencyKey": IDEMPOTENCY, "Prefer": PREFER, "Tags": TAGS})
RANGE = header("Range", {"type": "string", "examples": ["bytes=0-1023"]}, "The part that is wanted.")
IF_NONE_MATCH = header("If-None-Match", TEXT, "The ETag of what is there already.")


def _answered(schema: Schema, says: str, *, required: bool = False) -> Mapping[str, Any]:
    return {"description": says, "schema": schema, **({"required": True} if required else {})}


_WAIT: Schema = {"type": "integer", "minimum": 1}
_LIMITS: Mapping[str, tuple[Schema, str]] = {
    "RetryAfter": (_WAIT, "Whole seconds after which another try is worth it."),
    "XRateLimitLimit": (_WAIT, "How many such requests a minute are let through."),
    "XRateLimitRemaining": (COUNT, "How many of them are left."),
    "XRateLimitReset": (COUNT, "When all are there again, in seconds since the epoch."),
}
HEADERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "RequestId": _answered(REQUEST, "The id of this request, under which the log tells of it.", required=True),
        "Challenge": _answered(TEXT, "How to send a key.", required=True),
        **{name: _answered(schema, says) for name, (schema, says) in _LIMITS.items()},
        **{f"{name}Always": _answered(schema, says, required=True) for name, (schema, says) in _LIMITS.items()},
        "Replayed": _answered({"const": "true"}, "This request was answered before, and nothing was begun now."),
        "Applied": _answered(TEXT, "The wait that was kept."),
        "ETag": _answered(TEXT, "Changes when what is answered does.", required=True),
        "Step": _answered(TEXT, "Changes with every step of a generation under way; not there when it is over."),
        "Digest": _answered(TEXT, "The SHA-256 of the whole file, as RFC 9530 writes it: `sha-256=:…:`."),
    }
)
