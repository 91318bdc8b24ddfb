"""The settings as the rest of the process receives them: frozen, checked, without a trace of the file's spelling.

Durations are whole milliseconds, sizes bytes, amounts millionths of a credit.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

from gateway import egress, money
from gateway.artifacts.access import Access, Place
from gateway.ledger.events import EventType
from gateway.routing.policy import Policy
from gateway.webhooks.schedule import Rules


class Auth(StrEnum):
    """Who may ask."""

    KEYS = "keys"
    NONE = "none"


class Booking(StrEnum):
    """What a balance is for: both book the same, one refuses what it does not cover."""

    ENFORCE = "enforce"
    TRACK = "track"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to serve on; port 0 leaves the choice to the system."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        """Give the form it is written in."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Who may read the metrics: keys of their scope, or whoever reaches an address of their own; without either nobody."""

    with_key: bool
    listen: Address | None

    def __str__(self) -> str:
        """Give the form it is written in."""
        return str(self.listen) if self.listen is not None else "keys" if self.with_key else "none"


@dataclass(frozen=True, slots=True)
class Store:
    """Where the ledger lives: in a SQLite file, or in PostgreSQL at an address that holds a password.

    `path` is the file; where there is none, what this process keeps on its own disk is named after it.
    """

    path: pathlib.Path
    address: str | None = field(default=None, repr=False)

    @property
    def place(self) -> str | pathlib.Path:
        """What opens it."""
        return self.address if self.address is not None else self.path

    def __str__(self) -> str:
        """Give where it is, without a password."""
        if self.address is None:
            return str(self.path)
        parts = urlsplit(self.address)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket for outputs, how it is reached, and whether callers get links of its own."""

    place: Place
    access: Access
    links: bool


@dataclass(frozen=True, slots=True)
class Outputs:
    """What happens to outputs. Without a folder or bucket the provider's bytes or links are passed on."""

    folder: pathlib.Path | None
    bucket: Bucket | None
    keep: int
    links: int
    max_image: int
    max_video: int

    def __str__(self) -> str:
        """Give where they go."""
        return str(self.bucket.place if self.bucket is not None else self.folder or "none")


@dataclass(frozen=True, slots=True)
class Provider:
    """What the operator says about a provider; None leaves it as its pack says, or without a cap.

    `concurrency` caps the jobs under way, `rate` the calls a second.
    """

    base: str | None = None
    enabled: bool = True
    hosts: tuple[str, ...] | None = None
    labels: tuple[str, ...] = ()
    concurrency: int | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a call to a provider may take, and how long past its deadline an accepted job is still looked after."""

    connect: int
    submit: int
    poll_grace: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken on: `live` generations at a time, and of one account what None leaves to any number.

    `requests` and `generations` are a minute, `images` and `videos` under way, `daily_spend` a day. One address may have so
    many `connections`, each for `idle` ms without a request.
    """

    live: int
    requests: int | None
    generations: int | None
    images: int | None
    videos: int | None
    daily_spend: int | None
    wrong_keys: int
    connections: int
    idle: int


@dataclass(frozen=True, slots=True)
class Proxies:
    """Whose word on a caller's address counts, and the header it is in; or else whether connections begin with it."""

    trusted: tuple[egress.Network, ...]
    header: Literal["X-Forwarded-For", "Forwarded"]
    protocol: bool


@dataclass(frozen=True, slots=True)
class Keep:
    """How long records of what has ended are kept, and counts of requests."""

    records: int
    usage: int


@dataclass(frozen=True, slots=True)
class Keys:
    """With what API keys are hashed beside the gateway's own secret, the newest first."""

    peppers: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint that the operator wants told; without an account it hears of all of them."""

    url: str
    secret: str = field(repr=False)
    events: tuple[EventType, ...]
    account: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """How the log is written."""

    format: Literal["auto", "json", "text"]
    level: Literal["debug", "info", "warning", "error"]
    prompts: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the operator decided. `source` is the file it came from, None when there was none; `drain` is in ms."""

    source: pathlib.Path | None
    listen: Address
    public_url: str | None
    drain: int
    store: Store
    secret: str | None = field(repr=False)
    outputs: Outputs
    catalog: tuple[pathlib.Path, ...]
    aliases: Mapping[str, str]
    providers: Mapping[str, Provider]
    policy: Policy
    timeouts: Timeouts
    auth: Auth
    credits: Booking
    keys: Keys
    limits: Limits
    proxies: Proxies
    keep: Keep
    webhooks: tuple[Webhook, ...]
    delivery: Rules
    egress: egress.Policy
    log: Log
    region: str
    metrics: Metrics

    @property
    def caps(self) -> Mapping[str, int]:
        """How many jobs at most a provider is given at once, where that is said."""
        said = {provider: each.concurrency for provider, each in self.providers.items()}
        return {provider: most for provider, most in said.items() if most is not None}

    @property
    def rates(self) -> Mapping[str, float]:
        """How many calls a second at most a provider hears, where that is said."""
        said = {provider: each.rate for provider, each in self.providers.items()}
        return {provider: rate for provider, rate in said.items() if rate is not None}

    @property
    def origins(self) -> tuple[str, ...]:
        """Where the gateway itself is reached, as far as that is known."""
        return origins(self.listen, self.public_url, self.metrics)

    def describe(self) -> dict[str, Any]:
        """Give the settings as plain values for a log line or a report; there is no secret in them."""
        return {
            "source": str(self.source) if self.source else None,
            "listen": str(self.listen),
            "public_url": self.public_url,
            "store": str(self.store),
            "outputs": str(self.outputs),
            "catalog": [str(folder) for folder in self.catalog],
            "providers": {name: provider.base or "as its pack says" for name, provider in self.providers.items()},
            "disabled": sorted(name for name, provider in self.providers.items() if not provider.enabled),
            "routes": len(self.policy.routes),
            "in_doubt_max_cost": money.text(self.policy.in_doubt_max_cost),
            "access": self.auth.value,
            "credits": self.credits.value,
            "webhooks": len(self.webhooks),
            "egress": [str(network) for network in self.egress.allow],
            "egress_closed": [str(network) for network in self.egress.deny],
            "region": self.region,
            "metrics": str(self.metrics),
        }


def origins(listen: Address, public_url: str | None, metrics: Metrics) -> tuple[str, ...]:
    """Where a gateway is reached that listens there, has that public address and serves its metrics so."""
    apart = (f"http://{metrics.listen}",) if metrics.listen is not None else ()
    return (f"http://{listen}", *((public_url,) if public_url is not None else ()), *apart)
