"""The words of a `<lab>/<model>.yaml`."""

from __future__ import annotations

from gateway.generation import Kind, Type
from gateway.offer import Handing, Unit
from gateway.providers.vocabulary.key import AMOUNT, AMOUNTS, FIELD_NAME, FIELDS, PATH, READS, SCALARS, TEXT, Key, Where

MODEL_KEYS: tuple[Key, ...] = (
    # ---- a model
    Key("makes", Where.MODEL, {"enum": [kind.value for kind in Kind]}, "what comes out", "makes: image", required=True),
    Key(
        "aliases",
        Where.MODEL,
        {
            "type": "array",
            "items": {"type": "string", "pattern": "^[^/ ]+/[^/ ]+$", "x-expected": "lab/model"},
            "minItems": 1,
        },
        "other ids that mean this model",
        "aliases: [black-forest-labs/flux-schnell]",
    ),
    Key(
        "lifecycle",
        Where.MODEL,
        TEXT,
        "which of the provider's lifecycles it runs by; not needed where there is one",
        "lifecycle: task",
    ),
    Key("native", Where.MODEL, TEXT, "the provider's name for it, `$model` elsewhere", "native: flux-schnell"),
    Key(
        "takes",
        Where.MODEL,
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/takes"}},
        "fields handed on as they are, as `$field`, within bounds",
        "takes: {prompt: {required: true}, images: {max: 4}}",
    ),
    Key(
        "picks",
        Where.MODEL,
        {"type": "object", "additionalProperties": {"type": "object", "minProperties": 1}},
        "fields chosen from a table: value, then the names that join the body; a table over two fields is keyed `one, other` and nests",
        "picks: {ratio: {1:1: {size: 1024x1024}}}",
    ),
    Key(
        "drops",
        Where.MODEL,
        FIELDS,
        "fields accepted, not sent, and reported to the caller as left out",
        "drops: [format]",
    ),
    Key(
        "defaults",
        Where.MODEL,
        {"type": "object", "additionalProperties": SCALARS},
        "what holds when the caller says nothing; the same at every provider of the model",
        "defaults: {ratio: 1:1}",
    ),
    Key(
        "body",
        Where.MODEL,
        {"type": "object"},
        "the native request; `$name` is a whole value with its type, `$images.1` the first of a list, `{$each: images, url: $item}` in a list one mapping per item; what has no value is left out with the branch that holds nothing else",
        "body: {prompt: $prompt}",
    ),
    Key(
        "encoding",
        Where.MODEL,
        {"enum": ["json", "multipart"]},
        "how the body is sent; json unless said otherwise. A multipart body has no branches, and a list repeats its part",
        "encoding: multipart",
    ),
    Key(
        "price",
        Where.MODEL,
        {
            "type": "object",
            "properties": {
                "per": {"enum": [unit.value for unit in Unit]},
                "by": {"type": "array", "items": FIELD_NAME, "minItems": 1, "maxItems": 2},
                "usd": AMOUNTS,
            },
            "required": ["per", "usd"],
            "additionalProperties": False,
        },
        "what one unit costs: an amount, or a table `by` one or two fields",
        "price: {per: second, by: [resolution], usd: {720p: 0.05, 1080p: 0.12}}",
    ),
    Key(
        "cost",
        Where.MODEL,
        {
            "type": "object",
            "properties": {"at": PATH, "usd": AMOUNT},
            "required": ["at", "usd"],
            "additionalProperties": False,
        },
        "where the reply counts what was used, and what one of that costs",
        "cost: {at: usage.tokens, usd: 0.0000025}",
    ),
    Key(
        "answers",
        Where.MODEL,
        {"enum": ["one", "list"]},
        "how clients written for this provider are handed what one request of this model made, where it is one output: as it is, or as a list of one; a list for pictures and one for a film unless said otherwise",
        "answers: one",
    ),
    Key(
        "reads",
        Where.MODEL,
        READS,
        "what clients written for this provider may say beside the body: a parameter by its path, its values, and what each means in our fields; `{}` is what is done anyway, `(any)` stands for every other value, which is not handed on and told, `(none)` for a parameter that is not there",
        "reads: {input.size: {landscape: {ratio: 4:3}}, input.duration: {(none): {duration: 5}}}",
    ),
    Key(
        "forms",
        Where.MODEL,
        {"type": "array", "items": {"$ref": "#/$defs/form"}, "minItems": 1},
        "different ways to ask, by what the request holds; the first that fits serves, and its sections replace those above whole",
        "forms: [{given: [images], native: acme/edit}, {native: acme/new}]",
    ),
    # ---- a form
    Key("given", Where.FORM, FIELDS, "fields the request must hold for this form", "given: [images]"),
    # ---- bounds of a field
    Key("required", Where.TAKES, {"const": True}, "the provider refuses a request without it", "required: true"),
    Key(
        "type",
        Where.TAKES,
        {"enum": [kind.value for kind in Type]},
        "the type of a field of the model's own; the common fields have theirs",
        "type: number",
    ),
    Key(
        "as",
        Where.TAKES,
        {"type": "array", "items": {"enum": [way.value for way in Handing]}, "minItems": 1, "uniqueItems": True},
        "how the provider takes a file, the way it prefers first: its `url` (the default), a `data` URI, bare `base64`, or a `file` part; what it cannot take is fetched and converted",
        "as: [url, data]",
    ),
    Key("min", Where.TAKES, {"type": "number"}, "the least value, or how few items", "min: 1"),
    Key("max", Where.TAKES, {"type": "number"}, "the greatest value, or how many items", "max: 14"),
    Key(
        "max_chars",
        Where.TAKES,
        {"type": "integer", "minimum": 1},
        "how long a text may be, in characters",
        "max_chars: 5000",
    ),
)
