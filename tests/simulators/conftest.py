"""The simulators as the tests meet them: on a free port, with a clock that moves only when told to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from gateway.simulators import Simulators


@dataclass
class Hand:
    """A clock moved by hand, in ms."""

    ms: int = 1_780_000_000_000

    def __call__(self) -> int:
        return self.ms

    def wind(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


@dataclass
class Said:
    """One answer: its status, its headers, its JSON or its text."""

    status: int
    headers: Any
    body: Any


@dataclass
class Caller:
    """Speaks to one vendor with its key, unless told to leave it out."""

    session: aiohttp.ClientSession
    base: str
    key: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        url = path if path.startswith("http") else self.base + path
        sent = {**self.key, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = {"data": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        async with self.session.request(method, url, headers=sent, **data) as answer:
            is_json = answer.content_type == "application/json"
            return Said(answer.status, answer.headers, await (answer.json() if is_json else answer.read()))


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
async def sims(hand: Hand) -> AsyncIterator[Simulators]:
    """Jobs take no time for pictures and two seconds for films, by the hand-moved clock."""
    simulators = Simulators(image_seconds=0, video_seconds=2, clock=hand)
    await simulators.start()
    yield simulators
    await simulators.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


@pytest.fixture
def ark(sims: Simulators, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sims.bases["byteplus"], {"Authorization": f"Bearer {sims.secrets['ARK_API_KEY']}"})


@pytest.fixture
def replicate(sims: Simulators, session: aiohttp.ClientSession) -> Caller:
    token = sims.secrets["REPLICATE_API_TOKEN"]
    return Caller(session, sims.bases["replicate"] + "/v1", {"Authorization": f"Bearer {token}"})


@pytest.fixture
def fal(sims: Simulators, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sims.bases["fal"], {"Authorization": f"Key {sims.secrets['FAL_KEY']}"})


@pytest.fixture
def callers(ark: Caller, replicate: Caller, fal: Caller) -> dict[str, Caller]:
    return {"ark": ark, "replicate": replicate, "fal": fal}
