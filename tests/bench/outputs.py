"""One large output: relayed from its provider, taken in and stored, and read where it is stored; against nginx passing the same bytes on.

Nginx buffers as it does by default. A stored output is hashed, written and synced, from the first byte asked for until money has settled;
beside it a client of nginx writes the same bytes to the same file system and syncs them: on the disk of the scratch folder, and on one in
memory. Memory is the most the process had resident while it worked, above what it had before the first byte.
"""

from __future__ import annotations

import datetime as dt
import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import peers
from tests.bench.far import far_end
from tests.bench.figure import Bench, Figure, Of, alone, at_least, at_most, compared, skipped, void
from tests.bench.gateway import Gateway, gateway, providers
from tests.bench.pictures import FILM_BYTES
from tests.bench.rounds import alternating
from tests.bench.taking import Read, Wanted, take

_NAME = "outputs"
_FAST, _SMALL = at_least(0.7), at_most(16, Of.OURS)
_MIB = 1 << 20
_MEMORY = Path("/dev/shm")  # the file system in memory, where there is one
_END = 120  # seconds for a film to be there
_LOOK = 0.1  # seconds between two looks at whether it is
_FILM = f"a {FILM_BYTES // 1_000_000} MB output"
_LONG, _SHORT = "a feature film of a baby seal", "a clip of a baby seal"  # the far end makes 200 MB of the one


def measure(bench: Bench) -> Iterator[Figure]:
    """Rates in megabytes a second, memory in MiB."""
    with ExitStack() as stack:
        far, _ = stack.enter_context(far_end(bench.scratch))
        _ask("POST", f"{far}/_finish", {}, True)  # noqa: FBT003 - the body: jobs end at the first look
        try:
            if bench.quick:
                raise peers.Missing("a quick run has no other than aiohttp")  # noqa: TRY301 - said as any other reason is
            beside: peers.Peer | str = stack.enter_context(peers.nginx(bench.scratch, far))
        except peers.Missing as error:
            beside = str(error)
        with gateway(bench, _policy(far, "outputs: {store: none}\n")) as relaying:
            yield from _relayed(_Stand(bench, far, relaying, beside))
        for where, under in (("on the disk", bench.scratch), ("in memory", _MEMORY))[bench.quick :]:
            if not under.is_dir():
                yield skipped(_NAME, f"{_FILM} stored {where}", f"there is no {under}", _FAST)
                continue
            with gateway(bench, _policy(far), under=under) as storing:
                yield from _stored(_Stand(bench, far, storing, beside), where)


def _policy(far: str, more: str = "") -> str:
    return more + providers(replicate=f"{far}/jobs")


@dataclass(frozen=True, slots=True)
class _Stand:
    """A gateway, its far end, and who is beside it, or why nobody is."""

    bench: Bench
    far: str
    ours: Gateway
    beside: peers.Peer | str

    def film(self, words: str) -> Mapping[str, Any]:
        """Have a film made, and wait until it is there. RuntimeError when it is not in time, or fails."""
        asked = {"model": "bytedance/seedance-1-pro", "prompt": words, "seconds": "5"}
        made: Mapping[str, Any] = _ask("POST", f"{self.ours.origin}/v1/videos", self.ours.sends, asked)
        ends = time.monotonic() + _END
        while made["status"] != "completed":
            if made["status"] == "failed" or time.monotonic() > ends:
                raise RuntimeError(f"no film: {made}")
            time.sleep(_LOOK)
            made = _ask("GET", f"{self.ours.origin}/v1/videos/{made['id']}", self.ours.headers)
        return made

    def warm(self) -> None:
        """Do all of it once with a film of a few kilobytes: what code takes is not what a film takes."""
        if not self.bench.quick:
            self.content(self.film(_SHORT))

    def content(self, film: Mapping[str, Any]) -> Read:
        """Read its file through the gateway."""
        return take(Wanted(f"{self.ours.origin}/v1/videos/{film['id']}/content", self.ours.headers))

    def taken_in(self, shelf: list[Mapping[str, Any]]) -> Read:
        """Have a long one made: from the moment the far end is asked for it until the gateway says that it is stored.

        It takes the place of the one on the `shelf`, which is deleted.
        """
        for old in shelf:
            _ask("DELETE", f"{self.ours.origin}/v1/videos/{old['id']}", self.ours.headers)
        shelf[:] = [self.film(_LONG)]
        begun = _ask("GET", f"{self.far}/_counts", {})["film_begun"] / 1000
        size, ended = _told(self.ours.folder / "gateway.log", begun)
        return Read(200, size, size, ended - begun)

    def through(self, into: str = "") -> Read:
        """The same bytes through the other; `into` a file, where ours are stored."""
        assert isinstance(self.beside, peers.Peer)
        return take(Wanted(f"{self.beside.origin}/film", into=into))

    def compare(self, what: str, ours: Callable[[], Read], into: str = "") -> Iterator[Figure]:
        """Ours against the other by rounds, and what it took of memory."""
        base = self.ours.process.rss()
        _forget_peak(self.ours.process.pid)
        ways = {"ours": lambda: self._usual(ours)}
        if isinstance(self.beside, peers.Peer):
            ways["nginx"] = lambda: self._usual(lambda: self.through(into))
        found = alternating(self.bench, ways)
        wrong = [each for reads in found.values() for each in reads if each.status != 200 or each.bytes < FILM_BYTES]
        grown = (_peak(self.ours.process.pid) - base) / _MIB
        if wrong:
            yield void(_NAME, what, str(wrong[0]), _FAST)
            return
        rates = [each.rate for each in found["ours"]]
        if isinstance(self.beside, peers.Peer):
            client = "that writes them to a file and syncs it" if into else "that reads them"
            note = f"nginx {self.beside.version} passes the same bytes to a client {client}"
            yield compared(_NAME, what, rates, [each.rate for each in found["nginx"]], "MB/s", _FAST, note)
        else:
            yield alone(_NAME, what, rates, "MB/s", note=f"no nginx: {self.beside}")
        yield alone(_NAME, f"{what}: memory", [grown], "MiB", _SMALL, f"above {base / _MIB:.0f} MiB before")

    def _usual(self, way: Callable[[], Read]) -> Read:
        """The median of as many as there is time for; one that went wrong comes out first."""
        ends = time.monotonic() + self.bench.seconds / 2
        found = [way()]
        while time.monotonic() < ends:
            found.append(way())
        found.sort(key=lambda each: (each.status == 200 and each.bytes >= FILM_BYTES, each.seconds))
        is_right = found[0].status == 200 and found[0].bytes >= FILM_BYTES
        return found[len(found) // 2] if is_right else found[0]


def _relayed(stand: _Stand) -> Iterator[Figure]:
    stand.warm()
    film = stand.film(_LONG)
    yield from stand.compare(f"{_FILM} relayed", lambda: stand.content(film))


def _stored(stand: _Stand, where: str) -> Iterator[Figure]:
    stand.warm()
    shelf: list[Mapping[str, Any]] = []
    into = str(stand.ours.folder / "beside")
    yield from stand.compare(f"{_FILM} stored {where}", lambda: stand.taken_in(shelf), into)
    yield from stand.compare(f"{_FILM} read where it is stored {where}", lambda: stand.content(shelf[0]))


def _told(log: Path, since: float) -> tuple[int, float]:
    """What the gateway said of a generation that succeeded since then: the bytes it stored, and when, in seconds since the epoch."""
    ends = time.monotonic() + _END
    while time.monotonic() < ends:  # who asks may hear of a film before the log does
        for line in reversed(log.read_text().splitlines()):
            if '"generation_succeeded"' in line:
                said = json.loads(line)
                ended = dt.datetime.fromisoformat(said["ts"]).timestamp()
                if ended > since:
                    return said["bytes"], ended
                break
        time.sleep(_LOOK)
    raise RuntimeError("the gateway's log tells of no output")


def _forget_peak(pid: int) -> None:
    """Have the kernel begin anew with the most a process had resident: proc(5), clear_refs."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak(pid: int) -> int:
    """Bytes it had resident at the most since then."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _ask(method: str, url: str, headers: Mapping[str, str], body: object = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data, dict(headers), method=method)) as answer:
        return json.load(answer)
