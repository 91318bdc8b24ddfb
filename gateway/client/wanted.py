"""What a generation may be asked for, by the native names without their prefix, and the call that asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from gateway.client import calls
from gateway.client.calls import Call


class Wanted(TypedDict, total=False):
    """The words beside model and prompt. What only some models know goes into `extra`, without `generation_` before it.

    `kind` is `video` when there is a `duration` and else `image`, unless said. `duration` in seconds. Files are public addresses
    or `data:` ones. `idempotency_key` is drawn anew for each call unless given: the same one joins what was begun with it.
    """

    kind: Literal["image", "video"]
    ratio: str
    resolution: str
    duration: float
    generate_audio: bool
    output_format: str
    output_number: int
    input_file: Sequence[str]
    input_file_last_content: str
    provider_order: str | Sequence[str]
    extra: Mapping[str, Any]
    tags: Sequence[str]
    idempotency_key: str


_OF_THE_CALL = ("kind", "provider_order", "extra", "tags", "idempotency_key")


def call_of(model: str, prompt: str, wanted: Wanted, fresh: str) -> Call:
    """The call that begins a generation; `fresh` is its key unless it brings one. TypeError for a word there is not."""
    if unknown := [name for name in wanted if name not in Wanted.__annotations__]:
        raise TypeError(
            f"there is no {unknown[0]!r} here; what only some models know goes into extra={{{unknown[0]!r}: …}}"
        )
    fields: dict[str, Any] = {name: value for name, value in wanted.items() if name not in _OF_THE_CALL}
    kind = wanted.get("kind") or ("image" if wanted.get("duration") is None else "video")
    return calls.create(
        kind,
        model,
        {"prompt": prompt, **fields, **wanted.get("extra", {})},
        order=wanted.get("provider_order"),
        key=wanted.get("idempotency_key") or fresh,
        tags=wanted.get("tags", ()),
    )
