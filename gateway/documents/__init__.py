"""Strict YAML, and mistakes that say where they are.

Everything people write for the gateway, policy and provider packs alike, comes in through here. Files are read by the
scalar rules of YAML 1.2, so `16:9`, `on` and `012` are the text they look like, and what makes YAML dangerous or
ambiguous (aliases, tags, merge keys, keys given twice) is refused with its line and column. The second half holds a
document against a JSON Schema and words every violation for the person who wrote the file.

- `place`   where something is, what is wrong there, and a document that knows the place of each of its values
- `scalar`  plain text to a value: the few rules, in one table
- `reader`  bytes to a document
- `schema`  a document against a JSON Schema

Who calls it: the settings and the catalog, at start and at reload. It must not know what the keys mean.

Decided because
- PyYAML's own values follow YAML 1.1 (`1:30` is ninety, a doubled key keeps its last value), so only its event stream
  is used: it carries the places, shows aliases and tags before they act, and needs no recursion.
- All mistakes of a file come in one exception: fixing a file line by line, one run each, is tiresome.
"""

from gateway.documents.place import Document, Key, Mistake, Mistakes, Path, Place
from gateway.documents.reader import contents, parse, read
from gateway.documents.scalar import resolve
from gateway.documents.schema import against, nearest, shown

__all__ = [
    "Document",
    "Key",
    "Mistake",
    "Mistakes",
    "Path",
    "Place",
    "against",
    "contents",
    "nearest",
    "parse",
    "read",
    "resolve",
    "shown",
]
