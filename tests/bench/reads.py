"""Reads and lists of every kind over a store of 1,000,000 generations, beside the same over one of 1,000.

Both stores are grown from generations that the gateway made (see `store`) and reach over the same thirty days; two gateways serve
them side by side. One client asks both in turn, one request at a time: what is compared is the median of its waits.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.clock import iso
from tests.bench.figure import Bench, Figure, at_most, compared, void
from tests.bench.gateway import Gateway
from tests.bench.line import Line
from tests.bench.made import Made, made
from tests.bench.store import DAY, DAYS, grow
from tests.harness.process import now_ms

NAME = "reads"
_FEW, _MANY = 1_000, 1_000_000
_QUICK = 5_000  # instead of a million, to see that all of it works
_GOAL = at_most(1.5)
_LONGEST = 1.0  # seconds of a round: there are many kinds, and an answer takes milliseconds
_WARM, _LEAST = 2, 10  # answers of each round that do not count, and that do at least
_IDS = 500  # generations asked for in turn, from all over the store
_DEEP = 900  # generations passed over by a page that both stores have


@dataclass(frozen=True, slots=True)
class Read:
    """What is asked for: paths in turn, with a body for an act, which is posted. `holds` is in every answer, `least` the bytes it has."""

    what: str
    paths: Sequence[str]
    body: Mapping[str, object] | None = None
    holds: str = '"status":"success"'
    least: int = 0


def measure(bench: Bench) -> Iterator[Figure]:
    """Make some generations, grow them, and read."""
    with made(bench) as template:
        yield from over(bench, template)


def over(bench: Bench, template: Made) -> Iterator[Figure]:
    """Each kind of read in turn, over what grows from this."""
    many = _QUICK if bench.quick else _MANY
    with ExitStack() as stack:
        small = stack.enter_context(_served(bench, template, _FEW))
        large = stack.enter_context(_served(bench, template, many))
        for few, most in zip(reads(small.folder, template), reads(large.folder, template), strict=True):
            yield _compared(bench, f"{many:,} stored against {_FEW:,}", (small, few), (large, most))


@contextmanager
def _served(bench: Bench, template: Made, count: int) -> Iterator[Gateway]:
    """A gateway over so many generations."""
    with tempfile.TemporaryDirectory(prefix="store-", dir=bench.scratch) as name:
        folder = Path(name)
        bench.say(f"a store of {count:,} generations")
        grow(template.store, folder / "gateway.db", count)
        shutil.copytree(template.store.parent / "outputs", folder / "outputs")
        gateway = Gateway(folder, template.policy)
        gateway.key = template.key
        try:
            gateway.start()
            yield gateway
        finally:
            gateway.close()


def _compared(bench: Bench, note: str, few: tuple[Gateway, Read], most: tuple[Gateway, Read]) -> Figure:
    """Ask both in turn, so that whatever else the machine does is done to both."""
    what = few[1].what
    theirs: list[float] = []
    ours: list[float] = []
    with Line(few[0].origin, few[0].sends) as small, Line(most[0].origin, most[0].sends) as large:
        for number in range(bench.rounds):
            waits: tuple[list[float], list[float]] = [], []
            ends = time.monotonic() + min(bench.seconds, _LONGEST)
            turn = 0
            while turn < _WARM + _LEAST or time.monotonic() < ends:
                for waited, line, read in zip(waits, (small, large), (few[1], most[1]), strict=True):
                    took, said = _ask(line, read, turn)
                    if said:
                        return void(NAME, what, said, _GOAL)
                    waited.append(took)
                turn += 1
            theirs.append(statistics.median(waits[0][_WARM:]))
            ours.append(statistics.median(waits[1][_WARM:]))
            bench.say(f"{what}: round {number + 1} of {bench.rounds}: {ours[-1]:.2f} ms against {theirs[-1]:.2f} ms")
    return compared(NAME, what, ours, theirs, "ms", _GOAL, note)


def _ask(line: Line, read: Read, turn: int) -> tuple[float, str]:
    """Milliseconds, and what is wrong with the answer."""
    body = json.dumps(read.body) if read.body is not None else ""
    path = read.paths[turn % len(read.paths)]
    took, status, head, size = line.ask("GET" if read.body is None else "POST", path, body)
    if status != 200 or size < read.least or read.holds.encode() not in head:
        return took, f"{path}: {status}, {size} bytes: {head[:200]!r}"
    return took, ""


def reads(folder: Path, template: Made) -> Sequence[Read]:
    """Everything that can be read and has to do with how much is stored, and a few that have not."""
    with sqlite3.connect(folder / "gateway.db") as store:
        ids = _spread(store, "deleted IS NULL")
        films = _spread(store, "kind = 'video'")
        [account] = store.execute("SELECT id FROM account WHERE kind = 'customer'").fetchone()
    store.close()
    now, webhook = now_ms(), template.webhook
    middle, before = iso(now - DAYS * DAY // 2), iso(now - DAY)
    days = {"from": before[:10], "to": iso(now)[:10]}
    page, admin = "/v1/content/list?limit=100", "/admin/v1"
    return [
        Read("one generation", [f"/v1/content/{each}" for each in ids], least=500),
        Read("one video", [f"/v1/videos/video_{each}" for each in films], holds='"object":"video"'),
        Read("one prediction", [f"/v1/predictions/{each}" for each in ids], holds='"status"'),
        Read("the newest 100 generations", [page], least=20_000),
        Read(f"100 generations after {_DEEP}", [f"{page}&offset={_DEEP}"], least=20_000),
        Read("the newest 100 videos", ["/v1/videos?limit=100"], holds='"list"', least=10_000),
        Read("100 videos after one", [f"/v1/videos?limit=20&after=video_{each}" for each in films], holds='"list"'),
        Read("the oldest 100 videos", ["/v1/videos?limit=100&order=asc"], holds='"list"', least=10_000),
        Read("the newest 100 predictions", ["/v1/predictions"], holds='"results"', least=10_000),
        Read("predictions since a moment", [f"/v1/predictions?created_after={before}"], holds='"results"', least=1_000),
        Read(
            "predictions before a moment", [f"/v1/predictions?created_before={middle}"], holds='"results"', least=1_000
        ),
        *(Read(f"usage of {n} days", [f"/v1/usage?days={n}"], holds="usage_providers") for n in (1, 30, 90)),
        Read("the account", ["/v1/user/account"]),
        Read("its balance", ["/v1/user/billing"]),
        Read("the key", ["/v1/status"]),
        Read("the models", ["/v1/library/models"], least=10_000),
        Read("what one would cost", ["/v1/estimate/bytedance/seedream-4.5"]),
        Read("the webhooks", ["/v1/webhooks"], holds=webhook),
        Read("the newest 100 deliveries", [f"/v1/webhooks/{webhook}/deliveries?limit=100"], least=10_000),
        Read(
            f"deliveries after {_DEEP - 100}", [f"/v1/webhooks/{webhook}/deliveries?offset={_DEEP - 100}"], least=5_000
        ),
        Read("accounts, by an operator", [f"{admin}/accounts/list"], {}),
        Read("keys, by an operator", [f"{admin}/keys/list"], {}),
        Read("a key and what it spent", [f"{admin}/keys/show"], {"id": "all"}),
        Read("credits and the last movements", [f"{admin}/credits/show"], {"account": account}, least=1_000),
        Read("an account's statement of two days", [f"{admin}/credits/statement"], {"account": account, **days}),
        Read("what was decided for one", [f"{admin}/generations/show"], {"generation": ids[0]}, least=500),
        Read("the audit", [f"{admin}/audit/list"], {}),
        Read("the audit of one key", [f"{admin}/audit/list"], {"who": account}),
        Read("the metrics", ["/metrics"], holds="tidegate_"),
    ]


def _spread(store: sqlite3.Connection, where: str) -> list[str]:
    """The ids of some generations, from the first to the last."""
    count = store.execute(f"SELECT COUNT(*) FROM generation WHERE {where}").fetchone()[0]
    text = f"SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY seq) AS n FROM generation WHERE {where}) WHERE n % ? = 0"
    return [row[0] for row in store.execute(text, (max(1, count // _IDS),))]
