"""The door to providers' outputs: download with limits on size, type, time, rate and address.

A fetch carries nothing of ours: no credential, no cookie, no referrer. Every hop of a redirect passes the same checks as the
first address, and the session's sockets are guarded (`open_session`), so that a name that resolves inside is refused too.
"""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urldefrag, urljoin

import aiohttp
from aiohttp.abc import AbstractResolver
from pybase64 import b64decode
from yarl import URL

from gateway.artifacts.fault import OutputFault
from gateway.egress import BadAddress, Blocked, Policy, check_url, socket_factory

# Without a User-Agent some hosts answer 403; encodings are declined so that a small answer cannot unfold into a large one.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "tidegate"}
_CONNECT_S = 10.0  # TCP and TLS; a host that needs longer is down
_MOST_REDIRECTS = 3  # storage hosts need one, short links two
_MOVED = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({401, 403, 404, 410})  # what expired signed links answer, by host
_PASSING = frozenset({408, 425, 429})  # 4xx that say "later"; 5xx all do
_LOOK_S = 1.0  # the client may lose a connection (a broken chunk) without waking its reader: so read afresh this often
_BUFFER = 256 * 1024  # bytes aiohttp reads ahead of us: a quarter of what the disk takes at once
_INLINE_HEAD = 4096  # characters that hold what a file says of itself; a multiple of 4
_INLINE_STEP = 1024 * 1024  # characters of a data: URI unpacked at once; a multiple of 4, as base64 needs


@dataclass(frozen=True, slots=True)
class _Pace:
    """How slow a body may be: `ends` on the loop's clock, and at least `min_rate` bytes a second over each `window` of waiting."""

    ends: float
    min_rate: int
    window: float


@dataclass(frozen=True, slots=True)
class Arriving:
    """A source that answers: its bytes, the media type it declares (never to be believed), and how many bytes there will be if it says so.

    What is `size` bytes by its own word gives exactly that many, or fails.
    """

    body: AsyncIterator[bytes]
    type: str | None
    size: int | None


def open_session(
    policy: Policy, own: Collection[str] = (), *, connections: int = 64, resolver: AbstractResolver | None = None
) -> aiohttp.ClientSession:
    """Open the session that fetches: guarded sockets, no cookies, no proxy from the environment, nothing unpacked.

    `own` are the addresses of the gateway itself, which are not dialled either.
    """
    connector = aiohttp.TCPConnector(
        socket_factory=socket_factory(policy, own), limit=connections, limit_per_host=0, resolver=resolver
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        read_bufsize=_BUFFER,
    )


def is_inline(url: str) -> bool:
    """Whether the bytes are in the URL itself (`data:`), so that nothing is dialled."""
    return url[:5].lower() == "data:"


def first_bytes(url: str) -> bytes:
    """Unpack the beginning of a `data:` URI, enough to say what it is; OutputFault where it is not base64."""
    head, _, data = url.partition(",")
    if not head.lower().endswith(";base64") or not data:
        raise OutputFault("refused", "the data: URI holds no base64", retryable=False)
    try:
        text = data[:_INLINE_HEAD]
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise OutputFault("refused", "the data: URI is not valid base64", retryable=False) from exc


@asynccontextmanager
async def fetch(
    session: aiohttp.ClientSession,
    url: str,
    *,
    limit: int,
    deadline: float,
    policy: Policy,
    min_rate: int = 1024,
    window: float = 30.0,
) -> AsyncIterator[Arriving]:
    """Open a source.

    `limit` in bytes, `deadline` in seconds from now to the last byte, `min_rate` in bytes a second over each `window` seconds
    of waiting. `session` comes from `open_session`. Raises `OutputFault`, on entry or from the iterator.
    """
    if is_inline(url):
        declared, pieces = _inline(url, limit)
        async with aclosing(_each(pieces)) as body:
            yield Arriving(body, declared, None)
        return
    _require_bare(session)
    pace = _Pace(asyncio.get_running_loop().time() + deadline, min_rate, window)
    response = await _arrive(session, url, policy, pace)
    async with response:
        _check_answer(response, limit)
        declared = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        async with aclosing(_body(response, limit, pace)) as body:
            yield Arriving(body, declared or None, response.content_length)


async def _arrive(session: aiohttp.ClientSession, url: str, policy: Policy, pace: _Pace) -> aiohttp.ClientResponse:
    loop = asyncio.get_running_loop()
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
    for _ in range(_MOST_REDIRECTS + 1):
        target = checked(url, policy)
        with _translated(begun=False):
            async with asyncio.timeout_at(min(pace.ends, loop.time() + pace.window)):
                response = await session.get(target, headers=_HEADERS, timeout=timeout, allow_redirects=False)
        location = response.headers.get("Location")
        if response.status not in _MOVED or location is None:
            return response
        response.close()
        url = next_hop(url, location)
    raise OutputFault("refused", f"the source redirects more than {_MOST_REDIRECTS} times", retryable=False)


def next_hop(url: str, location: str) -> str:
    """Give where a redirect leads; OutputFault where it leads nowhere, or from https to plain HTTP."""
    try:
        target = urldefrag(urljoin(url, location)).url
    except ValueError as exc:
        raise OutputFault("refused", "the source redirects to a malformed address", retryable=False) from exc
    if url[:6].lower() == "https:" and target[:5].lower() == "http:":
        # What was asked for under a certificate is not taken from whoever stands on the way.
        raise OutputFault("blocked", "the source redirects from https to plain http", retryable=False)
    return target


def checked(url: str, policy: Policy) -> URL:
    """Give the address as it will be asked for; OutputFault where it may not be dialled or is none."""
    try:
        url = urldefrag(url).url if "#" in url else url
        check_url(url, policy)
        # A signed address is a hash of its own spelling, so it is sent exactly as it was given.
        return URL(url, encoded=url.isascii())
    except BadAddress as exc:
        raise OutputFault("blocked", f"the output's address is refused: {exc}", retryable=False) from exc
    except ValueError as exc:
        raise OutputFault("refused", "the output's address is malformed", retryable=False) from exc


def _check_answer(response: aiohttp.ClientResponse, limit: int) -> None:
    status = response.status
    if status in _GONE:
        raise OutputFault(
            "gone", f"the source answers {status}: the output is not there, or its link expired", retryable=True
        )
    if status != 200:
        later = status in _PASSING or status >= 500
        raise OutputFault("refused", f"the source answers {status} where 200 was expected", retryable=later)
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise OutputFault(
            "refused", "the source encodes the output although plain bytes were asked for", retryable=False
        )
    if response.content_length is not None and response.content_length > limit:
        raise _too_large(limit)


async def _body(response: aiohttp.ClientResponse, limit: int, pace: _Pace) -> AsyncGenerator[bytes, None]:
    clock = asyncio.get_running_loop().time
    total = recent = 0
    waited = 0.0  # time the reader of these bytes takes is not the source's
    while True:
        began = clock()
        chunk = await _next(response, min(pace.ends - began, pace.window - waited, _LOOK_S))
        if chunk == b"":
            break
        now = clock()
        waited += now - began
        recent += len(chunk or b"")
        if now >= pace.ends:
            raise OutputFault("too_slow", "the output did not arrive within its deadline", retryable=True)
        if waited >= pace.window:
            if recent < pace.min_rate * pace.window:
                raise OutputFault(
                    "too_slow", f"the output arrives at less than {pace.min_rate} bytes a second", retryable=True
                )
            waited, recent = 0.0, 0
        if chunk:
            total += len(chunk)
            if total > limit:
                raise _too_large(limit)
            yield chunk
    if response.content_length is not None and total != response.content_length:
        raise OutputFault(
            "truncated", f"the output ended after {total} of {response.content_length} bytes", retryable=True
        )


async def _next(response: aiohttp.ClientResponse, patience: float) -> bytes | None:
    """Read what has come; b"" at the end of the body, None when nothing came within `patience` seconds."""
    with _translated(begun=True):
        try:
            async with asyncio.timeout(patience):
                if response.content_length is None:
                    return await response.content.readany()  # chunks may be as small as their sender likes
                (
                    piece,
                    _,
                ) = await response.content.readchunk()  # as the system gave it: joined, all would be copied again
                return piece
        except TimeoutError as exc:
            if isinstance(exc, aiohttp.ClientError):
                raise
            return None
        except RuntimeError as exc:  # what the client says to a reader who goes on after the connection was lost
            raise aiohttp.ClientConnectionError(str(exc)) from exc


@contextmanager
def _translated(*, begun: bool) -> Iterator[None]:
    """Turn the client's errors into ours; `begun` when the answer's head has arrived."""
    try:
        yield
    except aiohttp.ClientConnectorCertificateError as exc:
        raise OutputFault("unreachable", "the source has no valid certificate for its name", retryable=True) from exc
    except aiohttp.ClientConnectorError as exc:
        if isinstance(exc.os_error, Blocked):
            raise OutputFault("blocked", str(exc.os_error), retryable=False) from exc
        raise OutputFault("unreachable", "the source cannot be connected to", retryable=True) from exc
    except (aiohttp.InvalidURL, aiohttp.ClientResponseError) as exc:
        raise OutputFault("refused", "the source does not answer in well-formed HTTP", retryable=True) from exc
    except (
        aiohttp.ClientError,
        OSError,
        RuntimeError,
    ) as exc:  # RuntimeError: reading on where the connection was lost
        if begun:
            raise OutputFault("truncated", "the connection broke before the output ended", retryable=True) from exc
        if isinstance(exc, TimeoutError) and not isinstance(exc, aiohttp.ClientError):
            raise OutputFault("too_slow", "the source did not answer in time", retryable=True) from exc
        raise OutputFault("unreachable", "the source cannot be connected to", retryable=True) from exc


def _inline(url: str, limit: int) -> tuple[str | None, Iterator[bytes]]:
    head, comma, data = url[5:].partition(",")
    if not comma:
        raise OutputFault("refused", "the data: URI has no comma before its data", retryable=False)
    declared, *parameters = (part.strip().lower() for part in head.split(";"))
    encoded = bool(parameters) and parameters[-1] == "base64"
    return declared or None, _unpacked(data, limit, encoded=encoded)


def _unpacked(data: str, limit: int, *, encoded: bool) -> Iterator[bytes]:
    try:
        plain = unquote_to_bytes(data) if "%" in data or not encoded else b""
    except UnicodeEncodeError as exc:
        raise OutputFault("refused", "the data: URI holds half a character", retryable=False) from exc
    text = plain.decode("latin-1") if encoded and plain else data
    # Four characters make three bytes, and padding stands for none.
    if (len(text) - text[-2:].count("=")) * 3 // 4 > limit if encoded else len(plain) > limit:
        raise _too_large(limit)
    if not encoded:
        yield plain
        return
    for at in range(0, len(text), _INLINE_STEP):
        step = text[at : at + _INLINE_STEP]
        ended = at + _INLINE_STEP >= len(text)
        try:
            piece = b64decode(step + "=" * (-len(step) % 4), validate=True)  # padding is often left out
        except (binascii.Error, ValueError) as exc:
            raise OutputFault("refused", "the data: URI is not valid base64", retryable=False) from exc
        if step.endswith("=") and not ended:
            raise OutputFault("refused", "the data: URI goes on after its base64 ended", retryable=False)
        yield piece


async def _each(pieces: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


def _too_large(limit: int) -> OutputFault:
    return OutputFault("too_large", f"the output is more than {limit} bytes", retryable=False)


def _require_bare(session: aiohttp.ClientSession) -> None:
    bare = isinstance(session.cookie_jar, aiohttp.DummyCookieJar) and not session.headers and session.auth is None
    if not bare or session.trust_env or session.auto_decompress:
        raise ValueError(
            "the session could send more than the address, or unpack what it gets; make it with open_session"
        )
