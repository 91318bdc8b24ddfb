"""One attempt: what its provider counts, and the inputs it is given."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.generation import State
from gateway.ledger import generations
from gateway.offer import Handing
from gateway.providers import catalog
from gateway.providers.pack import Cost
from tests.gateway.attempts.bench import bench, faults, shipped

MODEL, PROVIDER = "bytedance/seedance-1-pro", "replicate"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452")


def packs(**changed: Any) -> catalog.Catalog:
    """Give the shipped packs with one model changed."""
    found = shipped()
    return replace(found, models={**found.models, (PROVIDER, MODEL): replace(found.models[PROVIDER, MODEL], **changed)})


def counting() -> catalog.Catalog:
    """Give packs of which one counts when it takes a job, five at a cent, and never again."""
    cost = Cost(lambda body: 5 if body["status"] == "starting" else None, 10_000)
    shapes = shipped().models[PROVIDER, MODEL].shapes
    return packs(shapes=tuple(replace(shape, cost=cost) for shape in shapes))


def converting() -> catalog.Catalog:
    """Give packs of which one takes its pictures as data."""
    offer = shipped().models[PROVIDER, MODEL].offer
    forms = []
    for form in offer.forms:
        files = {name: replace(bounds, takes=(Handing.DATA,)) for name, bounds in form.takes.items() if bounds.takes}
        forms.append(replace(form, takes={**form.takes, **files}))
    return packs(offer=replace(offer, forms=tuple(forms)))


async def test_a_cost_counted_at_once_is_on_record(tmp_path: Path) -> None:
    """What a provider counted when it took the job is kept with the attempt, though its later answers say nothing."""
    async with bench(tmp_path, packs=counting()) as at:
        record = await at.outcome(await at.begin(MODEL, [PROVIDER], prompt="waves", duration=5))
        assert (record.state, record.attempts[0].cost) == (State.SUCCEEDED, 50_000), faults(record)


async def test_a_cost_counted_at_once_stands_beside_a_failure(tmp_path: Path) -> None:
    """A job that was counted and failed later keeps what it may have cost."""
    chaos = [{"provider": PROVIDER, "call": "submit", "do": "fail"}]
    async with bench(tmp_path, chaos, packs=counting()) as at:
        record = await at.outcome(await at.begin(MODEL, [PROVIDER], prompt="waves", duration=5))
        assert (record.state, record.attempts[0].cost) == (State.FAILED, 50_000)


async def test_a_picture_is_fetched_for_who_takes_bytes(tmp_path: Path) -> None:
    """The provider is sent the picture itself where it takes no address."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=PNG)

    app = web.Application()
    app.router.add_get("/a.png", answer)
    async with TestServer(app) as far, bench(tmp_path, packs=converting()) as at:
        asked = {"prompt": "waves", "duration": 5, "images": (str(far.make_url("/a.png")),)}
        record = await at.outcome(await at.begin(MODEL, [PROVIDER], **asked))
        assert record.state is State.SUCCEEDED, faults(record)
        assert at.sims.jobs(PROVIDER)[-1].body["input"]["image"].startswith("data:image/png;base64,iVBORw0KGgo")


async def test_a_picture_that_cannot_be_had_sends_nothing(tmp_path: Path) -> None:
    """An input that is not there ends the attempt before the provider hears of it."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=404)

    app = web.Application()
    app.router.add_get("/a.png", answer)
    async with TestServer(app) as far, bench(tmp_path, packs=converting()) as at:
        asked = {"prompt": "waves", "duration": 5, "images": (str(far.make_url("/a.png")),)}
        record = await at.outcome(await at.begin(MODEL, [PROVIDER], **asked))
        assert faults(record) == [(PROVIDER, "input_unreadable")]
        assert at.sims.log == []
        assert await at.spent() == 0


async def test_who_cancels_while_inputs_are_fetched_has_nothing_sent(tmp_path: Path) -> None:
    """A generation that is canceled before its inputs are there never reaches a provider."""
    asked_for, free = asyncio.Event(), asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        asked_for.set()
        await free.wait()
        return web.Response(body=PNG)

    app = web.Application()
    app.router.add_get("/a.png", answer)
    async with TestServer(app) as far, bench(tmp_path, packs=converting()) as at:
        asked = {"prompt": "waves", "duration": 5, "images": (str(far.make_url("/a.png")),)}
        generation = await at.begin(MODEL, [PROVIDER], **asked)
        await asyncio.wait_for(asked_for.wait(), 5)
        await at.store.write(generations.cancel("local", generation, at.clock.now_ms()))
        asyncio.get_running_loop().call_later(0.05, free.set)
        assert await at.runs.cancel(generation) is False
        assert (await at.outcome(generation)).state is State.CANCELED
        assert at.sims.log == []
        assert await at.sound() == []
