"""The door to receivers: one POST, through guarded sockets, never redirected, its answer read no further than needed."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.egress import AddrInfo, BadAddress, Blocked, Policy, socket_factory
from gateway.webhooks import target
from gateway.webhooks.schedule import Answered, Outcome, Unanswered
from gateway.webhooks.windows import MOST

_LARGEST_ANSWER = 64 * 1024  # bytes read of an answer, so that its line can be used again; beyond it the line is closed
_KNOWN = 1024  # addresses whose look is remembered: it costs a quarter of a delivery, and the same one is told again and again
_LOOK_UPS = 16  # threads that resolve names: those that wait for a dead name server are not those that read files


class Post:
    """Posts to receivers."""

    def __init__(
        self, outside: aiohttp.ClientSession, inside: aiohttp.ClientSession, policy: Policy, own: Collection[str]
    ) -> None:
        """Post over `outside` to public addresses, over `inside` to those only the operator's networks may have."""
        self._outside = outside
        self._inside = inside
        self._policy = policy
        self._own = own

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Outcome:
        """Post once; the whole of it takes at most so many seconds."""
        is_inside = _looked_at(url, self._policy, tuple(self._own))
        if is_inside is None:
            return Unanswered("refused_address")  # the policy changed since it was written down
        session = self._inside if is_inside else self._outside
        try:
            async with (
                asyncio.timeout(seconds),
                session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                await _read(answer)
                return Answered(answer.status, answer.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return Unanswered(_why(error))


@functools.lru_cache(maxsize=_KNOWN)
def _looked_at(url: str, policy: Policy, own: tuple[str, ...]) -> bool | None:
    """Whether an address may only be dialled inside the operator's networks; None for one that no endpoint may have."""
    try:
        target.check(url, policy, own)
    except BadAddress:
        return None
    return target.is_inside(url)


async def _read(answer: aiohttp.ClientResponse) -> None:
    """Read the answer to its end if that is near; what it says is not looked at."""
    left = _LARGEST_ANSWER
    async for piece in answer.content.iter_any():
        left -= len(piece)
        if left < 0:
            answer.close()
            return


def _why(error: Exception) -> str:
    """A word for what went wrong, with nothing in it of where the name led or what was there."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "unknown_host"
        case aiohttp.ClientSSLError():
            return "bad_certificate"
        case aiohttp.ClientConnectorError():
            return "blocked_address" if isinstance(error.os_error, Blocked) else "unreachable"
        case TimeoutError():
            return "timeout"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return "broken_off"
        case _:
            return "unreadable_answer"


@asynccontextmanager
async def opened(
    policy: Policy, own: Collection[str] = (), *, resolver: AbstractResolver | None = None
) -> AsyncIterator[Post]:
    """Open the sessions that post: guarded sockets, no cookies, no proxy from the environment, nothing unpacked.

    `own` are the addresses of the gateway itself, looked at before each attempt.
    """
    names = resolver or _Names()
    try:
        async with (
            _session(socket_factory(policy, own), names) as outside,
            _session(_allowed_alone(policy, own), names) as inside,
        ):
            yield Post(outside, inside, policy, own)
    finally:
        await names.close()


def _session(factory: Callable[[AddrInfo], socket.socket], resolver: AbstractResolver) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(socket_factory=factory, limit=2 * MOST, resolver=resolver)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None),
        read_bufsize=_LARGEST_ANSWER,
    )


def _allowed_alone(policy: Policy, own: Collection[str]) -> Callable[[AddrInfo], socket.socket]:
    """Open sockets to the networks the operator opened, and to no other."""
    open_socket = socket_factory(policy, own)

    def open_inside(addr_info: AddrInfo) -> socket.socket:
        if not policy.opens(addr_info[4][0]):
            raise Blocked("an address outside the networks the operator opened")
        return open_socket(addr_info)

    return open_inside


class _Names(AbstractResolver):
    """Asks the system for names, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix="receivers")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give every address of a name."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, protocol, address in found
        ]

    async def close(self) -> None:
        """Let the threads end; one that still asks is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: int) -> list[tuple[int, int, tuple[Any, ...]]]:
    found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [(kind, protocol, address) for kind, _, protocol, _, address in found]
