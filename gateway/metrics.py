"""Every series and its labels, declared once. Labels are bounded: never a key, a prompt, an id or a path of a caller."""

from __future__ import annotations

import re
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics

REGISTRY = CollectorRegistry()

_OPEN = "application/openmetrics-text"
_WEIGHT = re.compile(r"[01](\.[0-9]{0,3})?", re.ASCII)

# From a cached picture to a long video, in seconds.
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1800)
_COMMIT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
_LAG = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)

BUILD = Info("tidegate_build", "Version of the gateway", registry=REGISTRY)
REQUESTS = Counter("tidegate_http_requests", "Requests answered", ["route", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "tidegate_http_request_duration_seconds", "Time to answer a request", ["route"], registry=REGISTRY
)
GENERATIONS = Counter("tidegate_generations", "Generations ended", ["model", "kind", "outcome"], registry=REGISTRY)
GENERATION_SECONDS = Histogram(
    "tidegate_generation_duration_seconds",
    "Time from acceptance to the end of a generation",
    ["kind", "outcome"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
LIVE = Gauge("tidegate_generations_live", "Generations accepted and not ended", registry=REGISTRY)
REPLICAS = Gauge("tidegate_replicas", "Processes that serve over the same store, this one included", registry=REGISTRY)
ATTEMPTS = Counter(
    "tidegate_attempts",
    "Attempts ended, by fault; the fault is `none` for a success",
    ["provider", "model", "fault"],
    registry=REGISTRY,
)
ATTEMPT_SECONDS = Histogram(
    "tidegate_attempt_duration_seconds",
    "Time of one attempt",
    ["provider", "outcome"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
FAILOVERS = Counter(
    "tidegate_failovers", "Times the next provider was asked after a fault", ["provider", "fault"], registry=REGISTRY
)
IN_DOUBT = Counter(
    "tidegate_attempts_in_doubt",
    "Submits whose answer was lost, by what the provider offers against it and what became of it",
    ["provider", "class", "resolution"],
    registry=REGISTRY,
)
DOUBLE_SPEND = Counter(
    "tidegate_double_spend_credits",
    "What jobs cost whose result came when nobody waited for it any more; no customer pays for it",
    ["provider"],
    registry=REGISTRY,
)
HEDGES = Counter(
    "tidegate_hedges",
    "Second jobs beside slow ones, by what became of them: won, lost",
    ["provider", "outcome"],
    registry=REGISTRY,
)
UNKNOWN_STATES = Counter(
    "tidegate_unknown_states", "State words of a provider that its pack does not list", ["provider"], registry=REGISTRY
)
LOOKS = Counter("tidegate_status_calls", "Looks at running jobs", ["provider"], registry=REGISTRY)
BREAKER_STATE = Gauge(
    "tidegate_breaker_state",
    "Breakers that have ever opened: 0 closed, 1 half open, 2 open; those of a whole provider name no model",
    ["provider", "model", "breaker"],
    registry=REGISTRY,
)
CONCURRENCY = Gauge(
    "tidegate_provider_concurrency",
    "Jobs that a provider takes at once, where it ever refused more",
    ["provider"],
    registry=REGISTRY,
)
CAPTURED = Counter(
    "tidegate_credits_captured", "Credits taken for outputs delivered", ["provider", "model"], registry=REGISTRY
)
OUTPUT_BYTES = Counter("tidegate_output_bytes", "Bytes of outputs stored", ["kind"], registry=REGISTRY)
COMMIT_SECONDS = Histogram(
    "tidegate_store_commit_seconds", "Time of one group commit", buckets=_COMMIT, registry=REGISTRY
)
COMMIT_SIZE = Histogram(
    "tidegate_store_commit_programs",
    "Store operations in one group commit",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
LEDGER_FINDINGS = Gauge("tidegate_ledger_findings", "Violated checks of the ledger at the last look", registry=REGISTRY)
WEBHOOK_DELIVERIES = Counter(
    "tidegate_webhook_deliveries",
    "Attempts at telling a receiver, by what came of them",
    ["outcome"],
    registry=REGISTRY,
)
WEBHOOK_BACKLOG = Gauge(
    "tidegate_webhook_backlog",
    "Deliveries that are due, wait for a retry or are queued, up to 10,000",
    registry=REGISTRY,
)
LOOP_LAG = Histogram(
    "tidegate_loop_lag_seconds",
    "How much later than due the event loop came to a task that only waits, twice a second",
    buckets=_LAG,
    registry=REGISTRY,
)
CONNECTIONS_CLOSED = Counter(
    "tidegate_connections_closed",
    "Connections of clients that the gateway closed: no_head, idle, slow_reader, too_many of one address, crowded when room"
    " was made for others, no_balancer and no_preamble where balancers name the client, bad_tls",
    ["reason"],
    registry=REGISTRY,
)
RELOADS = Counter("tidegate_config_reloads", "Attempts to load the configuration anew", ["result"], registry=REGISTRY)


# One of a series by the values of its labels. Kept, for the library checks and joins them anew each time; labels are bounded.
counted = cache(Counter.labels)
timed = cache(Histogram.labels)


def render(accept: str = "") -> tuple[bytes, str]:
    """All series, and the type of the text: OpenMetrics, exemplars with it, for whoever accepts that, else Prometheus's own."""
    if _wish(accept, _OPEN) > _wish(accept, "text/plain"):
        text: bytes = openmetrics.generate_latest(REGISTRY)  # type: ignore[no-untyped-call]  # the library types it not
        return text, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest(REGISTRY), CONTENT_TYPE_PLAIN_0_0_4


def _wish(accept: str, wanted: str) -> float:
    """How much a scraper wishes for a type, from 0 to 1; one that names no type gets what all can read."""
    found = 0.0
    for part in accept.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        if name == wanted:
            weights = [each[2:] for each in parameters if each.startswith("q=")]
            found = max(found, float(weights[0]) if weights and _WEIGHT.fullmatch(weights[0]) else float(not weights))
    return found
