"""The page on how a pack is written: prose from `guide.md`, and tables from what the gateway itself goes by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import assert_never

from gateway.fault import PERMITS, Again, Effect, FaultKind, Following
from gateway.providers import schema
from gateway.providers.classify import BY_STATUS

_MEANS: Mapping[FaultKind, str] = MappingProxyType(
    {
        FaultKind.INVALID_INPUT: "the request is wrong in the provider's eyes",
        FaultKind.INPUT_UNREADABLE: "a picture or film that was handed over cannot be fetched or read",
        FaultKind.CONTENT_BLOCKED: "the prompt, an input or the output was refused as unfit",
        FaultKind.NOT_SERVED: "the model is not there, or not open to this credential",
        FaultKind.UNAUTHORIZED: "the credential is wrong or may not do this",
        FaultKind.OUT_OF_CREDIT: "the account has no money or no quota left",
        FaultKind.RATE_LIMITED: "too many requests for now",
        FaultKind.OVERLOADED: "the provider is too busy for now",
        FaultKind.PROVIDER_ERROR: "the provider failed",
        FaultKind.TIMEOUT: "it took too long",
        FaultKind.LOST: "the job is gone: canceled, forgotten, expired",
        FaultKind.UNREADABLE: "the answer is not what the pack says it should be",
        FaultKind.OUTPUT_LOST: "the job succeeded, and its output cannot be fetched",
    }
)


def page() -> str:
    """The whole page, as Markdown."""
    text = (files("gateway.providers") / "guide.md").read_text(encoding="utf-8")
    tables = {"statuses": _statuses(), "kinds": _kinds(), "tables": schema.reference().rstrip()}
    for name, table in tables.items():
        text = text.replace(f"{{{{{name}}}}}", table)
    return text


def _statuses() -> str:
    by_kind: dict[FaultKind, list[str]] = defaultdict(list)
    for status, kind in BY_STATUS.items():
        by_kind[kind].append(str(status))
    return _table(("status", "fault"), ((", ".join(statuses), f"`{kind}`") for kind, statuses in by_kind.items()))


def _kinds() -> str:
    header = ("fault", "what happened", "one more try", "another provider", "breaker", "caller may ask again")
    rows = (
        (
            f"`{kind}`",
            _MEANS[kind],
            _again(permit.again),
            _following(permit.following),
            _breaker(permit.breaker),
            "yes" if permit.retryable else "no",
        )
        for kind, permit in PERMITS.items()
    )
    return _table(header, rows)


def _again(again: Again) -> str:
    match again:
        case Again.NO:
            return "no"
        case Again.IF_UNSENT:
            return "when nothing was sent"
        case Again.ONCE:
            return "when nothing began"
        case Again.AFTER_PAUSE:
            return "after the wait asked for"
        case _:
            assert_never(again)


def _following(following: Following) -> str:
    match following:
        case Following.YES:
            return "yes"
        case Following.IF_ROUTE_SAYS:
            return "only where the route says so (`after_refusal`)"
        case _:
            assert_never(following)


def _breaker(effect: Effect) -> str:
    match effect:
        case Effect.NONE:
            return "nothing"
        case Effect.PAUSE:
            return "rests for the wait asked for, or 5 s"
        case Effect.COUNT:
            return "counts; opens after several"
        case Effect.OPEN:
            return "opens at once"
        case Effect.OPEN_CREDENTIAL:
            return "opens for all models of the credential"
        case _:
            assert_never(effect)


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    header = tuple(header)
    lines = (f"| {' | '.join(cells)} |" for cells in (header, *rows))
    first = next(lines)
    return "\n".join((first, "|" + "---|" * len(header), *lines))
