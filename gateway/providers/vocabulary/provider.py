"""The words of a `provider.yaml`."""

from __future__ import annotations

from gateway.fault import FaultKind
from gateway.providers.pack import DoorName
from gateway.providers.vocabulary.key import (
    CALL,
    CALL_LINE,
    HEADERS,
    HOST,
    PATH,
    SHARE,
    SPAN,
    STATUSES,
    TEXT,
    WORDS,
    Key,
    Where,
)

_KEY = {
    "type": "object",
    "properties": {
        "key": {
            "type": "object",
            "properties": {"header": TEXT, "field": TEXT},
            "additionalProperties": False,
            "minProperties": 1,
        },
    },
    "required": ["key"],
    "additionalProperties": False,
}
_SEARCH = {
    "type": "object",
    "properties": {
        "tag": TEXT,
        "find": {
            "type": "object",
            "properties": {
                "call": CALL_LINE,
                "at": PATH,
                "tag": PATH,
                "keep": {"type": "object", "additionalProperties": PATH, "minProperties": 1},
            },
            "required": ["call", "at", "tag"],
            "additionalProperties": False,
        },
    },
    "required": ["find"],
    "additionalProperties": False,
}

PROVIDER_KEYS: tuple[Key, ...] = (
    Key(
        "provider",
        Where.PROVIDER,
        {"type": "string", "pattern": "^[a-z][a-z0-9]*$", "x-expected": "small letters and digits"},
        "the id; equal to the folder's name",
        "provider: acme",
        required=True,
    ),
    Key("name", Where.PROVIDER, TEXT, "the name people know", "name: Acme Cloud", required=True),
    Key(
        "about",
        Where.PROVIDER,
        TEXT,
        "one sentence for the library",
        "about: Image models on Acme's own machines.",
        required=True,
    ),
    Key("website", Where.PROVIDER, TEXT, "where people read about it", "website: https://acme.example", required=True),
    Key(
        "docs",
        Where.PROVIDER,
        TEXT,
        "the page this pack was written from",
        "docs: https://acme.example/api",
        required=True,
    ),
    Key(
        "checked",
        Where.PROVIDER,
        {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "x-expected": "a day such as 2026-11-22"},
        "the day it was last compared with that page",
        "checked: 2026-11-22",
        required=True,
    ),
    Key(
        "rank",
        Where.PROVIDER,
        {"type": "integer", "minimum": 1, "maximum": 99},
        "its place where no order is asked for; lower is earlier, the maker of a model before resellers",
        "rank: 10",
        required=True,
    ),
    Key(
        "base",
        Where.PROVIDER,
        {
            "type": "string",
            "pattern": "^https://[^/]+(/.*[^/])?$",
            "x-expected": "an https address without a slash at the end",
        },
        "the address all calls start with, without a slash at the end",
        "base: https://api.acme.example/v1",
        required=True,
    ),
    Key(
        "hosts",
        Where.PROVIDER,
        {"type": "array", "items": HOST},
        "further hosts that may be called with the credential; `*.` stands for any one label or more",
        'hosts: ["*.acme.example"]',
    ),
    Key(
        "doors",
        Where.PROVIDER,
        {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {
                name: {
                    "type": "object",
                    "properties": {
                        "mount": {
                            "type": "string",
                            "pattern": "^/(?!(v1|admin|docs|metrics|console)$)[a-z][a-z0-9-]*$",
                            "x-expected": "a path of one word such as /acme, and none that is the gateway's own",
                        },
                        "names": {"type": "object", "additionalProperties": TEXT},
                    },
                    "required": ["mount"],
                    "additionalProperties": False,
                }
                for name in DoorName
            },
        },
        "the gateway's front doors that clients written for this provider are pointed at, the path each is mounted under, and under"
        " `names` the headers and words that only those clients know",
        "doors: {images: {mount: /acme}}",
    ),
    Key(
        "clients",
        Where.PROVIDER,
        {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/client"},
            "propertyNames": {"pattern": "^[a-z][a-z0-9-]*$"},
            "minProperties": 1,
        },
        "programs that speak one of the `doors`, each by the name under which `tidegate env` says how to point it at the gateway",
        "clients: {acme: {…}}",
    ),
    Key(
        "auth",
        Where.PROVIDER,
        {**HEADERS, "minProperties": 1},
        "headers that carry the credential, as `$secret.NAME`",
        "auth: {Authorization: Bearer $secret.ACME_KEY}",
        required=True,
    ),
    Key(
        "headers",
        Where.PROVIDER,
        HEADERS,
        "further headers of every call, as they are",
        "headers: {X-Api-Version: 2024-11-06}",
    ),
    Key(
        "failure",
        Where.PROVIDER,
        {
            "type": "object",
            "properties": {"code": PATH, "message": PATH},
            "required": ["code", "message"],
            "additionalProperties": False,
        },
        "where a reply names what went wrong",
        "failure: {code: error.code, message: error.message}",
        required=True,
    ),
    Key(
        "faults",
        Where.PROVIDER,
        {"type": "array", "items": {"$ref": "#/$defs/rule"}},
        "rules that read a failure, first match wins; after them a fixed table by HTTP status",
        "faults: [{is: content_blocked, code: [moderated]}]",
        required=True,
    ),
    Key(
        "retry_after",
        Where.PROVIDER,
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "header": TEXT,
                    "at": PATH,
                    "as": {"enum": ["seconds", "milliseconds", "http_date", "epoch", "epoch_ms", "duration"]},
                },
                "required": ["as"],
                "additionalProperties": False,
                "minProperties": 2,
            },
        },
        "headers, or paths into the body, that say how long to wait, each with its unit",
        "retry_after: [{header: retry-after, as: seconds}]",
    ),
    Key(
        "lifecycles",
        Where.PROVIDER,
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/lifecycle"}, "minProperties": 1},
        "the ways this provider runs a job, by name",
        "lifecycles: {task: {…}}",
        required=True,
    ),
    # ---- a lifecycle
    Key(
        "calls",
        Where.LIFECYCLE,
        {
            "type": "object",
            "properties": {"submit": CALL, "status": CALL, "result": CALL, "cancel": CALL},
            "required": ["submit"],
            "additionalProperties": False,
        },
        "METHOD and target of each call; which of them are there says how a job runs: `submit` alone answers at once, `status` is looked at, `result` is fetched at the end",
        "calls: {submit: POST /jobs, status: GET /jobs/$id}",
        required=True,
    ),
    Key(
        "keep",
        Where.LIFECYCLE,
        {"type": "object", "additionalProperties": PATH, "minProperties": 1},
        "what to keep of the submit reply, by name; `id` is the job's own id",
        "keep: {id: id}",
    ),
    Key(
        "state",
        Where.LIFECYCLE,
        {"$ref": "#/$defs/state"},
        "where the job's state is, and which native word means what",
        "state: {at: status, running: [busy], succeeded: [done], failed: [broken]}",
    ),
    Key(
        "outputs",
        Where.LIFECYCLE,
        PATH,
        "a path to a list of objects with `url` or `b64`, and where known `mime`, `width`, `height`",
        'outputs: "images[].{url: url}"',
        required=True,
    ),
    Key(
        "flagged",
        Where.LIFECYCLE,
        PATH,
        "a path to a list of booleans beside the outputs: true marks one the provider blacked out",
        "flagged: has_nsfw_concepts",
    ),
    Key("expires", Where.LIFECYCLE, SPAN, "how long the provider's output links live", "expires: 24h"),
    Key(
        "pace",
        Where.LIFECYCLE,
        {
            "type": "object",
            "properties": {"first": SPAN, "every": SPAN, "deadline": SPAN},
            "required": ["deadline"],
            "additionalProperties": False,
        },
        "when to look first, how often at the most, and when to give up",
        "pace: {first: 1s, every: 2s, deadline: 5m}",
        required=True,
    ),
    Key(
        "nudge",
        Where.LIFECYCLE,
        {
            "type": "object",
            "properties": {"field": TEXT, "query": TEXT, "with": {"type": "object"}},
            "additionalProperties": False,
            "minProperties": 1,
        },
        "how to ask for a callback: the `field` of the body or the `query` parameter that takes its address, and what goes `with` it; a callback makes us look, its body is never believed",
        "nudge: {field: webhook, with: {webhook_events_filter: [completed]}}",
    ),
    Key(
        "doubt",
        Where.LIFECYCLE,
        {"anyOf": [{"const": "blind"}, _KEY, _SEARCH]},
        "what can be done when the answer to a submit is lost. `blind`, the default: nothing. `key`: the submit takes a key of ours, in that `header` or `field`, and begins nothing new when it is repeated. `find`: a call lists the jobs, the newest first, `at` leads to the list and `tag` to what an item shows of ours: what the field named beside it was given, or without one the address to call back; `keep` where an item reads unlike the answer to a submit. Claim only what the provider promises",
        "doubt: {key: {header: Idempotency-Key}}",
    ),
    # ---- the state of a job
    Key("at", Where.STATE, PATH, "the path to the native word", "at: status", required=True),
    Key("queued", Where.STATE, WORDS, "words that mean: not begun", "queued: [starting]"),
    Key(
        "running",
        Where.STATE,
        WORDS,
        "words that mean: at work; a word in no list counts as running until the deadline",
        "running: [processing]",
        required=True,
    ),
    Key("succeeded", Where.STATE, WORDS, "words that mean: done", "succeeded: [succeeded]", required=True),
    Key("failed", Where.STATE, WORDS, "words that mean: it failed", "failed: [failed]"),
    Key("canceled", Where.STATE, WORDS, "words that mean: somebody stopped it", "canceled: [canceled]"),
    Key(
        "failed_if",
        Where.STATE,
        PATH,
        "a path that holds something only when the job failed, whatever the word says",
        "failed_if: error",
    ),
    Key(
        "progress",
        Where.STATE,
        SHARE,
        "a path to the share of the job that is done, from 0 to 1, or to 100 where `of: 100` stands beside `at`; anything else there is passed over. It says when to look again, as far as it was right before",
        "progress: {at: percent, of: 100}",
    ),
    # ---- a rule that reads a failure
    Key(
        "is",
        Where.RULE,
        {"enum": [kind.value for kind in FaultKind]},
        "the fault, in our words",
        "is: out_of_credit",
        required=True,
    ),
    Key("status", Where.RULE, STATUSES, "HTTP statuses it applies to", "status: [403]"),
    Key(
        "code",
        Where.RULE,
        {"type": "array", "items": {**TEXT, "x-expected": 'text; a number in quotes, such as "1001"'}, "minItems": 1},
        "native codes, compared as text; `*` stands for any run of characters",
        'code: ["*SensitiveContent*"]',
    ),
    Key(
        "says",
        Where.RULE,
        {"type": "array", "items": TEXT, "minItems": 1},
        "words in the message, whatever their case; only where the provider has no code",
        "says: [exhausted balance]",
    ),
)
