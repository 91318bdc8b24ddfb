"""Packs against the vendors played: what a pack can be asked for, its vendor takes, does and hands over.

The two were written by different hands from the same pages, so each checks the other.
"""

from __future__ import annotations

import pathlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from gateway.artifacts.source import Source
from gateway.attempts.inputs import Inputs
from gateway.egress import Policy
from gateway.offer import Fit, fit
from gateway.providers import catalog, read, render
from gateway.providers.pack import CallName, JobState, Model
from gateway.providers.read import Reading
from gateway.providers.render import Site
from gateway.providers.secrets import Secrets
from gateway.providers.wire import Wire
from gateway.simulators import Simulators
from tests.providers.asking import INLINE, cases

CATALOG = catalog.load_once([pathlib.Path(__file__).parents[2] / "providers.d"])
HOUR = 3_600_000


@dataclass
class Far:
    """The vendors played, a line to them, and their clock."""

    sims: Simulators
    wire: Wire
    inputs: Inputs
    now: list[int]  # ms that have been skipped

    async def outcome(self, model: Model, fields: dict) -> Reading:
        """Submit a request, let an hour pass, and read what became of it."""
        found = fit(model.offer, fields)
        assert isinstance(found, Fit), found.reasons
        site = Site(self.sims.bases[model.provider.id], model.provider.base, ())
        form = model.offer.forms[found.form]
        values = await self.inputs.prepare(form, found.values)
        call = render.submit(model, found.form, values, site)
        reading = read.submitted(model, found.form, await self.wire.send(call, 30), 0)
        if reading.state is not JobState.QUEUED:
            return reading
        self.now[0] += HOUR // 2
        kept = dict(reading.kept)
        look = render.follow(model, found.form, CallName.STATUS, kept, site)
        reading = read.looked(model, found.form, await self.wire.send(look, 30), 0)
        if reading.state is JobState.SUCCEEDED and not reading.outputs:
            last = render.follow(model, found.form, CallName.RESULT, kept, site)
            reading = read.fetched(model, found.form, await self.wire.send(last, 30), 0)
        return reading


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def far() -> AsyncIterator[Far]:
    """Play every vendor once for the module."""
    now = [0]
    sims = Simulators(clock=lambda: time.time_ns() // 1_000_000 + now[0], image_seconds=0.001, video_seconds=0.001)
    await sims.start()
    async with aiohttp.ClientSession() as session:
        secrets = Secrets(sims.secrets, sims.secrets)
        yield Far(sims, Wire(session, secrets, 5), Inputs(Canned(session, Policy())), now)
    await sims.close()


class Canned(Source):
    """Files without the network: what would be fetched is at hand."""

    async def read(self, _url: str, *, limit: int, deadline: float) -> bytes:
        """Give one small picture for every address."""
        return await super().read(INLINE, limit=limit, deadline=deadline)


@pytest.mark.parametrize("model", CATALOG.models.values(), ids=lambda model: f"{model.provider.id}/{model.offer.model}")
@pytest.mark.asyncio(loop_scope="module")
async def test_everything_offered_is_accepted_and_delivered(model: Model, far: Far) -> None:
    """Each form, row and bound of a model ends with at least as many outputs as were asked for."""
    if model.provider.id not in far.sims.bases:
        pytest.skip(f"{model.provider.id} is not played yet")
    wrong = []
    for name, fields in cases(model):
        reading = await far.outcome(model, fields)
        count = fields.get("count", 1)
        if reading.state is not JobState.SUCCEEDED or len(reading.outputs) < count:
            said = reading.fault.message if reading.fault else f"{len(reading.outputs)} outputs"
            wrong.append(f"{name}: {said}")
    assert not wrong, "\n".join(wrong[:20])
