"""The words of a `samples.yaml`: replies with what they must read as, requests with what they must become."""

from __future__ import annotations

from gateway.fault import FaultKind, Reach
from gateway.providers.vocabulary.key import FIELDS, HEADERS, SPAN, TEXT, Key, Where

_OUTPUT = {
    "type": "object",
    "properties": {
        "url": TEXT,
        "b64": TEXT,
        "mime": TEXT,
        "width": {"type": "integer"},
        "height": {"type": "integer"},
    },
    "additionalProperties": False,
    "minProperties": 1,
}
_SENT = {
    "type": "string",
    "pattern": "^(GET|POST|PUT|PATCH|DELETE) https://",
    "x-expected": "a method and a whole address, such as `POST https://acme.example/jobs`",
}

SAMPLE_KEYS: tuple[Key, ...] = (
    # ---- a reply
    Key(
        "call",
        Where.REPLY,
        {"enum": ["submit", "status", "result"]},
        "the call that was answered",
        "call: status",
        required=True,
    ),
    Key(
        "model",
        Where.REPLY,
        TEXT,
        "the model the call was for, by its own id",
        "model: acme/still",
        required=True,
    ),
    Key(
        "given",
        Where.REPLY,
        FIELDS,
        "fields the request held, to choose the form; without it the last form is meant",
        "given: [images]",
    ),
    Key(
        "status",
        Where.REPLY,
        {"type": "integer", "minimum": 100, "maximum": 599},
        "the HTTP status",
        "status: 200",
        required=True,
    ),
    Key("headers", Where.REPLY, HEADERS, "headers that matter", 'headers: {Retry-After: "5"}'),
    Key("body", Where.REPLY, {}, "the JSON that came", "body: {status: failed, error: out of memory}"),
    Key(
        "text",
        Where.REPLY,
        {"type": "string"},
        "what came instead, where it was not JSON; a picture where its `content-type` says so",
        'text: "<html>…</html>"',
    ),
    Key(
        "reads",
        Where.REPLY,
        {"enum": ["queued", "running", "succeeded", "failed", "canceled", "nothing"]},
        "how the job stands after it; `nothing` when the reply says nothing about the job",
        "reads: failed",
        required=True,
    ),
    Key(
        "fault",
        Where.REPLY,
        {"enum": [kind.value for kind in FaultKind]},
        "the fault it is, in our words; without it there must be none",
        "fault: rate_limited",
    ),
    Key(
        "reach",
        Where.REPLY,
        {"enum": [reach.value for reach in Reach]},
        "how far the call got, where that is worth saying",
        "reach: unsure",
    ),
    Key("code", Where.REPLY, TEXT, "the native code that is kept with the fault", "code: InvalidParameter"),
    Key("pause", Where.REPLY, SPAN, "how long the provider asks us to wait; without it, it does not ask", "pause: 5s"),
    Key("kept", Where.REPLY, {"type": "object"}, "all that is kept of it", "kept: {id: cgt-1}"),
    Key(
        "outputs",
        Where.REPLY,
        {"type": "array", "items": _OUTPUT},
        "its outputs, in order, each with the parts worth comparing",
        "outputs: [{url: https://cdn.example/x.png, width: 1024}]",
    ),
    Key(
        "unknown",
        Where.REPLY,
        TEXT,
        "the native state word no list of the pack has; without it, it must be known",
        "unknown: paused",
    ),
    Key(
        "cost",
        Where.REPLY,
        {"type": "number", "minimum": 0},
        "what the provider counts for it, in US dollars",
        "cost: 0.27",
    ),
    Key(
        "share",
        Where.REPLY,
        {"type": "number", "minimum": 0, "maximum": 1},
        "the share of the job that is done, where the provider counts",
        "share: 0.4",
    ),
    # ---- a request
    Key(
        "asks",
        Where.REQUEST,
        {"type": "object", "properties": {"model": TEXT}, "required": ["model"]},
        "the request, in our words: the model and its fields",
        "asks: {model: acme/still, prompt: a seal}",
        required=True,
    ),
    Key(
        "sends",
        Where.REQUEST,
        {
            "type": "object",
            "properties": {"call": _SENT, "body": {"type": "object"}, "headers": HEADERS},
            "required": ["call", "body"],
            "additionalProperties": False,
        },
        "the call it becomes: METHOD and whole address, the whole body, and headers worth comparing, secrets by name",
        "sends: {call: 'POST https://acme.example/jobs', body: {prompt: a seal}}",
    ),
    Key("price", Where.REQUEST, {"type": "number", "minimum": 0}, "what it costs, in US dollars", "price: 0.04"),
    Key(
        "drops",
        Where.REQUEST,
        FIELDS,
        "fields left out and reported as such; without it there must be none",
        "drops: [format]",
    ),
    Key(
        "excluded",
        Where.REQUEST,
        FIELDS,
        "instead of `sends`: the fields for which this provider must not serve the request",
        "excluded: [duration]",
    ),
)
