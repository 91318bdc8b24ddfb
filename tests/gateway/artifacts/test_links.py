"""Signed links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.artifacts.links import Refusal, output_path, sign, verify

SECRET = b"a secret of thirty-two bytes....."
PATH = output_path("gen_1", 0, "png")
QUERY = sign(SECRET, PATH, 2_000)


def test_a_fresh_link_opens() -> None:
    """S60: a link opens its path until the second it names."""
    assert PATH == "/v1/outputs/gen_1/0.png"
    assert verify(SECRET, PATH, QUERY, now_s=1_999) is None
    assert verify(SECRET, PATH, QUERY, now_s=2_000) is Refusal.EXPIRED


@pytest.mark.parametrize(
    "path", ["/v1/outputs/gen_1/1.png", "/v1/outputs/gen_2/0.png", "/v1/outputs/gen_1/0.jpg", "", "/\ud800"]
)
def test_another_path_stays_shut(path: str) -> None:
    """S60: a link opens no other path."""
    assert verify(SECRET, path, QUERY, now_s=0) is Refusal.FORGED


def test_a_later_end_stays_shut() -> None:
    """The time in a link cannot be moved, nor spelled another way."""
    for time in ("2001", "9999999999", "02000"):
        assert verify(SECRET, PATH, QUERY.replace("2000", time, 1), now_s=0) is Refusal.FORGED


@pytest.mark.parametrize("at", range(len(QUERY) - 64, len(QUERY)))
def test_a_changed_signature_stays_shut(at: int) -> None:
    """S60: each single changed character of the signature shuts the link."""
    other = QUERY[:at] + ("0" if QUERY[at] != "0" else "1") + QUERY[at + 1 :]
    assert verify(SECRET, PATH, other, now_s=0) is Refusal.FORGED


@pytest.mark.parametrize(
    "query",
    [
        "",
        "expires=2000",
        QUERY + "&x=1",
        QUERY + "\n",
        QUERY.upper(),
        QUERY[:-1],
        "?" + QUERY,
        QUERY.replace("2000", "٢٠٠٠"),
    ],
)
def test_another_form_is_unsigned(query: str) -> None:
    """S60: what is not exactly a link's query counts as unsigned."""
    assert verify(SECRET, PATH, query, now_s=0) is Refusal.UNSIGNED


def test_another_secret_stays_shut() -> None:
    """A link signed with another secret does not open, and an empty secret signs nothing."""
    assert verify(b"other", PATH, QUERY, now_s=0) is Refusal.FORGED
    with pytest.raises(ValueError, match="empty secret"):
        sign(b"", PATH, 1)


@given(st.text(), st.text())
def test_any_text_is_answered(path: str, query: str) -> None:
    """Whatever comes as path and query is refused without an error."""
    assert verify(SECRET, path, query, now_s=0) is not None
