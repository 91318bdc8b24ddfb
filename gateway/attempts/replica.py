"""One of several processes over one store: what it does for the others, and what they do for it.

Whatever one of them has accepted, any of them can be asked for. What a process that is gone had under way is taken over by those
that are left, each taking a part; and one of them, the eldest, does what has to be done once for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway import log, metrics
from gateway.attempts.resume import resume, spread
from gateway.attempts.run import Runs
from gateway.clock import Clock
from gateway.ledger import generations, leases
from gateway.ledger.database import Database
from gateway.ledger.lease import Lease
from gateway.ledger.notices import Notices
from gateway.ledger.program import StoreError
from gateway.ledger.together import Settled

_LOOK = 2.0  # seconds between looks at what the notices may have failed to tell


class Alone:
    """The one process of a store in a file."""

    def __init__(self, store: Database, runs: Runs) -> None:
        """Everything is under way in `runs`."""
        self._store = store
        self._runs = runs
        self.wait = runs.wait
        self.nudge = runs.nudge

    async def start(self) -> None:
        """Go on with what the last process left."""
        await resume(self._store, self._runs)

    async def stop(self) -> None:
        """There is nobody to take over from."""


class Replica:
    """Looks after what is nobody's, and listens to the others."""

    def __init__(self, store: Database, lease: Lease, runs: Runs, clock: Clock, owed: Callable[[], None]) -> None:
        """Take over by `runs`; `owed` is called when there may be something to tell callers."""
        self._store = store
        self._lease = lease
        self._runs = runs
        self._clock = clock
        self._owed = owed
        self._notices = Notices(str(store.address), clock, hear=self._hear, is_own=store.is_writer, missed=self._missed)
        self._asked = asyncio.Event()
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    async def start(self) -> None:
        """Take over what is nobody's, and begin to look and to listen."""
        await self._look()
        self._notices.start()
        self._spawn(self._for_ever(), "replica")

    async def stop(self) -> None:
        """Take over nothing more."""
        await self._notices.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._lease.leads = False

    async def wait(self, generation: str, seconds: float) -> Settled | None:
        """Wait until a generation has ended, wherever it is under way, at most so long. How, where that is at hand."""
        if self._runs.has(generation):
            return await self._runs.wait(generation, seconds)
        heard = asyncio.Event()
        self._waiting.setdefault(generation, set()).add(heard)
        try:
            async with asyncio.timeout(seconds):
                while not await self._is_over(generation):
                    heard.clear()
                    rest = asyncio.ensure_future(self._clock.sleep(_LOOK))
                    waits = asyncio.ensure_future(heard.wait())
                    try:
                        await asyncio.wait([rest, waits], return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        rest.cancel()
                        waits.cancel()
        except TimeoutError:
            pass
        finally:
            self._waiting[generation].discard(heard)
            if not self._waiting[generation]:
                del self._waiting[generation]
        return None

    def nudge(self, generation: str, attempt: int) -> bool:
        """Have a job looked at now, wherever it is under way."""
        if self._runs.nudge(generation, attempt):
            return True
        self._spawn(self._tell(f"nudge {generation} {attempt}"), "nudge")
        return True

    async def _tell(self, said: str) -> None:
        try:
            await self._store.write(leases.tell(said))
        except StoreError as error:
            log.event("notice_untold", level="warning", reason=str(error))

    async def _is_over(self, generation: str) -> bool:
        found = await self._store.read(generations.find_any(generation))
        return found is None or found.state.is_final

    def _spawn(self, work: object, name: str) -> None:
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work, name=name)  # type: ignore[arg-type] # coroutines of several results
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _for_ever(self) -> None:
        while True:
            rest = asyncio.ensure_future(self._clock.sleep(_LOOK))
            asked = asyncio.ensure_future(self._asked.wait())
            try:
                await asyncio.wait([rest, asked], return_when=asyncio.FIRST_COMPLETED)
            finally:
                rest.cancel()
                asked.cancel()
            self._asked.clear()
            try:
                await self._look()
            except StoreError as error:
                self._lease.leads = False  # whoever cannot see the others must not believe to be the eldest
                log.event("replicas_unseen", level="warning", reason=str(error))

    async def _look(self) -> None:
        peers = await self._store.read(leases.peers())
        there = [peer for peer in peers if not peer.late]
        self._lease.leads = bool(peers) and peers[0].epoch == self._lease.epoch and self._lease.is_held()
        metrics.REPLICAS.set(len(there))
        if len(there) < len(peers) or await self._store.read(leases.are_orphans()):
            await self._take_over()

    async def _take_over(self) -> None:
        while found := await self._store.write(leases.take_over(self._lease.epoch)):
            self._runs.take_up(found, spread(len(found)))
            log.event("generations_taken_over", count=len(found), epoch=self._lease.epoch)

    def _hear(self, said: str, own: bool) -> None:  # noqa: FBT001 - a fact about the notice, handed on by place
        match said.split(" "):
            case ["ended", generation, state]:
                for heard in self._waiting.get(generation, ()):
                    heard.set()
                if state == "canceled" and not own and self._runs.has(generation):
                    self._spawn(self._runs.cancel(generation), "cancel")
            case ["nudge", generation, attempt] if not own:
                self._runs.nudge(generation, int(attempt))
            case ["owed"]:
                self._owed()
            case ["left", _]:
                self._asked.set()
            case _:
                pass  # of a later version, or an echo

    def _missed(self) -> None:
        self._asked.set()
        self._owed()
        for waits in self._waiting.values():
            for heard in waits:
                heard.set()
