"""The words for a program that speaks one of the gateway's front doors."""

from __future__ import annotations

from gateway.providers.pack import DoorName
from gateway.providers.vocabulary.key import TEXT, Key, Where

# What the texts about a client may hold, each after a dollar sign.
CLIENT_NAMES = ("origin", "host", "mount", "key", "bundle")

CLIENT_KEYS: tuple[Key, ...] = (
    Key("name", Where.CLIENT, TEXT, "what people call it", "name: Acme's Python library", required=True),
    Key(
        "door",
        Where.CLIENT,
        {"enum": [name.value for name in DoorName]},
        "the front door it speaks, one of this provider's `doors`",
        "door: predictions",
        required=True,
    ),
    Key(
        "set",
        Where.CLIENT,
        {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
        "the environment variables that point it at the gateway. `$origin` is where that is, scheme and all, `$host` the same without"
        " the scheme, `$mount` the path of the door, `$key` the API key, `$bundle` the file of certificates for a client that speaks"
        " TLS alone",
        "set: {ACME_URL: $origin$mount/v1, ACME_KEY: $key}",
    ),
    Key(
        "line",
        Where.CLIENT,
        TEXT,
        "the line to change in a program, with the same names, where no variable does it",
        "line: 'new Acme({url: \"$origin$mount\"})'",
    ),
    Key("tls", Where.CLIENT, {"const": True}, "it speaks TLS alone", "tls: true"),
    Key("note", Where.CLIENT, TEXT, "what else its users have to know, in one sentence", "note: Restart it after."),
)
