"""The words of the pack files, one record per key; a new word is a new record here and nothing else to document.

- `key`       what a word is, where words stand, and the shapes several of them hold
- `provider`  the words of a `provider.yaml`
- `client`    the words for a program that speaks one of the front doors
- `model`     the words of a `<lab>/<model>.yaml`
- `sample`    the words of a `samples.yaml`
- `wording`   what a word holds, for people

Who calls it: `schema`, which makes the JSON Schema and the reference from the records.

Decided because
- A word is added when two providers need it, with a sentence and an example, and samples from both beside their packs.
"""

from gateway.providers.vocabulary.client import CLIENT_KEYS
from gateway.providers.vocabulary.key import Key, Schema, Where
from gateway.providers.vocabulary.model import MODEL_KEYS
from gateway.providers.vocabulary.provider import PROVIDER_KEYS
from gateway.providers.vocabulary.sample import SAMPLE_KEYS

VOCABULARY: tuple[Key, ...] = PROVIDER_KEYS + CLIENT_KEYS + MODEL_KEYS + SAMPLE_KEYS

__all__ = ["VOCABULARY", "Key", "Schema", "Where"]
