"""The listening sockets: connections are taken as long as descriptors and memory are left for the work they bring."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections.abc import Callable

from gateway import log
from gateway.clock import Clock

_SPARE = 64  # descriptors that no connection takes: calls to providers, outputs and the store go on with them
# What is read of a connection before anybody looks at it: a piece of 256 KiB, and 128 KiB that wait already; they come at once.
_READ_AHEAD = 512 * 1024
_AGAIN = 0.1  # seconds between looks whether there are enough again
_BACKLOG = 1024  # connections that wait in the kernel meanwhile

Factory = Callable[[], asyncio.Protocol]


def affordable(memory: int) -> int:
    """How many descriptors this process may have open, and can bear with so many bytes of memory; the system's limit is raised."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(hard, max(memory // _READ_AHEAD, 2 * _SPARE))


class Door:
    """Where clients come in. The loop's own server takes every connection there is, until nothing can be opened any more."""

    def __init__(self, serve: Factory, clock: Clock, descriptors: int, spare: int = _SPARE) -> None:
        """Hand each connection to a protocol made by `serve`, while more than `spare` of so many `descriptors` are free."""
        self._serve = serve
        self._clock = clock
        self._highest = descriptors - spare
        self._listening: list[socket.socket] = []
        self._taking: list[asyncio.Task[None]] = []

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
        """Take nobody in any more; who is in stays."""
        for task in self._taking:
            task.cancel()
        await asyncio.gather(*self._taking, return_exceptions=True)
        for each in self._listening:
            each.close()

    async def _take(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._room(listening)
                connection, _ = await loop.sock_accept(listening)
                await loop.connect_accepted_socket(self._serve, connection)
            except OSError as error:  # the client is gone again, or the descriptors are after all
                log.event("connection_lost", level="debug", error=error)
                await self._clock.sleep(_AGAIN)

    async def _room(self, listening: socket.socket) -> None:
        if _lowest_free(listening) < self._highest:
            return
        log.event("accepting_paused", level="warning", descriptors=self._highest)
        while _lowest_free(listening) >= self._highest:  # nothing tells of a descriptor that is closed
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
        listening.bind(address)  # type: ignore[arg-type] # of the family, as the resolver gave it
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
