"""`Client`: the gateway for programs that block, on the standard library alone."""

from __future__ import annotations

import hashlib
import http.client
import random
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Self, TypeVar, Unpack, assert_never
from urllib.parse import urlsplit

from gateway.client import calls, downloads, flows, replies
from gateway.client.calls import Call
from gateway.client.records import Accepted, Canceled, Estimate, Generation, Model, Page, Saved
from gateway.client.replies import Reply
from gateway.client.retries import Retries
from gateway.client.steps import Broken, Drop, Fetch, Fetched, Flow, Heard, Keep, Pause, Send, Step, Tell, Write
from gateway.client.wanted import Wanted, call_of

_T = TypeVar("_T")
_CHUNK = 256 * 1024  # bytes
TIMEOUT = 30.0  # seconds without a word, of one request
PATIENCE = 1800.0  # seconds a generation is waited for
Progress = Callable[[Generation], None]


class Client:
    """One gateway, asked with one key. It may be used by several threads: every request has a connection of its own."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Ask the gateway at `url`; `timeout` in seconds is for one silence of one request. ValueError for what is no URL."""
        self._origin = calls.origin_of(url)
        self._key = calls.checked(key)
        self._timeout = timeout
        self._retries = retries or Retries()
        self._tls = tls

    def __enter__(self) -> Self:
        """Nothing is held open; it is there so that both clients are used alike."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing has to be closed."""

    def generate(self, model: str, prompt: str, **wanted: Unpack[Wanted]) -> Accepted:
        """Begin a generation, once whatever the line does."""
        return self._do(flows.begin(call_of(model, prompt, wanted, str(uuid.uuid4())), self._retries, model))

    def wait(
        self, generation: Accepted | str, *, timeout: float = PATIENCE, progress: Progress | None = None
    ) -> Generation:
        """Wait for the end, at most `timeout` seconds; `progress` is called with each change.

        The record when it succeeded; GenerationFailedError, GenerationCanceledError or WaitTimeoutError otherwise.
        """
        id_ = generation if isinstance(generation, str) else generation.id
        return self._do(flows.wait(id_, timeout, self._retries, time.monotonic()), progress)

    def run(
        self,
        model: str,
        prompt: str,
        *,
        timeout: float = PATIENCE,
        progress: Progress | None = None,
        **wanted: Unpack[Wanted],
    ) -> Generation:
        """Begin a generation and wait for its end; see `generate` and `wait`."""
        call = call_of(model, prompt, wanted, str(uuid.uuid4()))
        return self._do(flows.run(call, model, timeout, self._retries, time.monotonic()), progress)

    def read(self, generation: str) -> Generation:
        """The record of a generation, with its attempts."""
        return self._do(flows.ask(calls.read(generation), self._retries, replies.generation))

    def list(self, *, limit: int = 50, offset: int = 0) -> Page:
        """Some generations, the newest first."""
        return self._do(flows.ask(calls.page(limit, offset), self._retries, replies.page))

    def cancel(self, generation: str) -> Canceled:
        """Stop a generation; its credits are back when this returns."""
        return self._do(flows.ask(calls.cancel(generation), self._retries, replies.canceled))

    def delete(self, generation: str) -> int:
        """Remove a generation that is over; how many files went with it."""
        return self._do(flows.ask(calls.delete(generation), self._retries, replies.deleted))

    def estimate(
        self,
        model: str,
        *,
        count: int = 1,
        duration: float | None = None,
        resolution: str | None = None,
        audio: bool | None = None,
    ) -> Estimate:
        """What it would cost at the most; `duration` in seconds."""
        asked = {"count": count, "duration": duration, "resolution": resolution, "audio": audio}
        return self._do(flows.ask(calls.estimate(model, asked), self._retries, replies.estimate))

    def models(self) -> tuple[Model, ...]:
        """Every model there is, in alphabetical order."""
        return self._do(flows.ask(calls.models(), self._retries, replies.models))

    def save(self, generation: Generation, to: Path) -> tuple[Saved, ...]:
        """Save the outputs: into the folder `to`, or as the file `to`, numbered when there are several.

        A file under its name is whole and has the hash the gateway told; DownloadError or OSError otherwise.
        """
        folder = to.is_dir()
        return self._do(downloads.save(generation, to, is_folder=folder, origin=self._origin, retries=self._retries))

    def _do(self, flow: Flow[_T], progress: Progress | None = None) -> _T:
        heard: Heard | None = None
        try:
            while True:
                step = next(flow) if heard is None else flow.send(heard)
                heard = Heard(self._step(step, progress), time.monotonic(), random.random())  # noqa: S311 - spreads retries
        except StopIteration as end:
            result: _T = end.value
            return result

    def _step(self, step: Step, progress: Progress | None) -> Reply | Broken | Fetched | None:
        match step:
            case Send(call):
                return self._send(call)
            case Pause(seconds):
                time.sleep(seconds)
            case Tell(generation):
                if progress is not None:
                    progress(generation)
            case Fetch(url, folder):
                return self._fetch(url, folder)
            case Write(content, folder):
                return written(content, folder)
            case Keep(part, path):
                keep(part, path)
            case Drop(part):
                part.unlink(missing_ok=True)
            case _:
                assert_never(step)
        return None

    def _send(self, call: Call) -> Reply | Broken:
        headers = calls.headers_of(self._key, call)
        connection = self._connection(self._origin)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            return Broken(why(error), unsent=True)
        try:
            path = urlsplit(self._origin).path + call.path
            connection.request(call.method, path, call.body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, _lower(answer), answer.read())
        except (OSError, http.client.HTTPException) as error:
            return Broken(why(error), unsent=False)
        finally:
            connection.close()

    def _fetch(self, url: str, folder: Path) -> Reply | Broken | Fetched:
        parts = urlsplit(url)
        connection = self._connection(url)
        part: Path | None = None
        try:
            answer = _got(connection, f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")
            if answer.status != 200:
                return Reply(answer.status, _lower(answer), b"".join(_chunks(answer)))
            hashed, size = hashlib.sha256(), 0
            with fresh(folder) as file:
                part = Path(file.name)
                for chunk in _chunks(answer):
                    hashed.update(chunk)
                    size += file.write(chunk)
            whole, part = part, None
            return Fetched(whole, _lower(answer), size, hashed.hexdigest())
        except _LostError as lost:
            return Broken(str(lost), unsent=False)
        finally:
            connection.close()
            if part is not None:
                part.unlink(missing_ok=True)

    def _connection(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port or 443, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(host, parts.port or 80, timeout=self._timeout)


class _LostError(Exception):
    """The line broke, which is told apart from a disk that is full."""


def _got(connection: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "identity"})
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise _LostError(why(error)) from error


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            chunk = answer.read(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _LostError(why(error)) from error
        if not chunk:
            return
        yield chunk


def _lower(answer: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}


def fresh(folder: Path) -> BinaryIO:
    """Open a new file in a folder, hidden until it is whole."""
    return (folder / f".{uuid.uuid4().hex}.part").open("xb")


def written(content: bytes, folder: Path) -> Fetched:
    """Write bytes into a new file."""
    with fresh(folder) as file:
        file.write(content)
    return Fetched(Path(file.name), {}, len(content), "")


def keep(part: Path, path: Path) -> None:
    """Give a new file its name; where that cannot be, nothing is left behind."""
    try:
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def why(error: BaseException) -> str:
    """Say in a few words why a line broke."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case OSError(strerror=str(said)) if said:
            return said
        case _:
            return str(error) or type(error).__name__
