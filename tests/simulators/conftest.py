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

    async def form(self, path: str, *parts: tuple[str, str | bytes], **headers: str) -> Said:
        """Send a multipart form; bytes go as a file."""
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in parts:
            form.add_field(name, value, filename="upload" if isinstance(value, bytes) else None)
        async with self.session.post(self.base + path, data=form, headers={**self.key, **headers}) as answer:
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
def openai(sims: Simulators, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sims.bases["openai"], {"Authorization": f"Bearer {sims.secrets['OPENAI_API_KEY']}"})


@pytest.fixture
def bfl(sims: Simulators, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sims.bases["bfl"], {"x-key": sims.secrets["BFL_API_KEY"]})


@pytest.fixture
def cloudflare(sims: Simulators, session: aiohttp.ClientSession) -> Caller:
    base = f"{sims.bases['cloudflare']}/accounts/{sims.secrets['CLOUDFLARE_ACCOUNT_ID']}/ai/run"
    return Caller(session, base, {"Authorization": f"Bearer {sims.secrets['CLOUDFLARE_API_TOKEN']}"})


@pytest.fixture
def google(sims: Simulators, session: aiohttp.ClientSession) -> Caller:
    return Caller(session, sims.bases["google"], {"x-goog-api-key": sims.secrets["GEMINI_API_KEY"]})


@pytest.fixture
def callers(ark: Caller, replicate: Caller, fal: Caller) -> dict[str, Caller]:
    return {"ark": ark, "replicate": replicate, "fal": fal}
