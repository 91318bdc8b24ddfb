"""The door to providers' outputs, against a far end that misbehaves in every way we know."""

from __future__ import annotations

import base64
import gzip
import ssl
from collections.abc import Iterator

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.artifacts.fault import OutputFault
from gateway.artifacts.fetch import fetch, is_inline, next_hop, open_session
from gateway.egress import Policy
from tests.gateway.artifacts.far import Far

BODY = b"\x89PNG and so on" * 1000
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Door:
    """The door with everything but the address filled in."""

    def __init__(self, session: aiohttp.ClientSession, policy: Policy) -> None:
        self.session = session
        self.policy = policy

    async def get(
        self, url: str, *, limit: int = 1_000_000, deadline: float = 5, min_rate: int = 1024, window: float = 30
    ) -> tuple[bytes, str | None]:
        """Fetch all bytes and the declared type."""
        options = {"limit": limit, "deadline": deadline, "min_rate": min_rate, "window": window}
        async with fetch(self.session, url, policy=self.policy, **options) as arriving:
            return b"".join([chunk async for chunk in arriving.body]), arriving.type

    async def fault(self, url: str, **options: float) -> tuple[str, bool]:
        """Fetch what must fail, and give the kind and whether it may be tried again; the message names no address."""
        with pytest.raises(OutputFault) as caught:
            await self.get(url, **options)
        assert "127.0.0" not in str(caught.value)
        return caught.value.kind, caught.value.retryable


@pytest.fixture
def door(session: aiohttp.ClientSession, policy: Policy) -> Door:
    """The door, on a session of its own."""
    return Door(session, policy)


async def test_a_plain_answer_is_given_whole(door: Door, far: Far) -> None:
    """The bytes come through unchanged, with the declared type in its plain form."""
    url = far.serve("/a.png", BODY, "Content-Type: IMAGE/PNG; charset=binary")
    assert await door.get(url) == (BODY, "image/png")


async def test_bodies_without_a_length_are_given_whole(door: Door, far: Far) -> None:
    """Chunked bodies and bodies that end with the connection are taken, and may declare nothing."""
    chunk = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n"
    assert await door.get(far.tell("/chunked", CHUNKED, chunk * 2, b"0\r\n\r\n")) == (BODY * 2, None)
    assert await door.get(far.tell("/closing", b"HTTP/1.1 200 OK\r\n\r\n", BODY)) == (BODY, None)


async def test_the_request_carries_nothing_of_ours(door: Door, far: Far) -> None:
    """S31: neither cookies a far end sets nor anything else of ours is sent, on a redirect neither."""
    end = far.serve("/end", BODY, "Set-Cookie: a=1")
    start = far.serve("/start", b"", f"Location: {end}", "Set-Cookie: b=2; Path=/", status="302 Found")
    for _ in range(2):
        await door.get(start)
    allowed = {b"host", b"accept", b"accept-encoding", b"user-agent"}
    for head in far.heads:
        assert {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:] if line} == allowed
        assert b"Accept-Encoding: identity" in head


async def test_a_signed_address_is_sent_as_it_was_given(door: Door, far: Far) -> None:
    """The spelling of an address is not touched, for signatures are made over it; a fragment is not sent."""
    far.serve("/a%2Fb+c%7e", BODY)
    await door.get(far.url("/a%2Fb+c%7e?sig=a%2Bb/c%3D&x=%20~#part"))
    assert far.heads[0].startswith(b"GET /a%2Fb+c%7e?sig=a%2Bb/c%3D&x=%20~ HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *(("404 Not Found", ("gone", True)), ("403 Forbidden", ("gone", True)), ("410 Gone", ("gone", True))),
        *(("400 Bad Request", ("refused", False)), ("429 Too Many Requests", ("refused", True))),
        *(("500 Oh", ("refused", True)), ("503 Wait", ("refused", True)), ("206 Partial Content", ("refused", False))),
        *(("304 Not Modified", ("refused", False)), ("302 Found", ("refused", False))),
    ],
)
async def test_other_answers_are_no_output(door: Door, far: Far, status: str, outcome: tuple[str, bool]) -> None:
    """Everything but 200 is told apart: gone, refused for now, refused for good."""
    assert await door.fault(far.serve("/", b"", status=status)) == outcome


async def test_short_bodies_are_truncated(door: Door, far: Far) -> None:
    """A body shorter than its length and a chunked one without its end are truncated."""
    assert await door.fault(far.serve("/short", BODY, length=len(BODY) + 1)) == ("truncated", True)
    assert await door.fault(far.tell("/cut", CHUNKED, b"5\r\nhello\r\n")) == ("truncated", True)


async def test_a_broken_chunk_is_truncated(door: Door, far: Far) -> None:
    """A malformed chunk in the middle is noticed soon, even where the HTTP client leaves its reader waiting."""
    url = far.tell("/", CHUNKED, b"5\r\nhello\r\n", 0.05, b"ZZ\r\n", 0.5)
    assert await door.fault(url, window=0.1, min_rate=0) == ("truncated", True)


async def test_a_longer_body_ends_at_its_length(door: Door, far: Far) -> None:
    """What follows after the declared length is not taken for the output; at once with it, the answer is not HTTP."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    assert await door.get(far.tell("/later", head + BODY[:100], 0.05, BODY)) == (BODY[:100], None)
    assert await door.fault(far.serve("/at-once", BODY, length=100)) == ("refused", True)


async def test_too_large_is_told_early_and_late(door: Door, far: Far) -> None:
    """A declared length beyond the limit is refused unread, an endless body at the limit; the limit itself is taken."""
    assert (await door.get(far.serve("/exact", BODY), limit=len(BODY)))[0] == BODY
    assert await door.fault(far.serve("/declared", b"", length=1001), limit=1000) == ("too_large", False)

    def forever() -> Iterator[bytes]:
        yield CHUNKED
        while True:
            yield b"400\r\n" + bytes(1024) + b"\r\n"

    assert await door.fault(far.endless("/endless", forever)) == ("too_large", False)


async def test_a_trickle_is_too_slow(door: Door, far: Far) -> None:
    """A body below the minimum rate is given up after one window, and so is one that stops."""

    def drops() -> Iterator[bytes | float]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
        while True:
            yield b"x"
            yield 0.01

    slow = {"window": 0.06, "min_rate": 10_000}
    assert await door.fault(far.endless("/drops", drops), **slow) == ("too_slow", True)
    stopped = far.tell("/stops", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", 0.3)
    assert await door.fault(stopped, **slow) == ("too_slow", True)


async def test_a_steady_body_is_not_too_slow(door: Door, far: Far) -> None:
    """A body above the minimum rate may take many windows."""
    pieces = [piece for _ in range(15) for piece in (b"x" * 100, 0.03)]
    url = far.tell("/", b"HTTP/1.1 200 OK\r\nContent-Length: 1500\r\n\r\n", *pieces)
    assert len((await door.get(url, window=0.2, min_rate=100))[0]) == 1500


async def test_the_deadline_holds_everywhere(door: Door, far: Far) -> None:
    """Past the deadline the fetch ends: before the answer, and in the middle of a body that is fast enough."""
    assert await door.fault(far.tell("/mute", 0.3), deadline=0.05) == ("too_slow", True)

    def steady() -> Iterator[bytes | float]:
        yield CHUNKED
        while True:
            yield b"400\r\n" + bytes(1024) + b"\r\n"
            yield 0.005

    assert await door.fault(far.endless("/steady", steady), deadline=0.05) == ("too_slow", True)


async def test_encoded_bodies_are_refused(door: Door, far: Far) -> None:
    """A body that is packed although plain bytes were asked for is refused unread."""
    packed = gzip.compress(bytes(1_000_000))
    assert await door.fault(far.serve("/", packed, "Content-Encoding: gzip")) == ("refused", False)


async def test_redirects_are_followed_three_times(door: Door, far: Far) -> None:
    """Three redirects, relative ones too, lead to the output; the fourth is one too many."""
    far.serve("/0", BODY)
    for hop in range(1, 5):
        far.serve(f"/{hop}", b"", f"Location: {hop - 1}", status=f"30{hop if hop < 4 else 7} Moved")
    assert (await door.get(far.url("/3")))[0] == BODY
    assert await door.fault(far.url("/4")) == ("refused", False)


@pytest.mark.parametrize(
    "target",
    [
        *(
            "http://127.0.0.2:{port}/",
            "http://169.254.169.254/",
            "http://localhost:22/",
            "http://10.0.0.1/",
            "http://[::1]:{port}/",
        ),
        *(
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "http://user:pass@127.0.0.1/",
            "http://0x7f000001/",
            "data:image/png,x",
            "//127.1/",
        ),
    ],
)
async def test_redirects_inside_are_blocked(door: Door, far: Far, target: str) -> None:
    """S30: a redirect to a forbidden address, scheme or port is stopped at that hop."""
    url = far.serve("/", b"", f"Location: {target.format(port=far.port)}", status="302 Found")
    assert await door.fault(url) == ("blocked", False)
    assert len(far.heads) == 1


def test_a_redirect_to_plain_http_is_not_followed() -> None:
    """S30: what was asked for under a certificate is not taken from whoever answers without one."""
    for target in ("http://a.example/x", "HTTP://b.example/"):
        with pytest.raises(OutputFault, match="from https to plain http") as caught:
            next_hop("HTTPS://a.example/x", target)
        assert (caught.value.kind, caught.value.retryable) == ("blocked", False)
    assert next_hop("https://a.example/x", "//b.example/y#z") == "https://b.example/y"
    assert next_hop("http://a.example/x", "https://a.example/y") == "https://a.example/y"


async def test_a_name_that_resolves_inside_is_blocked(door: Door, far: Far) -> None:
    """S27: the socket's guard holds where the address looks harmless: the name is one that resolves to loopback."""
    async with open_session(Policy.parse(["10.0.0.0/8"])) as guarded:
        other = Door(guarded, door.policy)  # its URL check lets localhost pass, the guard does not
        assert await other.fault(f"http://localhost:{far.port}/") == ("blocked", False)
    assert far.heads == []


async def test_nobody_there_is_unreachable(door: Door, far: Far, unused_tcp_port: int) -> None:
    """A closed port, a line cut before the answer and a far end without TLS are unreachable."""
    assert await door.fault(f"http://127.0.0.1:{unused_tcp_port}/") == ("unreachable", True)
    assert await door.fault(far.tell("/cut")) == ("unreachable", True)
    assert await door.fault(far.serve("/", b"").replace("http:", "https:")) == ("unreachable", True)


async def test_no_http_is_refused(door: Door, far: Far) -> None:
    """An answer that is not HTTP is refused."""
    assert await door.fault(far.tell("/", b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) == ("refused", True)


async def test_a_session_that_could_say_more_is_not_used(far: Far, policy: Policy) -> None:
    """S31, S36: a session with cookies, headers of its own or unpacking is a mistake of the program, told before anything is sent."""
    url = far.serve("/", BODY)
    for options in (
        {},
        {"cookie_jar": aiohttp.DummyCookieJar()},
        {"headers": {"X-Key": "1"}, "auto_decompress": False},
    ):
        async with aiohttp.ClientSession(**options) as talkative:
            with pytest.raises(ValueError, match="open_session"):
                await Door(talkative, policy).get(url)
    assert far.heads == []


async def test_certificates_are_verified(session: aiohttp.ClientSession) -> None:
    """S35: the session offers no way around the verification of certificates."""
    connector = session.connector
    assert isinstance(connector, aiohttp.TCPConnector)
    assert connector._ssl is True
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED


@given(
    data=st.binary(max_size=2000), padded=st.booleans(), declared=st.sampled_from(["", "image/png", "IMAGE/PNG;a=x"])
)
async def test_inline_bytes_come_back(data: bytes, *, padded: bool, declared: str) -> None:
    """Bytes written into a data: URI come back, with or without padding, and nothing is dialled."""
    text = base64.b64encode(data).decode()
    url = f"data:{declared};base64,{text if padded else text.rstrip('=')}"
    async with aiohttp.ClientSession() as unused:
        given_back = await Door(unused, Policy()).get(url, limit=max(len(data), 1))
        assert given_back == (data, "image/png" if declared else None)


async def test_inline_bytes_beyond_one_step_come_back(door: Door) -> None:
    """A long inline output is unpacked in steps, and its limit is exact."""
    data = bytes(range(256)) * 8192
    url = "DATA:image/png;base64," + base64.b64encode(data).decode()
    assert is_inline(url)
    assert (await door.get(url, limit=len(data)))[0] == data
    assert await door.fault(url, limit=len(data) - 1) == ("too_large", False)


async def test_plain_inline_text_is_unescaped(door: Door) -> None:
    """Without base64 the data is percent-encoded text; base64 may be percent-encoded too."""
    assert await door.get("data:,a%20b%ff") == (b"a b\xff", None)
    assert await door.get("data:;base64,%2B%2F8%3D") == (b"\xfb\xff", None)
    assert await door.fault("data:,abc", limit=2) == ("too_large", False)


@pytest.mark.parametrize(
    "rest", ["", "image/png;base64", ";base64,a", ";base64,a!bc", ";base64,AA==AAAA", ";base64,é", ",\ud800"]
)
async def test_bad_inline_data_is_refused(door: Door, rest: str) -> None:
    """Data that cannot be unpacked is refused for good."""
    assert await door.fault("data:" + rest) == ("refused", False)


@pytest.mark.parametrize("url", ["http://[#", "//[::1#a", "https://[x]/#", "https://a.example:x/#"])
async def test_an_address_that_is_none_is_refused(door: Door, url: str) -> None:
    """What cannot even be taken apart is a fault of the output, and no error of ours."""
    kind, again = await door.fault(url)
    assert (kind in {"refused", "blocked"}, again) == (True, False)


async def test_padding_in_the_middle_is_refused(door: Door) -> None:
    """Two base64 texts run together are no base64, even where the first ends with a step."""
    assert await door.fault("data:;base64," + "A" * (1024 * 1024 - 1) + "=" + "AAAA", limit=10_000_000) == (
        "refused",
        False,
    )
