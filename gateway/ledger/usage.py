"""Programs that count requests and say what an account used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.ledger.program import Program, Row, ask

DAY = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What is counted: an answer of an endpoint to an account on a day since the epoch. `code` is empty for none."""

    account: str
    day: int
    endpoint: str
    status: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class EndpointUse:
    """How an endpoint answered, by class of HTTP status, and how often with each code of ours."""

    endpoint: str
    total: int
    success: int
    client_errors: int
    server_errors: int
    codes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProviderUse:
    """What became of the attempts at one provider; amounts in millionths of a credit.

    Used: delivered. Discarded: nobody waited for it. Cancelled: the caller gave up. Failed: it failed or was lost. Pending:
    still going on. `estimated` is what all that may have been billed should cost, `wasted` the part that was not delivered.
    """

    provider: str
    submissions: int
    used: int
    cancelled: int
    discarded: int
    failed: int
    pending: int
    estimated: int
    wasted: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account used since a time."""

    endpoints: tuple[EndpointUse, ...] = field(default=())
    providers: tuple[ProviderUse, ...] = field(default=())
    generations: int = 0


def count(rows: Mapping[Answer, int]) -> Program[None]:
    """Add to the counts of answers."""
    for answer, n in rows.items():
        yield from ask(
            "request_count",
            account=answer.account,
            day=answer.day,
            endpoint=answer.endpoint,
            status=answer.status,
            code=answer.code,
            n=n,
        )


def forget(day: int, limit: int = 500) -> Program[int]:
    """Forget up to `limit` counts of days before one; give how many went."""
    return len((yield from ask("request_count_forget", day=day, limit=limit)))


def report(account: str, since: int) -> Program[Usage]:
    """Say what an account used since a time in milliseconds; all of it is counted by whole days in UTC."""
    day = since // DAY
    answers = yield from ask("usage_endpoints", account=account, day=day)
    tries = yield from ask("usage_providers", account=account, day=day)
    [counted] = yield from ask("usage_generations", account=account, day=day)
    return Usage(
        endpoints=tuple(_endpoint(name, rows) for name, rows in _grouped(answers, "endpoint").items()),
        providers=tuple(_provider(name, rows) for name, rows in _grouped(tries, "provider").items()),
        generations=counted["n"],
    )


def _grouped(rows: list[Row], column: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def _endpoint(name: str, rows: list[Row]) -> EndpointUse:
    classes = {2: 0, 3: 0, 4: 0, 5: 0}
    codes: dict[str, int] = {}
    for row in rows:
        classes[row["status"] // 100] = classes.get(row["status"] // 100, 0) + row["n"]
        if row["code"]:
            codes[row["code"]] = codes.get(row["code"], 0) + row["n"]
    return EndpointUse(name, sum(classes.values()), classes[2] + classes[3], classes[4], classes[5], codes)


def _provider(name: str, rows: list[Row]) -> ProviderUse:
    by = {row["outcome"]: row["n"] for row in rows}
    return ProviderUse(
        provider=name,
        submissions=sum(by.values()),
        used=by.get("used", 0),
        cancelled=by.get("cancelled", 0),
        discarded=by.get("discarded", 0),
        failed=by.get("failed", 0),
        pending=by.get("pending", 0),
        estimated=sum(row["estimated"] for row in rows),
        wasted=sum(row["wasted"] for row in rows),
    )
