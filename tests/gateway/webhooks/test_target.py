"""Which addresses an endpoint may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.egress import BadAddress, Policy
from gateway.webhooks.target import check, is_inside

CLOSED = Policy()
OPEN = Policy.parse(["127.0.0.0/8", "10.1.0.0/16"])
OWN = ("https://media.example.com/gate", "http://127.0.0.1:8080")


@pytest.mark.parametrize(
    "url",
    ["https://app.example.com/hooks?x=1", "https://app.example.com:443/", "https://8.8.8.8/", "HTTPS://a.example/"],
)
def test_public_https_is_taken(url: str) -> None:
    """A public host on the default port is an endpoint."""
    check(url, CLOSED, OWN)
    assert not is_inside(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://app.example.com/", "must begin with https:// and have the default port"),
        ("https://app.example.com:8443/", "must begin with https:// and have the default port"),
        ("https://app.example.com:22/", "port 22 is refused"),
        ("https://10.0.0.1/", "a private address"),
        ("https://169.254.169.254/latest", "a link-local address"),
        ("https://[::1]/", "an IPv4-compatible address"),
        ("https://localhost/", "this machine"),
        ("https://user:pass@app.example.com/", "a user name or password"),
        ("https://app.example.com/#x", "a fragment"),
        ("https://app.example.com/a b", "a space"),
        ("https:///x", "has no host"),
        ("ftp://app.example.com/", "must begin with https://"),
        ("https://2130706433/", "not an IPv4 address"),
        ("https://media.example.com/gate/v1/nudges", "the gateway's own"),
        ("https://media.example.com/gate", "the gateway's own"),
        ("https://MEDIA.example.com.:443/gate/", "the gateway's own"),
        ("https://media.example.com/app/../gate/v1", "the gateway's own"),
        ("https://media.example.com/%67ate/v1", "the gateway's own"),
        ("https://media.example.com//gate//v1", "the gateway's own"),
        ("https://media.example.com/app/%2e%2e/gate", "the gateway's own"),
        ("https://ｍedia.example.com/gate", "the gateway's own"),
    ],
)
def test_anything_else_is_refused(url: str, said: str) -> None:
    """S32, S33, S34: plain HTTP, other ports, inner addresses, credentials and the gateway itself are refused with a reason."""
    with pytest.raises(BadAddress, match=said):
        check(url, CLOSED, OWN)


def test_beside_the_gateway_is_not_the_gateway() -> None:
    """Another path of the same host is somebody else's."""
    check("https://media.example.com/app/hooks", CLOSED, OWN)
    check("https://media.example.com/gateway", CLOSED, OWN)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/hooks",
        "https://127.0.0.1:9000/",
        "http://localhost:9000/",
        "http://10.1.2.3/",
        "http://app.internal:8000/",
        "http://app:8000/",
    ],
)
def test_an_opened_network_may_speak_plainly(url: str) -> None:
    """S37: inside what the operator opened, HTTP and any port are taken; a name is judged when it is dialled."""
    check(url, OPEN, OWN)
    assert is_inside(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://10.2.0.1/", "http://8.8.8.8/", "http://127.0.0.1:8080/v1", "http://localhost:8080/"),
        *("http://[::ffff:127.0.0.1]:8080/", "http://a.localhost:8080/x"),
    ],
)
def test_an_opened_network_opens_no_other(url: str) -> None:
    """S37, S38: addresses outside of it, public ones over plain HTTP, and the gateway's own stay refused."""
    with pytest.raises(BadAddress):
        check(url, OPEN, OWN)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://127.3.2.1:8080/x", "http://localhost:8080/"])
def test_a_gateway_on_every_address_is_its_own_on_each(url: str) -> None:
    """S38: where the gateway listens on all addresses of this machine, each of them is its own on that port alone."""
    with pytest.raises(BadAddress, match="the gateway's own"):
        check(url, OPEN, ("http://0.0.0.0:8080",))
    check(url.replace("8080", "8081"), OPEN, ("http://0.0.0.0:8080",))


@given(st.text(max_size=30), st.sampled_from(["https://", "http://", "https://media.example.com/", "http://127.0.0.1"]))
def test_any_text_is_answered(text: str, start: str) -> None:
    """S32: whatever is written down as an address, it is taken or refused with a sentence."""
    for policy in (CLOSED, OPEN):
        try:
            check(start + text, policy, OWN)
        except BadAddress as refused:
            assert str(refused).startswith("the URL")  # noqa: PT017 - either outcome is right
