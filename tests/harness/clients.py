"""Simulated applications: each asks for one thing, with a key, until it is answered; some think better of it."""

from __future__ import annotations

import asyncio
import functools
import json
import random
from typing import TYPE_CHECKING, Any, Protocol

from gateway.generation import Kind
from gateway.ingress.intake import Answer, Key
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked
from gateway.ledger import generations
from gateway.ledger.program import StoreFailed
from gateway.routing.plan import Plan
from tests.harness.life import packs
from tests.harness.oracle import PROMPT
from tests.harness.virtual import WallClock
from tests.providers.asking import cases

if TYPE_CHECKING:
    from tests.harness.life import Life


class World(Protocol):
    """What a client knows of the world it is in."""

    dice: random.Random
    life: Life | None
    up: asyncio.Event
    clock: WallClock

    def note(self, *what: object) -> None:
        """Write down that something happened."""


_UNHEARD = 0.1  # of the answers are lost on the way to the client
_CHANGES_MIND = 0.2
_NUDGED = 0.2  # of the generations are called back for, by whoever it is


class Client:
    """One application with one wish."""

    def __init__(self, world: World, number: int, *, steadfast: bool = False) -> None:
        """Choose what to ask for; a steadfast one can pay for it, and keeps to it."""
        dice = world.dice
        self._world = world
        self._steadfast = steadfast
        self.number = number
        self.account = "poor" if not steadfast and dice.random() < 0.15 else "rich"
        self.kind, self.model, fields = dice.choice(_wishes(dice.choice(packs().ids())))
        # The prompt says whose job it is, wherever the job turns up.
        self.prompt = f"{PROMPT}{number}"
        self._fields = {**fields, "prompt": self.prompt} if "prompt" in fields else fields
        self.answers: set[str] = set()
        self.asked = 0
        self.refused = ""

    async def live(self, begin: float) -> None:
        """Ask, after a while, until there is an answer; then perhaps cancel."""
        dice, world = self._world.dice, self._world
        await asyncio.sleep(begin)
        while not await self._ask():
            await asyncio.sleep(dice.uniform(0.2, 2))
            await world.up.wait()
        if self.answers and dice.random() < _NUDGED:
            await asyncio.sleep(dice.uniform(0, 10))
            if world.life is not None and not world.life.crash.died.is_set():
                world.life.runs.nudge(next(iter(self.answers)), dice.randint(1, 2))
        if self.answers and not self._steadfast and dice.random() < _CHANGES_MIND:
            await asyncio.sleep(dice.choice((0.0, dice.uniform(0, 1), dice.uniform(0, 20))))
            while not await self._cancel():
                await asyncio.sleep(dice.uniform(0.2, 2))
                await world.up.wait()

    async def _ask(self) -> bool:
        """Send the request once; whether it was answered."""
        await self._world.up.wait()
        life = self._world.life
        assert life is not None
        self.asked += 1
        asked = Asked(self.kind, self.model, self._fields, None, str)
        key = Key(f"key-{self.number}", f"print-{self.number}")
        answer = await _served(life, life.intake.accept(self.account, asked, key, _respond))
        if isinstance(answer, Refusal):
            self._world.note("refused", self.number, answer.code.type)
            self.refused = answer.code.type
            return not answer.retryable or self.asked > 20
        if not isinstance(answer, Answer) or self._world.dice.random() < _UNHEARD:
            return False
        self._world.note("answered", self.number, answer.replayed)
        self.answers.add(answer.generation)
        return True

    async def _cancel(self) -> bool:
        life, (generation, *_) = self._world.life, self.answers
        assert life is not None
        ending = generations.cancel(self.account, generation, self._world.clock.now_ms())
        canceled = await _served(life, life.store.write(ending))
        if canceled is None:
            return False
        self._world.note("canceled", self.number, type(canceled).__name__)
        if isinstance(canceled, generations.Canceled):
            await _served(life, life.runs.cancel(generation))
        return True


async def _served(life: Life, work: Any) -> Any:
    """Have the process do something: its result, a refusal, or None when no answer came."""
    task = life.spawn(work)
    death = asyncio.ensure_future(life.crash.died.wait())
    await asyncio.wait([task, death], return_when=asyncio.FIRST_COMPLETED)
    death.cancel()
    if not task.done() or task.cancelled():
        return None
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, Refusal):
        return error
    if isinstance(error, StoreFailed):
        return None
    raise error


def _respond(generation: str, plan: Plan) -> dict[str, Any]:
    return {"generation_id": generation, "order": [step.provider for step in plan.steps]}


@functools.cache
def _wishes(model: str) -> list[tuple[Kind, str, dict[str, Any]]]:
    """Some of what a model can be asked for."""
    found = []
    for (_, name), pack in sorted(packs().models.items()):
        if name == model:
            for _, fields in cases(pack):
                plain = json.loads(json.dumps(fields))
                found.append((pack.offer.kind, model, plain))
    return random.Random(model).sample(found, k=min(len(found), 12))
