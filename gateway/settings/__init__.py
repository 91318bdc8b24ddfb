"""What the operator decided: config.yaml and the environment, read once into frozen records.

- `setting`      what a setting is
- `table`        every key: its kind, default and sentence
- `schema`       the table key by key, and the JSON Schema made from it
- `values`       what each kind of value looks like, and what it becomes
- `environment`  `${NAME}` in texts
- `records`      the settings as the rest of the process receives them
- `reader`       a file to settings, or to every mistake in it
- `example`      config.example.yaml, made from the table

Who calls it: the commands and the reload. It must not open the store, the catalog or a socket, and reads no secret: those
are the providers' own, by name.

Decided because
- One table makes the checks, the schema for editors and the example file, so that they cannot disagree.
- Variables are replaced in values already read, never in the text of the file: no value can add a key. A text put together
  from variables is read as a number or truth value only where the key wants one.
- The policy handed to routing and the networks handed to the dialler are their own records, made here: nobody else
  should know how a file spells them.
"""

from gateway.settings.example import example
from gateway.settings.reader import addresses, load
from gateway.settings.records import (
    Address,
    Auth,
    Booking,
    Keep,
    Keys,
    Limits,
    Log,
    Metrics,
    Outputs,
    Provider,
    Proxies,
    Settings,
    Store,
    Timeouts,
    Webhook,
)
from gateway.settings.schema import json_schema

__all__ = [
    "Address",
    "Auth",
    "Booking",
    "Keep",
    "Keys",
    "Limits",
    "Log",
    "Metrics",
    "Outputs",
    "Provider",
    "Proxies",
    "Settings",
    "Store",
    "Timeouts",
    "Webhook",
    "addresses",
    "example",
    "json_schema",
    "load",
]
