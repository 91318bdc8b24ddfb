"""One process of the simulated gateway: what it has in memory, made anew after every crash."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import random
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import log, settings
from gateway.attempts.aftercare import Aftercare
from gateway.attempts.attempt import Walker
from gateway.attempts.collect import Collector
from gateway.attempts.inputs import Inputs
from gateway.attempts.line import Line, Target
from gateway.attempts.pace import Durations, Paces
from gateway.attempts.resume import resume
from gateway.attempts.run import Runs
from gateway.clock import SteadyClock
from gateway.ingress.intake import Intake
from gateway.ledger.database import Database
from gateway.providers import catalog
from gateway.providers.catalog import Catalog
from gateway.providers.render import Site
from gateway.providers.secrets import Secrets
from gateway.routing.health import Health
from gateway.settings import Settings
from gateway.world import world_of
from tests.harness.memory import Memory, opened
from tests.harness.theatre import BASES, SECRETS, Crash, Far, Keeper, Source, Wire
from tests.harness.virtual import WallClock

PACKS = Path(__file__).parents[2] / "providers.d"
_SUBMIT = 8.0  # seconds a submit that only queues may take
_BELIEVED, _SOON = 5, 1_500  # jobs, and the ms each of them is believed to have taken
_POLL_GRACE = 20_000  # ms without a look
_OWNER: contextvars.ContextVar[list[asyncio.Task[Any]]] = contextvars.ContextVar("owner")  # the tasks of one process


@functools.cache
def packs() -> Catalog:
    """Every pack that is shipped."""
    return catalog.load_once([PACKS])


@functools.cache
def policy(image: str, video: str, *, hedged: bool = False) -> Settings:
    """The policy of a simulated gateway, with its deadlines, and second jobs beside slow ones if it is to be `hedged`."""
    text = f"attempts: {{image_deadline: {image}, video_deadline: {video}, in_doubt_max_cost: 0.5, hedge_share: 1}}\n"
    if hedged:
        text += "routes: [{hedge_max_cost: 0.5}]\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "simulation.yaml")
        path.write_text(text)
        return settings.load(path, {})


class Impatient(Paces):
    """Believes of every kind of job that is not known that it is over soon."""

    def of(self, provider: str, model: str, form: int) -> Durations | None:
        """What is known, or believed."""
        while (found := super().of(provider, model, form)) is None or len(found.all.recent) < _BELIEVED:
            self.note(provider, model, form, _SOON)
        return found


@dataclass(slots=True)
class Life:
    """A process that serves, until its crash."""

    crash: Crash
    store: Database
    intake: Intake
    runs: Runs
    aftercare: Aftercare
    tasks: list[asyncio.Task[Any]]

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin something that dies with the process, as does whatever it begins in turn."""
        context = contextvars.copy_context()
        context.run(_OWNER.set, self.tasks)
        return asyncio.get_running_loop().create_task(work, context=context)

    async def end(self) -> None:
        """Drop everything where it is, as a crash does: no word of it reaches the store or a vendor any more."""
        self.crash.die()
        while left := [task for task in self.tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


def born(
    far: Far,
    memory: Memory,
    clock: WallClock,
    crash: Crash,
    dice: random.Random,
    deadlines: tuple[str, str] = ("60s", "120s"),
    *,
    hedged: bool = False,
) -> Life:
    """Make a process over a store and a far end that were there before it.

    Its deadlines, for images and for videos, are short, so that what is stuck shows; a `hedged` one thinks most jobs slow.
    """
    secrets = Secrets(SECRETS, SECRETS)
    steady = SteadyClock(clock, lambda by: far.note("stepped", by))
    store = opened(memory, crash, dice)
    line = Line(Wire(far, crash, secrets), Inputs(Source()), steady, _SUBMIT)
    collector = Collector(store, Keeper(far, crash), steady)
    paces = Impatient() if hedged else Paces()
    walker = Walker(store, line, collector, steady, random.Random(dice.getrandbits(64)), _POLL_GRACE, paces=paces)
    health = Health()
    runs = Runs(store, walker, _target, health, steady, random.Random(dice.getrandbits(64)))
    intake = Intake(_world(*deadlines, hedged=hedged), store, runs, health, steady)
    return Life(crash, store, intake, runs, Aftercare(store, line, _target, steady), [])


async def take_up(life: Life) -> None:
    """Go on with what the process before left."""
    life.aftercare.start()
    await resume(life.store, life.runs)


@functools.cache
def _world(image: str, video: str, *, hedged: bool = False) -> Any:
    log.register("simulated")  # whatever is redacted then goes the whole way
    return world_of(policy(image, video, hedged=hedged), packs(), Secrets(SECRETS, SECRETS))


@functools.cache
def _target(provider: str, model: str) -> Target | None:
    pack = packs().models.get((provider, model))
    return Target(pack, Site(BASES[provider], pack.provider.base, ())) if pack else None


def enter(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **more: Any) -> asyncio.Task[Any]:
    """Make a task, entered into the list of the process it belongs to: that of whoever made it."""
    context: contextvars.Context = more.get("context") or contextvars.copy_context()
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **more)
    context.get(_OWNER, []).append(task)
    return task
