"""The vendors played within the process: calls reach them without sockets, and go wrong on the way as lines do."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from gateway.artifacts.fault import OutputFault, StorageFault
from gateway.artifacts.store import Artifact
from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import Kind
from gateway.outcome import Output
from gateway.providers import classify
from gateway.providers.classify import UNREADABLE, Reply
from gateway.providers.pack import Encoding
from gateway.providers.render import Call, File
from gateway.providers.secrets import Secrets
from gateway.providers.wire import Broken
from gateway.simulators import chaos, forms, media, vendor
from gateway.simulators.chaos import Chaos, Do
from gateway.simulators.jobs import Job, Jobs
from gateway.simulators.jobs import Output as JobOutput
from gateway.simulators.mischief import packed
from gateway.simulators.server import VENDORS
from tests.harness.virtual import EPOCH

ORIGIN = "http://far"
BASES: Mapping[str, str] = {each.name: ORIGIN + each.base for each in VENDORS}
SECRETS: Mapping[str, str] = {name: key for each in VENDORS for name, key in each.secrets.items()}

_SIDE = 16  # pixels; what is drawn inside an answer need not be large
_HEADS = {head: each for each in VENDORS for head in each.heads}

Note = Callable[..., None]


class Crash:
    """Where the process may die: every door it passes is counted, and behind the last one nothing of it moves any more."""

    def __init__(self, note: Note, at: int | None) -> None:
        """Die at the `at`-th door, or when told to."""
        self._note = note
        self._left = at
        self.died = asyncio.Event()

    def die(self) -> None:
        """Stop being."""
        if not self.died.is_set():
            self._note("died")
            self.died.set()

    def door(self, name: str) -> None:
        """Pass a door, or die at it: whoever comes after that is cancelled where it stands."""
        if self._left is not None and not self.died.is_set():
            self._left -= 1
            if self._left <= 0:
                self._note("at", name)
                self.die()
        if self.died.is_set():
            raise asyncio.CancelledError


class Begun(Jobs):
    """The jobs of all vendors, their files made small."""

    def begin(self, job: Job, rule: chaos.Rule | None) -> Job:
        """Enter a job."""
        job.outputs = tuple(replace(output, width=_SIDE, height=_SIDE) for output in job.outputs)
        return super().begin(job, rule)


@dataclass(slots=True)
class Weather:
    """How bad the lines are, as chances."""

    unsent: float = 0.0
    reset: float = 0.0
    storage: float = 0.0


class Far:
    """Everything on the other side: vendors, their jobs and the weather on the way there. It outlives every crash."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, dice: random.Random, pace: Mapping[str, float], note: Note
    ) -> None:
        """Begin with nothing begun and fair weather."""
        self.loop = loop
        self.dice = dice
        self.note = note
        self.jobs = Begun(pace, random.Random(dice.getrandbits(64)))
        self.weather = Weather()
        self.script(())
        self.disk: dict[str, str] = {}  # what is safe, by its URI: the hash

    def script(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Put a script of faults in place."""
        self.chaos = Chaos(chaos.read(rules), [each.name for each in VENDORS], self.dice)

    def now(self) -> int:
        """The true time, in ms."""
        return EPOCH + int(self.loop.time() * 1000)

    def chance(self, of: float) -> bool:
        """Throw the dice."""
        return self.dice.random() < of

    def arrive(self, ask: vendor.Ask, answer: asyncio.Future[Reply]) -> None:
        """Let a vendor act on a call that came in, whoever still waits for the answer."""
        player = _HEADS[ask.path.split("/")[1]]
        endpoint, params, is_path = player.find(ask.method, ask.path)
        call = chaos.Call.OTHER if endpoint is None else endpoint.call
        job = self.jobs.find(player.name, params.get("id") or dict(ask.query).get("id", ""))
        ask = replace(ask, now=self.now(), params=params)
        model, prompt = player.subject(ask) if job is None else (job.model, job.prompt)
        rule = self.chaos.pick(player.name, call, model, prompt)
        do = None if rule is None else rule.do
        self.note("call", player.name, call.value, do.value if do else "-")
        if do is Do.DROP_BEFORE:
            _fail(answer, "the line broke")
            return
        if rule is not None and do is Do.STATUS:
            assert rule.status is not None
            said: vendor.Reply | vendor.Held = player.word(ask, rule.status, rule.code)
        elif endpoint is None or not player.is_authorized(ask):
            said = player.word(ask, (405 if is_path else 404) if endpoint is None else 401, None)
        else:
            said = endpoint.answer(replace(ask, rule=rule), self.jobs)
        if do is Do.DROP_AFTER:
            _fail(answer, "the line broke")
            return
        wait = (rule.seconds or 0.0) if rule is not None and do is Do.DELAY else 0.0
        if isinstance(said, vendor.Held):
            wait = max(wait, (said.until - ask.now) / 1000)
        if wait == math.inf or do is Do.TRICKLE:
            return
        back = self.dice.uniform(0.005, 0.15)
        self.loop.call_later(max(wait, 0.0) + back, self._send, player, ask, said, do, answer)

    def _send(
        self,
        player: vendor.Vendor,
        ask: vendor.Ask,
        said: vendor.Reply | vendor.Held,
        do: Do | None,
        answer: asyncio.Future[Reply],
    ) -> None:
        if isinstance(said, vendor.Held):
            said = said.answer(max(self.now(), math.ceil(said.until)))
        if do is Do.TRUNCATED or self.chance(self.weather.reset):
            _fail(answer, "the line broke within the answer")
        elif not answer.done():
            headers = {**player.stamp(ask), **said.headers}
            answer.set_result(_understood(replace(said, headers=headers), do))


class Wire:
    """Stands for the gateway's line to the providers, with the same promise: a reply, or how far the call got."""

    def __init__(self, far: Far, crash: Crash, secrets: Secrets) -> None:
        """Speak to `far` until the crash."""
        self._far = far
        self._crash = crash
        self.secrets = secrets

    async def send(self, call: Call, timeout: float) -> Reply:  # noqa: ASYNC109 - the signature of the line it stands for
        """Send a call and give the answer. Raises Broken."""
        far = self._far
        self._crash.door(f"dial {call.name.value}")
        await asyncio.sleep(far.dice.uniform(0.001, 0.05))
        if far.chance(far.weather.unsent):
            raise Broken(Fault(FaultKind.PROVIDER_ERROR, Reach.UNSENT, "no connection"))
        self._crash.door(f"send {call.name.value}")
        answer: asyncio.Future[Reply] = far.loop.create_future()
        far.loop.call_later(far.dice.uniform(0.001, 0.1), far.arrive, self._asked(call), answer)
        try:
            async with asyncio.timeout(timeout):
                reply = await answer
        except TimeoutError:
            raise Broken(Fault(FaultKind.TIMEOUT, Reach.UNSURE, f"no answer within {timeout:g} s")) from None
        self._crash.door(f"heard {call.name.value}")
        return reply

    def _asked(self, call: Call) -> vendor.Ask:
        url = urlsplit(self.secrets.address(call.url))
        headers = {name.lower(): value for name, value in self.secrets.fill(call.headers).items()}
        body, parts = None, None
        if call.has_body and call.encoding is Encoding.MULTIPART:
            parts = tuple(_parts(call.body))
        elif call.has_body:
            body = json.loads(json.dumps(call.body))
            headers["content-type"] = "application/json"
        return vendor.Ask(
            method=call.method,
            path=unquote(url.path),
            query=tuple(parse_qsl(url.query, keep_blank_values=True)),
            headers=headers,
            now=0,
            origin=ORIGIN,
            trace=f"{self._far.dice.getrandbits(128):032x}",
            body=body,
            parts=parts,
        )


class Keeper:
    """Stands for the keeper of outputs: what it has kept survives every crash."""

    def __init__(self, far: Far, crash: Crash) -> None:
        """Keep on the disk of `far` until the crash."""
        self._far = far
        self._crash = crash

    def is_at_hand(self, output: Output) -> bool:
        """Whether an output came inside an answer."""
        return output.url is None or not output.url.startswith(ORIGIN)

    async def keep(self, generation: str, index: int, output: Output, kind: Kind) -> Artifact:
        """Make one output ours. Raises OutputFault or StorageFault."""
        self._crash.door("fetch")
        await asyncio.sleep(self._far.dice.uniform(0.01, 0.5))
        content = await self._fetched(output)
        if self._far.chance(self._far.weather.storage):
            raise StorageFault("no space is left", full=True)
        self._crash.door("store")
        digest = hashlib.sha256(content).hexdigest()
        uri = f"file:{generation}/{index}-{digest[:16]}"
        self._far.disk[uri] = digest
        await asyncio.sleep(self._far.dice.uniform(0.001, 0.02))
        self._crash.door("stored")
        return Artifact(index, uri, digest, len(content), "image/png" if kind is Kind.IMAGE else "video/mp4")

    async def discard(self, generation: str) -> None:
        """Remove what was kept for a generation."""
        self._crash.door("discard")
        for uri in [uri for uri in self._far.disk if uri.startswith(f"file:{generation}/")]:
            del self._far.disk[uri]

    async def _fetched(self, output: Output) -> bytes:
        far = self._far
        if output.url is None or not output.url.startswith(ORIGIN):
            return (output.b64 or output.url or "").encode()
        _, name, file = urlsplit(output.url).path.strip("/").split("/")
        found = far.jobs.file(name, file)
        if found is None:
            raise OutputFault("gone", "no such file", retryable=True)
        job, _ = found
        rule = far.chaos.pick(name, chaos.Call.OUTPUT, job.model, job.prompt)
        do = job.output_fault if rule is None else rule.do
        now = far.now()
        there = job.state(now).is_final and job.canceled is None and now - job.finished(now) <= job.files_kept
        far.note("fetch", name, do.value if do else "-")
        match do:
            case Do.OUTPUT_404:
                raise OutputFault("gone", "the source answers 404", retryable=True)
            case Do.OUTPUT_HTML:
                raise OutputFault("not_media", "the output is a page", retryable=True)
            case Do.OUTPUT_TRUNCATED | Do.DROP_BEFORE | Do.DROP_AFTER:
                raise OutputFault("truncated", "the output ended early", retryable=True)
            case Do.STATUS:
                raise OutputFault("refused", "the source answers 503", retryable=True)
            case Do.OUTPUT_SLOW:
                await asyncio.sleep(10)
            case _:
                pass
        if not there:
            raise OutputFault("gone", "the file is not there", retryable=True)
        return file.encode()


class Source:
    """Stands for the reader of callers' files."""

    async def read(self, url: str, *, limit: int, deadline: float) -> bytes:
        """Give a picture or a film, after a while."""
        await asyncio.sleep(min(0.05, deadline))
        return _file("mp4" if url.endswith("mp4") else "png")[:limit]


@functools.cache
def _file(form: str) -> bytes:
    return media.draw(JobOutput(form, 512, 512, 2.0), "input")


def _understood(reply: vendor.Reply, do: Do | None) -> Reply:
    """Read an answer as the line does."""
    match do:
        case Do.HTML | Do.EMPTY:
            return Reply(200, {"content-type": "text/html"}, UNREADABLE)
        case Do.WRONG_SHAPE:
            return Reply(200, {"content-type": "application/json"}, {"ok": True, "result": [{"unheard": "of"}]})
        case _:
            pass
    data, headers = packed(reply)
    lowered = {name.lower(): value for name, value in headers.items()}
    found = classify.media(data, lowered.get("content-type", "application/octet-stream"))
    if found is not None:
        return Reply(reply.status, lowered, found)
    try:
        return Reply(reply.status, lowered, json.loads(data))
    except ValueError:
        return Reply(reply.status, lowered, UNREADABLE)


def _parts(body: Mapping[str, Any]) -> list[forms.Part]:
    found = []
    for name, value in body.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, File):
                found.append(forms.Part(name, part.data, part.name, part.type))
            else:
                found.append(forms.Part(name, (part if isinstance(part, str) else json.dumps(part)).encode()))
    return found


def _fail(answer: asyncio.Future[Reply], said: str) -> None:
    if not answer.done():
        answer.set_exception(Broken(Fault(FaultKind.PROVIDER_ERROR, Reach.UNSURE, said)))
        answer.exception()  # whoever waited for it may have died
