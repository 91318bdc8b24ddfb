"""A synchronous image call through the images API: against a pass-through of the same call, a reverse proxy, and other gateways.

All get the same body and have the same far end, which answers at once. Ours has everything on: the key, the hold, the journal with
its commits synced, the settling, the metrics.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.bench import peers
from tests.bench.far import far_end
from tests.bench.figure import Bench, Figure, Goal, Of, alone, at_least, at_most, compared, skipped, void
from tests.bench.gateway import Gateway, gateway, providers
from tests.bench.load import Load, apply
from tests.bench.peers import Missing, Opening, Peer
from tests.bench.pictures import LARGE
from tests.bench.rounds import alternating
from tests.bench.sample import Sample, beside, medians, rates, sample, wrong

_NAME = "calls"
_WARM = 3000  # requests to each before anything is measured: the one on node takes that many to get as fast as it will
_WARM_SECONDS = 10  # and no longer
_BODY = json.dumps({"model": "gpt-image-2", "prompt": "a baby seal plays in the Arctic", "n": 1, "size": "1024x1024"})
_PATH = "/v1/images/generations"
_BARE = "bare aiohttp"
_MEMORY = Path("/dev/shm")
_INSIDE = "outputs: {store: none}\n"  # pictures are relayed in the answer, not kept

# Who else is asked, and what ours should reach beside them.
_OTHERS: Mapping[str, tuple[Opening, Goal | None]] = {
    "nginx": (peers.nginx, None),
    "LiteLLM": (peers.litellm, at_least(15)),
    "Portkey": (peers.portkey, at_least(3)),
}


def measure(bench: Bench) -> Iterator[Figure]:
    """Calls a second as ratios, and the milliseconds a call takes longer."""
    with far_end(bench.scratch) as (far, _), peers.bare(bench.scratch, f"{far}/small") as peer:
        policy = _INSIDE + providers(openai=f"{far}/small/v1")
        with gateway(bench, policy) as ours:
            yield from _small(bench, far, ours, peer)
            yield _added(bench, ours, peer, "on disk", at_most(5, Of.OURS))
        if not bench.quick:
            yield _in_memory(bench, policy, peer)
        yield _large(bench, far)


def _small(bench: Bench, far: str, ours: Gateway, peer: Peer) -> Iterator[Figure]:
    """A small picture at many connections, against everybody."""
    what = f"small picture, {bench.connections} connections"
    with ExitStack() as stack:
        found = {_BARE: peer}
        for name, (opening, goal) in {} if bench.quick else _OTHERS.items():
            try:
                found[name] = stack.enter_context(opening(bench.scratch, _base(name, far)))
            except (Missing, RuntimeError) as error:
                yield skipped(_NAME, f"{what}, against {name}", str(error)[:300], goal)
        seen = _asked(bench, ours, found, bench.connections)
    for name, each in found.items():
        goal = at_least(0.60) if name == _BARE else _OTHERS[name][1]
        yield _judged(f"{what}, against {name} {each.version}", seen["ours"], seen[name], goal)


def _added(bench: Bench, ours: Gateway, peer: Peer, place: str, goal: Goal) -> Figure:
    """What a call takes longer when nobody else asks."""
    what = f"added median latency, 1 connection, store {place}"
    seen = _asked(bench, ours, {_BARE: peer}, 1)
    mine, theirs = seen["ours"], seen[_BARE]
    if why := wrong(mine, theirs):
        return void(_NAME, what, why, goal)
    added = [one - other for one, other in zip(medians(mine), medians(theirs), strict=True)]
    return alone(_NAME, what, added, "ms", goal, note=beside(mine, theirs))


def _in_memory(bench: Bench, policy: str, peer: Peer) -> Figure:
    """The same where a commit need not wait for a disk."""
    goal = at_most(2, Of.OURS)
    if not _MEMORY.is_dir():
        return skipped(_NAME, "added median latency, store in memory", f"there is no {_MEMORY}", goal)
    with gateway(bench, policy, under=_MEMORY) as ours:
        return _added(bench, ours, peer, "in memory", goal)


def _large(bench: Bench, far: str) -> Figure:
    """A picture of 1 MB, which ours stores with its hash before it answers; the answer has the picture too."""
    with (
        gateway(bench, providers(openai=f"{far}/large/v1") + "outputs: {store: 'file:outputs'}\n") as ours,
        peers.bare(bench.scratch, f"{far}/large") as peer,
    ):
        seen = _asked(bench, ours, {_BARE: peer}, bench.connections, least=len(LARGE) * 4 // 3)
        what = f"1 MB picture, stored, {bench.connections} connections, against bare aiohttp {peer.version}"
        return _judged(what, seen["ours"], seen[_BARE], at_least(0.80))


def _asked(
    bench: Bench, ours: Gateway, found: Mapping[str, Peer], connections: int, least: int = 0
) -> Mapping[str, Sequence[Sample]]:
    """Ours and all others in turn, each warm; by name, ours as `ours`."""
    load = Load(
        ours.origin + _PATH, connections, seconds=bench.seconds, method="POST", body=_BODY, headers=ours.sends,
        holds='"b64_json"', least=least,
    )  # fmt: skip
    ways = {"ours": (ours.process, load)}
    for name, peer in found.items():
        headers = {"Content-Type": "application/json", **peer.headers}
        ways[name] = (peer.process, replace(load, url=peer.origin + _PATH, headers=headers))
    for _, load in ways.values():
        apply(replace(load, count=20 if bench.quick else _WARM, seconds=_WARM_SECONDS))
    return alternating(bench, {name: partial(sample, process, load) for name, (process, load) in ways.items()})


def _judged(what: str, mine: Sequence[Sample], theirs: Sequence[Sample], goal: Goal | None) -> Figure:
    if why := wrong(mine):
        return void(_NAME, what, why, goal)
    if why := wrong(theirs):
        return skipped(_NAME, what, f"the other's {why}", goal)
    return compared(_NAME, what, rates(mine), rates(theirs), "calls/s", goal, note=beside(mine, theirs))


def _base(name: str, far: str) -> str:
    """Where a peer finds the far end: a proxy passes the whole path on, gateways add their own to the API's base."""
    return f"{far}/small" if name == "nginx" else f"{far}/small/v1"
