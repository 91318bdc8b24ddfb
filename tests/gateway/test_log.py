"""The log: one event a line, bounded and escaped, and no secret in it."""

from __future__ import annotations

import base64
import io
import json
import logging
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import log
from gateway.log import Redactor

SECRET = "c4n4ry/Secret+value=42"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Log into a text, and leave the process's logging as it was."""
    root, gateway = logging.getLogger(), logging.getLogger("gateway")
    before = root.handlers[:], root.level, gateway.level
    written = io.StringIO()
    log.setup(format="json", level="info", stream=written)
    yield written
    root.handlers[:], level, own = before
    root.setLevel(level)
    gateway.setLevel(own)
    logging.captureWarnings(capture=False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Read back every line as JSON."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def knowing(*secrets: str) -> Redactor:
    """Give a redactor that knows `secrets`."""
    redactor = Redactor()
    for secret in secrets:
        redactor.register(secret)
    return redactor


def test_an_event_is_one_json_line(stream: io.StringIO) -> None:
    """An event has its time, level and name first, then its fields in the order given."""
    log.event("attempt_failed", level="warning", generation="gen_1", attempt=2, took=1.5)
    (line,) = lines(stream)
    assert list(line) == ["ts", "level", "event", "generation", "attempt", "took"]
    assert (line["level"], line["event"], line["attempt"]) == ("warning", "attempt_failed", 2)
    assert len(line["ts"]) == 24
    assert line["ts"].endswith("Z")


def test_levels_are_kept(stream: io.StringIO) -> None:
    """What is below the level is not written; setting up again replaces the first setup."""
    log.event("quiet", level="debug")
    log.setup(format="json", level="error", stream=stream)
    log.event("unheard", level="warning")
    log.event("heard", level="error")
    assert [line["event"] for line in lines(stream)] == ["heard"]


def test_lines_of_libraries_have_the_same_form(stream: io.StringIO) -> None:
    """What a library logs comes out as an event named for its logger, secrets struck out."""
    logging.getLogger("some.library").warning("sent %s", {"Authorization": "Bearer abc123def"})
    (line,) = lines(stream)
    assert line["event"] == "some.library"
    assert line["message"] == "sent {'Authorization': '***'}"


def test_exceptions_are_struck_out(stream: io.StringIO) -> None:
    """S65: an exception's text and trace are logged without the secrets in its arguments, causes included."""
    log.register(SECRET)

    def fail() -> None:
        try:
            open(f"/none/{SECRET}")  # noqa: PTH123, SIM115 - it never opens
        except OSError as cause:
            raise RuntimeError({"x-api-key": SECRET}) from cause

    with pytest.raises(RuntimeError) as raised:
        fail()
    log.event("request_failed", level="error", error=raised.value)
    (line,) = lines(stream)
    assert line["error"] == "RuntimeError: {'x-api-key': '***'}"
    assert "test_log.py" in line["trace"]
    assert "c4n4ry" not in stream.getvalue()


def test_fields_named_like_secrets(stream: io.StringIO) -> None:
    """S65: a field named like a secret goes whole, at any depth; one that only sounds like it stays."""
    headers = {"Authorization": "Bearer x", "X-Api-Key": "y", "Set-Cookie": ["a=b"], "accept": "*/*"}
    log.event("sent", headers=headers, token="t", max_tokens=5, FAL_KEY="k", key_id="key_1")
    (line,) = lines(stream)
    assert line["headers"] == {"Authorization": "***", "X-Api-Key": "***", "Set-Cookie": "***", "accept": "*/*"}
    assert [line[name] for name in ("token", "max_tokens", "FAL_KEY", "key_id")] == ["***", 5, "***", "key_1"]


def test_prompts_are_not_logged(stream: io.StringIO) -> None:
    """S66: what a caller wrote is replaced by its length, unless the settings want it."""
    log.event("accepted", prompt="a baby seal", request={"generation_prompt": "a seal", "seed": 5})
    log.setup(format="json", prompts=True, stream=stream)
    log.event("accepted", prompt="a baby seal")
    closed, opened = lines(stream)
    assert (closed["prompt"], closed["request"]) == ("11 characters", {"generation_prompt": "6 characters", "seed": 5})
    assert opened["prompt"] == "a baby seal"


@pytest.mark.parametrize("value", ["x" * 1_000_000, ["y" * 900] * 900, {str(n): "\x1b" * 99 for n in range(999)}])
def test_lines_are_bounded(stream: io.StringIO, value: object) -> None:
    """S70: however large the fields, a line is JSON of at most 16 KiB."""
    log.event("large", value=value, other="kept")
    (line,) = stream.getvalue().splitlines()
    assert len(line.encode()) < 16 * 1024
    assert json.loads(line)["event"] == "large"


def test_too_many_fields_leave_the_event(stream: io.StringIO) -> None:
    """A line with more fields than fit keeps the first and says how many more there were."""
    log.event("many", **{f"field_{n}": n for n in range(5000)})
    log.event("deep", **{f"field_{n}": [{"x": "y" * 99}] * 20 for n in range(100)})
    many, deep = lines(stream)
    assert (many["event"], many["field_0"], many["…"]) == ("many", 0, "3977 more")
    assert (deep["event"], deep["cut"]) == ("deep", 101)


@pytest.mark.parametrize("form", ["json", "text"])
def test_nothing_moves_the_cursor(stream: io.StringIO, form: log.events.Format) -> None:
    """S70: line breaks, escapes and characters that turn text around are escaped."""
    log.setup(format=form, stream=stream)
    log.event("odd", value="a\nb\r\x1b[2J\x7f\x85\u2028\u202e", **{"n\nm": 1})
    written = stream.getvalue()
    assert written.endswith("\n")
    assert written.removesuffix("\n").isprintable()


def test_a_line_that_cannot_be_made_is_counted_not_shown(stream: io.StringIO) -> None:
    """A fault in making a line ends nothing and shows nothing of what was in it."""

    class Broken:
        def __str__(self) -> str:
            raise LookupError(SECRET)

    log.event("odd", value=Broken())
    log.event("next")
    lost, after = lines(stream)
    assert (lost, after["event"]) == ({"level": "error", "event": "log_line_lost", "of": "gateway"}, "next")


def test_a_closed_stream_ends_nothing() -> None:
    """A log that nobody reads any more does not disturb the work."""
    gone = io.StringIO()
    handlers = logging.getLogger().handlers[:]
    log.setup(format="json", stream=gone)
    gone.close()
    log.event("unheard", level="error")
    logging.getLogger().handlers[:] = handlers
    logging.captureWarnings(capture=False)


def test_text_for_people(stream: io.StringIO) -> None:
    """At a terminal an event is a short line, and a trace follows it indented."""
    log.setup(format="text", stream=stream)
    log.event("attempt_failed", provider="far", why="try again", error=ValueError("no"))
    first, *trace = stream.getvalue().splitlines()
    assert first[8:] != ""
    assert first[13:] == 'info    attempt_failed provider=far why="try again" error="ValueError: no"'
    assert all(line.startswith("    ") for line in trace)


def test_auto_is_json_away_from_a_terminal(stream: io.StringIO) -> None:
    """Without a terminal the automatic form is JSON."""
    log.setup(stream=stream)
    log.event("seen")
    assert lines(stream)[0]["event"] == "seen"


def test_values_that_are_not_json(stream: io.StringIO) -> None:
    """Whatever a field holds, the line is JSON: bytes become their number, other objects their text."""
    log.event("odd", data=b"abc", nan=float("nan"), where=ValueError("x"), many={1: {"b"}})
    (line,) = lines(stream)
    assert [line[name] for name in ("data", "nan", "where", "many")] == ["3 bytes", "nan", "x", {"1": ["b"]}]


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe="").replace("%2F", "%2f"),
        urllib.parse.quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"users:{SECRET}:more".encode()).decode(),
        json.dumps(SECRET).replace("/", "\\/"),
    ],
)
def test_registered_values_in_every_spelling(spelled: str) -> None:
    """A registered secret is found percent-encoded, escaped, and in base64 at any alignment."""
    left = knowing(SECRET).redact(f"said <{spelled}> to us")
    assert "***" in left
    assert "c4n4ry" not in left
    assert base64.b64encode(SECRET[3:12].encode()).decode()[2:10] not in left


def test_a_registered_value_leaves_its_mark() -> None:
    """S71: two secrets are told apart by four characters of their hash; the longer of two that overlap is struck whole."""
    redactor = knowing("secret-one", "secret-one-and-more")
    short, long = redactor.redact("secret-one"), redactor.redact("secret-one-and-more")
    assert short != long
    assert [len(short), len(long)] == [7, 7]


def test_short_values_are_words() -> None:
    """A value too short to be a secret does not strike out ordinary text."""
    assert knowing("a", "test").redact("a test") == "a test"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abc.def, x\nnext", "Authorization: ***\nnext"),
        ("Cookie: a=b; c=d", "Cookie: ***"),
        ("x-api-key: abc, x-other: 1", "x-api-key: ***, x-other: 1"),
        ("{'x-api-key': 'a b', 'n': 1}", "{'x-api-key': '***', 'n': 1}"),
        ("(b'Authorization', b'Bearer x')", "(b'Authorization', b'***')"),
        ('{"cookie": "a=\\"b\\"; s=t", "n": 1}', '{"cookie": "***", "n": 1}'),
        ('{\\"api_key\\": \\"abc\\", \\"n\\": 1}', '{\\"api_key\\": \\"***\\", \\"n\\": 1}'),
        ("GET /v1/x?key=abc&n=1", "GET /v1/x?key=***&n=1"),
        ("SOME_TOKEN=abc run", "SOME_TOKEN=*** run"),
        ("https://far.example/a/b.png?X-Sig=abc&n=1 gone", "https://far.example/a/b.png?*** gone"),
        ('"https://far.example/a?n=1\\u0026s=2"', '"https://far.example/a?***"'),
        ("postgresql://me:p@ss@db/x", "postgresql://***@db/x"),
        ("key bye_abcdef123456 is revoked", "key bye_*** is revoked"),
        ("Bearer abcdef123456", "Bearer ***"),
        ("data:image/png;base64,iVBORw0KGgo=", "data:image/png,***"),
        ("b64 " + "A1b2" * 200 + "==", "b64 ***"),
        ("unknown key 'generation_promt'", "unknown key 'generation_promt'"),
        ("max_tokens: 5, monkey=5, the token: word", "max_tokens: 5, monkey=5, the token: word"),
        ("https://far.example/v1/images", "https://far.example/v1/images"),
    ],
)
def test_names_and_shapes_of_secrets(text: str, left: str) -> None:
    """S65: what is named or shaped like a secret, in headers and in queries of addresses too, is struck out, what merely sounds like one is left; twice is as once."""
    redactor = Redactor()
    assert redactor.redact(text) == left
    assert redactor.redact(left) == left


@settings(deadline=None)
@given(
    st.text(st.sampled_from("ab/+= %\"'\\é_-~&?:"), min_size=6, max_size=20),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_no_registered_value_survives(secret: str, before: str, after: str) -> None:
    """Whatever surrounds it, a registered value is not in what is left."""
    assert secret not in knowing(secret).redact(f"{before}{secret}{after}")


@pytest.mark.parametrize(
    "piece", ["a", "a-", "key=", "https://", "\\", "'", "Authorization: ", "x_api_key:'", "data:", "://a"]
)
def test_redacting_takes_linear_time(piece: str) -> None:
    """A hostile text of 200,000 characters is struck out in well under a second each."""
    began = time.process_time()
    knowing(SECRET).redact(piece * (200_000 // len(piece)))
    assert time.process_time() - began < 1.5
