"""Call → reply: the only file that speaks to providers, and the one place where a broken line becomes a fault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import aiohttp
from yarl import URL

from gateway import traces
from gateway.egress import Blocked
from gateway.fault import Fault, FaultKind, Reach
from gateway.providers import classify
from gateway.providers.classify import UNREADABLE, Reply
from gateway.providers.pack import Encoding
from gateway.providers.render import Call, File
from gateway.providers.secrets import Secrets

_LARGE = 1024 * 1024  # bytes; above it the client warns that writing them at once holds the loop
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_LONGEST_OUTPUTS = 64 * 1024 * 1024  # bytes of an answer that hands over outputs: pictures in base64 come inside
_LONGEST_WORD = 1024 * 1024  # bytes of any other answer, beyond what it repeats of the request; most have some hundred
_ESCAPED = 2  # times as long as in the request, at the most, a text may be in an answer that repeats it


class Broken(Exception):  # noqa: N818 - named for what happened
    """No answer came; `fault` says how far the call got."""

    def __init__(self, fault: Fault) -> None:
        """Carry the fault."""
        super().__init__(fault.message)
        self.fault = fault


class Wire:
    """The line to the providers."""

    def __init__(
        self, session: aiohttp.ClientSession, secrets: Secrets, connect_timeout: float, longest: int = _LONGEST_OUTPUTS
    ) -> None:
        """Speak through `session`, whose connector refuses forbidden addresses.

        `connect_timeout` in seconds, `longest` is how many bytes are read of an answer that hands over outputs; an answer longer
        than it may be is `UNREADABLE`.
        """
        self._session = session
        self._longest = longest
        self.secrets = secrets
        self._connect_timeout = connect_timeout

    async def send(self, call: Call, timeout: float) -> Reply:  # noqa: ASYNC109 - the limit is the client's own, per phase
        """Send a call and read the whole answer, within `timeout` seconds. Raises Broken when no answer came."""
        limit = aiohttp.ClientTimeout(total=timeout, sock_connect=self._connect_timeout)
        span = traces.here()
        headers = {**traces.headers(state=False), **self.secrets.fill(call.headers)}
        data: bytes | BytesIO | aiohttp.FormData | None = None
        sent = 0
        if call.has_body and call.encoding is Encoding.MULTIPART:
            data = _form(call.body)  # it sets its own type, with the boundary
        elif call.has_body:
            text = _ENCODER.encode(call.body).encode()
            data, sent = _sized(text), len(text)
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                call.method,
                _whole(self.secrets.address(call.url)),
                headers=headers,
                data=data,
                timeout=limit,
                allow_redirects=False,
            ) as answer:
                body = await _read(answer, self._longest if call.hands_over else min(self._longest, _room(sent)))
                if span.is_recorded:
                    span.event(
                        call.name.value,
                        {"http.request.method": call.method, "http.response.status_code": answer.status},
                    )
                lowered = {name.lower(): value for name, value in answer.headers.items()}
                return Reply(answer.status, lowered, body)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, Blocked):
                said = "its address may not be dialled (blocked_address); `egress.allow` opens networks"
                raise Broken(_fault(FaultKind.PROVIDER_ERROR, Reach.UNSENT, said, None)) from error
            raise Broken(_fault(FaultKind.PROVIDER_ERROR, Reach.UNSENT, "no connection", error)) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Broken(_fault(FaultKind.TIMEOUT, Reach.UNSENT, "no connection in time", error)) from error
        except TimeoutError as error:
            raise Broken(_fault(FaultKind.TIMEOUT, Reach.UNSURE, f"no answer within {timeout:g} s", None)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise Broken(_fault(FaultKind.PROVIDER_ERROR, Reach.UNSURE, "the line broke", error)) from error


def _whole(address: str) -> URL:
    """An address exactly as it is spelled, for some carry a signature over their own spelling."""
    try:
        url = URL(address, encoded=True)
        _ = url.port  # a port that is no number is found only when it is asked for
    except ValueError as error:
        raise Broken(_fault(FaultKind.UNREADABLE, Reach.UNSENT, "the address is malformed", error)) from error
    return url


async def _read(answer: aiohttp.ClientResponse, longest: int) -> Any:
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_any():
        size += len(chunk)
        if size > longest:
            answer.close()
            return UNREADABLE
        chunks.append(chunk)
    data = b"".join(chunks)
    if (media := classify.media(data, answer.content_type)) is not None:
        return media
    return classify.parsed(data)


def _room(sent: int) -> int:
    """How long an answer may be that hands over nothing: some repeat what they were sent, pictures in base64 included."""
    return _LONGEST_WORD + _ESCAPED * sent


def _sized(data: bytes) -> bytes | BytesIO:
    """Large bodies go out piece by piece: a picture in base64 is written while others are served."""
    return data if len(data) <= _LARGE else BytesIO(data)


def _form(body: Mapping[str, Any]) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in body.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, File):
                form.add_field(name, _sized(part.data), content_type=part.type, filename=part.name)
            else:
                form.add_field(name, part if isinstance(part, str) else json.dumps(part))
    return form


def _fault(kind: FaultKind, reach: Reach, what: str, error: Exception | None) -> Fault:
    detail = f" ({type(error).__name__})" if error is not None else ""
    return Fault(kind, reach, what + detail)
