"""What a client decides: to ask again, to wait, to give up, and which error that is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.client import (
    Client,
    DownloadError,
    GatewayError,
    GenerationCanceledError,
    GenerationFailedError,
    RefusedError,
    Retries,
    UnreachableError,
    UnreadableError,
    WaitTimeoutError,
    calls,
    downloads,
    flows,
    replies,
)
from gateway.client.calls import origin_of
from gateway.client.replies import Reply
from gateway.client.steps import Drop, Fetched, Keep, Send, Tell
from gateway.client.wanted import call_of
from tests.gateway.client.either import LOST, MODEL, REFUSED, drive, pauses

_USUAL = Retries()


def told(data: Any, status: int = 200, **headers: str) -> Reply:
    """A success."""
    return Reply(status, headers, json.dumps({"status": "success", "data": data}).encode())


def refused(status: int, *, retryable: Any, wait: str | None = None, type_: str = "x") -> Reply:
    """An error."""
    error = {"code": "BSE0", "type": type_, "message": "no", "retryable": retryable}
    headers = {"retry-after": wait} if wait is not None else {}
    return Reply(status, headers, json.dumps({"status": "error", "request_id": "req_1", "error": error}).encode())


def record(status: str, **more: Any) -> dict[str, Any]:
    """A generation's record, as little of it as there is always."""
    return {
        "generation_id": "g1",
        "model_identifier": MODEL,
        "generation_status": status,
        "generation_created_at": "2026-11-25T15:00:00.000Z",
        **more,
    }


CREATED = told({"generation_id": "g1", "model_identifier": MODEL})


def create() -> calls.Call:
    """A call that begins a generation."""
    return call_of(MODEL, "a seal", {}, "key-1")


def begun(*answers: Any, retries: Retries = _USUAL) -> tuple[Any, list[Any]]:
    """Begin a generation through scripted answers."""
    return drive(flows.begin(create(), retries, MODEL), list(answers))


@pytest.mark.parametrize(
    ("first", "wait"),
    [
        (LOST, 0.25),
        (REFUSED, 0.25),
        (refused(503, retryable=True), 0.25),
        (refused(429, retryable=True, wait="3"), 3.0),
        (refused(400, retryable=True), 0.25),  # the word counts, not the status
        (Reply(502, {}, b"<html>bad gateway</html>"), 0.25),
    ],
)
def test_a_create_is_repeated_with_one_key(first: Any, wait: float) -> None:
    """What may go well another time is asked again after the pause that is due, byte for byte the same."""
    accepted, steps = begun(first, CREATED)
    assert accepted.id == "g1"
    sent = [step.call for step in steps if isinstance(step, Send)]
    assert sent[0] == sent[1]
    assert sent[0].key == "key-1"
    assert pauses(steps) == [wait]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(400, retryable=False), RefusedError),
        (refused(503, retryable=False), RefusedError),
        (refused(429, retryable=True, wait="3600"), RefusedError),  # longer than anybody wants to wait
        (Reply(200, {}, b"<html>hello</html>"), UnreadableError),
        (Reply(301, {"location": "https://elsewhere.example"}, b""), UnreadableError),
        (Reply(404, {}, b"nothing here"), UnreadableError),
        (told({"generation": "g1"}), UnreadableError),
        (told(["g1"]), UnreadableError),
    ],
)
def test_a_final_answer_is_not_asked_for_again(answer: Any, error: type[GatewayError]) -> None:
    """What will not change by asking again is raised at once."""
    with pytest.raises(error):
        begun(answer)


def test_trying_ends() -> None:
    """After the last try the error says that the same key joins what may have been begun."""
    with pytest.raises(UnreachableError) as caught:
        begun(LOST, LOST, LOST, LOST)
    assert caught.value.retryable
    assert caught.value.idempotency_key == "key-1"


def test_pauses_grow_and_are_spread() -> None:
    """Each pause is twice the one before, up to the longest, and chance spreads those who failed together."""
    patient = Retries(tries=5, first=1.0, longest=5.0)
    for chance, expected in ((0.0, [0.5, 1.0, 2.0, 2.5]), (1.0, [1.0, 2.0, 4.0, 5.0])):
        flow = flows.begin(create(), patient, MODEL)
        _, steps = drive(flow, [LOST, LOST, LOST, LOST, CREATED], chance=chance)
        assert pauses(steps) == expected


def test_a_retry_after_is_never_cut_short() -> None:
    """Who is told to come back later comes later, not sooner, whatever chance says."""
    for chance in (0.0, 0.5, 1.0):
        _, steps = drive(
            flows.begin(create(), _USUAL, MODEL), [refused(429, retryable=True, wait="7"), CREATED], chance=chance
        )
        assert 7.0 <= pauses(steps)[0] <= 7.7


@pytest.mark.parametrize("call", [calls.cancel("g1"), calls.delete("g1")])
def test_what_cannot_be_done_twice_is_repeated_only_when_it_was_not_heard(call: calls.Call) -> None:
    """A lost answer to a cancel is raised; a connection that never was, or a refusal, is tried again."""
    with pytest.raises(UnreachableError):
        drive(flows.ask(call, _USUAL, dict), [LOST])
    data, _ = drive(flows.ask(call, _USUAL, dict), [REFUSED, refused(503, retryable=True), told({"a": 1})])
    assert data == {"a": 1}


def test_an_error_says_all_that_was_told() -> None:
    """Code, type, status, request id, pause, details and the providers' own errors are there to branch on."""
    body = {
        "status": "error",
        "request_id": "req_9",
        "error": {
            "code": "BSE4006",
            "type": "all_providers_failed",
            "message": "every provider failed",
            "retryable": False,
            "details": {"generation_id": "g1"},
            "provider_errors": [
                {"provider": "acme", "code": "BSE4001", "type": "provider_error", "message": "500", "retryable": True}
            ],
        },
    }
    with pytest.raises(RefusedError) as caught:
        begun(Reply(502, {"retry-after": "4"}, json.dumps(body).encode()))
    error = caught.value
    assert (error.code, error.type, error.status, error.request_id) == ("BSE4006", "all_providers_failed", 502, "req_9")
    assert (error.retryable, error.retry_after, error.details) == (False, 4, {"generation_id": "g1"})
    assert [(each.provider, each.code, each.retryable) for each in error.provider_errors] == [("acme", "BSE4001", True)]


def test_an_error_without_the_word_is_judged_by_its_status() -> None:
    """Where `retryable` is no boolean the status says."""
    for status in (400, 404, 429, 500, 503):
        found = replies.data_of(refused(status, retryable="true"))
        assert isinstance(found, RefusedError)
        assert found.retryable is (status in {429, 500, 503})


def test_waiting_tells_each_change_once() -> None:
    """Progress is told when something is new, and the pauses grow with the time it takes."""
    answers = [told(record("pending")), *[told(record("processing"))] * 40, told(record("succeeded"))]
    done, steps = drive(flows.wait("g1", 600, _USUAL, 0.0), answers)
    assert done.status == "succeeded"
    assert [step.generation.status.value for step in steps if isinstance(step, Tell)] == [
        "pending",
        "processing",
        "succeeded",
    ]
    waited = pauses(steps)
    assert waited[0] == 0.25
    assert waited == sorted(waited)
    assert waited[-1] <= max(0.25, sum(waited) / 20)


def test_what_has_not_changed_is_not_sent_again() -> None:
    """A look brings the tag of the one before, and an answer without a body means that nothing is new."""
    under_way = Reply(200, {"etag": 'W/"1"'}, told(record("processing")).body)
    same = Reply(304, {"etag": 'W/"1"'}, b"")
    done, steps = drive(flows.wait("g1", 60, _USUAL, 0.0), [under_way, same, same, told(record("succeeded"))])
    assert done.status == "succeeded"
    tags = [step.call.headers.get("If-None-Match") for step in steps if isinstance(step, Send)]
    assert tags == [None, 'W/"1"', 'W/"1"', 'W/"1"']
    assert len([step for step in steps if isinstance(step, Tell)]) == 2


def test_a_gateway_that_restarts_is_waited_for() -> None:
    """A line that breaks and a proxy that knows nobody for a while end no wait."""
    away = [LOST, REFUSED, Reply(503, {}, b"no upstream"), refused(503, retryable=True, wait="2")]
    done, _ = drive(flows.wait("g1", 600, _USUAL, 0.0), [told(record("processing")), *away, told(record("succeeded"))])
    assert done.status == "succeeded"
    with pytest.raises(UnreachableError):
        drive(flows.wait("g1", 600, _USUAL, 0.0), [told(record("processing")), *[LOST] * 200])


def test_waiting_ends_with_the_time_given() -> None:
    """The error holds the id, for the generation goes on."""
    with pytest.raises(WaitTimeoutError) as caught:
        drive(flows.wait("g1", 3, _USUAL, 0.0), [told(record("processing"))] * 50)
    assert caught.value.id == "g1"


def test_a_word_of_a_later_gateway_is_under_way() -> None:
    """A state nobody knows yet is polled on."""
    done, _ = drive(flows.wait("g1", 60, _USUAL, 0.0), [told(record("thawing")), told(record("succeeded"))])
    assert done.status == "succeeded"


def test_bad_endings_are_errors_with_the_record() -> None:
    """A failed generation says whether to ask again, a canceled one is told apart."""
    fault = {"code": "BSE4006", "type": "all_providers_failed", "message": "every provider failed", "retryable": True}
    with pytest.raises(GenerationFailedError, match="every provider failed") as failed:
        drive(flows.wait("g1", 60, _USUAL, 0.0), [told(record("failed", error=fault))])
    assert failed.value.retryable
    assert failed.value.generation.error is not None
    assert failed.value.generation.error.code == "BSE4006"
    with pytest.raises(GenerationCanceledError) as canceled:
        drive(flows.wait("g1", 60, _USUAL, 0.0), [told(record("canceled"))])
    assert not canceled.value.retryable
    with pytest.raises(RefusedError):
        drive(flows.wait("g1", 60, _USUAL, 0.0), [refused(404, retryable=False)])


# ---- what is asked


def test_a_request_is_worded_in_native_fields() -> None:
    """Every word gets the native prefix, an order of names becomes one text, and a model's own words go along."""
    call = call_of(
        MODEL,
        "a seal",
        {
            "ratio": "16:9",
            "input_file": ("https://example.com/a.jpg",),
            "provider_order": ["byteplus", "fal"],
            "extra": {"seed": 7},
            "tags": ["nightly", "eu"],
        },
        "key-1",
    )
    assert (call.method, call.path) == ("POST", f"/v1/generate/image/{MODEL}")
    assert json.loads(call.body or b"") == {
        "generation_prompt": "a seal",
        "generation_ratio": "16:9",
        "generation_input_file": ["https://example.com/a.jpg"],
        "generation_provider_order": "byteplus, fal",
        "generation_seed": 7,
    }
    assert call.headers == {"Idempotency-Key": "key-1", "X-Tidegate-Tag": "nightly, eu"}


def test_a_duration_means_a_video() -> None:
    """Unless the kind is said, it is known by the duration."""
    assert "/generate/video/" in call_of("a/b", "x", {"duration": 5}, "k").path
    assert "/generate/video/" in call_of("a/b", "x", {"kind": "video"}, "k").path
    assert "/generate/image/" in call_of("a/b", "x", {"kind": "image", "duration": 5}, "k").path


def test_a_word_there_is_not_is_a_type_error() -> None:
    """A misspelled word is refused here and not sent, with the place for a model's own words."""
    with pytest.raises(TypeError, match="extra"):
        call_of("a/b", "x", {"ration": "16:9"}, "k")  # type: ignore[typeddict-unknown-key] # the mistake under test
    with pytest.raises(TypeError, match="not set"):
        call_of("a/b", "x", {"extra": {"seed": {1}}}, "k")


@pytest.mark.parametrize("url", ["", "gateway", "ftp://a", "http://", "http://a:x", "http://a/?b=1", "http://u:p@a"])
def test_what_is_no_address_is_refused(url: str) -> None:
    """A mistake in the URL or the key is found when the client is made, and the key is not shown."""
    with pytest.raises(ValueError, match="expected a URL"):
        Client(url)
    with pytest.raises(ValueError, match="one line") as caught:
        Client("http://127.0.0.1:1", "bye_secret\r\nX: y")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://a:8080/v1/", "http://a:8080"),
        (" https://a/media/v1", "https://a/media"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_may_end_in_v1(url: str, origin: str) -> None:
    """People paste what they were told."""
    assert origin_of(url) == origin


# ---- downloads


def _saved(
    *answers: Any, outputs: tuple[str, ...] = ("http://a/0.png",), to: str = "seal.png"
) -> tuple[Any, list[Any]]:
    made = replies.generation(record("succeeded", generation_output_file=list(outputs)))
    return drive(downloads.save(made, Path(to), is_folder=False, origin="http://a", retries=_USUAL), list(answers))


def _file(content: str = "a", **headers: str) -> Fetched:
    # The SHA-256 of "a".
    sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    return Fetched(
        Path(f".{content}.part"), {name.replace("_", "-"): value for name, value in headers.items()}, 1, sha256
    )


_TRUE = "sha-256=:ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=:"
_FALSE = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"


@pytest.mark.parametrize("bad", [_file(repr_digest=_FALSE), _file(content_length="2"), LOST, Reply(503, {}, b"")])
def test_a_download_that_is_not_whole_is_repeated(bad: Any) -> None:
    """Another hash, another size, a broken line: none of it is kept, and the next try is."""
    [saved], steps = _saved(bad, _file("b", repr_digest=_TRUE, content_type="image/png; x=y"))
    assert saved.is_verified
    assert saved.type == "image/png"
    assert [step.path.name for step in steps if isinstance(step, Keep)] == ["seal.png"]
    assert len([step for step in steps if isinstance(step, Drop)]) == isinstance(bad, Fetched)


def test_a_download_that_never_is_whole_is_an_error() -> None:
    """After the last try nothing stands under the name."""
    with pytest.raises(DownloadError, match="hash"):
        _saved(*[_file(repr_digest=_FALSE)] * 4)
    with pytest.raises(DownloadError, match="404"):
        _saved(Reply(404, {}, b""))


def test_a_provider_that_tells_no_hash_is_told_apart() -> None:
    """What could not be verified says so."""
    [saved], _ = _saved(_file())
    assert not saved.is_verified


def test_a_link_may_lead_on() -> None:
    """A store's link is followed, but not for ever."""
    [saved], _ = _saved(Reply(302, {"location": "https://bucket.example/0.png"}, b""), _file())
    assert saved.size == 1
    with pytest.raises(DownloadError, match="place to place"):
        _saved(*[Reply(302, {"location": "/again"}, b"")] * 6)


def test_only_what_succeeded_has_outputs() -> None:
    """A record under way has nothing to save."""
    made = replies.generation(record("processing"))
    with pytest.raises(DownloadError, match="processing"):
        drive(downloads.save(made, Path("x"), is_folder=False, origin="http://a", retries=_USUAL), [])


def test_an_address_nobody_can_read_is_refused() -> None:
    """A link that is neither HTTP nor inline is not opened."""
    with pytest.raises(DownloadError, match="cannot be read"):
        _saved(outputs=("file:///etc/passwd",))
    with pytest.raises(DownloadError, match="inside the answer"):
        _saved(outputs=("data:image/png;base64,%%%",))
