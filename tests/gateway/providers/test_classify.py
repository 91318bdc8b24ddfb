"""Failures: the provider's own rules first, then the HTTP status; how far the call got; how long to wait."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fault import FaultKind, Reach
from gateway.providers import classify
from gateway.providers.classify import UNREADABLE, Media
from gateway.providers.pack import CallName, Provider, Wait
from tests.gateway.providers.acme import reply

NOW = 1_795_305_600_000  # 2026-11-22T00:00:00Z
UNITS = ["seconds", "milliseconds", "epoch", "epoch_ms", "duration", "http_date"]


def refused(provider: Provider, body: Any, status: int, call: CallName = CallName.SUBMIT) -> tuple[FaultKind, Reach]:
    """Classify a refused call."""
    fault = classify.refusal(provider, call, reply(body, status), NOW)
    return fault.kind, fault.reach


@pytest.mark.parametrize(
    ("status", "kind", "reach"),
    [
        (400, FaultKind.INVALID_INPUT, Reach.REFUSED),
        (401, FaultKind.UNAUTHORIZED, Reach.REFUSED),
        (402, FaultKind.OUT_OF_CREDIT, Reach.REFUSED),
        (403, FaultKind.UNAUTHORIZED, Reach.REFUSED),
        (404, FaultKind.NOT_SERVED, Reach.REFUSED),
        (405, FaultKind.INVALID_INPUT, Reach.REFUSED),
        (408, FaultKind.TIMEOUT, Reach.UNSURE),
        (418, FaultKind.INVALID_INPUT, Reach.UNSURE),
        (422, FaultKind.INVALID_INPUT, Reach.REFUSED),
        (429, FaultKind.RATE_LIMITED, Reach.REFUSED),
        (500, FaultKind.PROVIDER_ERROR, Reach.UNSURE),
        (503, FaultKind.OVERLOADED, Reach.REFUSED),
        (504, FaultKind.TIMEOUT, Reach.UNSURE),
        (529, FaultKind.PROVIDER_ERROR, Reach.UNSURE),
        (302, FaultKind.UNREADABLE, Reach.UNSURE),
        (199, FaultKind.UNREADABLE, Reach.UNSURE),
    ],
)
def test_a_status_says_what_no_rule_does(provider: Provider, status: int, kind: FaultKind, reach: Reach):
    """Without a rule of the pack the HTTP status decides; only a clear no means that nothing began."""
    assert refused(provider, UNREADABLE, status) == (kind, reach)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"error": {"code": "moderated"}}, 400, FaultKind.CONTENT_BLOCKED),
        ({"error": {"code": "moderation_blocked"}}, 500, FaultKind.CONTENT_BLOCKED),
        ({"error": {"code": "unmoderated"}}, 400, FaultKind.INVALID_INPUT),
        ({"error": {"message": "You have NO MONEY left"}}, 403, FaultKind.OUT_OF_CREDIT),
        ({"error": {"message": "You have no money left"}}, 400, FaultKind.INVALID_INPUT),
        ({"error": {"message": "something else"}}, 403, FaultKind.UNAUTHORIZED),
        ({"error": {"code": True, "message": ["no money"]}}, 403, FaultKind.UNAUTHORIZED),
    ],
)
def test_a_rule_needs_all_its_conditions(provider: Provider, body: Any, status: int, kind: FaultKind):
    """A rule holds when the status, the code and the words it names all do."""
    assert refused(provider, body, status)[0] is kind


def test_a_job_that_is_gone_is_lost(provider: Provider):
    """After the job was taken, not found means that it is lost, and it may have cost money."""
    assert refused(provider, {}, 404, CallName.STATUS) == (FaultKind.LOST, Reach.ACCEPTED)


def test_a_fault_carries_the_providers_words(provider: Provider):
    """Message, code and status of a failure are kept, the message cut where it is very long, and marked as the provider's words."""
    fault = classify.refusal(provider, CallName.SUBMIT, reply({"error": {"code": 7, "message": "x" * 9999}}, 400), NOW)
    assert (fault.code, fault.status, fault.message, fault.quoted) == ("7", 400, "x" * 8000, True)
    ours = classify.refusal(provider, CallName.SUBMIT, reply({}, 400), NOW)
    assert (ours.message, ours.quoted) == ("answered HTTP 400", False)
    assert classify.code_of(provider, reply(UNREADABLE)) is None


def test_a_failed_job_is_known_by_its_rule(provider: Provider):
    """A job that was taken and failed reads by the same rules, else as the caller of this says."""
    known = classify.failure(provider, reply({"error": {"code": "moderated"}}), FaultKind.PROVIDER_ERROR)
    other = classify.failure(provider, reply({"error": {"code": "x"}}), FaultKind.PROVIDER_ERROR)
    assert (known.kind, known.reach) == (FaultKind.CONTENT_BLOCKED, Reach.ACCEPTED)
    assert (other.kind, other.code) == (FaultKind.PROVIDER_ERROR, "x")


def test_a_rule_is_found_by_position(provider: Provider):
    """The proof of a pack can ask which rule knew a failure."""
    assert classify.hit(provider, reply({"error": {"message": "no money"}}, 403)) == 1
    assert classify.hit(provider, reply({}, 500)) is None
    assert not classify.has_rule(provider, reply({}, 500))


@pytest.mark.parametrize(
    ("unit", "text", "milliseconds"),
    [
        ("seconds", "5", 5000),
        ("seconds", "0.25", 250),
        ("seconds", "100000", 300_000),
        ("seconds", "0", None),
        ("seconds", "-3", None),
        ("seconds", "soon", None),
        ("seconds", "inf", None),
        ("seconds", "nan", None),
        ("milliseconds", "250", 250),
        ("milliseconds", "1500.5", 1500),
        ("milliseconds", "86400000", 300_000),
        ("milliseconds", "0", None),
        ("milliseconds", "soon", None),
        ("epoch", "1795305610", 10_000),
        ("epoch", "5", None),
        ("epoch_ms", "1795305600500", 500),
        ("duration", "1m30s", 90_000),
        ("duration", "500ms", 500),
        ("duration", "1h", 300_000),
        ("duration", "a while", None),
        ("http_date", "Sun, 22 Nov 2026 00:00:07 GMT", 7000),
        ("http_date", "Sun, 22 Nov 2026 00:00:07", 7000),
        ("http_date", "Sun, 22 Nov 99999999999999999999 00:00:07 GMT", None),
        ("duration", "1" * 100_000, None),  # would take the square of its length to find no unit in
        ("http_date", "yesterday", None),
        ("http_date", "", None),
    ],
)
def test_a_pause_is_read_in_its_unit(unit: str, text: str, milliseconds: int | None):
    """A pause is never longer than five minutes; what cannot be read, or has passed, is none."""
    assert classify.pause((Wait("x-wait", None, unit),), reply(x_wait=text), NOW) == milliseconds


def test_the_first_pause_that_can_be_read_counts(provider: Provider):
    """Header and body are asked in the order of the pack."""
    body = {"error": {"wait": "2s"}}
    assert classify.pause(provider.waits, reply(body, 429, retry_after="1"), NOW) == 1000
    assert classify.pause(provider.waits, reply(body, 429, retry_after="?"), NOW) == 2000
    assert classify.pause(provider.waits, reply(UNREADABLE, 429), NOW) is None


@given(unit=st.sampled_from(UNITS), text=st.text())
def test_any_header_is_survived(unit: str, text: str):
    """Whatever a header holds, it is a pause within bounds or none."""
    found = classify.pause((Wait("x-wait", None, unit),), reply(x_wait=text), NOW)
    assert found is None or 0 < found <= 300_000


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b'{"a": "caf\\u00e9 \\ud83d\\ude00"}', {"a": "café 😀"}),
        (b'{"a\\ud800": ["x\\udfffy", "\\u0000"]}', {"a\ufffd": ["x\ufffdy", "\ufffd"]}),
        ('{"a": "海豹"}'.encode("utf-16"), {"a": "海豹"}),
        (b"[" * 64 + b"]" * 64, pytest.approx),
        (b"[" * 65 + b"]" * 65, UNREADABLE),
        (b"[" * 980 + b"]" * 980, UNREADABLE),
        (b"[" * 100_000, UNREADABLE),
        (b"[" + b"[]," * 100_000 + b"[]]", UNREADABLE),
        (b'"\xed\xa0\x80"', UNREADABLE),
        (b'"\xff"', UNREADABLE),
        (b"9" * 5000, UNREADABLE),
        (b"", UNREADABLE),
    ],
)
def test_a_body_is_json_that_can_be_kept(data: bytes, body: Any):
    """Halves of characters and NUL, which no store takes, are replaced; what is too deep to be walked is unreadable."""
    found = classify.parsed(data)
    assert found == body or (body is pytest.approx and found is not UNREADABLE)


def test_a_code_is_no_letter(provider: Provider):
    """A native code is cut where it is very long; rules still see the whole of it."""
    fault = classify.refusal(provider, CallName.SUBMIT, reply({"error": {"code": "moderated" + "x" * 9999}}, 400), NOW)
    assert fault.kind is FaultKind.CONTENT_BLOCKED
    assert fault.code == "moderated" + "x" * 1591


def test_what_is_not_json_says_so_in_test_output():
    """The mark for a body that was not JSON has a name."""
    assert repr(UNREADABLE) == "UNREADABLE"


@pytest.mark.parametrize(
    ("declared", "is_media"),
    [("image/png", True), ("video/mp4", True), ("audio/mpeg", True), ("application/json", False), ("text/html", False)],
)
def test_a_body_may_be_the_picture_itself(declared: str, is_media: bool):  # noqa: FBT001 - a row says it
    """The media type of an answer says whether its body is a picture, a film or a sound."""
    assert classify.media(b"bytes", declared) == (Media(b"bytes", declared) if is_media else None)


def test_a_picture_is_not_searched(provider: Provider):
    """A refusal that comes as a picture has neither code nor words, and reads by its status."""
    found = classify.refusal(provider, CallName.SUBMIT, reply(Media(b"bytes", "image/png"), 429), NOW)
    assert (found.kind, found.code, found.message) == (FaultKind.RATE_LIMITED, None, "answered HTTP 429")
