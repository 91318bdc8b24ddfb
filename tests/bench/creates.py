"""The native API: a create, which answers when the generation is committed, and a record, each against an answer that is always the same.

The far end takes every job and lets it run, as jobs do; so what a create sets going, the submit and the looks, is in the figure.
The other side's answer has the same bytes as ours.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.bench import peers
from tests.bench.far import far_end
from tests.bench.figure import Bench, Figure, Goal, at_least, compared, void
from tests.bench.gateway import Gateway, gateway, providers
from tests.bench.load import Load, apply
from tests.bench.peers import Peer
from tests.bench.rounds import alternating
from tests.bench.sample import Sample, beside, rates, sample, wrong

_NAME = "creates"
_WARM = 300  # requests before anything is measured
_CREATE = "/v1/generate/image/bfl/flux-schnell"
_BODY = json.dumps({"generation_prompt": "a baby seal plays in the Arctic", "generation_ratio": "16:9"})
_READ = 200  # records that are read in turn
_IDLE_SECONDS = 300  # until all jobs of a round have ended
# More than are created in all: what is refused because so many run is not what is measured.
_LIMITS = "limits: {live: 1000000}\n"


def measure(bench: Bench) -> Iterator[Figure]:
    """Requests a second as ratios."""
    with far_end(bench.scratch) as (far, _), gateway(bench, _LIMITS + providers(replicate=f"{far}/jobs")) as ours:
        yield _read(bench, ours, far)
        yield _created(bench, ours, far)


def _created(bench: Bench, ours: Gateway, far: str) -> Figure:
    _finish(far, finish=False)
    answer = _ask(ours, "POST", _CREATE, _BODY)
    load = Load(
        ours.origin + _CREATE, bench.connections, seconds=bench.seconds, method="POST", body=_BODY, headers=ours.sends,
        holds='"generation_initialized"',
    )  # fmt: skip

    def mine() -> Sample:
        """No job runs when it begins, so that every round is the same, and none when it ends, so that the other has the machine."""
        _end_jobs(far, ours)
        _finish(far, finish=False)
        found = sample(ours.process, load)
        _end_jobs(far, ours)
        return found

    with peers.bare(bench.scratch, static=answer) as peer:
        return _judged(bench, f"create, {bench.connections} connections", load, peer, mine, at_least(0.25))


def _read(bench: Bench, ours: Gateway, far: str) -> Figure:
    """Records of generations that have ended, each with a small picture that is stored."""
    count = 20 if bench.quick else _READ
    what = f"GET /v1/content/{{id}} of {count} records, {bench.connections} connections"
    _finish(far, finish=True)
    paths = [f"/v1/content/{_generation(ours)}" for _ in range(count)]
    _idle(ours)
    answer = _ask(ours, "GET", paths[-1])
    told = json.loads(answer)
    if told["data"]["generation_status"] != "succeeded":
        return void(_NAME, what, f"a generation is {told['data']['generation_status']}", at_least(0.75))
    load = Load(
        ours.origin,
        bench.connections,
        seconds=bench.seconds,
        headers=ours.headers,
        paths=paths,
        holds='"generation_output_file":[',
    )
    with peers.bare(bench.scratch, static=answer) as peer:
        return _judged(bench, what, load, peer, lambda: sample(ours.process, load), at_least(0.75))


def _judged(bench: Bench, what: str, load: Load, peer: Peer, mine: Callable[[], Sample], goal: Goal) -> Figure:
    """Ours against the answer that is always the same, asked in the same way."""
    theirs = replace(load, url=f"{peer.origin}/static", paths=())
    for each in (load, theirs):
        apply(replace(each, count=20 if bench.quick else _WARM))
    seen = alternating(bench, {"ours": mine, "static": lambda: sample(peer.process, theirs)})
    if why := wrong(*seen.values()):
        return void(_NAME, what, why, goal)
    what = f"{what}, against a static answer of aiohttp {peer.version}"
    return compared(
        _NAME, what, rates(seen["ours"]), rates(seen["static"]), "requests/s", goal, note=beside(*seen.values())
    )


def _generation(ours: Gateway) -> str:
    told = json.loads(_ask(ours, "POST", _CREATE, _BODY))
    found: str = told["data"]["generation_id"]
    return found


def _finish(far: str, *, finish: bool) -> None:
    """Whether jobs are to end when they are looked at."""
    urllib.request.urlopen(f"{far}/_finish", json.dumps(finish).encode()).close()


def _end_jobs(far: str, ours: Gateway) -> None:
    """Let all jobs end, and wait until they have."""
    _finish(far, finish=True)
    _idle(ours)


def _idle(ours: Gateway) -> None:
    """Wait until no generation is live. RuntimeError when that takes too long."""
    ends = time.monotonic() + _IDLE_SECONDS
    while "\ntidegate_generations_live 0.0\n" not in _ask(ours, "GET", "/metrics"):
        if time.monotonic() > ends:
            raise RuntimeError(f"generations are still live {_IDLE_SECONDS} s after their jobs have ended")
        time.sleep(0.1)


def _ask(ours: Gateway, method: str, path: str, body: str = "") -> str:
    request = urllib.request.Request(ours.origin + path, body.encode() or None, dict(ours.sends), method=method)
    with urllib.request.urlopen(request) as answer:
        said: str = answer.read().decode()
        return said
