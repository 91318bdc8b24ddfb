"""A first attempt made ready before its generation is accepted, so that both are committed together.

That saves a commit for whoever waits. It is for what can go out at once: an offer that has room, a request that is whole as it is,
a provider whose rate nobody waits for. All else is accepted first and begun when its turn comes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.attempts.choice import Choice
from gateway.attempts.job import Job
from gateway.attempts.line import Target, Targets
from gateway.clock import Clock
from gateway.ledger.records import Attempt
from gateway.ledger.together import Opening
from gateway.providers.render import Call
from gateway.routing.health import Health
from gateway.routing.plan import Step
from gateway.routing.signal import Trial

_LOOK, _LOOKS = 0.01, 500  # seconds, and how often: a store that is locked says so within five
_MOST = 64  # made ready and not yet begun; what comes in a flood waits for its turn, accounts one after the other


Render = Callable[[Job, Step, Target], Call | None]


@dataclass(slots=True)
class Ready:
    """What may go out as soon as it is on disk. The call is let go of when it goes out: its job may run for long."""

    job: Job
    step: Step
    target: Target
    trial: Trial
    call: Call | None

    def sent(self) -> Call:
        """The call, once."""
        call, self.call = self.call, None
        assert call is not None, "it goes out once"
        return call

    @property
    def opening(self) -> Opening:
        """As it is written."""
        return Opening(self.step.provider, self.step.native, self.step.form, self.step.price)


@dataclass(frozen=True, slots=True)
class Opened:
    """It is on disk, as the attempt with this id."""

    ready: Ready
    attempt: int


# What an attempt goes on from: one that a restart found, one that is on disk and not sent yet, or none.
Going = Attempt | Opened | None


class Openings:
    """Makes first attempts ready; each that it gives is begun, or dropped."""

    def __init__(self, choice: Choice, render: Render, targets: Targets, health: Health) -> None:
        """Choose by `choice` among what `targets` finds; `health` counts what is made ready as under way.

        `render` gives the call that begins a job, None where anything has to be waited for.
        """
        self._choice = choice
        self._render = render
        self._targets = targets
        self._health = health
        self._ready = 0
        self._stopped = False

    def ready(self, job: Job) -> Ready | None:
        """The first attempt of a job that is not accepted yet; None when it has to wait for anything."""
        if self._stopped or self._ready >= _MOST or (step := self._choice.now(job)) is None:
            return None
        target = self._targets(step.provider, job.model)
        if target is None or step.form >= len(target.model.shapes):
            return None
        job.number()
        call = self._render(job, step, target)
        trial = self._choice.trial(job, step, target)
        if call is None or not self._choice.lets(job, step, trial, again=False):
            job.n = job.made = 0
            return None
        self._ready += 1
        return Ready(job, step, target, trial, call)

    async def stop(self, clock: Clock) -> None:
        """Make nothing ready any more, and wait until what was has begun: on disk and never sent it would be in doubt."""
        self._stopped = True
        for _ in range(_LOOKS):
            if not self._ready:
                return
            await clock.sleep(_LOOK)

    def begun(self, opened: Opened | None) -> None:
        """One that was made ready has begun, if it was."""
        self._ready -= opened is not None

    def drop(self, ready: Ready) -> None:
        """One that was made ready is not accepted after all."""
        self._ready -= 1
        self._health.released(ready.trial, taken=False)
        self._health.leave(ready.trial)
