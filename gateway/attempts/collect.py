"""Outputs made ours, and the generation settled: success means bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from gateway import log, metrics
from gateway.artifacts.fault import OutputFault, StorageFault
from gateway.artifacts.store import Taken, Waiting
from gateway.attempts import traced
from gateway.attempts.aftercare import note_late
from gateway.attempts.job import Job
from gateway.clock import Clock
from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import Kind
from gateway.ledger import generations, together
from gateway.ledger.database import Database
from gateway.ledger.records import ArtifactLike
from gateway.ledger.together import Delivery
from gateway.money import CREDIT, share
from gateway.outcome import Output
from gateway.routing.plan import Step

# Seconds before each further try at a link that gives nothing yet: five tries within a minute.
_TRIES = (1.0, 4.0, 15.0, 30.0)
_STORE_AGAIN = 5.0  # seconds before a store that is down is tried again, until the generation's deadline


class Keeper(Protocol):
    """Where outputs are taken to."""

    def is_at_hand(self, output: Output) -> bool:
        """Whether an output is made ours without fetching anything."""
        ...

    async def keep(self, generation: str, index: int, output: Output, kind: Kind) -> ArtifactLike:
        """Make one output ours. OutputFault when the source gives nothing usable, StorageFault when the store fails."""
        ...

    async def discard(self, generation: str) -> None:
        """Remove what was kept for a generation that nobody waits for any more."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """The generation succeeded and is settled."""

    delivery: Delivery | None = None  # where the outputs were at hand


@dataclass(frozen=True, slots=True)
class Gone:
    """Nobody waits for it any more; nothing was charged. `slow` says that it ran for long, and another was faster."""

    slow: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt came to nothing."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class Unstored:
    """Our own store failed until the deadline; no provider can help."""

    message: str


Result = Done | Gone | Failed | Unstored


class Collector:
    """Takes outputs home and settles."""

    def __init__(self, store: Database, keeper: Keeper, clock: Clock) -> None:
        """Collect into `keeper`, settle in `store`."""
        self._store = store
        self._keeper = keeper
        self._clock = clock

    async def collect(self, job: Job, step: Step, attempt: int, outputs: Sequence[Output], cost: int | None) -> Result:
        """Store the outputs of a job that succeeded at its provider, then settle: a part of the price for a part of them."""
        wanted = outputs[: job.asked]
        kept: list[ArtifactLike] = []
        trouble: Fault | None = None
        for index, output in enumerate(wanted):
            try:
                kept.append(await self._keep(job, index, output))
            except OutputFault as fault:
                trouble = Fault(FaultKind.OUTPUT_LOST, Reach.ACCEPTED, f"the output could not be fetched: {fault}")
            except StorageFault as fault:
                return Unstored(str(fault))
        if not kept:
            return Failed(trouble or Fault(FaultKind.OUTPUT_LOST, Reach.ACCEPTED, "there was no output"))
        captured = _captured(job, step, len(kept))
        settlement = generations.succeed(
            job.id,
            attempt,
            kept,
            captured=captured,
            at=self._clock.now_ms(),
            provider=step.provider,
            reported_cost=cost,
            others=(job.lead or job).made > 1,
        )
        if not await self._store.write(settlement):
            return await self._too_late(job, step, attempt, cost)
        self._tell(job, step, kept, captured, cost)
        return Done()

    async def deliver(
        self,
        job: Job,
        step: Step,
        attempt: int,
        outputs: Sequence[Output],
        links: Sequence[Mapping[str, Any]],
        cost: int | None,
    ) -> Result | None:
        """Keep outputs that are at hand and settle with that; None when they are not, and nothing was done."""
        wanted = outputs[: job.asked]
        if not wanted or not all(self._keeper.is_at_hand(each) for each in wanted):
            return None
        kept: list[ArtifactLike] = []
        for index, output in enumerate(wanted):
            try:
                with traced.keeping(index, output) as span:
                    kept.append(await self._keeper.keep(job.id, index, output, job.kind))
                    traced.kept(span, kept[-1])
            except Waiting as waiting:
                await waiting.taken.discard()
                return None
            except (OutputFault, StorageFault):
                return None  # to be told, or tried again, where the patience for that is
        captured, at, others = _captured(job, step, len(kept)), self._clock.now_ms(), job.made > 1
        delivery = Delivery(job.id, attempt, links, kept, captured, at, step.provider, cost, others)
        if not await self._store.write(together.deliver(delivery)):
            return await self._too_late(job, step, attempt, cost)
        self._tell(job, step, kept, captured, cost)
        return Done(delivery)

    async def _too_late(self, job: Job, step: Step, attempt: int, cost: int | None) -> Gone:
        await note_late(self._store, attempt, step.provider, step.price, cost)
        await self._let_go(job)
        return Gone()

    @staticmethod
    def _tell(job: Job, step: Step, kept: Sequence[ArtifactLike], captured: int, cost: int | None) -> None:
        metrics.counted(metrics.CAPTURED, step.provider, job.model).inc(captured / CREDIT)
        size = sum(each.size or 0 for each in kept)
        metrics.counted(metrics.OUTPUT_BYTES, job.kind).inc(size)
        job.stored = (step.provider, len(kept), size)
        traced.settled(captured, cost)

    async def _let_go(self, job: Job) -> None:
        try:
            await self._keeper.discard(job.id)
        except StorageFault as fault:
            log.event("files_left", level="error", generation=job.id, error=fault)

    async def _keep(self, job: Job, index: int, output: Output) -> ArtifactLike:
        with traced.keeping(index, output) as span:
            async with AsyncExitStack() as here:
                artifact = await self._patiently(job, index, output, here)
            traced.kept(span, artifact)
        return artifact

    async def _patiently(self, job: Job, index: int, output: Output, here: AsyncExitStack) -> ArtifactLike:
        waits = iter(_TRIES)
        taken: Taken | None = None
        while True:
            try:
                if taken is not None:
                    return await taken.store()
                return await self._keeper.keep(job.id, index, output, job.kind)
            except OutputFault as fault:
                wait = next(waits, None)
                left = job.left(self._clock) / 1000
                if not fault.retryable or wait is None or wait > left or job.canceled:
                    raise
                log.event("output_fetch_again", generation=job.id, index=index, reason=fault.kind, wait=wait)
            except StorageFault as fault:
                if isinstance(fault, Waiting):
                    # What is here already is not asked for again: its link may be over before the store is back.
                    taken = fault.taken
                    here.push_async_callback(taken.discard)
                wait = _STORE_AGAIN
                if wait * 1000 > job.left(self._clock) or job.canceled:
                    raise
                log.event("output_store_again", level="warning", generation=job.id, reason=str(fault), wait=wait)
            await self._clock.sleep(wait)


def _captured(job: Job, step: Step, count: int) -> int:
    """What so many outputs cost, in millionths: a part of the price for a part of them."""
    return max(1, share(step.price, count, job.asked))
