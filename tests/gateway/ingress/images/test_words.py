"""Every error of the gateway in the words of the images API, and as the one body of all doors."""

from __future__ import annotations

import pytest

from gateway.ingress import wording
from gateway.ingress.images.words import words
from gateway.ingress.refusal import CODES, Refusal


@pytest.mark.parametrize("name", CODES)
def test_every_error_has_its_words(name: str) -> None:
    """No status is one that clients send again where that would be wrong, and each reader finds its members."""
    refusal = Refusal(name, "said")
    worded = words(refusal)
    assert worded.status not in {402, 409}
    body = wording.problem(refusal, worded, request_id="req_1", origin="http://here")
    assert (body["detail"], body["error"]["message"], body["status"]) == ("said", "said", worded.status)
    assert body["code"] == CODES[name].code
    is_told_not_to = wording.headers(refusal, worded).get("x-should-retry") == "false"
    assert is_told_not_to is not CODES[name].retryable


def test_what_was_begun_is_never_sent_again() -> None:
    """Whatever the table says of the error, a generation that came to nothing was tried as often as it may be."""
    refusal = Refusal("all_providers_failed", "said", details={"generation_id": "g-1"}, retryable=True)
    assert wording.headers(refusal, words(refusal))["x-should-retry"] == "false"
    body = wording.problem(refusal, words(refusal), request_id="req_1", origin="http://here")
    assert (body["generation_id"], body["retryable"]) == ("g-1", False)


def test_the_wait_is_told_in_milliseconds_too() -> None:
    """Its clients look there first."""
    refusal = Refusal("overloaded", "said", retry_after=2)
    assert wording.headers(refusal, words(refusal))["retry-after-ms"] == "2000"
