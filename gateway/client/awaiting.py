"""`AsyncClient`: the gateway for programs on asyncio, on aiohttp."""

from __future__ import annotations

import asyncio
import hashlib
import random
import ssl
import time
import uuid
from pathlib import Path
from typing import Self, TypeVar, Unpack, assert_never

import aiohttp

from gateway.client import calls, downloads, flows, replies
from gateway.client.calls import Call
from gateway.client.client import PATIENCE, TIMEOUT, Progress, fresh, keep, why, written
from gateway.client.records import Accepted, Canceled, Estimate, Generation, Model, Page, Saved
from gateway.client.replies import Reply
from gateway.client.retries import Retries
from gateway.client.steps import Broken, Drop, Fetch, Fetched, Flow, Heard, Keep, Pause, Send, Step, Tell, Write
from gateway.client.wanted import Wanted, call_of

_T = TypeVar("_T")
_CHUNK = 256 * 1024  # bytes


class AsyncClient:
    """One gateway, asked with one key. Use it as `async with`, or `close` it; a session of the caller's stays open."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
        tls: ssl.SSLContext | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        """Ask the gateway at `url`; `timeout` in seconds is for one silence of one request. ValueError for what is no URL."""
        self._origin = calls.origin_of(url)
        self._key = calls.checked(key)
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
        self._retries = retries or Retries()
        self._tls = tls
        self._given = session
        self._session = session

    async def __aenter__(self) -> Self:
        """Open a session at the first request."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close what was opened here."""
        if self._session is not None and self._given is None:
            await self._session.close()
            self._session = None

    async def generate(self, model: str, prompt: str, **wanted: Unpack[Wanted]) -> Accepted:
        """Begin a generation, once whatever the line does."""
        return await self._do(flows.begin(call_of(model, prompt, wanted, str(uuid.uuid4())), self._retries, model))

    async def wait(
        self,
        generation: Accepted | str,
        *,
        timeout: float = PATIENCE,  # noqa: ASYNC109 - it ends the waiting, not the generation, and the error tells it
        progress: Progress | None = None,
    ) -> Generation:
        """Wait for the end, at most `timeout` seconds; `progress` is called with each change.

        The record when it succeeded; GenerationFailedError, GenerationCanceledError or WaitTimeoutError otherwise.
        """
        id_ = generation if isinstance(generation, str) else generation.id
        return await self._do(flows.wait(id_, timeout, self._retries, time.monotonic()), progress)

    async def run(
        self,
        model: str,
        prompt: str,
        *,
        timeout: float = PATIENCE,  # noqa: ASYNC109 - as in wait
        progress: Progress | None = None,
        **wanted: Unpack[Wanted],
    ) -> Generation:
        """Begin a generation and wait for its end; see `generate` and `wait`."""
        call = call_of(model, prompt, wanted, str(uuid.uuid4()))
        return await self._do(flows.run(call, model, timeout, self._retries, time.monotonic()), progress)

    async def read(self, generation: str) -> Generation:
        """The record of a generation, with its attempts."""
        return await self._do(flows.ask(calls.read(generation), self._retries, replies.generation))

    async def list(self, *, limit: int = 50, offset: int = 0) -> Page:
        """Some generations, the newest first."""
        return await self._do(flows.ask(calls.page(limit, offset), self._retries, replies.page))

    async def cancel(self, generation: str) -> Canceled:
        """Stop a generation; its credits are back when this returns."""
        return await self._do(flows.ask(calls.cancel(generation), self._retries, replies.canceled))

    async def delete(self, generation: str) -> int:
        """Remove a generation that is over; how many files went with it."""
        return await self._do(flows.ask(calls.delete(generation), self._retries, replies.deleted))

    async def estimate(
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
        return await self._do(flows.ask(calls.estimate(model, asked), self._retries, replies.estimate))

    async def models(self) -> tuple[Model, ...]:
        """Every model there is, in alphabetical order."""
        return await self._do(flows.ask(calls.models(), self._retries, replies.models))

    async def save(self, generation: Generation, to: Path) -> tuple[Saved, ...]:
        """Save the outputs: into the folder `to`, or as the file `to`, numbered when there are several.

        A file under its name is whole and has the hash the gateway told; DownloadError or OSError otherwise.
        """
        folder = await asyncio.to_thread(to.is_dir)
        return await self._do(
            downloads.save(generation, to, is_folder=folder, origin=self._origin, retries=self._retries)
        )

    async def _do(self, flow: Flow[_T], progress: Progress | None = None) -> _T:
        heard: Heard | None = None
        try:
            while True:
                step = next(flow) if heard is None else flow.send(heard)
                reply = await self._step(step, progress)
                heard = Heard(reply, time.monotonic(), random.random())  # noqa: S311 - spreads retries
        except StopIteration as end:
            result: _T = end.value
            return result

    async def _step(self, step: Step, progress: Progress | None) -> Reply | Broken | Fetched | None:
        match step:
            case Send(call):
                return await self._send(call)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Tell(generation):
                if progress is not None:
                    progress(generation)
            case Fetch(url, folder):
                return await self._fetch(url, folder)
            case Write(content, folder):
                return await asyncio.to_thread(written, content, folder)
            case Keep(part, path):
                await asyncio.to_thread(keep, part, path)
            case Drop(part):
                await asyncio.to_thread(part.unlink, missing_ok=True)
            case _:
                assert_never(step)
        return None

    async def _send(self, call: Call) -> Reply | Broken:
        headers = calls.headers_of(self._key, call)
        asked = self._opened().request(
            call.method,
            self._origin + call.path,
            data=call.body,
            headers=headers,
            timeout=self._timeout,
            allow_redirects=False,
            ssl=self._tls or True,
        )
        try:
            async with asked as answer:
                return Reply(answer.status, _lower(answer), await answer.read())
        except aiohttp.ClientConnectorError as error:
            return Broken(why(error.__cause__ or error), unsent=True)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Broken(why(error), unsent=False)

    async def _fetch(self, url: str, folder: Path) -> Reply | Broken | Fetched:
        part: Path | None = None
        get = self._opened().get(
            url,
            headers={"Accept-Encoding": "identity"},
            timeout=self._timeout,
            allow_redirects=False,
            ssl=self._tls or True,
        )
        try:
            async with get as answer:
                if answer.status != 200:
                    return Reply(answer.status, _lower(answer), await answer.read())
                hashed, size = hashlib.sha256(), 0
                file = await asyncio.to_thread(fresh, folder)
                part = Path(file.name)
                try:
                    async for chunk in answer.content.iter_chunked(_CHUNK):
                        hashed.update(chunk)
                        size += await asyncio.to_thread(file.write, chunk)
                finally:
                    await asyncio.to_thread(file.close)
            whole, part = part, None
            return Fetched(whole, _lower(answer), size, hashed.hexdigest())
        except (aiohttp.ClientError, TimeoutError) as error:
            return Broken(why(error), unsent=False)
        finally:
            if part is not None:
                part.unlink(missing_ok=True)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=True)
        return self._session


def _lower(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}
