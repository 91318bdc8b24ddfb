"""Where outputs go: into a store, or on to the caller as they are."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import aiohttp
import pytest

from gateway.artifacts.disk import Disk
from gateway.artifacts.fault import OutputFault
from gateway.artifacts.keeper import Keeper, Limits, Relayed
from gateway.artifacts.store import Artifact
from gateway.egress import Policy
from gateway.generation import Kind
from gateway.outcome import Output
from tests.gateway.artifacts.far import Far
from tests.gateway.artifacts.oddities import FILM
from tests.gateway.artifacts.test_oddities import stored

LIMITS = Limits(image=100_000, video=40_000)


def encoded(data: bytes) -> str:
    """Bytes as base64."""
    return b64encode(data).decode()


async def test_with_a_store_each_kind_has_its_limit(
    session: aiohttp.ClientSession, policy: Policy, far: Far, png: bytes, tmp_path: Path
) -> None:
    """A picture is stored, a film beyond the limit of films is not, and what is discarded is gone."""
    disk = Disk(tmp_path)
    await disk.start()
    keeper = Keeper(session, disk, LIMITS, policy)
    kept = await keeper.keep("gen", 0, Output(url=far.serve("/a", png)), Kind.IMAGE)
    assert isinstance(kept, Artifact)
    with pytest.raises(OutputFault) as caught:
        await keeper.keep("gen", 1, Output(url=far.serve("/b", FILM)), Kind.VIDEO)
    assert caught.value.kind == "too_large"
    await keeper.discard("gen")
    assert stored(tmp_path) == []
    await disk.close()


async def test_bytes_are_passed_on_as_what_they_are(session: aiohttp.ClientSession, png: bytes) -> None:
    """S58: without a store bytes are declared as what they begin as, and what is no picture or film as nothing a browser opens."""
    keeper = Keeper(session, None, LIMITS, Policy())
    page = b"<script>alert(1)</script>"
    for output, type_, data in (
        (Output(b64=encoded(png), mime="text/html"), "image/png", png),
        (Output(b64=encoded(page), mime="text/html"), "application/octet-stream", page),
        (Output(url=f"data:image/svg+xml;base64,{encoded(page)}"), "application/octet-stream", page),
        (Output(url=f"DATA:text/html;base64,{encoded(png)}"), "image/png", png),
        (Output(b64=encoded(FILM)), "video/mp4", FILM),
    ):
        kept = await keeper.keep("gen", 0, output, Kind.IMAGE)
        assert kept == Relayed(0, f"data:{type_};base64,{encoded(data)}", type_, None, None)
    for bad in ("data:text/html,<p>", "data:image/png;base64,%%%", "data:image/png;base64"):
        with pytest.raises(OutputFault) as caught:
            await keeper.keep("gen", 0, Output(url=bad), Kind.IMAGE)
        assert (caught.value.kind, caught.value.retryable) == ("refused", False)


@pytest.mark.parametrize(
    "link",
    [
        *("javascript:alert(1)", "file:///etc/passwd", "ftp://a.example/", "https://me:secret@a.example/"),
        *("http://169.254.169.254/latest", "http://127.0.0.1/", "http://2130706433/", "https://a.example:22/", "x"),
    ],
)
async def test_a_link_to_no_output_is_not_passed_on(session: aiohttp.ClientSession, link: str) -> None:
    """S40: no list of hosts is kept: outputs are fetched bare, and a list would lose paid ones; anywhere but inside is fine."""
    with pytest.raises(OutputFault) as caught:
        await Keeper(session, None, LIMITS, Policy()).keep("gen", 0, Output(url=link), Kind.IMAGE)
    assert (caught.value.kind, caught.value.retryable) == ("blocked", False)


async def test_a_link_is_passed_on_as_it_is_spelled(session: aiohttp.ClientSession) -> None:
    """A signature covers the spelling of a link, so it is not touched."""
    link = "https://a.example/b%2Fc?sig=a%2Bb~#x"
    kept = await Keeper(session, None, LIMITS, Policy()).keep("gen", 2, Output(url=link, mime="image/png"), Kind.IMAGE)
    assert kept == Relayed(2, link, "image/png", None, None)
