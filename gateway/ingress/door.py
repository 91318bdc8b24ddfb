"""The listening sockets: connections are taken as long as descriptors and memory are left for the work they bring."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Callable
from contextlib import suppress

from gateway import log
from gateway.clock import Clock

_SPARE = 64  # descriptors that no connection takes: calls to providers, outputs and the store go on with them
# What is read of a connection before anybody looks at it: a piece of 256 KiB, and 128 KiB that wait already; they come at once.
_READ_AHEAD = 512 * 1024
_HANDED = 5.0  # seconds to hand a connection on; not every failure on the way is told
_AT_ONCE = 64  # connections taken before those that are in have their turn
_AGAIN = 0.1  # seconds between looks whether there are enough again
# What a connection that is over before it was taken is told as.
_GONE = frozenset({errno.ECONNABORTED, errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN, errno.EINVAL, errno.EPROTO})
# Bytes of an answer that the system holds before they can be sent; left alone it takes megabytes for whoever does not read them.
_UNSENT = 256 * 1024
_BACKLOG = 1024  # connections that wait in the kernel meanwhile

Factory = Callable[[], asyncio.Protocol]


def affordable(memory: int) -> int:
    """How many descriptors this process may have open, and can bear with so many bytes of memory; the system's limit is raised."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(hard, max(memory // _READ_AHEAD, 2 * _SPARE))


class Door:
    """Where clients come in. The loop's own server takes every connection there is, until nothing can be opened any more."""

    def __init__(
        self,
        serve: Factory,
        clock: Clock,
        descriptors: int,
        spare: int = _SPARE,
        relieve: Callable[[], int] = lambda: 0,
    ) -> None:
        """Hand each connection to a protocol made by `serve`, while more than `spare` of so many `descriptors` are free.

        When they are not, `relieve` closes connections that are of no use, and says how many.
        """
        self._serve = serve
        self._relieve = relieve
        self._clock = clock
        self._highest = descriptors - spare
        self._listening: list[socket.socket] = []
        self._taking: list[asyncio.Task[None]] = []
        self._handing: set[asyncio.Task[None]] = set()

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """Listen, and give the address; OSError when it cannot be had."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, _, _, _, address in dict.fromkeys(found):
                self._listening.append(_listener(family, address))
        except OSError:
            for each in self._listening:
                each.close()
            raise
        self._taking = [asyncio.create_task(self._take(each), name="door") for each in self._listening]
        there: tuple[str, int] = self._listening[0].getsockname()[:2]
        return there

    async def close(self) -> None:
        """Take nobody in any more; who is in stays, and so does who stood at the door: the system had let them come that far."""
        for task in self._taking:
            task.cancel()
        await asyncio.gather(*self._taking, return_exceptions=True)
        for each in self._listening:
            with suppress(OSError, MemoryError):
                self._take_more(each, _BACKLOG)
            each.close()
        await asyncio.gather(*self._handing, return_exceptions=True)

    async def _take(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._room(listening)
                connection, _ = await loop.sock_accept(listening)
                self._hand_on(connection)
                self._take_more(listening)
            except (OSError, MemoryError) as error:  # the client is gone again, or what it takes is after all
                log.event("connection_lost", level="debug", error=error)
                # Whoever comes and goes at once must not make the others wait.
                await self._clock.sleep(_AGAIN if getattr(error, "errno", None) not in _GONE else 0)

    def _take_more(self, listening: socket.socket, most: int = _AT_ONCE) -> None:
        """Take who else waits: a busy loop comes here seldom, and one at a time would be a queue that never gets shorter."""
        for _ in range(most):
            if _lowest_free(listening) >= self._highest:
                return
            try:
                connection, _ = listening.accept()
            except BlockingIOError:
                return
            connection.setblocking(False)  # noqa: FBT003 - the method takes it so
            self._hand_on(connection)

    def _hand_on(self, connection: socket.socket) -> None:
        task = asyncio.create_task(self._hand(connection), name="door")
        self._handing.add(task)
        task.add_done_callback(self._handing.discard)

    async def _hand(self, connection: socket.socket) -> None:
        try:
            async with asyncio.timeout(_HANDED):
                await asyncio.get_running_loop().connect_accepted_socket(self._serve, connection)
        except (OSError, MemoryError) as error:
            log.event("connection_lost", level="debug", error=error)
            connection.close()

    async def _room(self, listening: socket.socket) -> None:
        if _lowest_free(listening) < self._highest:
            return
        log.event("accepting_paused", level="warning", descriptors=self._highest)
        while _lowest_free(listening) >= self._highest:  # nothing tells of a descriptor that is closed
            self._relieve()
            await self._clock.sleep(_AGAIN)
        log.event("accepting_resumed")


def _lowest_free(any_open: socket.socket) -> int:
    """The number the next descriptor would have: the system gives out the lowest that is free, so all below it are in use."""
    number = os.dup(any_open.fileno())
    os.close(number)
    return number


def _listener(family: int, address: object) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)  # noqa: FBT003 - the method takes it so
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)  # those it accepts have it too
        listening.bind(address)  # type: ignore[arg-type] # of the family, as the resolver gave it
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
