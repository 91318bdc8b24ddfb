"""Every setting in one table: its kind, its default, what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.ledger.events import USUAL
from gateway.settings.values import SCHEMAS, Kind

# Steps of a key that stand for any name of a mapping, and for each item of a list.
ANY = "*"
EACH = "[]"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key. `key` has a dot between its steps; `sample` is what the example shows where there is no default."""

    key: str
    kind: Kind
    default: Any
    says: str
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    sample: Any = None

    @property
    def steps(self) -> tuple[str, ...]:
        """The key's steps."""
        return tuple(self.key.split("."))


@dataclass(frozen=True, slots=True)
class Section:
    """Keys that stand together, `says` being what for. `item` names an entry of a mapping in the example."""

    key: str
    says: str
    item: str = ""
    settings: tuple[Setting, ...] = field(default=())


_TOP = (
    Setting(
        "listen", Kind.LISTEN, "127.0.0.1:8080", "Address and port to serve on, such as [::1]:8080 or 0.0.0.0:8080."
    ),
    Setting(
        "public_url",
        Kind.URL,
        None,
        "Where callers reach the gateway, for the links in its answers, with a path if it is behind one; when absent,"
        " what each request was sent to.",
    ),
    Setting(
        "store",
        Kind.STORE,
        "sqlite:///var/lib/tidegate/tidegate.db",
        "The ledger: what was asked, tried and spent. `sqlite:name.db` is a file beside this one.",
    ),
    Setting(
        "catalog",
        Kind.FOLDERS,
        ["providers.d"],
        "Folders of provider files; a later one adds to or replaces files of an earlier one. A relative path is beside"
        " this file; where no `providers.d` is, the folder shipped with the gateway is meant.",
    ),
    Setting(
        "auth",
        Kind.CHOICE,
        "keys",
        "Who may ask: `keys` wants an API key, `none` serves anybody as one account and is for a loopback address alone.",
        choices=("keys", "none"),
    ),
    Setting(
        "credits",
        Kind.CHOICE,
        None,
        "`enforce` refuses what an account's balance does not cover, `track` only books it; when absent, `enforce` with"
        " keys and `track` without.",
        choices=("enforce", "track"),
    ),
    Setting("region", Kind.REGION, "us", "The name of this deployment, as answers and metrics state it."),
    Setting("metrics", Kind.FLAG, default=True, says="Whether /metrics is served."),
)

_SECTIONS = (
    Section(
        "outputs",
        "What happens to pictures and films once they are made.",
        settings=(
            Setting(
                "store",
                Kind.OUTPUTS,
                "file:///var/lib/tidegate/outputs",
                "Where they are kept; when absent, `outputs` beside the ledger. `none` passes the provider's bytes or"
                " link on, and with the link its expiry.",
            ),
            Setting("keep", Kind.DURATION, "24h", "How long they are kept."),
            Setting("links", Kind.DURATION, "24h", "How long a link to one works."),
            Setting("max_image", Kind.SIZE, "64MiB", "The largest image taken from a provider."),
            Setting("max_video", Kind.SIZE, "2GiB", "The largest video taken from a provider."),
        ),
    ),
    Section(
        "providers.*",
        "What differs from the provider's own file, by provider id.",
        item="acme",
        settings=(
            Setting("base", Kind.URL, None, "Base address, path included.", sample="https://gateway.example.com/acme"),
            Setting("enabled", Kind.FLAG, default=True, says="Whether it is asked at all."),
            Setting(
                "hosts",
                Kind.HOSTS,
                None,
                "Hosts beside the base that may be given its credential.",
                sample=["*.example.com"],
            ),
        ),
    ),
    Section(
        "routes.[]",
        "Who is asked for what, in which order; the first route that matches counts.",
        settings=(
            Setting("match.model", Kind.TEXT, "*", "Models by pattern; absent, all.", sample="lab/*"),
            Setting(
                "match.kind", Kind.CHOICE, None, "Image or video; absent, both.", ("image", "video"), sample="image"
            ),
            Setting("match.account", Kind.TEXT, None, "One account; absent, all.", sample="acc_studio"),
            Setting(
                "order",
                Kind.ORDER,
                [],
                "Who first; the others follow. Or fastest, or cheapest.",
                sample=["acme", "other"],
            ),
            Setting("only", Kind.IDS, [], "Nobody but these.", sample=["acme", "other"]),
            Setting("never", Kind.IDS, [], "Anybody but these.", sample=["third"]),
            Setting("attempts", Kind.WHOLE, None, "Attempts in all, 1 to 10.", least=1, most=10, sample=3),
            Setting("deadline", Kind.DURATION, None, "How long it may take in all.", sample="300s"),
            Setting(
                "after_refusal",
                Kind.CHOICE,
                "fail",
                "Content one provider refused: fail, or ask the next.",
                choices=("fail", "next"),
            ),
            Setting("max_price", Kind.CREDITS, None, "Leave out who is dearer, credits.", sample=0.5),
        ),
    ),
    Section(
        "attempts",
        "What holds where no route says otherwise.",
        settings=(
            Setting("per_generation", Kind.WHOLE, 3, "How many attempts a request has in all.", least=1, most=10),
            Setting("image_deadline", Kind.DURATION, "300s", "How long an image may take, failover included."),
            Setting("video_deadline", Kind.DURATION, "1800s", "How long a video may take, failover included."),
            Setting(
                "in_doubt_max_cost",
                Kind.CREDITS,
                0.10,
                "When the line broke and nobody knows whether a provider began, another is asked only if paying twice"
                " costs no more than this.",
            ),
            Setting("connect_timeout", Kind.DURATION, "5s", "How long a connection to a provider may take."),
            Setting(
                "submit_timeout",
                Kind.DURATION,
                "30s",
                "How long a provider that queues may take to accept a job; one that answers with the picture has until"
                " the deadline.",
            ),
            Setting(
                "poll_grace",
                Kind.DURATION,
                "120s",
                "How long past its deadline an accepted job is still looked after, so that nothing paid for is lost.",
            ),
        ),
    ),
    Section(
        "limits",
        "How much is taken on.",
        settings=(
            Setting(
                "live",
                Kind.WHOLE,
                20_000,
                "Generations under way at a time; beyond it new ones are turned away, with a word when to come back.",
                least=1,
                most=1_000_000,
            ),
        ),
    ),
    Section(
        "keep",
        "How long what has ended stays on record; credits and their movements always do.",
        settings=(
            Setting(
                "records",
                Kind.DURATION,
                "30d",
                "Generations: after it the request, the plan and what attempts left are deleted, with any files.",
            ),
            Setting("usage", Kind.DURATION, "365d", "Counts of requests by day."),
        ),
    ),
    Section(
        "webhooks.[]",
        "Who is told what became of the work, beside the endpoints made by command or call.",
        settings=(
            Setting(
                "url",
                Kind.ENDPOINT,
                None,
                "Where events are posted: HTTPS, public, default port; or inside `egress`.",
                sample="https://app.example.com/hooks",
            ),
            Setting(
                "secret",
                Kind.SECRET,
                None,
                "What signs them: whsec_ and 24 to 64 bytes in base64.",
                sample="${WEBHOOK_SECRET}",
            ),
            Setting("events", Kind.EVENTS, [event.value for event in USUAL], "Which events."),
            Setting("account", Kind.TEXT, None, "One account; absent, all.", sample="acc_studio"),
        ),
    ),
    Section(
        "delivery",
        "How events are delivered.",
        settings=(
            Setting(
                "schedule",
                Kind.WAITS,
                ["0s", "1s", "4s", "16s", "60s", "5m", "30m", "2h", "5h", "10h"],
                "The wait before each attempt; there are as many attempts as waits.",
            ),
            Setting("timeout", Kind.DURATION, "15s", "How long a receiver may take."),
            Setting(
                "disable_after",
                Kind.WHOLE,
                15,
                "After so many failed attempts in a row an endpoint is disabled, and what it is owed is queued.",
                least=1,
                most=1000,
            ),
            Setting("keep_queued", Kind.DURATION, "72h", "How long events are queued for a disabled endpoint."),
        ),
    ),
    Section(
        "egress",
        "What the gateway may connect to.",
        settings=(
            Setting(
                "allow",
                Kind.NETWORKS,
                [],
                "Networks that are otherwise refused, such as 127.0.0.0/8 for a provider on this machine.",
            ),
        ),
    ),
    Section(
        "log",
        "What is written to stderr.",
        settings=(
            Setting(
                "format",
                Kind.CHOICE,
                "auto",
                "JSON lines, text, or auto: text on a terminal and JSON elsewhere.",
                choices=("auto", "json", "text"),
            ),
            Setting("level", Kind.CHOICE, "info", "The least that is written.", ("debug", "info", "warning", "error")),
            Setting(
                "prompts", Kind.FLAG, default=False, says="Whether prompts appear; otherwise only their length does."
            ),
        ),
    ),
)


def top() -> tuple[Setting, ...]:
    """Give the settings that stand alone."""
    return _TOP


def sections() -> tuple[Section, ...]:
    """Give the settings that stand together."""
    return _SECTIONS


def settings() -> Iterator[Setting]:
    """Give every setting under its full key, such as `routes.[].match.model`."""
    yield from _TOP
    for section in _SECTIONS:
        for one in section.settings:
            yield _under(section, one)


def _under(section: Section, one: Setting) -> Setting:
    """Give a section's setting under its full key."""
    return Setting(
        f"{section.key}.{one.key}", one.kind, one.default, one.says, one.choices, one.least, one.most, one.sample
    )


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of the policy file, for the checks here and for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Tidegate policy", **_mapping("")}
    says = {section.key.partition(".")[0]: section.says for section in _SECTIONS}
    for one in settings():
        node = schema
        for step in one.steps[:-1]:
            node = _inner(node, step, says.get(step, ""))
        node["properties"][one.steps[-1]] = _leaf(one)
    return schema


def _mapping(says: str) -> dict[str, Any]:
    """Give the schema of a section; one left empty counts as absent."""
    return {
        "type": ["object", "null"],
        "properties": {},
        "additionalProperties": False,
        "x-expected": "a mapping",
        **({"description": says} if says else {}),
    }


def _inner(node: dict[str, Any], step: str, says: str) -> dict[str, Any]:
    """Give the schema one step down, made when it is not there yet."""
    if step == EACH:
        node["type"], node["x-expected"] = ["array", "null"], "a list"
        node.pop("properties", None)
        node.pop("additionalProperties", None)
        found: dict[str, Any] = node.setdefault("items", {**_mapping(""), "type": "object"})
    elif step == ANY:
        node["propertyNames"] = {"pattern": "^[a-z0-9][a-z0-9_-]{0,63}$", "x-expected": "a provider id"}
        if node.get("additionalProperties") is False:
            node["additionalProperties"] = _mapping("")
        found = node["additionalProperties"]
    else:
        found = node["properties"].setdefault(step, _mapping(says))
    return found


def _leaf(one: Setting) -> dict[str, Any]:
    """Give the schema of a value."""
    schema: dict[str, Any] = {**SCHEMAS[one.kind], "description": one.says}
    bounds: Mapping[str, Any] = {"minimum": one.least, "maximum": one.most, "default": one.default}
    schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if one.choices:
        schema["enum"] = list(one.choices)
    if one.default is None:
        # A key with nothing behind it is as good as absent.
        schema["type"] = [schema["type"], "null"]
        if one.choices:
            schema["enum"] = [*one.choices, None]
            schema["x-expected"] = f"{', '.join(one.choices[:-1])} or {one.choices[-1]}"
    return schema
