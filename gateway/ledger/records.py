"""What the store gives back: generations, attempts and artifacts as frozen records, and the JSON in between."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.generation import Kind, State
from gateway.ledger.program import Row
from gateway.outcome import AttemptState, Billing

_DECODER = json.JSONDecoder()  # asked directly: what was written here has no space around it to be looked for


class ArtifactLike(Protocol):
    """An output made ours, as whoever stored it describes it. Hash and size are None together, for a mere link."""

    @property
    def index(self) -> int:
        """Its place among the outputs, from 0."""

    @property
    def uri(self) -> str:
        """Where it lives."""

    @property
    def sha256(self) -> str | None:
        """The hash of its bytes, in hexadecimal."""

    @property
    def size(self) -> int | None:
        """How many bytes."""

    @property
    def type(self) -> str | None:
        """Its media type."""

    @property
    def width(self) -> int | None:
        """Pixels across."""

    @property
    def height(self) -> int | None:
        """Pixels down."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """An output as the store knows it."""

    index: int
    uri: str
    sha256: str | None
    size: int | None
    type: str | None
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one provider. Times in milliseconds since the epoch, `price` and `cost` in millionths of a credit.

    `kept` is how to find the job again, `outputs` what the provider handed over, `fault` why it failed.
    """

    id: int
    generation: str
    n: int
    provider: str
    native: str
    form: int
    state: AttemptState
    ref: str | None
    kept: Mapping[str, Any] | None
    outputs: Sequence[Mapping[str, Any]] | None
    fault: Mapping[str, Any] | None
    price: int
    billing: Billing
    cost: int | None
    won: bool
    double_spend: bool
    started: int
    submitted: int | None
    ended: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of one generation. Times in milliseconds since the epoch, amounts in millionths of a credit.

    `price` is what is held, `settled` what was captured. `attempts` is empty unless it was asked for.
    """

    id: str
    account: str
    kind: Kind
    model: str
    request: Mapping[str, Any]
    plan: Mapping[str, Any]
    adjustments: Sequence[Any]
    order: tuple[str, ...]
    state: State
    price: int
    settled: int | None
    provider_used: str | None
    prediction: str | None
    error: Mapping[str, Any] | None
    created: int
    changed: int
    started: int | None
    ended: int | None
    deadline: int
    removed: int | None
    artifacts: tuple[Artifact, ...]
    attempts: tuple[Attempt, ...]


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)  # kept: each call would make its own


def dump(value: object) -> str:
    """Write a value as compact JSON in ASCII. ValueError for NaN and the infinities, TypeError for what JSON has no word for."""
    return _ENCODER.encode(value)


def load(text: str | None) -> Any:
    """Read what `dump` wrote; nothing from nothing."""
    return None if text is None else _DECODER.raw_decode(text)[0]


def artifact(row: Row) -> Artifact:
    """Read a row of `artifact`."""
    return Artifact(
        index=row["idx"],
        uri=row["uri"],
        sha256=row["sha256"],
        size=row["bytes"],
        type=row["type"],
        width=row["width"],
        height=row["height"],
    )


def attempt(row: Row) -> Attempt:
    """Read a row of `attempt` that brings its generation's id as `generation_id`."""
    return Attempt(
        id=row["id"],
        generation=row["generation_id"],
        n=row["n"],
        provider=row["provider"],
        native=row["native"],
        form=row["form"],
        state=AttemptState(row["state"]),
        ref=row["ref"],
        kept=load(row["kept"]),
        outputs=load(row["outputs"]),
        fault=load(row["fault"]),
        price=row["price"],
        billing=Billing(row["billing"]),
        cost=row["cost"],
        won=bool(row["won"]),
        double_spend=bool(row["double_spend"]),
        started=row["started"],
        submitted=row["submitted"],
        ended=row["ended"],
    )


def record(row: Row, artifacts: Iterable[Row] = (), attempts: Iterable[Row] = ()) -> Record:
    """Join a row of `generation` with the rows that hang on it."""
    return Record(
        id=row["id"],
        account=row["account_id"],
        kind=Kind(row["kind"]),
        model=row["model"],
        request=load(row["request"]),
        plan=load(row["plan"]),
        adjustments=load(row["adjustments"]),
        order=tuple(load(row["provider_order"])),
        state=State(row["state"]),
        price=row["price"],
        settled=row["settled"],
        provider_used=row["provider_used"],
        prediction=row["prediction"],
        error=load(row["error"]),
        created=row["created"],
        changed=row["changed"],
        started=row["started"],
        ended=row["ended"],
        deadline=row["deadline"],
        removed=row["removed"],
        artifacts=tuple(artifact(each) for each in artifacts),
        attempts=tuple(attempt(each) for each in attempts),
    )


def by_generation(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """Sort rows that hang on generations by the number of their generation."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["generation"], []).append(row)
    return found
