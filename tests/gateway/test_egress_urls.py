"""Which URLs may be written down: hosts in every spelling, ports, schemes, and nothing hidden in them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from gateway.egress import BadAddress, Policy, check_url, place

PUBLIC = Policy()
LOOPBACK = Policy.parse(["127.0.0.0/8"])


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/a/b.png?x=%20y&z=a@b",
        "HTTP://EXAMPLE.com:80/",
        "https://example.com.:443/",
        "https://example.com:/",
        "https://a_b.example.com:8443",
        "https://münchen.example/bild.png",
        "https://8.8.8.8:8443/",
        "https://[2606:4700::1111]:8080/",
        "https://1.example.com/",
    ],
)
def test_good_urls_pass(url: str) -> None:
    """Ordinary public URLs pass."""
    check_url(url, PUBLIC)


# What may stand between "https://" and the path, and may not.
BAD_AUTHORITIES = """
:443 . a..b .example.com user@example.com user:pass@example.com @example.com example.com@127.0.0.1 example.com#@evil.example
example.com\\@evil.example example.com:22 example.com:25 example.com:1023 example.com:0 example.com:65536
example.com:99999999 example.com:-1 example.com:8o example.com:٨٠٨٠ [::1 ::1 [1.2.3.4] [fe80::1%25eth0]
a[2606:4700::1111] [2606:4700::1111]a [] exa%6dple.com -a.example a-.example exam\u00adple.com example.com\u200b
""".split()  # noqa: SIM905 - a table of words, not forty lines


@pytest.mark.parametrize("authority", ["", *BAD_AUTHORITIES, "a" * 64 + ".example", "a." * 127 + "example"])
def test_bad_authorities_are_refused(authority: str) -> None:
    """S32, S33: a missing, malformed or disguised host, a user name and a refused port are told in a sentence."""
    with pytest.raises(BadAddress, match=r"^the URL"):
        check_url(f"https://{authority}/", LOOPBACK)


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "//example.com/", "https:/example.com", "https:example.com", "ftp://example.com/"),
        *("file:///etc/passwd", "javascript:alert(1)", "data:,x", " https://example.com", "https://?x", "https://"),
        *("https://example.com/#part", "https://example.com/a b", "https://example.com/\t", "https://exa\nmple.com/"),
        *("https://example.com/\r\nX: y", "https://example.com/\x00", "https://example.com/\x7f"),
        "https://example.com/" + "a" * 2048,
    ],
)
def test_bad_urls_are_refused(url: str) -> None:
    """S32: another scheme, a fragment, an invisible character and too long a URL are told in a sentence."""
    with pytest.raises(BadAddress, match=r"^the URL"):
        check_url(url, LOOPBACK)


def test_credentials_are_named() -> None:
    """S32: a URL with a user name or password is refused for just that."""
    with pytest.raises(BadAddress, match="user name or password"):
        check_url("https://user:pass@example.com/", PUBLIC)


INSIDE = """
127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0X7F.0.0.1 0177.0.0.1 017700000001 0 0.0.0.0 127.0.0.1. 127.0.0.0x1 0x
①②⑦.⓪.⓪.① 127。0。0。1 １２７．０．０．１ 127｡0｡0｡1 [::1] [::] [::ffff:127.0.0.1] [::127.0.0.1] [0:0:0:0:0:ffff:7f00:1]
[64:ff9b::7f00:1] [2002:7f00:1::] 10.0.0.1 169.254.169.254 100.100.100.200 168.63.129.16 [fd00:ec2::254] 3232235777
0xa9fea9fe localhost LOCALHOST localhost. a.localhost ｌｏｃａｌｈｏｓｔ ⓛocalhost printer printer. nas.local
metadata.internal NAS.LOCAL. 1.2.3.4.5 256.256.256.256 08.8.8.8 134744072 ８.8.8.8
""".split()  # noqa: SIM905 - a table of words, not fifty lines


@pytest.mark.parametrize("host", INSIDE)
def test_inside_hosts_are_refused(host: str) -> None:
    """S27: private addresses in any notation, odd spellings of any address, and names of the inside are refused."""
    with pytest.raises(BadAddress, match=r"^the URL's host "):
        check_url(f"http://{host}/", PUBLIC)


def test_allowed_loopback_passes() -> None:
    """With loopback allowed, its plain literals and `localhost` pass, odd spellings and other networks do not."""
    for good in (
        "http://127.0.0.1:8080/",
        "http://localhost:8080/",
        "http://a.localhost/",
        "http://[::ffff:127.0.0.1]/",
    ):
        check_url(good, LOOPBACK)
    for bad in ("http://127.1/", "http://2130706433/", "http://10.0.0.1/", "http://[::1]/"):
        with pytest.raises(BadAddress):
            check_url(bad, LOOPBACK)


def test_allowed_network_opens_its_names() -> None:
    """Names of the inside are left to the socket guard once a network is allowed; `localhost` needs loopback itself."""
    policy = Policy.parse(["10.0.0.0/8"])
    check_url("http://hook.default.svc.cluster.local/", policy)
    check_url("http://hook:8080/", policy)
    with pytest.raises(BadAddress):
        check_url("http://localhost/", policy)


def test_schemes_can_be_narrowed() -> None:
    """S34: where only https is taken, http is refused and the message says which is taken."""
    with pytest.raises(BadAddress, match=r"begin with https://$"):
        check_url("http://example.com/", PUBLIC, schemes=("https",))


def test_ports_are_those_of_the_web() -> None:
    """S33: 80, 443, 8080 and 8443 are taken; from 1024 on others only where the operator opened the network."""
    opened = Policy.parse(["127.0.0.0/8"])
    for port in (22, 25, 53, 81, 1023, 1024, 6379, 8081, 9000, 65535):
        for policy, host in (
            (PUBLIC, "8.8.8.8"),
            (PUBLIC, "a.example"),
            (opened, "8.8.8.8"),
            (opened, "[2606:4700::1]"),
        ):
            with pytest.raises(BadAddress, match=rf"port {port} is refused"):
                check_url(f"https://{host}:{port}/", policy)
    for port in (80, 443, 8080, 8443):
        check_url(f"https://8.8.8.8:{port}/", PUBLIC)
    for port in (80, 443, 1024, 9000, 65535):
        check_url(f"http://127.0.0.1:{port}/", opened)
    with pytest.raises(BadAddress, match="port 22"):
        check_url("http://127.0.0.1:22/", opened)


def test_https_alone_is_taken_where_that_is_wanted() -> None:
    """S34: an operator may refuse plain HTTP to whatever is not inside a network they opened."""
    strict = Policy.parse(["10.0.0.0/8", "127.0.0.1"], https_only=True)
    for good in ("https://a.example/", "http://10.1.1.1/", "http://localhost:8000/", "http://hook:8000/"):
        check_url(good, strict)
    for bad in ("http://a.example/", "http://8.8.8.8/", "HTTP://a.example/", "http://[2606:4700::1]/"):
        with pytest.raises(BadAddress, match="https://"):
            check_url(bad, strict)
        check_url(bad, PUBLIC)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("HTTPS://Media.Example.COM./x", ("media.example.com", 443)),
        ("https://ｍedia.example.com:8443", ("media.example.com", 8443)),
        ("http://[::ffff:127.0.0.1]:80/", ("127.0.0.1", 80)),
        ("http://a.localhost/", ("127.0.0.1", 80)),
        ("http://[::1]", ("::1", 80)),
        ("http://0.0.0.0:8080", ("0.0.0.0", 8080)),
        ("no address", ("", 0)),
        ("http://[", ("", 0)),
        ("http://a..b/", ("a..b", 80)),
    ],
)
def test_a_place_has_one_spelling(url: str, found: tuple[str, int]) -> None:
    """S38: however a host is written, it is compared as it would be dialled."""
    assert place(url) == found


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://", "http://[", "http://127."]))
def test_any_text_is_answered(text: str, start: str) -> None:
    """Whatever is typed, the check passes or raises its own error, never another."""
    try:
        check_url(start + text, PUBLIC)
    except BadAddress as refused:
        assert str(refused).startswith("the URL")  # noqa: PT017 - either outcome is right


AUTHORITIES = st.text(alphabet="aA1.:@[]%-_/\\\\#?x。①ｌß ", max_size=24)


@given(AUTHORITIES | st.text(max_size=20), st.sampled_from(["/", "", "?x", "/a@b:1/", ":80/"]))
@example("a.example:443", "")
def test_whoever_dials_reads_the_same_host(authority: str, rest: str) -> None:
    """S27, S32: what passes the check names the same host and port to the client that dials as to the check."""
    url = f"https://{authority}{rest}"
    try:
        check_url(url, PUBLIC)
    except BadAddress:
        return
    if not url.isascii():
        return  # other scripts are encoded by newer rules there; the socket's guard sees where they lead
    dialled = URL(url, encoded=True)
    host, port = place(url)
    assert (dialled.port, dialled.user, dialled.password) == (port, None, None)
    if host != "127.0.0.1":
        assert (dialled.host or "").rstrip(".").lower() == host
