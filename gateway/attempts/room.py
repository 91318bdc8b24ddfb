"""How many bytes of files may be in memory at once on their way to providers: whoever wants more waits, one account after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.routing.fair import Row

_Turn = asyncio.Future[None]


class Share:
    """What one attempt holds of the room, in bytes."""

    def __init__(self, room: Room, size: int) -> None:
        """Hold so much."""
        self._room = room
        self.size = size

    def keep(self, size: int) -> None:
        """Hold no more than so much from now on."""
        size = min(size, self.size)
        freed, self.size = self.size - size, size
        self._room.give(freed)


class Room:
    """So many bytes in all. Who wants more than there is gets all of it, alone."""

    def __init__(self, most: int) -> None:
        """Have so many bytes."""
        self._most = most
        self._held = 0
        self._row: Row[_Turn] = Row()
        self._wanted: dict[_Turn, int] = {}
        self._first: _Turn | None = None  # whose turn it is, and there is not enough yet

    @property
    def held(self) -> int:
        """How many bytes are held now."""
        return self._held

    @asynccontextmanager
    async def hold(self, account: str, size: int) -> AsyncIterator[Share]:
        """Wait until there is room for so many bytes, and hold them until the end."""
        size = min(size, self._most)
        await self._take(account, size)
        share = Share(self, size)
        try:
            yield share
        finally:
            share.keep(0)

    def give(self, size: int) -> None:
        """Take back so many bytes, and let in who waits for them."""
        self._held -= size
        self._admit()

    async def _take(self, account: str, size: int) -> None:
        if size == 0:
            return
        turn: _Turn = asyncio.get_running_loop().create_future()
        self._wanted[turn] = size
        self._row.add(account, turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            self._leave(account, turn, size)
            raise

    def _leave(self, account: str, turn: _Turn, size: int) -> None:
        if not turn.cancelled():
            self.give(size)  # it was let in just now
            return
        self._wanted.pop(turn, None)
        if self._first is turn:
            self._first = None
        else:
            self._row.drop(account, turn)
        self._admit()

    def _admit(self) -> None:
        while self._first is not None or self._row:
            turn = self._first or self._row.next()
            size = self._wanted.get(turn, 0)
            if turn.cancelled():
                self._first = None  # it is about to leave
                continue
            if self._held + size > self._most:
                self._first = turn
                return
            self._first = None
            del self._wanted[turn]
            self._held += size
            turn.set_result(None)
