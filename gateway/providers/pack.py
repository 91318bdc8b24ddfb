"""A provider and a model as they are held in memory: checked, compiled, ready to render and to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.fault import FaultKind
from gateway.generation import Value
from gateway.offer import Offer

# A compiled path into a reply: JSON in, JSON or None out. Never raises.
Find = Callable[[Any], Any]
# A compiled body: the names in, JSON out.
Build = Callable[[Mapping[str, Any]], Any]
# What clients may say beside a body: parameter, its value, and what that means in our fields.
Reads = Mapping[str, Mapping[Value, Mapping[str, Value]]]


class CallName(StrEnum):
    """The calls a lifecycle is made of."""

    SUBMIT = "submit"
    STATUS = "status"
    RESULT = "result"
    CANCEL = "cancel"
    FIND = "find"


class Encoding(StrEnum):
    """How a body is sent."""

    JSON = "json"
    MULTIPART = "multipart"


class Answers(StrEnum):
    """How clients written for a provider are handed a single output."""

    ONE = "one"
    LIST = "list"


class JobState(StrEnum):
    """How a job stands at its provider."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call: method, target with names in it, extra headers, and the states in which it may be made."""

    method: str
    target: str
    headers: Mapping[str, str]
    when: frozenset[JobState]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the share of a job that is done stands, and the number that means all of it."""

    at: Find
    whole: int


@dataclass(frozen=True, slots=True)
class Words:
    """Where a job's state is, which native word means what, and the path that means failure whenever it holds something."""

    at: Find
    words: Mapping[str, JobState]
    failed_if: Find | None
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """When to look first and how often at the most, and when to give up; milliseconds."""

    first: int
    every: int
    deadline: int


@dataclass(frozen=True, slots=True)
class Nudge:
    """How to ask for a callback: the field of the body or the query parameter that takes its address, and what goes with it."""

    field: str | None
    query: str | None
    also: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Idempotent:
    """The submit takes a key of ours, in a header or in a field of the body: asked again with it, nothing new begins."""

    header: str | None
    field: str | None


@dataclass(frozen=True, slots=True)
class Discoverable:
    """A job can be found again in a list of the provider's.

    `field` takes our tag when the job is submitted; without one the address to call back is the tag. `call` gives the list, `at`
    leads to its items, `tag` to what an item shows of ours, `keep` to what finds the job later.
    """

    field: str | None
    call: CallLine
    at: Find
    tag: Find
    keep: Mapping[str, Find]


# What can be done about a submit whose answer was lost; None where nothing can.
Doubt = Idempotent | Discoverable | None


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How one kind of job runs at a provider."""

    calls: Mapping[CallName, CallLine]
    keep: Mapping[str, Find]
    state: Words | None
    outputs: Find
    flagged: Find | None
    expires: int | None
    pace: Pace
    nudge: Nudge | None
    doubt: Doubt = None

    @property
    def is_immediate(self) -> bool:
        """Whether the submit call itself answers with the outputs."""
        return CallName.STATUS not in self.calls

    def hands_over(self, call: CallName) -> bool:
        """Whether the answer to a call holds the outputs, which may come inside it; a list of jobs may show those of each."""
        match call:
            case CallName.SUBMIT:
                return self.is_immediate
            case CallName.STATUS:
                return CallName.RESULT not in self.calls
            case CallName.RESULT | CallName.FIND:
                return True
            case CallName.CANCEL:
                return False


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a provider's table of faults; all conditions it has must hold."""

    kind: FaultKind
    status: frozenset[int]
    codes: tuple[str, ...]
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Where a reply says how long to wait, and in which unit."""

    header: str | None
    at: Find | None
    unit: str


class DoorName(StrEnum):
    """The gateway's front doors beside its native API, by the URLs they answer."""

    IMAGES = "images"
    VIDEOS = "videos"
    PREDICTIONS = "predictions"
    QUEUE = "queue"
    RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Mount:
    """The path under which a front door stands for a provider's own clients, and the names that only those clients know."""

    prefix: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Client:
    """A program that speaks a front door, and what points it at the gateway: variables, or a `line` of its own.

    Both hold `$origin`, `$host`, `$mount`, `$key` and `$bundle`. `is_tls_only` when it speaks TLS alone.
    """

    id: str
    name: str
    door: DoorName
    variables: Mapping[str, str]
    line: str | None
    is_tls_only: bool
    note: str | None


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: where it is, how to prove who we are, how its failures read."""

    id: str
    name: str
    about: str
    website: str
    docs: str
    checked: str
    rank: int
    base: str
    hosts: tuple[str, ...]
    auth: Mapping[str, str]
    headers: Mapping[str, str]
    secrets: tuple[str, ...]
    code: Find
    message: Find
    rules: tuple[Rule, ...]
    waits: tuple[Wait, ...]
    lifecycles: Mapping[str, Lifecycle]
    reads: Reads
    doors: Mapping[DoorName, Mount]
    clients: tuple[Client, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """Where a reply counts what was used, and the price of one of that in millionths of a credit."""

    at: Find
    each: float


@dataclass(frozen=True, slots=True)
class Shape:
    """The native side of one form: which lifecycle runs it, how its body is built and how it is encoded.

    `body` is the tree that `build` was made from, for reading a body of the kind back.
    """

    native: str
    lifecycle: Lifecycle
    build: Build
    encoding: Encoding
    cost: Cost | None
    body: Mapping[str, Any]
    reads: Reads


@dataclass(frozen=True, slots=True)
class Model:
    """One model at one provider: what it offers, and per form how to ask for it."""

    provider: Provider
    offer: Offer
    shapes: tuple[Shape, ...]
    file: str
    answers: Answers
