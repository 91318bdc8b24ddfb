"""A gateway seen from outside: the calls of its native API that a command needs."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urljoin

import aiohttp

from gateway.commands.exits import Exit, Stop

_LONGEST_CALL = aiohttp.ClientTimeout(total=60, sock_connect=5)  # seconds
_LONGEST_PAUSE = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)  # for files, which may be long
_TRIES = 3  # of a create call whose line broke; the idempotency key makes them one generation
_CHUNK = 256 * 1024

# What a code means to the shell: by family, and where one of a family is about something else.
_FAMILIES = {"1": Exit.AUTH, "2": Exit.USAGE, "4": Exit.PROVIDERS}
_LIMITS = frozenset({"insufficient_credits", "rate_limit_exceeded", "auth_rate_limited", "concurrency_limit_exceeded"})
_REFUSED = frozenset({"content_policy_violation", "provider_content_rejected", "request_timeout"})


class Lost(Exception):  # noqa: N818 - named for what happened
    """The gateway did not answer, or not as a gateway does."""


class Told(Exception):  # noqa: N818 - named for what happened
    """The gateway answered with an error; `error` is the object it gave."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        """Keep the error."""
        super().__init__(str(error.get("message", "the gateway refused without a word")))
        self.error = error


class Gateway:
    """Calls one gateway with one key."""

    def __init__(self, session: aiohttp.ClientSession, origin: str, key: str | None) -> None:
        """Call the gateway at `origin`; without a key if it asks for none."""
        self.origin = origin
        self._session = session
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def create(self, kind: str, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a generation once, whatever the line does; gives its data."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        path = f"/v1/generate/{kind}/{quote(model)}"
        for left in range(_TRIES - 1, -1, -1):
            try:
                return await self._call("POST", path, body=body, headers=headers)
            except Lost:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def read(self, generation: str) -> dict[str, Any]:
        """Give the record of a generation."""
        return await self._call("GET", f"/v1/content/{generation}")

    async def cancel(self, generation: str) -> dict[str, Any]:
        """Cancel a generation."""
        return await self._call("POST", f"/v1/content/generation/cancel/{generation}")

    async def models(self) -> dict[str, str]:
        """Give every model with what it makes."""
        data = await self._call("GET", "/v1/library/models")
        return {str(each["model_identifier"]): str(each["model_type"]) for each in data["models"]}

    @asynccontextmanager
    async def open(self, link: str) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
        """Open an output by its link: its media type and its bytes. The key stays here: links carry their own right."""
        try:
            async with self._session.get(urljoin(self.origin, link), timeout=_LONGEST_PAUSE) as answer:
                if answer.status != 200:
                    raise Lost(f"the output could not be read: HTTP {answer.status}")
                yield answer.content_type, answer.content.iter_chunked(_CHUNK)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Lost(f"the output could not be read: {_why(error)}") from error

    async def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            sent = {**self._headers, **(headers or {})}
            async with self._session.request(
                method, self.origin + path, json=body, headers=sent, timeout=_LONGEST_CALL, allow_redirects=False
            ) as answer:
                told = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Lost(
                f"no gateway answers at {self.origin}: {_why(error)}; is `tidegate serve` running there?"
            ) from error
        except ValueError as error:
            raise Lost(f"what answers at {self.origin} is no gateway: the answer to {path} is no JSON") from error
        match told:
            case {"status": "success", "data": dict(data)}:
                return data
            case {"status": "error", "error": dict(refused)}:
                raise Told(refused)
            case _:
                raise Lost(f"what answers at {self.origin} is no gateway: the answer to {path} has another form")


@asynccontextmanager
async def reached(url: str, key: str | None) -> AsyncIterator[Gateway]:
    """Open a line to the gateway at a URL, which may end in /v1 as its clients are often told."""
    origin = url.strip().rstrip("/").removesuffix("/v1")
    if not origin.startswith(("http://", "https://")):
        raise Stop(Exit.USAGE, f"expected a URL such as http://127.0.0.1:8080, found {url!r}")
    async with aiohttp.ClientSession() as session:
        yield Gateway(session, origin, key)


def exit_of(error: Mapping[str, Any]) -> Exit:
    """Give the exit code for an error object of the API."""
    type_ = error.get("type")
    if type_ in _LIMITS:
        return Exit.BUDGET
    if type_ in _REFUSED:
        return Exit.FAILURE
    return _FAMILIES.get(str(error.get("code", "")).removeprefix("BSE")[:1], Exit.FAILURE)


def _why(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorError():
            return error.os_error.strerror or "no connection"
        case TimeoutError():
            return "no answer in time"
        case _:
            return type(error).__name__
